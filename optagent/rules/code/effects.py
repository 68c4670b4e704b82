"""What a stretch of code can do to objects, and whether an object is still known to this function alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from optagent.rules.code.kinds import NUMBERS, UNKNOWN, Facts, Kinds
from optagent.rules.code.scene import Mention, Scene
from optagent.rules.code.syntax import method_call, root_name, walk
from optagent.rules.code.uses import MUTATORS, Use, use_of

Region = tuple[cst.CSTNode, ...]
# Methods of `self` that read only, whatever class it is, if their names mean anything.
HARMLESS_METHODS = frozenset({"get", "items", "keys", "values", "lower", "upper", "strip", "index", "count", "copy"})
SELVES = frozenset({"self", "cls"})


@dataclass(frozen=True)
class Definition:
    """An assignment that has surely run when a later statement is reached.

    `region` is all code that can run between the two, the later statement included.
    """

    statement: cst.Assign | cst.AnnAssign
    value: cst.BaseExpression
    region: Region


def definition_before(scene: Scene, name: str, anchor: cst.CSTNode, chained: bool = False) -> Definition | None:
    """The nearest plain assignment `name = value` that stands before `anchor` in its block or in one around it.

    With `chained`, also `name = other = value`, for values that cannot change.
    """
    for part, whole in scene.ancestors(anchor):
        if not isinstance(whole, cst.IndentedBlock | cst.SimpleStatementLine | cst.SimpleStatementSuite):
            continue
        at = next(k for k, node in enumerate(whole.body) if node is part)
        for k in range(at - 1, -1, -1):
            found = plain_assignment(whole.body[k], name, chained)
            if found is not None and found.value is not None:
                return Definition(found, found.value, tuple(whole.body[k + 1 : at + 1]))
    return None


def plain_assignment(node: cst.CSTNode, name: str, chained: bool) -> cst.Assign | cst.AnnAssign | None:
    """The last `name = value` of a line."""
    smalls = node.body if isinstance(node, cst.SimpleStatementLine) else [node]
    for small in reversed(smalls):
        goals: list[cst.CSTNode] = []
        if isinstance(small, cst.Assign) and (chained or len(small.targets) == 1):
            goals = [target.target for target in small.targets]
        elif isinstance(small, cst.AnnAssign) and small.value is not None:
            goals = [small.target]
        if any(isinstance(goal, cst.Name) and goal.value == name for goal in goals):
            assert isinstance(small, cst.Assign | cst.AnnAssign)
            return small
    return None


def is_bound(scene: Scene, name: str, anchor: cst.CSTNode) -> bool:
    """Whether a local name surely has a value when `anchor` is reached."""
    stores = [mention.node for mention in scene.mentions[name] if mention.stores]
    if any(isinstance(scene.parent[node], cst.Del) for node in stores):
        return False
    return name in scene.params or any(scene.within(node, stores_before(scene, anchor)) for node in stores)


def stores_before(scene: Scene, anchor: cst.CSTNode) -> set[cst.CSTNode]:
    """The parts of statements that have surely bound their names when `anchor` is reached."""
    found: set[cst.CSTNode] = set()
    for part, whole in scene.ancestors(anchor):
        if isinstance(whole, cst.For) and part is whole.body:
            found.add(whole.target)
        elif isinstance(whole, cst.With) and part is whole.body:
            found.update(item.asname for item in whole.items if item.asname)
        elif isinstance(whole, cst.IndentedBlock | cst.SimpleStatementLine | cst.SimpleStatementSuite):
            for sibling in whole.body[: next(k for k, node in enumerate(whole.body) if node is part)]:
                found.update(surely_stored(sibling))
    return found


def surely_stored(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    match node:
        case cst.SimpleStatementLine():
            for small in node.body:
                yield from surely_stored(small)
        case cst.Assign():
            yield from node.targets
        case cst.AnnAssign() if node.value is not None:
            yield node.target
        case cst.AugAssign():
            yield node.target
        case cst.Import() | cst.ImportFrom():
            yield node


def uses_in(scene: Scene, name: str, region: Region) -> frozenset[Use]:
    """What the mentions of a name in a region do to its object."""
    inside = (mention for mention in scene.mentions[name] if scene.within(mention.node, region))
    return scene.memo.once(("uses", name, region), lambda: frozenset(use_of(scene, mention) for mention in inside))


def reaching(scene: Scene, name: str, anchor: cst.CSTNode) -> Definition | None:
    """The one assignment that gives a name its value all through the statement `anchor`, if there is only one."""
    found = definition_before(scene, name, anchor)
    if found is None:
        return None
    stores = (mention for mention in scene.mentions[name] if mention.stores)
    return None if any(scene.within(mention.node, found.region) for mention in stores) else found


def kinds_at(scene: Scene, facts: Facts, name: str, anchor: cst.CSTNode) -> Kinds:
    """Every type the name can hold in the statement `anchor`; empty when unclear."""
    if not scene.is_local(name):
        return UNKNOWN
    found = reaching(scene, name, anchor)
    return (facts.of(found.value) if found else UNKNOWN) or facts.of_name(name)


def is_unshared(scene: Scene, facts: Facts, name: str, anchor: cst.CSTNode) -> bool:
    """Whether the object behind a name was made here and nobody else can hold it during the statement `anchor`."""
    found = definition_before(scene, name, anchor)
    if found is None or is_captured(scene, name) or Use.ESCAPE in uses_in(scene, name, found.region):
        return False
    return facts.is_own(name) or (reaching(scene, name, anchor) is not None and facts.is_new(found.value))


def is_captured(scene: Scene, name: str) -> bool:
    """Whether a nested function does anything but read the name, or one of its methods is kept for later."""
    mentions = scene.mentions[name]
    return scene.memo.once(("captured", name), lambda: any(captures(scene, mention) for mention in mentions))


def captures(scene: Scene, mention: Mention) -> bool:
    use = use_of(scene, mention)
    if scene.in_closure(mention.node) and use not in (Use.READ, Use.TEST):
        return True
    return use is Use.ESCAPE and isinstance(scene.parent[mention.node], cst.Attribute)


def changed_roots(scene: Scene, facts: Facts, region: Region) -> frozenset[str]:
    """The names through which code in the region visibly changes an object, `?` for one without a name."""
    return facts.memo.once(("changed", region), lambda: frozenset(root for root, _ in changes(scene, facts, region)))


def changes(scene: Scene, facts: Facts, region: Region) -> Iterator[tuple[str, cst.CSTNode]]:
    """The name and the node of each change."""
    for node in walk(*region):
        if isinstance(node, cst.Subscript) and node in scene.stored:
            yield root_name(node) or "?", node
        elif isinstance(node, cst.AugAssign) and isinstance(node.target, cst.Name):
            if not keeps_objects(facts, node):
                yield node.target.value, node
        elif found := method_call(node):
            receiver, method, _ = found
            root = root_name(receiver) or "?"
            if scene.dotted(receiver) is None and (method in MUTATORS or is_unknown_of_self(root, method)):
                yield root, node
            elif scene.dotted(receiver) is not None and method in MUTATORS:
                yield "?", node  # heapq.heappush(xs, …), random.shuffle(xs)


def keeps_objects(facts: Facts, node: cst.AugAssign) -> bool:
    """Whether `x += …` only gives `x` another number; a list can be grown by a list and multiplied by a number."""
    kinds = facts.of(node.value)
    return bool(kinds) and kinds <= NUMBERS and not isinstance(node.operator, cst.MultiplyAssign)


def is_unknown_of_self(root: str, method: str) -> bool:
    return root in SELVES and method not in HARMLESS_METHODS


def disturbs_strangers(scene: Scene, facts: Facts, region: Region) -> bool:
    """Whether the region visibly changes some object that was not made in this function."""
    return any(not facts.is_own(root) for root in changed_roots(scene, facts, region))
