"""The loops around a piece of code, and where something can be computed once before each of them."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from optagent.rules.code.scene import Scene
from optagent.rules.code.syntax import CLOSURES, COMPREHENSIONS, walk

# These run a generator expression to its end before anything else can happen.
CONSUMERS = frozenset(
    {"all", "any", "dict", "frozenset", "list", "max", "min", "set", "sorted", "sum", "tuple", "math.fsum", "math.prod"}
)

# Methods that do the same, whatever they belong to: text, a list, a set, a dict.
EATERS = frozenset({"join", "extend", "update", "union", "intersection", "difference", "writelines"})


@dataclass(frozen=True)
class Level:
    """One loop around an expression.

    `anchor` is the statement before which a value for this loop is made, None when there is no such
    place (a comprehension in the condition of a `while`, say). `region` is all code that runs between
    the anchor and the last use: what is true there of a name is true for the whole loop.
    """

    loop: cst.CSTNode
    anchor: cst.CSTNode | None
    region: tuple[cst.CSTNode, ...]


def levels(scene: Scene, node: cst.CSTNode) -> list[Level] | None:
    """The loops that run `node` again and again, innermost first; None when it may run at another time altogether.

    The iterable of a `for`, the first one of a comprehension and an `else` run once: they are outside.
    """
    found: list[Level] = []
    inside = True
    for part, whole in scene.ancestors(node):
        if whole is scene.function:
            break
        if isinstance(whole, CLOSURES):
            return None
        if isinstance(whole, cst.CompFor) and part is whole.iter:
            inside = isinstance(scene.parent[whole], cst.CompFor)
        if isinstance(whole, COMPREHENSIONS):
            if inside and isinstance(whole, cst.GeneratorExp) and not is_consumed(scene, whole):
                return None
            found += [comprehension_level(scene, whole)] if inside else []
            inside = True
        found += statement_level(whole, part)
    return found


def statement_level(whole: cst.CSTNode, part: cst.CSTNode) -> list[Level]:
    if isinstance(whole, cst.For) and part is whole.body:
        return [Level(whole, whole, (whole.target, whole.iter, whole.body))]
    if isinstance(whole, cst.While) and part in (whole.test, whole.body):
        return [Level(whole, whole, (whole.test, whole.body))]
    return []


def comprehension_level(scene: Scene, node: cst.CSTNode) -> Level:
    anchor, region = anchor_of(scene, node)
    return Level(node, anchor, (region,))


def anchor_of(scene: Scene, node: cst.CSTNode) -> tuple[cst.CSTNode | None, cst.CSTNode]:
    """The statement that runs this expression once, and the part of it that runs before or with the expression."""
    for part, whole in scene.ancestors(node):
        if isinstance(whole, cst.CompFor | cst.While | cst.ExceptHandler | cst.ExceptStarHandler):
            return None, part
        if isinstance(whole, COMPREHENSIONS):
            return None, part
        if isinstance(part, cst.BaseSmallStatement):
            return part, part
        if isinstance(whole, cst.If):
            return chain_head(scene, whole)
        if isinstance(whole, cst.For):
            return whole, part
        if isinstance(whole, cst.With | cst.Match):
            return whole, whole
    return None, node


def chain_head(scene: Scene, node: cst.If) -> tuple[cst.CSTNode, cst.CSTNode]:
    """The `if` an `elif` belongs to, with all of it as the region; a first `if` has only its test."""
    head: cst.CSTNode = node
    while isinstance(above := scene.parent[head], cst.If):
        head = above
    return head, node.test if head is node else head


def is_consumed(scene: Scene, node: cst.CSTNode) -> bool:
    """Whether a generator expression is run to its end on the spot."""
    argument = scene.parent[node]
    call = scene.parent[argument]
    if not isinstance(argument, cst.Arg) or not isinstance(call, cst.Call):
        return False
    eats = isinstance(call.func, cst.Attribute) and call.func.attr.value in EATERS
    return eats or scene.dotted(call.func) in CONSUMERS


def suspends(scene: Scene, region: tuple[cst.CSTNode, ...]) -> bool:
    """Whether other code of the caller can run in the middle (`yield`, `await`, `async for`, `async with`)."""
    waits = cst.Yield | cst.Await | cst.Asynchronous
    return scene.memo.once(("suspends", region), lambda: any(isinstance(node, waits) for node in walk(*region)))
