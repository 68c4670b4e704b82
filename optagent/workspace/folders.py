"""Folders of ours that have to go."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from itertools import count
from pathlib import Path


def remove(folder: Path) -> None:
    """Nothing is left at `folder`, whatever its permission bits and however deep it is.

    A hostile candidate can nest folders deeper than recursion, open files or PATH_MAX reach, so every
    folder is moved up to the top before it is emptied. OSError when somebody else owns what is in it.
    """
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink(missing_ok=True)
        return
    # Names that nobody can have taken.
    names = (f"{folder}/.{secrets.token_hex(8)}" for _ in count())
    waiting = empty(str(folder), names)
    while waiting:
        each = waiting.pop()
        waiting.extend(empty(each, names))
        os.rmdir(each)
    os.rmdir(folder)


def empty(folder: str, names: Iterator[str]) -> list[str]:
    """The files are gone; the folders have moved to the names, which are given back."""
    os.chmod(folder, 0o700)
    with os.scandir(folder) as entries:
        found = [(entry.path, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for path, is_folder in found:
        if not is_folder:
            os.unlink(path)
    return [move(path, next(names)) for path, is_folder in found if is_folder]


def move(folder: str, name: str) -> str:
    os.chmod(folder, 0o700)  # a folder that may not be written may not be moved
    os.rename(folder, name)
    return name
