"""Small questions about one piece of syntax: what it binds, what it reads, where it is rooted."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import libcst as cst

Comprehension = cst.ListComp | cst.SetComp | cst.DictComp | cst.GeneratorExp
COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
CLOSURES = (cst.FunctionDef, cst.Lambda, cst.ClassDef)
BLANK = (cst.BaseParenthesizableWhitespace, cst.TrailingWhitespace, cst.EmptyLine, cst.Newline, cst.Comment)


# Every rule asks for the same nodes again, and libcst makes a visitor for each answer.
@lru_cache(maxsize=1 << 14)
def children(node: cst.CSTNode) -> tuple[cst.CSTNode, ...]:
    """The parts of a node that mean something, in the order they are written."""
    return tuple(child for child in node.children if not isinstance(child, BLANK))


def walk(*roots: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Each root and everything below it, in the order it is written."""
    waiting = list(reversed(roots))
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def has_comment(node: cst.CSTNode) -> bool:
    """Whether a comment stands inside, which a rewrite would lose."""
    return isinstance(node, cst.Comment) or any(has_comment(child) for child in node.children)


def targets(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The names, attributes and subscripts an assignment to this target stores into."""
    if isinstance(node, cst.Tuple | cst.List):
        for element in node.elements:
            yield from targets(element.value)
    elif isinstance(node, cst.StarredElement):
        yield from targets(node.value)
    else:
        yield node


def stored_by(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """What this one node (not its parts) binds, changes in place or deletes."""
    match node:
        case cst.AssignTarget() | cst.AnnAssign() | cst.AugAssign() | cst.For() | cst.CompFor():
            yield from targets(node.target)
        case cst.NamedExpr() | cst.Del():
            yield from targets(node.target)
        case cst.AsName() | cst.FunctionDef() | cst.ClassDef() | cst.Param() | cst.TypeAlias():
            yield from targets(node.name)
        case cst.MatchAs() | cst.MatchStar() if node.name is not None:
            yield node.name
        case cst.MatchMapping() if node.rest is not None:
            yield node.rest
        case cst.ImportAlias() if node.asname is None:
            yield first_name(node.name)


def first_name(node: cst.CSTNode) -> cst.CSTNode:
    """The `a` of `a.b.c`."""
    while isinstance(node, cst.Attribute):
        node = node.value
    return node


def root_name(node: cst.CSTNode) -> str | None:
    """The name an expression reaches its object from: `a` for `a.b[0].c()`; None when there is none."""
    while True:
        match node:
            case cst.Name():
                return node.value
            case cst.Attribute() | cst.Subscript():
                node = node.value
            case cst.Call():
                node = node.func
            case _:
                return None


def is_label(node: cst.Name, parent: cst.CSTNode) -> bool:
    """Whether a name stands there as a mere word (an attribute, a keyword), not as a variable."""
    match parent:
        case cst.Attribute():
            return node is parent.attr
        case cst.Arg():
            return node is parent.keyword
        case cst.MatchKeywordElement():
            return node is parent.key
        case cst.ImportAlias():
            return parent.asname is not None
        case cst.NameItem() | cst.ImportFrom():
            return True
        case _:
            return False


def method_call(node: cst.CSTNode) -> tuple[cst.BaseExpression, str, cst.Call] | None:
    """Receiver, method name and call of `receiver.method(...)`."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        return node.func.value, node.func.attr.value, node
    return None
