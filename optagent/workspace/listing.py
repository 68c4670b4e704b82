"""Which files of a folder belong to it, as paths relative to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from optagent.workspace.ignored import folders_of, wanted_in
from optagent.workspace.litter import Test, welcome_in
from optagent.workspace.worktree import ignored, is_work_tree, tracked, untracked


@dataclass(frozen=True)
class Entry:
    """One path below a folder; `tracked` when git answers for it, so that it may not be left out; `ignored` when
    git is told not to look, so that it may be; `is_folder` where that is known."""

    path: str
    tracked: bool = False
    ignored: bool = False
    is_folder: bool = False


def project_files(top: Path) -> Iterator[Entry]:
    """What git tracks or does not ignore, nested repositories included, and the ignored files that a test run may
    need; without git all that is no litter.

    The work tree decides what a path is: it may have become a folder or a link, or be gone.
    """
    return repository_files(top) if is_work_tree(top) else folder_files(top)


def repository_files(top: Path, inside: str = "") -> Iterator[Entry]:
    known = tracked(top / inside)
    for path, is_submodule in known.items():
        yield from nested_files(top, inside + path) if is_submodule else [Entry(inside + path, tracked=True)]
    welcome = welcome_in(top)
    for path in untracked(top / inside):
        name = inside + path.rstrip("/")
        if welcome(name, path.endswith("/")):
            yield from nested_files(top, name) if path.endswith("/") else [Entry(name)]
    yield from ignored_files(top, inside, folders_of(inside + path for path in known))


def ignored_files(top: Path, inside: str, project_folders: set[str]) -> Iterator[Entry]:
    """The ignored files of one repository that a test run may need, each once; no folders."""
    wanted = wanted_in(top, project_folders)
    paths: dict[str, None] = {}  # git may name a folder and, because of a `.gitignore` in it, its files too
    for listed in ignored(top / inside):
        path = inside + listed.rstrip("/")
        if wanted(path, listed.endswith("/")):
            found = folder_files(top, path, wanted) if listed.endswith("/") else [Entry(path)]
            paths |= {entry.path: None for entry in found if not entry.is_folder}
    yield from (Entry(path, ignored=True) for path in paths)


def nested_files(top: Path, inside: str) -> Iterator[Entry]:
    """A submodule or a repository in the repository: the folder and its files; a link in its place is the link."""
    folder = top / inside
    yield Entry(inside)
    if not folder.is_symlink():
        yield from repository_files(top, inside + "/") if is_work_tree(folder) else folder_files(top, inside)


def folder_files(top: Path, inside: str = "", wanted: Test | None = None) -> Iterator[Entry]:
    """Every file and folder below `top/inside` that is wanted (all but litter, if not said).

    Links are not followed. A folder that its owner cannot read is listed and looks empty: his tests see no more.
    """
    wanted = wanted or welcome_in(top)
    waiting = [inside]
    while waiting:
        folder = waiting.pop()
        for name, is_folder in names_in(top / folder):
            path = f"{folder}/{name}" if folder else name
            if wanted(path, is_folder):
                yield Entry(path, is_folder=is_folder)
                waiting.extend([path] * is_folder)


def everything(top: Path) -> Iterator[Entry]:
    """Every file and folder below `top`."""
    return folder_files(top, wanted=lambda path, is_folder: True)


def names_in(folder: Path) -> list[tuple[str, bool]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((each.name, each.is_dir(follow_symlinks=False)) for each in entries)
    except (PermissionError, FileNotFoundError, NotADirectoryError):
        return []
