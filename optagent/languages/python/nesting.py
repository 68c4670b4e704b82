"""Functions inside functions: they can be seen, and not be reached by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from optagent.languages.python.functions import FunctionNode, functions


def nested(module: ast.Module) -> Iterator[tuple[str, str, FunctionNode]]:
    """Functions inside functions: the outer one's qualified name, the inner one's below it, and its node."""
    for qualname, node in functions(module):
        for name, inner in _inside(node.body, ""):
            yield qualname, name, inner


def _inside(statements: list[ast.stmt], prefix: str) -> Iterator[tuple[str, FunctionNode]]:
    for node in statements:
        if isinstance(node, FunctionNode):
            yield prefix + node.name, node
        below = f"{prefix}{node.name}." if isinstance(node, FunctionNode | ast.ClassDef) else prefix
        yield from _inside(_statements(node), below)


def _statements(node: ast.AST) -> list[ast.stmt]:
    """The statements directly below a statement, through the clauses of `try` and `match`."""
    found: list[ast.stmt] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            found.append(child)
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            found.extend(child.body)
    return found
