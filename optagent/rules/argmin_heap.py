"""The least element of a list is searched again and again while only that element changes: a heap keeps it on top.

What
----
``j = min(range(n), key=loads.__getitem__)``, ``loads.index(min(loads))`` or a loop that does the same, in
a loop that then changes ``loads[j]`` only, becomes a look at the top of a heap of ``(load, index)``.
``max`` and ``>`` work on negated values.

Why it is slow
--------------
Each search looks at all n elements; putting the changed one back into a heap takes log n steps. Giving
3000 jobs to the least of 128 loads was measured 16 to 57 times faster with the heap.

Preconditions
-------------
- the list is made in the function, nobody else holds it, and the loop changes it in one statement:
  ``loads[j] = …`` or ``loads[j] += …``, once for each search, for the index that the search gave;
- among equals the search takes the first, as a heap of ``(load, index)`` does: ``<=`` keeps the rule away;
- for a maximum the values are numbers: known from what the list is made of, or taken off by ``-=``;
- no value is NaN. That cannot be seen in the source; the referee finds it out.

Example
-------
::

    import heapq


    def spread(jobs: list[int], count: int) -> list[int]:
        loads = [0] * count
        for job in jobs:
            least = min(range(count), key=loads.__getitem__)
            loads[least] += job
        return loads

Use instead
-----------
::

    import heapq


    def spread(jobs: list[int], count: int) -> list[int]:
        loads = [0] * count
        loads_heap = [(value, index) for index, value in enumerate(loads)]
        heapq.heapify(loads_heap)
        for job in jobs:
            least = loads_heap[0][1] if loads_heap else min(loads_heap)
            loads[least] += job
            heapq.heapreplace(loads_heap, (loads[least], least))
        return loads

Counter-example
---------------
Another element changes, too::

    def spread(jobs: list[int], count: int) -> list[int]:
        loads = [0] * count
        for job in jobs:
            least = min(range(count), key=loads.__getitem__)
            loads[least] += job
            loads[0] += 1
        return loads
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import libcst as cst

from optagent.rules.base import Proposal, Site
from optagent.rules.code.argmin import Search, searches
from optagent.rules.code.effects import definition_before
from optagent.rules.code.imports import module_import
from optagent.rules.code.kinds import NUMBERS, Facts
from optagent.rules.code.order import stands_alone
from optagent.rules.code.scene import Mention, Scene, read_scene
from optagent.rules.code.syntax import walk
from optagent.rules.code.uses import Use, use_of
from optagent.rules.edits import Place, expression, propose

Loop = cst.For | cst.While


class ArgminHeap:
    """Keeps the least element on top of a heap."""

    slug = "argmin-heap"
    title = "the least of a list that changes only there is kept on top of a heap"

    def propose(self, site: Site) -> Iterator[Proposal]:
        scene = read_scene(site.source, site.qualname, site.line)
        if scene is not None and not scene.is_opaque and scene.meaning("enumerate") == "enumerate":
            yield from propose(self.slug, scene, list(places(scene, Facts(scene, site.types))))


@dataclass(frozen=True)
class Greedy:
    """A loop that searches once, and changes what it found once."""

    search: Search
    loop: Loop
    change: cst.Assign | cst.AugAssign


def places(scene: Scene, facts: Facts) -> Iterator[Place]:
    """One place for each search whose result alone changes."""
    taken: list[str] = []
    found = list(searches(scene, facts))
    for search in found:
        loop = loop_around(scene, search.line)
        change = only_change(scene, search, loop) if loop else None
        if loop is None or change is None or not stands_alone(scene, loop):
            continue
        greedy = Greedy(search, loop, change)
        if is_private(scene, facts, greedy) and (not search.is_max or has_numbers(scene, facts, greedy)):
            taken.append(scene.fresh(f"{search.values}_heap", taken))
            yield place(scene, greedy, taken[-1])


def loop_around(scene: Scene, node: cst.CSTNode) -> Loop | None:
    """The innermost loop whose body runs a statement each time round; None if something else is in between."""
    for part, whole in scene.ancestors(node):
        if isinstance(whole, cst.For | cst.While):
            return whole if part is whole.body else None
    return None


def only_change(scene: Scene, search: Search, loop: Loop) -> cst.Assign | cst.AugAssign | None:
    """The one statement in the loop that stores to the list: at the index found, after it was found."""
    stores = [node for node in walk(loop) if isinstance(node, cst.Subscript) and node in scene.stored]
    mine = [node for node in stores if isinstance(node.value, cst.Name) and node.value.value == search.values]
    if len(mine) != 1 or scene.in_closure(mine[0]):
        return None
    target = mine[0]
    whole = scene.parent[target]
    statement = scene.parent[whole] if isinstance(whole, cst.AssignTarget) else whole
    index = target.slice[0].slice if len(target.slice) == 1 else None
    plain = isinstance(statement, cst.AugAssign) or (isinstance(statement, cst.Assign) and len(statement.targets) == 1)
    named = isinstance(index, cst.Index) and isinstance(index.value, cst.Name) and index.value.value == search.index
    if not plain or not named or not follows(scene, search, statement, loop):
        return None
    assert isinstance(statement, cst.Assign | cst.AugAssign)
    return statement


def follows(scene: Scene, search: Search, statement: cst.CSTNode, loop: Loop) -> bool:
    """Whether the change runs once at most for each search, always after it, with the index it gave."""
    index = [mention for mention in scene.mentions[search.index] if mention.stores and within(scene, mention, loop)]
    if any(not scene.within(mention.node, search.statements) for mention in index):
        return False
    block = scene.parent[search.line]
    if not isinstance(block, cst.IndentedBlock) or loop_around(scene, statement) is not loop:
        return False
    at = next(k for k, line in enumerate(block.body) if line is search.line)
    return scene.within(statement, block.body[at + 1 :])


def within(scene: Scene, mention: Mention, loop: Loop) -> bool:
    return scene.within(mention.node, [loop])


def is_private(scene: Scene, facts: Facts, greedy: Greedy) -> bool:
    """Whether the list was made here, and until the loop ends is only read, or changed as the heap is told."""
    name = greedy.search.values
    found = definition_before(scene, name, greedy.loop)
    if found is None or not scene.is_local(name) or facts.of(found.value) != {"list"} or not facts.is_new(found.value):
        return False
    free = [one for one in scene.mentions[name] if not scene.within(one.node, greedy.search.statements)]
    if any(scene.in_closure(one.node) and use_of(scene, one) not in (Use.READ, Use.TEST) for one in free):
        return False
    seen = [one for one in free if scene.within(one.node, found.region)]
    if any(one.stores or use_of(scene, one) is Use.ESCAPE for one in seen):
        return False
    changed = [
        one for one in seen if within(scene, one, greedy.loop) and use_of(scene, one) not in (Use.READ, Use.TEST)
    ]
    return len(changed) == 1 and scene.within(changed[0].node, [greedy.change])


def has_numbers(scene: Scene, facts: Facts, greedy: Greedy) -> bool:
    """Whether the values can be negated."""
    change = greedy.change
    if isinstance(change, cst.AugAssign) and isinstance(change.operator, cst.SubtractAssign):
        return True
    found = definition_before(scene, greedy.search.values, greedy.loop)
    assert found is not None
    made = [found.value.left] if isinstance(found.value, cst.BinaryOperation) else [found.value]
    parts = [element.value for node in made if isinstance(node, cst.List) for element in node.elements]
    parts += [node.elt for node in made if isinstance(node, cst.ListComp)]
    return bool(parts) and all(facts.of(part) and facts.of(part) <= NUMBERS - {"complex"} for part in parts)


def place(scene: Scene, greedy: Greedy, heap: str) -> Place:
    """The edits: the heap before the loop, its top in place of the search, and what changed put back into it."""
    search = greedy.search
    needed = module_import(scene, "heapq")
    names = (scene.fresh("value"), scene.fresh("index"))
    sign = "-" if search.is_max else ""
    made = f"{heap} = [({sign}{names[0]}, {names[1]}) for {names[1]}, {names[0]} in enumerate({search.values})]"
    what = "greatest" if search.is_max else "least"
    idea = (
        f"`{scene.function.name.value}` keeps the {what} of `{search.values}` on top of a heap "
        f"in the loop at line {scene.line(greedy.loop)}"
    )
    put = f"{needed.word}.heapreplace({heap}, ({sign}{search.values}[{search.index}], {search.index}))"
    edits = Place(idea, solid=search.statements, imports=needed.lines)
    edits.before[greedy.loop] = [made, f"{needed.word}.heapify({heap})"]
    edits.after[greedy.change] = [put]
    for node, wanted in search.tops.items():
        edits.replace[node] = top(heap, search, wanted)
    if not search.tops:
        lines = [
            f"{search.index} = {heap}[0][1]",
            *(f"{one} = {search.values}[{search.index}]" for one in search.copies),
        ]
        edits.replace[search.line] = in_place_of_loop(scene, heap, lines)
    return edits


def top(heap: str, search: Search, wanted: str) -> Callable[[cst.CSTNode], cst.CSTNode]:
    """Makes the index on top of the heap, or its value; an empty one raises what the search raised."""
    found = f"{heap}[0][1]" if wanted == "index" else f"{search.values}[{heap}[0][1]]"
    return lambda node: expression(f"{found} if {heap} else {'max' if search.is_max else 'min'}({heap})")


def in_place_of_loop(scene: Scene, heap: str, lines: list[str]) -> Callable[[cst.CSTNode], cst.CSTNode]:
    """Makes `if heap: …` of a loop, under the comments that stood above it."""
    indent = scene.module.default_indent
    text = f"if {heap}:\n" + "".join(f"{indent}{line}\n" for line in lines)

    def make(node: cst.CSTNode) -> cst.CSTNode:
        assert isinstance(node, cst.For)
        new = cst.parse_statement(text, scene.module.config_for_parsing)
        assert isinstance(new, cst.If)
        return new.with_changes(leading_lines=node.leading_lines)

    return make
