"""The functions of one file, as targets and as nodes; and the same function in another tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from optagent.core.target import Target, Tree
from optagent.languages.python.source.functions import FunctionNode, definitions
from optagent.languages.python.source.import_names import Layout
from optagent.languages.python.source.kinds import described
from optagent.languages.python.source.signature import signature
from optagent.languages.python.source.sources import parse_source, read_source, source_files


@dataclass(frozen=True)
class Module:
    """One file with its functions by qualified name."""

    name: str
    tree: ast.Module
    targets: dict[str, Target]
    nodes: dict[str, FunctionNode]

    def signature(self, qualname: str) -> str:
        return signature(self.nodes[qualname], self.targets[qualname].kind)


def read_module(tree: Tree, layout: Layout, path: str) -> Module:
    """Raises BadSource."""
    text = read_source(tree.root / path)
    parsed = parse_source(text, path)
    targets = {one.qualname: one for one in layout.targets(path, described(text, parsed))}
    return Module(layout.import_name(path)[1], parsed, targets, definitions(parsed))


def counterpart(tree: Tree, target: Target) -> tuple[Module, Target] | None:
    """The function of that import name in another tree, with its file; None when there is none. Raises BadSource."""
    layout = Layout(tree)
    for path in _places(tree, target):
        if layout.import_name(path)[1] == target.module:
            module = read_module(tree, layout, path)
            if target.qualname in module.targets:
                return module, module.targets[target.qualname]
    return None


def _places(tree: Tree, target: Target) -> Iterator[str]:
    """Where a function may stand: at its old place, else wherever its module may lie now."""
    if (tree.root / target.path).is_file():
        yield target.path
    tail = target.module.replace(".", "/")
    names = (f"/{tail}.py", f"/{tail}/__init__.py")
    yield from (path for path, _ in source_files(tree) if path != target.path and f"/{path}".endswith(names))
