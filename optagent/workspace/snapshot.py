"""The baseline: the user's files as they are now, in a folder of ours."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from optagent.core.target import Tree
from optagent.errors import UsageError
from optagent.workspace.copying import copy_files
from optagent.workspace.listing import Entry, folder_files, project_files
from optagent.workspace.worktree import root_of


def copy_project(repo: Path, into: Path) -> Tree:
    """`into` holds HEAD plus uncommitted changes of the whole work tree that `repo` lies in; `repo` is untouched.

    Without git it holds the folder without caches, environments and keys. Links that lead out dangle.
    UsageError when there is no such folder; EnvironmentFault when it cannot be read or copied, and then
    `into` is gone.
    """
    if not repo.is_dir():
        raise UsageError(f"There is no folder {repo}.", "Name the project's folder.")
    top = root_of(repo)
    copy_files(top, without(project_files(top), top, into), into)
    return Tree(into.resolve(), repo.resolve().relative_to(top).as_posix())


def without(entries: Iterator[Entry], top: Path, into: Path) -> Iterator[Entry]:
    """The entries that are not below `into`, for a state folder kept in the repository."""
    ours = os.path.relpath(into.resolve(), top)
    return (entry for entry in entries if not f"{entry.path}/".startswith(f"{ours}/"))


def digest(tree: Tree) -> str:
    """The same for the same paths, contents, links and executable bits, wherever the tree lies."""
    hasher = hashlib.sha256()
    for entry in sorted(folder_files(tree.root, wanted=lambda path: True), key=lambda entry: entry.path):
        path = tree.root / entry.path
        facts = (entry.path, path.is_symlink(), path.is_dir(), os.access(path, os.X_OK), content_digest(path))
        hasher.update(repr(facts).encode())
    return hasher.hexdigest()


def content_digest(path: Path) -> str:
    if path.is_symlink():
        return hashlib.sha256(os.fsencode(os.readlink(path))).hexdigest()
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
