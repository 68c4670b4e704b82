"""Membership in a list, tested again and again, becomes membership in a set.

What
----
``x in xs`` inside a loop, where ``xs`` is a list or tuple that stays the same in that loop, is tested
against ``xs_set = set(xs)``, built once before the outermost loop for which that is true. A list that
the loop itself grows by ``append`` keeps its order and gets a companion set that grows with it.

Why it is slow
--------------
A list is searched from its start: a test costs as many comparisons as there are elements. A set
answers from one hash. With 1000 elements the measured factor is 28 to 45, and it grows with the list.

Preconditions
-------------
- the name is a local or a parameter, and only ever holds a list or tuple: known from what it is
  assigned (a display, ``list()``, ``sorted()``, ``tuple()``, a comprehension, ``split()``), from its
  annotation, or from the types observed at run time;
- in the loop it is not rebound, changed or handed to code that is not known to leave it alone; if
  somebody else may hold the same list, the loop also changes no object from outside the function,
  and does not ``yield`` or ``await``;
- the elements can be hashed: nothing in the source says otherwise. What the source does not say, the
  referee finds out.

Example
-------
::

    def serialise(words: list[str], stop: list[str]) -> list[str]:
        kept = []
        for word in words:
            if word not in stop:
                kept.append(word.lower())
        return kept

Use instead
-----------
::

    def serialise(words: list[str], stop: list[str]) -> list[str]:
        kept = []
        stop_set = set(stop)
        for word in words:
            if word not in stop_set:
                kept.append(word.lower())
        return kept

Counter-example
---------------
Text is searched for substrings, not for elements, and must be left alone::

    def serialise(words: list[str], stop: str) -> list[str]:
        kept = []
        for word in words:
            if word not in stop:
                kept.append(word.lower())
        return kept
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from optagent.rules.base import Proposal, Site
from optagent.rules.code.effects import (
    definition_before,
    disturbs_strangers,
    is_bound,
    is_captured,
    is_unshared,
    kinds_at,
    uses_in,
)
from optagent.rules.code.kinds import Facts
from optagent.rules.code.loops import Level, levels, suspends
from optagent.rules.code.scene import Mention, Scene, read_scene
from optagent.rules.code.uses import Use, use_of
from optagent.rules.edits import Place, propose

SEQUENCES = frozenset({"list", "tuple"})
UNHASHABLE = (cst.List, cst.ListComp, cst.Dict, cst.DictComp, cst.Set, cst.SetComp)
UNHASHABLE_WORDS = ("[list", "[List", "[dict", "[Dict", "[set", "[Set", "[bytearray", "[np.", "[numpy")
# So few elements are searched as fast as they are hashed.
SMALL = 3


class MembershipSet:
    """Tests membership in a set that is built once."""

    slug = "membership-set"
    title = "membership in a list becomes membership in a set"

    def propose(self, site: Site) -> Iterator[Proposal]:
        scene = read_scene(site.source, site.qualname, site.line)
        if scene is not None and not scene.is_opaque and scene.meaning("set") == "set":
            yield from propose(self.slug, scene, list(places(scene, Facts(scene, site.types))))


def places(scene: Scene, facts: Facts) -> Iterator[Place]:
    """One place for each list and each loop before which its set is built."""
    for name, mentions in list(scene.mentions.items()):
        if could_gain(scene, name):
            groups: dict[cst.CSTNode, list[Mention]] = {}
            for mention in mentions:
                level = best_level(scene, facts, name, mention)
                if level is not None and level.anchor is not None:
                    groups.setdefault(level.anchor, []).append(mention)
            for anchor, tests in groups.items():
                yield place(scene, name, anchor, tests)


def could_gain(scene: Scene, name: str) -> bool:
    """Whether a local is tested for members at all, and nothing in the source speaks against a set."""
    if not scene.is_local(name) or all(use_of(scene, mention) is not Use.TEST for mention in scene.mentions[name]):
        return False
    return not (is_captured(scene, name) or holds_unhashable(scene, name) or is_short(scene, name))


def bindings(scene: Scene, name: str) -> list[cst.CSTNode]:
    return [scene.parent[mention.node] for mention in scene.mentions[name] if mention.stores]


def values(scene: Scene, name: str) -> Iterator[cst.CSTNode]:
    for binding in bindings(scene, name):
        whole = scene.parent[binding] if isinstance(binding, cst.AssignTarget) else binding
        value = getattr(whole, "value", None)
        if isinstance(value, cst.CSTNode):
            yield value


def holds_unhashable(scene: Scene, name: str) -> bool:
    """Whether the source says that the elements cannot be hashed."""
    for binding in bindings(scene, name):
        note = getattr(binding, "annotation", None)
        if isinstance(note, cst.Annotation) and any(word in scene.code(note.annotation) for word in UNHASHABLE_WORDS):
            return True
    appended = (scene.parent[scene.parent[m.node]] for m in scene.mentions[name] if use_of(scene, m) is Use.APPEND)
    grown = [call.args[0].value for call in appended if isinstance(call, cst.Call)]
    return any(isinstance(element, UNHASHABLE) for element in [*grown, *known_elements(scene, name)])


def known_elements(scene: Scene, name: str) -> Iterator[cst.CSTNode]:
    for value in values(scene, name):
        if isinstance(value, cst.List | cst.Tuple):
            yield from (element.value for element in value.elements)
        elif isinstance(value, cst.ListComp):
            yield value.elt


def is_short(scene: Scene, name: str) -> bool:
    """Whether the name only ever holds a display of a few elements that nothing grows."""
    shown = [value for value in values(scene, name) if isinstance(value, cst.List | cst.Tuple)]
    steady = all(use_of(scene, m) in (Use.READ, Use.TEST) for m in scene.mentions[name] if not m.stores)
    few = all(len(value.elements) <= SMALL for value in shown)
    return steady and few and 0 < len(shown) == len(bindings(scene, name))


def best_level(scene: Scene, facts: Facts, name: str, mention: Mention) -> Level | None:
    """The outermost loop around a test before which a set can be built that stays right."""
    if use_of(scene, mention) is not Use.TEST or isinstance(tested(scene, mention), UNHASHABLE):
        return None
    best = None
    for level in levels(scene, mention.node) or ():
        if not stays_right(scene, facts, name, level):
            break
        best = level if level.anchor is not None else best
    return best


def tested(scene: Scene, mention: Mention) -> cst.CSTNode:
    whole = scene.parent[scene.parent[mention.node]]
    assert isinstance(whole, cst.Comparison)
    return whole.left


def stays_right(scene: Scene, facts: Facts, name: str, level: Level) -> bool:
    """Whether a set made before the loop has the elements of the list at every test in it."""
    uses = uses_in(scene, name, level.region)
    if not uses <= {Use.READ, Use.TEST, Use.APPEND}:
        return False
    anchor = level.anchor or level.loop
    kinds = kinds_at(scene, facts, name, anchor)
    if not kinds or not kinds <= SEQUENCES or not is_bound(scene, name, anchor):
        return False
    if is_unshared(scene, facts, name, anchor):
        return Use.APPEND not in uses or (kinds == {"list"} and can_follow(scene, name, level))
    return (
        Use.APPEND not in uses
        and not suspends(scene, level.region)
        and not disturbs_strangers(scene, facts, level.region)
    )


def can_follow(scene: Scene, name: str, level: Level) -> bool:
    """Whether the value of every `append` in the loop can be given a name on the spot."""
    grown = [argument_of(scene, mention) for mention in appends(scene, name, level.region)]
    return not any(isinstance(value, cst.GeneratorExp | cst.NamedExpr) for value in grown)


def appends(scene: Scene, name: str, region: tuple[cst.CSTNode, ...]) -> list[Mention]:
    inside = [mention for mention in scene.mentions[name] if scene.within(mention.node, region)]
    return [mention for mention in inside if use_of(scene, mention) is Use.APPEND]


def argument_of(scene: Scene, mention: Mention) -> cst.BaseExpression:
    call = scene.parent[scene.parent[mention.node]]
    assert isinstance(call, cst.Call)
    return call.args[0].value


def place(scene: Scene, name: str, anchor: cst.CSTNode, tests: list[Mention]) -> Place:
    """The edits: build the set, test against it, let it follow each `append` in the loop."""
    known = scene.fresh(f"{name}_set")
    grows = appends(scene, name, (anchor,))
    line = scene.line(anchor if anchor in scene.record.starts else scene.parent[anchor])
    idea = f"`{scene.function.name.value}` tests membership in a set made of `{name}` once before line {line}"
    if grows:
        idea += f", which follows each `{name}.append`"
    edits = Place(idea, before={anchor: [f"{known} = {first_set(scene, name, anchor)}"]})
    for test in tests:
        edits.replace[test.node] = lambda node: node.with_changes(value=known)
    for mention in grows:
        follow(scene, mention, known, scene.fresh(f"{name}_item"), edits)
    return edits


def first_set(scene: Scene, name: str, anchor: cst.CSTNode) -> str:
    """`set()` when the list is surely empty there, a copy of its elements otherwise."""
    found = definition_before(scene, name, anchor)
    if found is None or not isinstance(found.value, cst.List) or found.value.elements:
        return f"set({name})"
    between = found.region[:-1]
    touched = any(scene.within(mention.node, between) for mention in scene.mentions[name])
    return f"set({name})" if touched or found.region[-1] is not anchor else "set()"


def follow(scene: Scene, mention: Mention, known: str, item: str, edits: Place) -> None:
    """`xs.append(value)` is followed by the same for the set; the value is computed once."""
    value = argument_of(scene, mention)
    statement = scene.parent[scene.parent[scene.parent[mention.node]]]
    if isinstance(value, cst.Name | cst.Integer | cst.SimpleString):
        edits.after[statement] = [f"{known}.add({scene.code(value)})"]
        return

    def named(node: cst.CSTNode) -> cst.CSTNode:
        assert isinstance(node, cst.BaseExpression)
        return cst.NamedExpr(cst.Name(item), node)

    edits.replace[value] = named
    edits.after[statement] = [f"{known}.add({item})"]
