"""A patch as one commit on a new branch, made beside the user's files, index, stash and current branch."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from optagent.core.patch import Patch
from optagent.errors import BadSetting, EnvironmentFault, UsageError
from optagent.workspace.desk import Desk, filters_off, reason
from optagent.workspace.stored import stored
from optagent.workspace.worktree import ask, is_work_tree, root_of, untracked

# The name and the address come from the user's configuration or environment: git may not guess them from the machine.
PERSONALLY = ("-c", "user.useConfigOnly=true")


@dataclass(frozen=True)
class Commit:
    """`missing`: paths that differ from HEAD in the user's folder now, which the commit does not hold."""

    branch: str
    id: str
    files: tuple[str, ...]
    missing: tuple[str, ...]


def commit_patch(repo: Path, patch: Patch, branch: str, message: str) -> Commit:
    """The new branch is one commit ahead of HEAD, and that commit is the patch; nothing else has changed.

    No hook, filter or signing program runs, so the commit is not signed. UsageError (BadSetting for the name,
    TreeChanged for a file that is not at HEAD what the run started from), and then there is no branch.
    """
    root = root_of(repo)
    head = head_of(root)
    check_name(root, branch)
    check_identity(root)
    with tempfile.TemporaryDirectory(prefix="optagent-") as folder:
        desk = Desk(root, head, Path(folder), filters_off(root))
        desk.git("read-tree", head)
        for change in patch.changes:
            stored(desk, change)
        tree = desk.git("write-tree", "--missing-ok")  # a partial clone lacks most of them
        made = desk.git(*PERSONALLY, "commit-tree", tree, "-p", head, "-m", message)
        desk.git("update-ref", "-m", f"optagent: {message.splitlines()[0]}", f"refs/heads/{branch}", made, "")
        return Commit(branch, made, patch.paths, missing(desk, patch))


def head_of(root: Path) -> str:
    """The id of the commit that is checked out."""
    if not is_work_tree(root):
        raise UsageError(
            f"{root} is not in a git repository that git can read, so there is nothing to branch from.",
            "Leave `--branch` out to write the patch into your files.",
        )
    answer = ask(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if not answer.ok:
        raise UsageError(
            f"{root} has no commits yet, so there is nothing to branch from.",
            "Commit your files first, or leave `--branch` out.",
        )
    return answer.out.decode().strip()


def check_name(root: Path, branch: str) -> None:
    """The branch can be made: the name is one, and free."""
    told = ask(root, "check-ref-format", "--branch", branch) if branch and "\0" not in branch else None
    if told is None or not told.ok or os.fsdecode(told.out) != f"{branch}\n":  # `@{-1}` means another name
        raise BadSetting(f"{branch!r} is no name for a branch.", "See `git help check-ref-format`.")
    if ask(root, "show-ref", "--verify", "--quiet", f"refs/heads/{branch}").ok:
        raise BadSetting(f"The branch {branch} exists already; it was left alone.", "Name another one.")


def check_identity(root: Path) -> None:
    """Git knows whose commit it is going to be."""
    for who in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        answer = ask(root, *PERSONALLY, "var", who)
        if not answer.ok:
            raise UsageError(
                f"git does not know who you are, so no commit was made: {reason(answer.err)}.",
                "Tell it: git config --global user.name NAME; git config --global user.email ADDRESS",
            )


def missing(desk: Desk, patch: Patch) -> tuple[str, ...]:
    """What differs from HEAD in the user's folder, or is not tracked, and is no file of the patch."""
    words = ("--name-only", "-z", "--no-ext-diff", "--no-textconv", "--no-renames", "--ignore-submodules=all")
    answer = ask(desk.root, *desk.options, "diff", *words, "HEAD")
    changed = [os.fsdecode(path) for path in answer.out.split(b"\0")[:-1]] if answer.ok else []
    try:
        return tuple(path for path in (*changed, *untracked(desk.root)) if path not in patch.paths)
    except EnvironmentFault:  # the commit is made; this is news beside it
        return tuple(changed)
