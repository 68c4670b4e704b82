"""What Python evaluates before a given expression, and where a value may be named on the spot."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from optagent.rules.code.scene import Scene
from optagent.rules.code.syntax import COMPREHENSIONS

LITERALS = (cst.Name, cst.Integer, cst.Float, cst.SimpleString)


def leading_statement(scene: Scene, node: cst.CSTNode) -> cst.CSTNode | None:
    """The statement that evaluates `node` always and before anything that could raise or be noticed.

    None when there is none, or when no line can be put right before it.
    """
    for part, whole in scene.ancestors(node):
        if isinstance(whole, cst.BaseSmallStatement | cst.BaseCompoundStatement):
            return whole if starts_with(whole, part) and stands_alone(scene, whole) else None
        before = evaluated_before(whole, part)
        if before is None or not all(is_quiet(one) for one in before):
            return None
    return None


def starts_with(statement: cst.CSTNode, part: cst.CSTNode) -> bool:
    match statement:
        case cst.Expr() | cst.Assign() | cst.AnnAssign() | cst.Return():
            return part is statement.value
        case cst.AugAssign():
            return part is statement.value and isinstance(statement.target, cst.Name)
        case cst.If():
            return part is statement.test
        case cst.For():
            return part is statement.iter
        case _:
            return False


def stands_alone(scene: Scene, statement: cst.CSTNode) -> bool:
    """Whether a line of its own can be put before the statement (no semicolon, no `elif`, not after a colon)."""
    parent = scene.parent[statement]
    if isinstance(statement, cst.BaseSmallStatement):
        return isinstance(parent, cst.SimpleStatementLine) and len(parent.body) == 1
    return isinstance(parent, cst.IndentedBlock)


def evaluated_before(whole: cst.CSTNode, part: cst.CSTNode) -> list[cst.CSTNode] | None:
    """The other parts of an expression that are evaluated before this one; None if this one may be skipped."""
    match whole:
        case cst.BinaryOperation():
            return [] if part is whole.left else [whole.left]
        case cst.Comparison():
            first = part is whole.left or part is whole.comparisons[0]
            return ([] if part is whole.left else [whole.left]) if first else None
        case cst.Call():
            return [] if part is whole.func else [whole.func, *preceding(whole.args, part)]
        case cst.Subscript():
            return [] if part is whole.value else [whole.value, *preceding(whole.slice, part)]
        case cst.Tuple() | cst.List():
            return preceding(whole.elements, part)
        case cst.BooleanOperation():
            return [] if part is whole.left else None
        case cst.IfExp():
            return [] if part is whole.test else None
        case cst.CompFor():
            return [] if part is whole.iter else None
        case cst.ListComp() | cst.SetComp() | cst.GeneratorExp() | cst.DictComp():
            return [] if part is whole.for_in else None
        case _:
            return [] if isinstance(whole, PASSING) else None


PASSING = (
    *(cst.ComparisonTarget, cst.Arg, cst.Attribute, cst.UnaryOperation, cst.Element, cst.StarredElement),
    *(cst.SubscriptElement, cst.Index),
)


def preceding(parts: Sequence[cst.CSTNode], part: cst.CSTNode) -> list[cst.CSTNode]:
    return list(parts[: next(k for k, one in enumerate(parts) if one is part)])


def is_quiet(node: cst.CSTNode) -> bool:
    """Whether evaluating a node does nothing: a name, a literal, an attribute of a name."""
    if isinstance(node, cst.Arg | cst.Element | cst.Index):
        return is_quiet(node.value)
    if isinstance(node, cst.SubscriptElement):
        return is_quiet(node.slice)
    return isinstance(node, LITERALS) or (isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name))


def may_be_named(scene: Scene, node: cst.CSTNode) -> bool:
    """Whether `:=` is allowed there: not in what a comprehension goes through, not in a class or closure."""
    for part, whole in scene.ancestors(node):
        if isinstance(whole, cst.CompFor) and part is whole.iter:
            return False
        if isinstance(whole, cst.BaseStatement | cst.BaseSmallStatement):
            return True
    return not isinstance(node, COMPREHENSIONS)
