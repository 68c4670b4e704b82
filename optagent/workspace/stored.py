"""Files as git stores them, which is not always how they lie on the disk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePosixPath

from optagent.core.patch import Change
from optagent.errors import EnvironmentFault, TreeChanged, UsageError
from optagent.workspace.desk import Desk
from optagent.workspace.inside import inside
from optagent.workspace.text import encode

PLAIN, PROGRAM, SUBMODULE = "100644", "100755", "160000"
NO_BRANCH = "no branch was made"


@dataclass(frozen=True)
class Row:
    """One file of a commit."""

    mode: str
    id: str


def stored(desk: Desk, change: Change) -> None:
    """The index of the desk holds the change, converted the way the old file is.

    UsageError when the file at HEAD is not the change's old one, lies in a submodule, is no plain file, or is
    converted by a program (git-lfs and the like), which we do not run.
    """
    inside(desk.root, change.path)
    row = row_at_head(desk, change.path)
    refuse_filters(desk, change.path)
    conversion = conversion_of(desk, change, row)
    if change.new is None:
        desk.git("update-index", "--force-remove", "--", change.path)
        return
    id = desk.digest(encode(change.new), "-w", *conversion)
    desk.git("update-index", "--add", "--cacheinfo", row.mode if row else PLAIN, id, change.path)


def row_at_head(desk: Desk, path: str) -> Row | None:
    """What HEAD has at that path; None for nothing."""
    folders = [folder.as_posix() for folder in PurePosixPath(path).parents][:-1]
    words = ("ls-tree", "-z", "--full-tree", desk.head, "--", *folders, path)
    answer = desk.ask("--literal-pathspecs", *words)
    if not answer.ok:
        raise EnvironmentFault(f"git cannot read the files of {desk.head}: {answer.err.strip()}.")
    rows = [row.partition(b"\t") for row in answer.out.split(b"\0")[:-1]]
    found = {os.fsdecode(name): facts.decode().split() for facts, _, name in rows}
    for folder in folders:
        if found.get(folder, [""])[0] == SUBMODULE:
            raise UsageError(
                f"{path} lies in the submodule {folder}, whose commits are its own; {NO_BRANCH}.",
                f"Run optagent on {desk.root / folder}, or leave `--branch` out.",
            )
    if path not in found:
        return None
    mode, _, id = found[path]
    if mode not in (PLAIN, PROGRAM):
        raise TreeChanged(f"{path} is no plain file at HEAD; {NO_BRANCH}.")
    return Row(mode, id)


def refuse_filters(desk: Desk, path: str) -> None:
    """Git's own conversions (line ends, encodings) are its business; programs of others are not run."""
    value = desk.git("check-attr", "-z", "filter", "--", path).split("\0")[2]
    if value not in ("unspecified", "unset"):
        raise UsageError(
            f"{path} is converted by the filter {value!r} when it is committed, which is a program that optagent does "
            f"not run; {NO_BRANCH}.",
            "Leave `--branch` out, and commit the file yourself.",
        )


def conversion_of(desk: Desk, change: Change, row: Row | None) -> tuple[str, ...]:
    """The words for `hash-object` under which the change's old file is the one at HEAD; TreeChanged for none."""
    converted = (f"--path={change.path}",)
    if change.old is None and row is None:
        return converted
    if change.old is not None and row is not None:
        for words in (("--no-filters",), converted):
            if desk.digest(encode(change.old), *words) == row.id:
                return words
    raise TreeChanged(
        f"{change.path} at HEAD is not the file the run started from (it has uncommitted changes, or HEAD has moved), "
        f"so a commit would not be what was measured; {NO_BRANCH}.",
        "Commit your changes and run optagent again, or leave `--branch` out.",
    )
