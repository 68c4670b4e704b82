"""How far the variable of a loop over indices can go, measured from the ends of a list."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from optagent.rules.code.effects import reaching
from optagent.rules.code.scene import Scene
from optagent.rules.code.syntax import walk


@dataclass(frozen=True)
class Reach:
    """The index is at least `first`, and at most the length of the list plus `beyond` (-1: the last element)."""

    loop: cst.CSTNode
    first: int
    beyond: int


def reach_of(scene: Scene, index: cst.Name, values: str) -> Reach | None:
    """The reach of an index where it is read; None unless one loop around alone binds it, as indices of the list."""
    for part, whole in scene.ancestors(index):
        if isinstance(whole, cst.For) and part is whole.body and is_bound_by(whole, index.value):
            return reach(scene, whole, whole, index.value, values)
        if isinstance(whole, cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp):
            loop: cst.CompFor | None = whole.for_in
            while loop is not None:
                if is_bound_by(loop, index.value):
                    return reach(scene, whole, loop, index.value, values)
                loop = loop.inner_for_in
    return None


def is_bound_by(loop: cst.For | cst.CompFor, name: str) -> bool:
    return any(isinstance(node, cst.Name) and node.value == name for node in walk(loop.target))


def reach(scene: Scene, whole: cst.CSTNode, loop: cst.For | cst.CompFor, index: str, values: str) -> Reach | None:
    stores = [one.node for one in scene.mentions[index] if one.stores and scene.within(one.node, [whole])]
    call = loop.iter
    if len(stores) != 1 or not isinstance(call, cst.Call) or any(one.star or one.keyword for one in call.args):
        return None
    name = scene.dotted(call.func)
    if name == "enumerate" and isinstance(loop.target, cst.Tuple):
        first = loop.target.elements[0].value
        counts = isinstance(first, cst.Name) and first.value == index and len(call.args) == 1
        return Reach(loop, 0, -1) if counts and scene.code(call.args[0].value) == values else None
    if name != "range" or not isinstance(loop.target, cst.Name) or len(call.args) not in (1, 2):
        return None
    start = call.args[0].value if len(call.args) == 2 else None
    end = beyond(scene, call.args[-1].value, values, whole)
    if end is None or (start is not None and not isinstance(start, cst.Integer)):
        return None
    return Reach(loop, start.evaluated_value if isinstance(start, cst.Integer) else 0, end - 1)


def beyond(scene: Scene, node: cst.BaseExpression, values: str, anchor: cst.CSTNode) -> int | None:
    """By how much a bound is more than the length: 1 for `len(xs) + 1`."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.right, cst.Integer):
        least = beyond(scene, node.left, values, anchor)
        if least is None or not isinstance(node.operator, cst.Add | cst.Subtract):
            return None
        return least + node.right.evaluated_value * (1 if isinstance(node.operator, cst.Add) else -1)
    if isinstance(node, cst.Call):
        return 0 if scene.dotted(node.func) == "len" and scene.code(node.args[0].value) == values else None
    if isinstance(node, cst.Name) and scene.is_local(node.value):
        found = reaching(scene, node.value, anchor)
        if found is None or not isinstance(found.value, cst.Call) or is_touched(scene, values, found.region):
            return None
        return beyond(scene, found.value, values, anchor)
    return None


def is_touched(scene: Scene, values: str, region: tuple[cst.CSTNode, ...]) -> bool:
    """Whether the list is rebound, or one of its methods called, where its length was taken before."""
    inside = [one for one in scene.mentions[values] if scene.within(one.node, region)]
    return any(one.stores or isinstance(scene.parent[one.node], cst.Attribute) for one in inside)
