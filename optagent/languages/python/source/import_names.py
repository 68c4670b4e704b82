"""Under which name a file is imported, and which folder has to be on the import path for that."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import PurePosixPath

from optagent.core.target import Target, Tree
from optagent.languages.python.source.declared import PACKAGING_FILES, declared_roots
from optagent.languages.python.source.kinds import Function
from optagent.languages.python.source.sources import source_files

IMPORT = re.compile(
    rb"^[ \t]*(?:import[ \t]+([\w.][^\n#;]*)|from[ \t]+([\w][\w.]*)[ \t]+import[ \t]*(\([^)]*\)|[^\n#;]*))",
    re.MULTILINE,
)
NAME = re.compile(rb"[A-Za-z_][\w.]*")
COMMENT = re.compile(rb"#[^\n]*")
Place = tuple[str, tuple[str, ...]]


class Layout:
    """The import names of a tree's files.

    A folder with `__init__.py` is a package; what lies inside of one is imported through it. Of a folder without,
    several roots above it are possible, and these decide, in this order: what the packaging files declare, how the
    project's own files import it, a folder called `src`, and else the folder itself is the root.
    """

    def __init__(self, tree: Tree, imported: Callable[[], frozenset[str]] | None = None) -> None:
        """`imported` tells the dotted names that the project's files import; asked only when nothing else decides."""
        self._tree = tree
        self._imported = cache(imported or (lambda: imported_names(tree)))
        self._place = cache(self._find_place)
        self._declared = cache(self._find_declared)

    def import_name(self, path: str) -> tuple[str, str]:
        """The import root (relative to the tree, "." for itself) and the module's name below it."""
        folder, _, name = path.rpartition("/")
        root, parts = self._place(folder)
        stem = name.removesuffix(".py")
        if stem != "__init__" or not parts:
            parts = (*parts, stem)
        return root or ".", ".".join(parts)

    def targets(self, path: str, found: Iterable[Function]) -> Iterator[Target]:
        """The functions of a file as targets."""
        root, module = self.import_name(path)
        for each in found:
            kind = (each.kind, each.is_async, each.is_generator)
            yield Target(path, each.qualname, module, root, each.line, *kind, each.first, each.decorators)

    def _find_place(self, folder: str) -> Place:
        above, _, name = folder.rpartition("/")
        if folder and self._has(folder, "__init__.py"):
            root, parts = self._place(above)
            return root, (*parts, name)
        ladder = list(self._ladder(folder))
        last, _ = ladder[-1]
        if last and self._has(last, "__init__.py"):
            root, parts = self._place(last)
            return root, (*parts, *ladder[-1][1])
        return ladder[0] if len(ladder) == 1 else self._decided(folder, ladder)

    def _ladder(self, folder: str) -> Iterator[Place]:
        """The folders that may be the root, the nearest first, up to where a project or a package begins."""
        parts: tuple[str, ...] = ()
        while True:
            yield folder, parts
            above, _, name = folder.rpartition("/")
            is_package = self._has(folder, "__init__.py")
            if not name or not name.isidentifier() or name == "src" or is_package or self._is_project(folder):
                return
            folder, parts = above, (name, *parts)

    def _decided(self, folder: str, ladder: list[Place]) -> Place:
        by_declaration = [place for place in ladder if self._is_declared(place[0], folder)]
        by_import = [place for place in reversed(ladder) if self._is_imported(place[1], folder)]
        by_custom = [place for place in ladder if PurePosixPath(place[0]).name == "src"]
        return [*by_declaration, *by_import, *by_custom, ladder[0]][0]

    def _is_declared(self, root: str, folder: str) -> bool:
        """Whether the root holds for something that lies in the folder, or for something that the folder lies in."""
        inside = f"{folder}/"
        return any(
            root == found and (inside.startswith(f"{below}/") or below.startswith(inside))
            for found, below in self._declared(folder)
        )

    def _find_declared(self, folder: str) -> tuple[tuple[str, str], ...]:
        """What the nearest packaging files above a folder say, by paths below the tree."""
        while folder and not self._is_project(folder):
            folder = folder.rpartition("/")[0]
        prefix = f"{folder}/" if folder else ""
        found = declared_roots(self._tree.root / folder)
        return tuple(((prefix + root).rstrip("/"), prefix + below) for root, below in found)

    def _is_imported(self, parts: tuple[str, ...], folder: str) -> bool:
        """Whether some file of the project imports something that lies in the folder by that name of the folder.

        The name alone would not do: a folder `requests` of examples is not what `import requests` means.
        """
        if not parts:
            return False
        dotted = ".".join(parts) + "."
        below = {name[len(dotted) :].partition(".")[0] for name in self._imported() if name.startswith(dotted)}
        return any(self._has(folder, f"{name}.py") or self._has(folder, name) for name in below)

    def _is_project(self, folder: str) -> bool:
        return any(self._has(folder, name) for name in PACKAGING_FILES)

    def _has(self, folder: str, name: str) -> bool:
        return os.path.exists(f"{self._tree.root}/{folder}/{name}")


def imported_names(tree: Tree) -> frozenset[str]:
    """The dotted names that the project's files import, tests included."""
    found: set[str] = set()
    for _, entry in source_files(tree):
        try:
            with open(entry.path, "rb") as file:
                found.update(names_imported_by(file.read()))
        except OSError:  # nobody can import what nobody can read
            continue
    return frozenset(found)


def names_imported_by(raw: bytes) -> set[str]:
    """Every absolute dotted name of the import statements in a source, by text alone; ASCII names only.

    >>> sorted(names_imported_by(b"import a.b as c, d\\nfrom e.f import (g,\\n    h as i)\\n"))
    ['a.b', 'd', 'e.f.g', 'e.f.h']
    """
    found: set[str] = set()
    for plain, source, members in IMPORT.findall(raw):
        prefix = source.decode() + "." if source else ""
        for member in COMMENT.sub(b"", plain or members).strip(b"()").split(b","):
            name = member.split()[:1]
            if name and NAME.fullmatch(name[0]):
                found.add(prefix + name[0].decode())
    return found
