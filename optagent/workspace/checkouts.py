"""Checkouts for many candidates: what one gives back serves the next, once every file in it was looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from optagent.core.patch import EMPTY, Patch
from optagent.core.target import Tree
from optagent.errors import EnvironmentFault
from optagent.workspace.checkout import checkout, patched
from optagent.workspace.copying import add_files
from optagent.workspace.folders import remove
from optagent.workspace.listing import Entry
from optagent.workspace.marks import Mark, marks_of, settled


@dataclass(frozen=True)
class Spare:
    """A checkout nobody uses. `paths` are the base's; what still has its mark is as in the base."""

    root: Path
    paths: frozenset[str]
    marks: dict[str, Mark]


class Checkouts:
    """Checkouts of one base, as folders of `folder`; each is its candidate's alone while it is lent.

    A new one copies every file: 3 to 40 s for 50,000 of them, and slowest where as many were just deleted. One that
    was given back costs a look at each (0.3 s) and a copy of what is not as it was.
    """

    def __init__(self, base: Tree, folder: Path) -> None:
        self._base = base
        self._folder = folder
        self._spares: list[Spare] = []
        self._numbers = count()

    @contextmanager
    def lend(self, patch: Patch, name: str) -> Iterator[Tree]:
        """A checkout of the base with the patch in it, in a new folder called like `name`. The faults of `checkout`."""
        spare = self._like_base(self._folder / f"{name}-{next(self._numbers)}")
        tree = patched(Tree(spare.root.resolve(), self._base.project), patch)
        try:
            yield tree
        finally:
            self._spares.append(spare)

    def _like_base(self, root: Path) -> Spare:
        """`root` is as the base, with the marks by which a later change will be seen."""
        while spare := self._spare():
            try:
                os.rename(spare.root, root)
                if marks := mended(self._base.root, root, spare):
                    return Spare(root, spare.paths, settled(marks))
            except (OSError, EnvironmentFault):  # too deep, too full: a new one may do, or says what is wrong
                remove(spare.root)
            remove(root)
        marks = marks_of(checkout(self._base, EMPTY, root).root)
        return Spare(root, frozenset(marks), settled(marks))

    def _spare(self) -> Spare | None:
        """One that nobody else gets, whoever asks at the same time."""
        try:
            return self._spares.pop()
        except IndexError:
            return None


def mended(base: Path, root: Path, spare: Spare) -> dict[str, Mark] | None:
    """`root`, where the spare is now, is as the base again; the marks of everything in it. None where that would be
    too much: nobody honest moves a folder of the project.
    """
    found = marks_of(root)
    same = {path: mark for path, mark in found.items() if spare.marks.get(path) == mark}
    missing = spare.paths - same.keys()
    if any(is_folder(base / path) for path in missing):
        return None
    for path in found.keys() - same.keys():
        remove(root / path)
    add_files(base, map(Entry, sorted(missing)), root)
    return same | marks_of(root, missing)


def is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
