"""What can be said of a function without running it: where it stands, and of what kind it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from optagent.languages.python.source.functions import FunctionNode, definitions, last_word, reachable, span

WRAPPERS = ("staticmethod", "classmethod", "property")
STRUCTURAL = frozenset((*WRAPPERS, "cached_property", "abstractmethod", "override", "final"))
"""Decorators that make a method of some kind, or only say something about it: the function stays the one written."""

LINE_END = re.compile(r"\r\n|\r|\n")  # what ends a line for the parser; str.splitlines knows more


class Function(NamedTuple):
    """One function of a file. Lines `first` (of its first decorator, as in `co_firstlineno`) to `last` are its own;
    `line` is that of `def`. `kind` and `decorators` as in Target."""

    qualname: str
    line: int
    first: int
    last: int
    kind: str
    is_async: bool
    is_generator: bool
    decorators: int


def described(text: str, module: ast.Module) -> list[Function]:
    """The functions that a name reaches, in the order of their lines."""
    yields, wrapped = _lines_with_yield(text), dict(_wrapped(module))
    found = []
    for qualname, node in definitions(module).items():
        first, last = span(node)
        line, kind = wrapped.get(qualname, (0, ""))
        kind = kind if line > node.lineno else kind_of(qualname, node)
        is_generator = any(first <= line <= last for line in yields) and _yields(node)
        is_async = isinstance(node, ast.AsyncFunctionDef)
        others = sum(last_word(one) not in STRUCTURAL for one in node.decorator_list)
        found.append(Function(qualname, node.lineno, first, last, kind, is_async, is_generator, others))
    return sorted(found, key=lambda function: function.line)


def _wrapped(module: ast.Module) -> Iterator[tuple[str, tuple[int, str]]]:
    """Methods whose kind is set by an assignment after them, with its line: `open = classmethod(open)`."""
    for prefix, node in reachable(module.body):
        if prefix and isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and node.value.args:
            kind, name = last_word(node.value.func), last_word(node.value.args[0])
            if kind in WRAPPERS and any(last_word(target) == name for target in node.targets):
                yield prefix + name, (node.lineno, kind)


def kind_of(qualname: str, node: FunctionNode) -> str:
    """As decorators say by their names; a decorator called ...property is taken for one."""
    if "." not in qualname:
        return "function"
    words = [last_word(decorator) for decorator in node.decorator_list]
    if any(word.endswith("property") or word == "getter" for word in words):
        return "property"
    if node.name == "__new__" or any(word.endswith("staticmethod") for word in words):
        return "staticmethod"
    is_of_class = node.name in ("__init_subclass__", "__class_getitem__")
    return "classmethod" if is_of_class or any(word.endswith("classmethod") for word in words) else "method"


def _lines_with_yield(text: str) -> list[int]:
    if "yield" not in text:
        return []
    return [number for number, line in enumerate(LINE_END.split(text), 1) if "yield" in line]


def _yields(function: FunctionNode) -> bool:
    """Whether the function itself yields, not one inside of it."""
    waiting: list[ast.AST] = [*function.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, FunctionNode | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))
    return False
