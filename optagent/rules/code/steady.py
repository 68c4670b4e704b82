"""Whether what an expression is made of stays the same all through a loop, and whether a name is read after one."""

from __future__ import annotations

import libcst as cst

from optagent.rules.code.effects import (
    changed_roots,
    definition_before,
    is_bound,
    is_captured,
    is_unshared,
    kinds_at,
    uses_in,
)
from optagent.rules.code.kinds import IMMUTABLE, Facts
from optagent.rules.code.loops import Level, is_consumed, suspends
from optagent.rules.code.purity import bound_names
from optagent.rules.code.scene import Mention, Scene
from optagent.rules.code.syntax import COMPREHENSIONS, is_label, stored_by, walk
from optagent.rules.code.uses import Use


def free_names(scene: Scene, facts: Facts, node: cst.CSTNode) -> set[str]:
    """The locals an expression is made of, without the variables of its own comprehensions."""
    parts = (part for part in walk(node) if isinstance(part, cst.Name) and not is_label(part, scene.parent[part]))
    return {part.value for part in parts if scene.is_local(part.value) and not scene.dotted(part)} - bound_names(node)


def stays_same(scene: Scene, facts: Facts, names: set[str], level: Level) -> bool:
    """Whether nothing in the loop changes a name, or an object behind one."""
    if not keeps_names(scene, facts, names, level):
        return False
    soft = any(not is_immutable(scene, facts, name, level.anchor or level.loop) for name in names)
    changed = changed_roots(scene, facts, level.region) if soft else ()
    return not any(root in names or not facts.is_own(root) for root in changed)


def keeps_names(scene: Scene, facts: Facts, names: set[str], level: Level) -> bool:
    """Whether nothing in the loop rebinds a name, changes its object through that name, or lets others do so."""
    if not all(is_steady(scene, name, level) for name in names):
        return False
    soft = [name for name in names if not is_immutable(scene, facts, name, level.anchor or level.loop)]
    if any(is_captured(scene, name) or not only_read(scene, name, level) for name in soft):
        return False
    shared = [name for name in soft if not is_unshared(scene, facts, name, level.anchor or level.loop)]
    return not (shared and suspends(scene, level.region))


def is_steady(scene: Scene, name: str, level: Level) -> bool:
    """Whether a name has its value before the loop and keeps it in the loop."""
    anchor = level.anchor or level.loop
    stores = [mention.node for mention in scene.mentions[name] if mention.stores]
    return scene.memo.once(
        ("steady", name, anchor, level.region),
        lambda: is_bound(scene, name, anchor) and not any(scene.within(node, level.region) for node in stores),
    )


def is_immutable(scene: Scene, facts: Facts, name: str, anchor: cst.CSTNode) -> bool:
    kinds = kinds_at(scene, facts, name, anchor)
    return bool(kinds) and kinds <= IMMUTABLE


def only_read(scene: Scene, name: str, level: Level) -> bool:
    return uses_in(scene, name, level.region) <= {Use.READ, Use.TEST}


def is_dead_outside(scene: Scene, name: str, loop: cst.CSTNode) -> bool:
    """Whether no code outside the loop can read the value that the loop leaves in a local name."""
    mentions = scene.mentions[name]
    if not scene.is_local(name) or any(is_read_later(scene, mention) for mention in mentions):
        return False
    outside = (mention for mention in mentions if not scene.within(mention.node, [loop]))
    return all(is_no_reader(scene, mention, loop) for mention in outside)


def is_read_later(scene: Scene, mention: Mention) -> bool:
    """Whether a function, or a generator that is kept, reads the name at another time than where it stands."""
    name = mention.node.value
    for part, whole in scene.ancestors(mention.node):
        if isinstance(whole, cst.Lambda | cst.FunctionDef) and part is whole.body and whole is not scene.function:
            return not is_parameter(whole, name)
        kept = isinstance(whole, cst.GeneratorExp) and not is_consumed(scene, whole)
        if kept and name not in bound_names(whole) and not scene.within(mention.node, [first_iterable(whole)]):
            return True
    return False


def first_iterable(node: cst.CSTNode) -> cst.CSTNode:
    assert isinstance(node, cst.GeneratorExp)
    return node.for_in.iter


def is_parameter(function: cst.Lambda | cst.FunctionDef, name: str) -> bool:
    return any(isinstance(one, cst.Param) and one.name.value == name for one in walk(function.params))


def is_no_reader(scene: Scene, mention: Mention, loop: cst.CSTNode) -> bool:
    """Whether a mention only binds the name, or reads what was bound to it after the loop or apart from it."""
    if mention.stores and not isinstance(scene.parent[mention.node], cst.AugAssign | cst.Del):
        return True
    for part, whole in scene.ancestors(mention.node):
        if isinstance(whole, cst.Lambda | cst.FunctionDef) and part is whole.body and whole is not scene.function:
            return is_parameter(whole, mention.node.value)
        if isinstance(whole, COMPREHENSIONS) and mention.node.value in bound_names(whole):
            return not scene.within(mention.node, [whole.for_in.iter])
        if isinstance(whole, cst.For) and part is whole.body and binds(whole, mention.node.value):
            return not scene.within(loop, [whole])
    if scene.in_closure(mention.node):
        return False
    found = definition_before(scene, mention.node.value, mention.node, chained=True)
    return found is not None and not scene.within(loop, found.region)


def binds(loop: cst.For, name: str) -> bool:
    return any(isinstance(node, cst.Name) and node.value == name for node in stored_by(loop))
