"""What of a source counts as its code: layout and comments do not, and for `form` docstrings do not either."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from optagent.languages.python.source.functions import FunctionNode

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
SPELLING = ("kind", "type_comment")  # `u"..."` and comments


def form(node: ast.AST, functions: bool = True) -> tuple[str, ...]:
    """The same for code that differs in layout, comments and docstrings only; and, without `functions`, in its
    functions. Bears any depth: a long sum is a deep tree.

    >>> one, other = ast.parse("def f():\\n  'says'\\n  return 1 # one"), ast.parse("def f(): return 1")
    >>> form(one) == form(other), form(one) == form(ast.parse("def f(): return 1.0"))
    (True, False)
    """

    def kept(several: list[Any]) -> list[Any]:
        return several if functions else [one for one in several if not isinstance(one, FunctionNode)]

    return tuple(_said(node, _fields, kept))


def dump(node: ast.AST) -> str:
    """The same for code that differs in layout and comments only, as `ast.dump` has it, in half the time. Bears any
    depth, and any number.

    >>> one, other = ast.parse("f(1, 'a') # one").body[0], ast.parse("f(1,\\n  'a')").body[0]
    >>> dump(one) == dump(other), dump(one) == dump(ast.parse("f(1, b'a')").body[0])
    (True, False)
    """
    return " ".join(_said(node, _all_fields, lambda several: several))


def _said(
    node: ast.AST, fields: Callable[[ast.AST], Iterable[Any]], kept: Callable[[list[Any]], list[Any]]
) -> list[str]:
    """All that is written in a tree: of each node these fields, of each list the elements that are kept."""
    said: list[str] = []
    waiting: list[Any] = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.AST):
            said.append(type(one).__name__)
            waiting.extend(reversed([*fields(one)]))
        elif isinstance(one, list):
            several = kept(one)
            said.append(f"[{len(several)}")
            waiting.extend(reversed(several))
        else:  # a long int can be told in hex only
            said.append(hex(one) if type(one) is int else repr(one))
    return said


def _all_fields(node: ast.AST) -> list[Any]:
    return [getattr(node, name, None) for name in node._fields]


def _fields(node: ast.AST) -> Iterator[Any]:
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(node, Documented) and ast.get_docstring(node, clean=False) is not None:
            yield value[1:]
        elif name not in SPELLING:
            yield value
