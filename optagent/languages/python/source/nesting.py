"""Functions inside functions: they can be seen, and not be reached by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from optagent.languages.python.source.functions import FunctionNode, functions


def nested(module: ast.Module) -> Iterator[tuple[str, str, FunctionNode]]:
    """Functions inside functions: the outer one's qualified name, the inner one's below it, and its node."""
    for qualname, node in functions(module):
        for name, inner in _inside(node):
            yield qualname, name, inner


def _inside(function: FunctionNode) -> Iterator[tuple[str, FunctionNode]]:
    waiting = [("", node) for node in reversed(function.body)]
    while waiting:  # a long row of `elif` is deep
        prefix, node = waiting.pop()
        if isinstance(node, FunctionNode):
            yield prefix + node.name, node
        below = f"{prefix}{node.name}." if isinstance(node, FunctionNode | ast.ClassDef) else prefix
        waiting.extend((below, one) for one in reversed(_statements(node)))


def _statements(node: ast.AST) -> list[ast.stmt]:
    """The statements directly below a statement, through the clauses of `try` and `match`."""
    found: list[ast.stmt] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            found.append(child)
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            found.extend(child.body)
    return found
