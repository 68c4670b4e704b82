"""The baseline: the user's files as they are now, in a folder of ours."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from optagent.core.target import Tree
from optagent.errors import UsageError
from optagent.workspace.copying import copy_files
from optagent.workspace.ignored import LeftOut, too_large
from optagent.workspace.listing import Entry, everything, project_files
from optagent.workspace.worktree import root_of

SMALL = 64 << 10


@dataclass(frozen=True)
class Copy:
    """The user's files in a folder of ours; `left_out` are ignored ones that tests may miss, because of their size."""

    tree: Tree
    left_out: tuple[LeftOut, ...] = ()

    @property
    def note(self) -> str:
        """What is missing, as a sentence for the user; nothing to say is empty."""
        if not self.left_out:
            return ""
        megabytes = sum(file.size_bytes for file in self.left_out) / 1e6
        largest = max(self.left_out, key=lambda file: file.size_bytes).path
        return (
            f"{len(self.left_out)} ignored files ({megabytes:.0f} MB in all, the largest {largest}) are too large for "
            "the copy; a test that reads one fails there."
        )


def copy_project(repo: Path, into: Path) -> Tree:
    """The tree of `copy_and_tell`, for those who do not ask what was too large."""
    return copy_and_tell(repo, into).tree


def copy_and_tell(repo: Path, into: Path) -> Copy:
    """`into` holds HEAD plus uncommitted changes of the whole work tree that `repo` lies in, and the ignored files
    that a test run may need (`workspace/ignored.py`); `repo` is untouched.

    Without git it holds the folder without caches, environments and keys. Links that lead out dangle.
    UsageError when there is no such folder; EnvironmentFault when it cannot be read or copied, and then
    `into` is gone.
    """
    if not repo.is_dir():
        raise UsageError(f"There is no folder {repo}.", "Name the project's folder.")
    top = root_of(repo)
    entries = list(without(project_files(top), top, into))
    left_out = too_large(top, (entry.path for entry in entries if entry.ignored))
    gone = {file.path for file in left_out}
    copy_files(top, (entry for entry in entries if entry.path not in gone), into)
    return Copy(Tree(into.resolve(), repo.resolve().relative_to(top).as_posix()), left_out)


def without(entries: Iterator[Entry], top: Path, into: Path) -> Iterator[Entry]:
    """The entries that are not below `into`, for a state folder kept in the repository."""
    ours = os.path.relpath(into.resolve(), top)
    return (entry for entry in entries if not f"{entry.path}/".startswith(f"{ours}/"))


def digest(tree: Tree) -> str:
    """The same for the same paths, contents, links and executable bits, wherever the tree lies."""
    hasher = hashlib.sha256()
    for entry in sorted(everything(tree.root), key=lambda entry: entry.path):
        path = f"{tree.root}/{entry.path}"
        stats = os.lstat(path)
        kind, runs = stat.S_IFMT(stats.st_mode), bool(stats.st_mode & 0o111)
        hasher.update(repr((entry.path, kind, runs, content_digest(path, stats))).encode())
    return hasher.hexdigest()


def content_digest(path: str, stats: os.stat_result) -> str:
    if stat.S_ISLNK(stats.st_mode):
        return hashlib.sha256(os.fsencode(os.readlink(path))).hexdigest()
    if not stat.S_ISREG(stats.st_mode):
        return ""
    with open(path, "rb", buffering=0) as file:
        if stats.st_size < SMALL:  # `file_digest` takes a new buffer for each file, which costs more than most files
            return hashlib.sha256(file.read()).hexdigest()
        return hashlib.file_digest(file, "sha256").hexdigest()
