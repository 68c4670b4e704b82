"""Which files of a folder belong to it, as paths relative to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from optagent.workspace.litter import is_environment, is_litter
from optagent.workspace.worktree import is_work_tree, tracked, untracked


@dataclass(frozen=True)
class Entry:
    """One path below a folder; `tracked` when git answers for it, so that it may not be left out."""

    path: str
    tracked: bool = False


def project_files(top: Path) -> Iterator[Entry]:
    """What git tracks or does not ignore, nested repositories included; without git all that is no litter.

    The work tree decides what a path is: it may have become a folder or a link, or be gone.
    """
    return repository_files(top) if is_work_tree(top) else folder_files(top)


def repository_files(top: Path, inside: str = "") -> Iterator[Entry]:
    for path, is_submodule in tracked(top / inside).items():
        yield from nested_files(top, inside + path) if is_submodule else [Entry(inside + path, tracked=True)]
    welcome = welcome_in(top)
    for path in untracked(top / inside):
        name = inside + path.rstrip("/")
        if welcome(name):
            yield from nested_files(top, name) if path.endswith("/") else [Entry(name)]


def nested_files(top: Path, inside: str) -> Iterator[Entry]:
    """A submodule or a repository in the repository: the folder and its files; a link in its place is the link."""
    folder = top / inside
    yield Entry(inside)
    if not folder.is_symlink():
        yield from repository_files(top, inside + "/") if is_work_tree(folder) else folder_files(top, inside)


def folder_files(top: Path, inside: str = "", wanted: Callable[[str], bool] | None = None) -> Iterator[Entry]:
    """Every file and folder below `top/inside` that is wanted (by its path below `top`; all but litter, if not said).

    Links are not followed. A folder that its owner cannot read is listed and looks empty: his tests see no more.
    """
    wanted = wanted or welcome_in(top)
    waiting = [inside]
    while waiting:
        folder = waiting.pop()
        for name, is_folder in names_in(top / folder):
            path = f"{folder}/{name}" if folder else name
            if wanted(path):
                yield Entry(path)
                waiting.extend([path] * is_folder)


def names_in(folder: Path) -> list[tuple[str, bool]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((each.name, each.is_dir(follow_symlinks=False)) for each in entries)
    except (PermissionError, FileNotFoundError, NotADirectoryError):
        return []


def welcome_in(top: Path) -> Callable[[str], bool]:
    """A test of paths below `top`: whether neither the path nor a folder on the way is litter."""

    @cache
    def welcome(path: str) -> bool:
        parent, _, name = path.rpartition("/")
        return not is_litter(name) and not is_environment(f"{top}/{path}") and (not parent or welcome(parent))

    return welcome
