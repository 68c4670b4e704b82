"""Which functions differ between two trees, by syntax tree: those of both that can be called alike, and the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from optagent.core.target import Target, Tree
from optagent.errors import BadSource
from optagent.languages.python.source.forms import form
from optagent.languages.python.source.import_names import Layout
from optagent.languages.python.source.modules import Module, read_module
from optagent.languages.python.source.sources import SKIPPED_FOLDERS, is_test_of

INERT = ("*.md", "*.rst", "LICENSE*", "CHANGELOG*", "AUTHORS*", ".gitignore", ".gitattributes", ".pre-commit-config*")
INERT_FOLDERS = ("docs", ".github")
"""Names of files at the top, and folders there, that no code reads while it works."""


@dataclass(frozen=True)
class Pair:
    """One function as it stands on both sides; `is_unchanged` where its own code is known to be the same."""

    base: Target
    head: Target
    is_unchanged: bool = False


@dataclass(frozen=True)
class Apart:
    """A function (or a whole module) that cannot be compared, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class Changes:
    """`pairs` in the order of files and lines; `around` are modules whose code outside of functions changed, `others`
    files in which no function is looked for and that code may depend on."""

    pairs: tuple[Pair, ...] = ()
    apart: tuple[Apart, ...] = ()
    around: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def is_none(self) -> bool:
        """Whether the code is the same on both sides."""
        return not (self.pairs or self.apart or self.around or self.others)


def changes(base: Tree, head: Tree, paths: Iterable[str]) -> Changes:
    """What the files of these paths, which differ, change in the project's own code. A file that moved is followed
    when it is imported by the same name."""
    listed = [path for path in paths if not _is_inert(base, path)]
    sources = [path for path in listed if _is_source(base, head, path)]
    pairs: list[Pair] = []
    apart: list[Apart] = []
    around: list[str] = []
    for old, new in _files(Files(base, sources), Files(head, sources)):
        try:
            before, after = old.read(), new.read()
        except BadSource as fault:
            apart.append(Apart(old.name or new.name, fault.message))
            continue
        pairs += _pairs(before, after)
        apart += _apart(before, after)
        if before and after and form(before.tree, functions=False) != form(after.tree, functions=False):
            around.append(before.name)
    ordered = sorted(pairs, key=lambda pair: (pair.base.path, pair.base.line))
    return Changes(tuple(ordered), tuple(apart), tuple(around), tuple(sorted({*listed} - {*sources})))


def _is_inert(tree: Tree, path: str) -> bool:
    inside = PurePosixPath(path.removeprefix(f"{tree.project}/"))
    is_at_top = len(inside.parts) == 1
    return inside.parts[0] in INERT_FOLDERS or (is_at_top and any(fnmatchcase(inside.name, one) for one in INERT))


def _is_source(base: Tree, head: Tree, path: str) -> bool:
    """Whether functions are looked for in the file: Python code of the project, no link."""
    inside = base.project == "." or path.startswith(f"{base.project}/")
    parts = path.removeprefix(f"{base.project}/").split("/")[:-1]
    is_code = path.endswith(".py") and not is_test_of(base, path) and not SKIPPED_FOLDERS & set(parts)
    return inside and is_code and not any((tree.root / path).is_symlink() for tree in (base, head))


@dataclass(frozen=True)
class File:
    """A place on one side; `name` is that of its module, and empty where there is no such file."""

    tree: Tree
    layout: Layout
    path: str = ""
    name: str = ""

    def read(self) -> Module | None:
        return read_module(self.tree, self.layout, self.path) if self.path else None


class Files:
    """Those of the paths that are there on one side, by path."""

    def __init__(self, tree: Tree, paths: Iterable[str]) -> None:
        layout = Layout(tree)
        there = [path for path in paths if (tree.root / path).is_file()]
        self.found = {path: File(tree, layout, path, layout.import_name(path)[1]) for path in there}
        self.nothing = File(tree, layout)


def _files(old: Files, new: Files) -> Iterator[tuple[File, File]]:
    """Files of both sides that are the same module: at the same place, else imported by the same name."""
    rest = dict(new.found)
    single = []
    for path, file in old.found.items():
        if path in rest and rest[path].name == file.name:
            yield file, rest.pop(path)
        else:
            single.append(file)
    for file in single:
        moved = next((path for path, one in rest.items() if one.name == file.name), None)
        yield file, rest.pop(moved) if moved else new.nothing
    yield from ((old.nothing, file) for file in rest.values())


def _pairs(before: Module | None, after: Module | None) -> Iterator[Pair]:
    for name, old, new in _of_both(before, after):
        if form(old.nodes[name]) != form(new.nodes[name]) and old.signature(name) == new.signature(name):
            yield Pair(old.targets[name], new.targets[name])


def _apart(before: Module | None, after: Module | None) -> Iterator[Apart]:
    old, new = (side.targets if side else {} for side in (before, after))
    yield from (Apart(str(target), "new") for name, target in new.items() if name not in old)
    yield from (Apart(str(target), "deleted") for name, target in old.items() if name not in new)
    for name, was, now in _of_both(before, after):
        if was.signature(name) != now.signature(name):
            why = f"its signature changed from {was.signature(name)} to {now.signature(name)}"
            yield Apart(str(was.targets[name]), why)


def _of_both(before: Module | None, after: Module | None) -> Iterator[tuple[str, Module, Module]]:
    if before is not None and after is not None:
        for name in before.targets.keys() & after.targets.keys():
            yield name, before, after
