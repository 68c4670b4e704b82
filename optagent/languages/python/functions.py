"""The functions of a module as its syntax tree shows them: what each name means, and of what kind it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = ("handlers", "body", "orelse", "finalbody", "cases")  # a `try` after its handlers: if both define, it wins
LINE_END = re.compile(r"\r\n|\r|\n")  # what ends a line for the parser; str.splitlines knows more


class Function(NamedTuple):
    """One function of a file. Lines `first` (of its first decorator, as in `co_firstlineno`) to `last` are its own;
    `line` is that of `def`. `kind` as in Target."""

    qualname: str
    line: int
    first: int
    last: int
    kind: str
    is_async: bool
    is_generator: bool


def functions(module: ast.Module) -> Iterator[tuple[str, FunctionNode]]:
    """Every `def` that stands outside of other functions: qualified name and node; the later of a name wins."""
    yield from _functions_in(module.body, "")


def _functions_in(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, FunctionNode]]:
    for node in body:
        if isinstance(node, FunctionNode):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions_in(node.body, f"{prefix}{node.name}.")
        elif hasattr(node, "body") or hasattr(node, "cases"):
            yield from _functions_in_blocks(node, prefix)


def _functions_in_blocks(node: ast.AST, prefix: str) -> Iterator[tuple[str, FunctionNode]]:
    for block in BLOCKS:
        if block == "body" and _is_for_type_checkers(node):
            continue  # it never runs
        parts = getattr(node, block, [])
        if block in ("handlers", "cases"):
            for part in parts:
                yield from _functions_in(part.body, prefix)
        else:
            yield from _functions_in(parts, prefix)


def _is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and _last_word(node.test) == "TYPE_CHECKING"


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
    is_accessor = called.attr in ("setter", "deleter") and _last_word(called.value) == name
    return is_accessor or (name == "_" and called.attr.startswith("register"))


def _last_word(node: ast.AST) -> str:
    """The last name of a dotted one, called or not: what a decorator is known by."""
    if isinstance(node, ast.Call):
        return _last_word(node.func)
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
    return any(_last_word(decorator) == "overload" for decorator in node.decorator_list)


def described(text: str, module: ast.Module) -> list[Function]:
    """The functions that a name reaches, in the order of their lines."""
    yields = _lines_with_yield(text)
    found = [_described(qualname, node, yields) for qualname, node in definitions(module).items()]
    return sorted(found, key=lambda function: function.line)


def _described(qualname: str, node: FunctionNode, yields: list[int]) -> Function:
    first, last = span(node)
    may_yield = any(first <= line <= last for line in yields)
    is_async = isinstance(node, ast.AsyncFunctionDef)
    return Function(qualname, node.lineno, first, last, kind_of(qualname, node), is_async, may_yield and _yields(node))


def span(node: FunctionNode) -> tuple[int, int]:
    """First and last line, decorators included."""
    return min([node.lineno, *(each.lineno for each in node.decorator_list)]), node.end_lineno or node.lineno


def kind_of(qualname: str, node: FunctionNode) -> str:
    """As decorators say by their names; a decorator called ...property is taken for one."""
    if "." not in qualname:
        return "function"
    words = [_last_word(decorator) for decorator in node.decorator_list]
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
