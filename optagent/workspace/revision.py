"""A revision as a tree of ours, from git's objects alone: files, index, stash and hooks of the user are left alone."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from optagent.errors import BadRevision, EnvironmentFault
from optagent.workspace.copying import FILE_MODE, FOLDER_MODE, PROGRAM_MODE
from optagent.workspace.desk import Desk, filters_off, reason
from optagent.workspace.listing import everything
from optagent.workspace.worktree import GITLINK, ask, is_work_tree, untracked

POINTERS = "lfs"  # looked for whether it is installed or not: without it the files are pointers all the same
SHORT_ID = 12


@dataclass(frozen=True)
class Revision:
    """A commit as typed, its id and that of its files: the same for commits with the same files."""

    name: str
    id: str
    files: str

    def __str__(self) -> str:
        """
        >>> str(Revision("main", "0123456789abcdef", "")), str(Revision("0123456", "0123456789abcdef", ""))
        ('main (0123456789ab)', '0123456')
        """
        return self.name if self.id.startswith(self.name) else f"{self.name} ({self.id[:SHORT_ID]})"


def revision(root: Path, name: str) -> Revision:
    """What git knows by that name in the repository whose work tree `root` is. Raises BadRevision."""
    if not is_work_tree(root):
        raise BadRevision(
            f"{root} is not in a git repository that git can read, so it has no revisions",
            "Compare two files instead: `optagent compare old.py new.py --target FN --workload FILE`.",
        )
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options")
    ids = [ask(root, *words, f"{name}^{{{kind}}}") for kind in ("commit", "tree") if name and "\0" not in name]
    if not ids or not all(answer.ok for answer in ids):
        raise BadRevision(f"{name!r} is no revision of {root}", f"List them with `git -C {root} log --oneline --all`.")
    commit, files = (answer.out.decode().strip() for answer in ids)
    return Revision(name, commit, files)


def changed_paths(root: Path, base: Revision, head: Revision) -> tuple[str, ...]:
    """The files that are not the same in both, below `root`; a file that was moved counts twice, a submodule once."""
    answer = ask(root, "diff-tree", "-r", "-z", "--name-only", "--no-renames", base.files, head.files)
    if not answer.ok:
        raise EnvironmentFault(f"git cannot compare {base} with {head}: {reason(answer.err)}.")
    return tuple(os.fsdecode(path) for path in answer.out.split(b"\0")[:-1])


def uncommitted(root: Path) -> tuple[str, ...]:
    """What differs from HEAD in the user's folder, or is not tracked."""
    words = ("--name-only", "-z", "--no-ext-diff", "--no-textconv", "--no-renames", "--ignore-submodules=all")
    answer = ask(root, *filters_off(root), "diff", *words, "HEAD")
    changed = [os.fsdecode(path) for path in answer.out.split(b"\0")[:-1]] if answer.ok else []
    return (*changed, *untracked(root))


def check_out(root: Path, commit: str, into: Path) -> tuple[str, ...]:
    """`into` is a new folder with the files of the commit, readable by everybody; what there is to say of them.

    Git's own conversions (line ends, encodings) are done, filters are not: a file of git-lfs is its pointer. A
    submodule comes along when the user's clone has it at the commit. EnvironmentFault when an object is missing.
    """
    into.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="optagent-") as folder:
        desk = Desk(root, commit, Path(folder), filters_off(root))
        _asked(desk, "read-tree", commit)
        _asked(desk, f"--work-tree={into}", "checkout-index", "--all", "--force", "--quiet")
        rows = [row.partition(b"\t") for row in _asked(desk, "ls-files", "-z", "--stage").split(b"\0")[:-1]]
        submodules = {os.fsdecode(path): facts.split()[1].decode() for facts, _, path in rows if facts[:6] == GITLINK}
        notes = [*_pointers(desk, into)]
    for path, id in submodules.items():
        notes += _submodule(root / path, id, into / path, path)
    _open_to_all(into)
    return tuple(notes)


def _submodule(folder: Path, id: str, into: Path, path: str) -> tuple[str, ...]:
    if is_work_tree(folder) and ask(folder, "cat-file", "-e", f"{id}^{{commit}}").ok:
        if into.is_dir():
            into.rmdir()  # git makes an empty folder for it
        return check_out(folder, id, into)
    return (f"the submodule {path} is not in your clone at {id[:SHORT_ID]}, so it is missing",)


def _pointers(desk: Desk, into: Path) -> Iterator[str]:
    found = desk.ask(f"--work-tree={into}", "ls-files", "-z", "--", f":(attr:filter={POINTERS})").out.split(b"\0")[:-1]
    if found:
        yield f"{len(found)} files of git-lfs are pointers only (first: {os.fsdecode(found[0])})"


def _asked(desk: Desk, *words: str) -> bytes:
    answer = desk.ask(*words)
    if not answer.ok:
        raise EnvironmentFault(
            f"git cannot give the files of {desk.head[:SHORT_ID]}: {reason(answer.err)}.",
            f"A clone without all objects has to fetch them first: look at it with `git -C {desk.root} fsck`.",
        )
    return answer.out


def _open_to_all(root: Path) -> None:
    """Whatever the umask was: a sandbox may drop to another user, who has to read all of it."""
    os.chmod(root, FOLDER_MODE)
    for entry in everything(root):
        path = f"{root}/{entry.path}"
        mode = os.lstat(path).st_mode
        if stat.S_ISDIR(mode):
            os.chmod(path, FOLDER_MODE)
        elif stat.S_ISREG(mode):
            os.chmod(path, PROGRAM_MODE if mode & 0o111 else FILE_MODE)
