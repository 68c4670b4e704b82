"""The functions of a module as its syntax tree shows them, and which of them a name means."""

from __future__ import annotations

import ast
from collections.abc import Iterator

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = ("handlers", "body", "orelse", "finalbody", "cases")  # a `try` after its handlers: if both define, it wins


def functions(module: ast.Module) -> Iterator[tuple[str, FunctionNode]]:
    """Every `def` that stands outside of other functions: qualified name and node; the later of a name wins."""
    for prefix, node in reachable(module.body):
        if isinstance(node, FunctionNode):
            yield prefix + node.name, node


def reachable(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.stmt]]:
    """Every statement outside of functions, after the names of the classes it stands in, each with its dot."""
    waiting = [(prefix, node) for node in reversed(body)]
    while waiting:  # a long row of `elif` is deep
        prefix, node = waiting.pop()
        yield prefix, node
        if isinstance(node, ast.ClassDef):
            waiting.extend((f"{prefix}{node.name}.", one) for one in reversed(node.body))
        elif not isinstance(node, FunctionNode):
            below = [one for block in _blocks_of(node) for one in block]
            waiting.extend((prefix, one) for one in reversed(below))


def _blocks_of(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in BLOCKS:
        parts = getattr(node, name, [])
        if name in ("handlers", "cases"):
            yield from (part.body for part in parts)
        elif not (name == "body" and _is_for_type_checkers(node)):  # whose body never runs
            yield parts


def _is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and last_word(node.test) == "TYPE_CHECKING"


def definitions(module: ast.Module) -> dict[str, FunctionNode]:
    """What each qualified name means when the module has been imported: the last of its definitions.

    Declarations for type checkers are none; of a property its getter is meant; implementations that a generic
    function collects under the name `_` cannot be reached by name.
    """
    return {qualname: node for qualname, node in functions(module) if not is_declaration(node)}


def is_declaration(node: FunctionNode) -> bool:
    """Whether the `def` gives its name no function to call: `@overload`, `@x.setter`, `@generic.register def _`."""
    return is_overload(node) or any(_serves_another(decorator, node.name) for decorator in node.decorator_list)


def _serves_another(decorator: ast.expr, name: str) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    if not isinstance(called, ast.Attribute):
        return False
    is_accessor = called.attr in ("setter", "deleter") and last_word(called.value) == name
    return is_accessor or (name == "_" and called.attr.startswith("register"))


def last_word(node: ast.AST) -> str:
    """The last name of a dotted one, called or not: what a decorator is known by."""
    while isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def meant_at(module: ast.Module, line: int) -> str | None:
    """The qualified name of the function that a line belongs to, if the name leads there; an overload's does."""
    meanings = definitions(module)
    for qualname, node in functions(module):
        first, last = span(node)
        if first <= line <= last and (meanings.get(qualname) is node or is_overload(node)):
            return qualname
    return None


def is_overload(node: FunctionNode) -> bool:
    return any(last_word(decorator) == "overload" for decorator in node.decorator_list)


def span(node: FunctionNode) -> tuple[int, int]:
    """First and last line, decorators included."""
    return min([node.lineno, *(each.lineno for each in node.decorator_list)]), node.end_lineno or node.lineno
