"""How a function can be called, as its `def` says."""

from __future__ import annotations

import ast
from copy import deepcopy

from optagent.languages.python.functions import FunctionNode


def signature(node: FunctionNode, kind: str) -> str:
    """Names, kinds and order of the parameters and which may be left out; what they default to and their annotations
    say nothing about how to call it.

    >>> node = ast.parse("async def f(a: int, /, b, c=3, *rest, d, e=None): pass").body[0]
    >>> signature(node, "method")
    'async method (a, /, b, c=..., *rest, d, e=...)'
    """
    arguments = deepcopy(node.args)
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    for one in every:
        if one is not None:
            one.annotation = None
    arguments.defaults = [ast.Constant(...) for _ in arguments.defaults]
    arguments.kw_defaults = [one and ast.Constant(...) for one in arguments.kw_defaults]
    words = ["async"] if isinstance(node, ast.AsyncFunctionDef) else []
    words += [kind] if kind != "function" else []
    return " ".join([*words, f"({ast.unparse(arguments)})"])
