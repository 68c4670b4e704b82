"""What of a source counts as its code: layout, comments and docstrings do not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from optagent.languages.python.functions import FunctionNode

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
SPELLING = ("kind", "type_comment")  # `u"..."` and comments


def form(node: ast.AST, functions: bool = True) -> tuple[str, ...]:
    """The same for code that differs in layout, comments and docstrings only; and, without `functions`, in its
    functions. Bears any depth: a long sum is a deep tree.

    >>> one, other = ast.parse("def f():\\n  'says'\\n  return 1 # one"), ast.parse("def f(): return 1")
    >>> form(one) == form(other), form(one) == form(ast.parse("def f(): return 1.0"))
    (True, False)
    """
    said: list[str] = []
    waiting: list[Any] = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.AST):
            said.append(type(one).__name__)
            waiting.extend(reversed([*_fields(one)]))
        elif isinstance(one, list):
            kept = [each for each in one if functions or not isinstance(each, FunctionNode)]
            said.append(str(len(kept)))
            waiting.extend(reversed(kept))
        else:
            said.append(repr(one))
    return tuple(said)


def _fields(node: ast.AST) -> Iterator[Any]:
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(node, Documented) and ast.get_docstring(node, clean=False) is not None:
            yield value[1:]
        elif name not in SPELLING:
            yield value
