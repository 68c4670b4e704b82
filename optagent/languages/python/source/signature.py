"""How a function can be called, as its `def` says."""

from __future__ import annotations

import ast

from optagent.languages.python.source.functions import FunctionNode


def signature(node: FunctionNode, kind: str) -> str:
    """Names, kinds and order of the parameters and which may be left out; what they default to and their annotations
    say nothing about how to call it.

    >>> node = ast.parse("async def f(a: int, /, b, c=3, *rest, d, e=None): pass").body[0]
    >>> signature(node, "method")
    'async method (a, /, b, c=..., *rest, d, e=...)'
    """
    given = node.args
    plain = ast.arguments(
        posonlyargs=[ast.arg(one.arg) for one in given.posonlyargs],
        args=[ast.arg(one.arg) for one in given.args],
        vararg=given.vararg and ast.arg(given.vararg.arg),
        kwonlyargs=[ast.arg(one.arg) for one in given.kwonlyargs],
        kw_defaults=[one and ast.Constant(...) for one in given.kw_defaults],
        kwarg=given.kwarg and ast.arg(given.kwarg.arg),
        defaults=[ast.Constant(...) for _ in given.defaults],
    )
    words = ["async"] if isinstance(node, ast.AsyncFunctionDef) else []
    words += [kind] if kind != "function" else []
    return " ".join([*words, f"({ast.unparse(plain)})"])
