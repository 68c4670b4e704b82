"""New code in the wider scopes: what it may bind, and what it may run while it is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from optagent.languages.python.scope.construction import Names, decorator_effect, effect
from optagent.languages.python.scope.names import bound_by, is_dunder, is_private, words
from optagent.languages.python.source.forms import dump
from optagent.languages.python.source.functions import FunctionNode

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
CLASS_DUNDERS = frozenset(["__slots__", "__match_args__"])
# By these, objects are compared, copied, carried, looked into and thrown away: what the referee and the tests rely on.
HOOKS = words(
    "__eq__ __ne__ __hash__ __bool__ __lt__ __le__ __gt__ __ge__ __getattr__ __getattribute__ __setattr__ __delattr__ "
    "__class__ __dir__ __dict__ __copy__ __deepcopy__ __reduce__ __reduce_ex__ __getstate__ __setstate__ "
    "__getnewargs__ __getnewargs_ex__ __del__ __new__ __init__ __init_subclass__ __class_getitem__ __set_name__ "
    "__prepare__ __instancecheck__ __subclasscheck__ __subclasshook__ __repr__ __str__ __format__ __sizeof__"
)


@dataclass(frozen=True)
class Additions:
    """`names` are the meanings after the edit; `old` are dumps of what ran at import already."""

    names: Names
    old: frozenset[str]

    def fault(self, node: ast.stmt) -> str | None:
        """What a definition or an assignment does at import that a constant would not, as a sentence, or None."""
        for part, found in self._effects(node):
            if found is not None and dump(part) not in self.old:
                return f"{found} at import (line {getattr(part, 'lineno', 0)})"
        return None

    def _effects(self, node: ast.stmt) -> Iterator[tuple[ast.AST, str | None]]:
        if isinstance(node, Definition):
            yield from ((one, decorator_effect(one, self.names)) for one in node.decorator_list)
        for part in expressions(node):
            yield part, effect(part, self.names)
        if isinstance(node, ast.ClassDef):
            for each in node.body:
                yield from self._of_class_body(each)

    def _of_class_body(self, node: ast.stmt) -> Iterator[tuple[ast.AST, str | None]]:
        bound = bound_by(node)
        if isinstance(node, Definition) or (bound and not isinstance(node, ast.Import | ast.ImportFrom)):
            odd = sorted(name for name in bound - CLASS_DUNDERS if is_dunder(name))
            yield node, f"assigns {odd[0]}" if odd else None
            yield from self._effects(node)
        elif not is_inert(node):
            yield node, "runs code in a class"


def is_inert(node: ast.stmt) -> bool:
    """A docstring, `...`, `pass`, or an annotation without a value."""
    bare = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return bare or isinstance(node, ast.Pass) or (isinstance(node, ast.AnnAssign) and node.value is None)


def expressions(node: ast.stmt) -> list[ast.expr]:
    """What is evaluated when a definition or an assignment is reached, decorators apart."""
    if isinstance(node, FunctionNode):
        args = node.args
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
        hints = [one.annotation for one in every if one] + [node.returns]
        return [one for one in [*args.defaults, *args.kw_defaults, *hints] if one is not None]
    if isinstance(node, ast.ClassDef):
        return [*node.bases, *(word.value for word in node.keywords)]
    if isinstance(node, ast.Assign):
        return [node.value]
    if isinstance(node, ast.AnnAssign):
        return [one for one in (node.annotation, node.value) if one is not None]
    return []


def is_free(node: ast.stmt, in_class: bool) -> bool:
    """Private, so that it may come, go and change; in a class methods only: an attribute may be a field or a member."""
    if in_class:
        return isinstance(node, FunctionNode) and node.name.startswith("_") and not is_dunder(node.name)
    if isinstance(node, Definition):
        return is_private(node.name)
    if isinstance(node, ast.Assign | ast.AnnAssign):
        bound = bound_by(node)
        return bool(bound) and all(is_private(name) for name in bound)
    return False


def may_join(node: ast.stmt) -> bool:
    """Whether a method of a class that has it not yet may be one of Python's own, such as `__len__`."""
    return isinstance(node, FunctionNode) and is_dunder(node.name) and node.name not in HOOKS


def ran_before(statements: Sequence[ast.stmt]) -> frozenset[str]:
    """Dumps of everything that was evaluated at import, so that old effects are not held against the edit."""
    found: set[str] = set()
    for node in statements:
        for part in [*expressions(node), *getattr(node, "decorator_list", [])]:
            found.add(dump(part))
        if isinstance(node, ast.ClassDef):
            found |= ran_before(node.body) | {dump(each) for each in node.body}
    return frozenset(found)
