"""Expressions that only look, by what they are written as: leaving one out, or asking it less often, is not noticed."""

from __future__ import annotations

import libcst as cst

from optagent.rules.code.kinds import SPLITTERS, Facts
from optagent.rules.code.purity import PLAIN, TEXT_METHODS, VIEWS, weigh_iterable
from optagent.rules.code.scene import Scene
from optagent.rules.code.syntax import method_call

CALLS = PLAIN | {"len", "min", "max", "sum", "any", "all", "tuple", "range", "enumerate", "zip"}
METHODS = TEXT_METHODS | VIEWS | {"get", "isdisjoint", "issubset", "issuperset"}
LITERALS = (cst.Name, cst.Integer, cst.Float, cst.SimpleString)


def is_tame(scene: Scene, node: cst.CSTNode) -> bool:
    """Whether an expression consists of names, attributes, entries, operators and calls that only look."""
    match node:
        case cst.Attribute() | cst.Index():
            return is_tame(scene, node.value)
        case cst.Subscript():
            return is_tame(scene, node.value) and all(is_tame(scene, one.slice) for one in node.slice)
        case cst.Slice():
            return all(is_tame(scene, part) for part in (node.lower, node.upper, node.step) if part is not None)
        case cst.Comparison():
            return is_tame(scene, node.left) and all(is_tame(scene, one.comparator) for one in node.comparisons)
        case cst.BooleanOperation() | cst.BinaryOperation():
            return is_tame(scene, node.left) and is_tame(scene, node.right)
        case cst.UnaryOperation():
            return is_tame(scene, node.expression)
        case cst.IfExp():
            return all(is_tame(scene, part) for part in (node.test, node.body, node.orelse))
        case cst.Tuple() | cst.List() | cst.Set():
            return all(isinstance(one, cst.Element) and is_tame(scene, one.value) for one in node.elements)
        case cst.Call():
            return is_tame_call(scene, node)
        case _:
            return isinstance(node, LITERALS)


def is_tame_call(scene: Scene, node: cst.Call) -> bool:
    if not all(not one.star and one.keyword is None and is_tame(scene, one.value) for one in node.args):
        return False
    if scene.dotted(node.func) in CALLS or (scene.dotted(node.func) or "").startswith("math."):
        return True
    found = method_call(node)
    return found is not None and found[1] in METHODS and scene.dotted(node.func) is None and is_tame(scene, found[0])


def is_settled(scene: Scene, facts: Facts, node: cst.BaseExpression) -> bool:
    """Whether nobody notices that something is not gone through to its end: it is no iterator."""
    if weigh_iterable(facts, node) is not None:
        return True
    if isinstance(node, cst.Attribute | cst.Subscript):
        return is_tame(scene, node)
    if isinstance(node, cst.Call) and scene.dotted(node.func) in ("enumerate", "zip", "range", "reversed", "sorted"):
        parts = [one for one in node.args if one.keyword is None]
        if scene.dotted(node.func) == "range":
            return is_tame(scene, node)
        return all(not one.star and is_settled(scene, facts, one.value) for one in parts)
    found = method_call(node)
    return found is not None and found[1] in VIEWS | SPLITTERS and is_tame(scene, node)
