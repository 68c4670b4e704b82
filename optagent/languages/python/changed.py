"""Which functions differ between two trees, by syntax tree: those of both that can be called alike, and the others."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from optagent.core.target import Target, Tree
from optagent.errors import BadSource
from optagent.languages.python.forms import form, form_around
from optagent.languages.python.functions import FunctionNode, definitions
from optagent.languages.python.import_names import Layout
from optagent.languages.python.kinds import described
from optagent.languages.python.signature import signature
from optagent.languages.python.sources import SKIPPED_FOLDERS, is_test_of, parse_source, read_source, source_files

INERT = ("*.md", "*.rst", "LICENSE*", "CHANGELOG*", "AUTHORS*", ".git*", ".pre-commit-config.yaml", "docs/*")
"""Files that no code reads while it works, by shell patterns."""


@dataclass(frozen=True)
class Pair:
    """One function as it stands on both sides."""

    base: Target
    head: Target


@dataclass(frozen=True)
class Apart:
    """A function that cannot be compared, and why."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name} ({self.why})"


@dataclass(frozen=True)
class Changes:
    """`pairs` in the order of files and lines; `around` are modules whose code outside of functions changed, `others`
    files that are no Python code and may be read by it."""

    pairs: tuple[Pair, ...]
    apart: tuple[Apart, ...]
    around: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def is_none(self) -> bool:
        """Whether the code is the same on both sides."""
        return not (self.pairs or self.apart or self.around or self.others)


@dataclass(frozen=True)
class Module:
    """One file with its functions, as targets and as nodes."""

    path: str
    tree: ast.Module
    targets: dict[str, Target]
    nodes: dict[str, FunctionNode]


def changes(base: Tree, head: Tree, paths: Iterable[str]) -> Changes:
    """What the files of these paths, which differ, change in the project's own code. A file that moved is followed
    when it is imported by the same name."""
    listed = [path for path in paths if not any(fnmatchcase(path, pattern) for pattern in INERT)]
    sources = [path for path in listed if _is_source(base, path)]
    old, new = _by_module(base, sources), _by_module(head, sources)
    pairs: list[Pair] = []
    apart: list[Apart] = []
    around: list[str] = []
    for name in sorted(old.keys() | new.keys()):
        try:
            before, after = (read_module(*side[name]) if name in side else None for side in (old, new))
        except BadSource as fault:
            apart.append(Apart(name, fault.message))
            continue
        pairs += _pairs(before, after)
        apart += _apart(name, before, after)
        if before and after and form_around(before.tree) != form_around(after.tree):
            around.append(name)
    ordered = sorted(pairs, key=lambda pair: (pair.base.path, pair.base.line))
    others = [path for path in listed if not path.endswith(".py")]
    return Changes(tuple(ordered), tuple(apart), tuple(around), tuple(others))


def counterpart(tree: Tree, target: Target) -> tuple[Module, Target] | None:
    """The function of that import name in another tree, with its file; None when there is none. Raises BadSource."""
    layout = Layout(tree)
    for path in _places(tree, target):
        if layout.import_name(path)[1] == target.module:
            module = read_module(tree, layout, path)
            if target.qualname in module.targets:
                return module, module.targets[target.qualname]
    return None


def read_module(tree: Tree, layout: Layout, path: str) -> Module:
    """The functions of one file. Raises BadSource."""
    text = read_source(tree.root / path)
    parsed = parse_source(text, path)
    targets = {one.qualname: one for one in layout.targets(path, described(text, parsed))}
    return Module(path, parsed, targets, definitions(parsed))


def call_form(module: Module, qualname: str) -> str:
    return signature(module.nodes[qualname], module.targets[qualname].kind)


def _places(tree: Tree, target: Target) -> Iterator[str]:
    """Where a function may stand: at its old place, else wherever its module may lie now."""
    if (tree.root / target.path).is_file():
        yield target.path
    tail = target.module.replace(".", "/")
    names = {f"{tail}.py", f"{tail}/__init__.py"}
    for path, _ in source_files(tree):
        if path != target.path and any(f"/{path}".endswith(f"/{name}") for name in names):
            yield path


def _is_source(tree: Tree, path: str) -> bool:
    inside = tree.project == "." or path.startswith(f"{tree.project}/")
    parts = path.removeprefix(f"{tree.project}/").split("/")[:-1]
    return inside and path.endswith(".py") and not is_test_of(tree, path) and not SKIPPED_FOLDERS & set(parts)


def _by_module(tree: Tree, paths: Iterable[str]) -> dict[str, tuple[Tree, Layout, str]]:
    layout = Layout(tree)
    there = [path for path in paths if (tree.root / path).is_file() and not (tree.root / path).is_symlink()]
    return {layout.import_name(path)[1]: (tree, layout, path) for path in there}


def _pairs(before: Module | None, after: Module | None) -> Iterator[Pair]:
    for name, old, new in _of_both(before, after):
        if form(old.nodes[name]) != form(new.nodes[name]) and call_form(old, name) == call_form(new, name):
            yield Pair(old.targets[name], new.targets[name])


def _apart(module: str, before: Module | None, after: Module | None) -> Iterator[Apart]:
    old, new = (set(side.targets) if side else set() for side in (before, after))
    yield from (Apart(f"{module}:{name}", "new") for name in sorted(new - old))
    yield from (Apart(f"{module}:{name}", "deleted") for name in sorted(old - new))
    for name, was, now in _of_both(before, after):
        if call_form(was, name) != call_form(now, name):
            why = f"its signature changed from {call_form(was, name)} to {call_form(now, name)}"
            yield Apart(f"{module}:{name}", why)


def _of_both(before: Module | None, after: Module | None) -> Iterator[tuple[str, Module, Module]]:
    if before is not None and after is not None:
        for name in sorted(before.targets.keys() & after.targets.keys()):
            yield name, before, after
