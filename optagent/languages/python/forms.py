"""What of a source file counts as its code: layout, comments and docstrings do not."""

from __future__ import annotations

import ast
from copy import deepcopy

from optagent.languages.python.functions import FunctionNode

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def form(node: ast.AST) -> str:
    """The same for functions that differ in layout, comments and docstrings only."""
    bare = deepcopy(node)
    for each in ast.walk(bare):
        if isinstance(each, Documented):
            drop_docstring(each)
    return ast.dump(bare)


def form_around(module: ast.Module) -> str:
    """The same for modules that differ in their functions (methods included) only."""
    return form(_Without().visit(deepcopy(module)))


def drop_docstring(node: Documented) -> None:
    if ast.get_docstring(node, clean=False) is not None:
        del node.body[0]


class _Without(ast.NodeTransformer):
    def visit_FunctionDef(self, node: FunctionNode) -> None:
        return None

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815
