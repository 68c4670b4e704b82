"""A list that is emptied or filled at its front is a deque.

What
----
``queue.pop(0)`` and ``queue.insert(0, x)`` in a loop become ``popleft`` and ``appendleft`` of a
``collections.deque``; where the list is returned it becomes a list again.

Why it is slow
--------------
Each of the two moves all other elements by one place. At 1000 elements the measured factor is 3 for
``pop`` and 8 for ``insert``, and it grows with the queue.

Preconditions
-------------
- the name only ever holds lists made in the function, and is used in no other way than a deque allows:
  both ends, ``append``, ``extend``, ``len``, truth, membership, loops that do not change it, copies, and
  ``return``; a slice, an index in the middle, a comparison or a call of something else keeps the rule away;
- ``pop(0)`` stands where the queue was asked whether it is empty: the message of an empty deque is
  another one.

Example
-------
::

    from collections import deque


    def reach(graph: dict[int, list[int]], start: int) -> list[int]:
        queue = [start]
        seen = {start: 0}
        while queue:
            node = queue.pop(0)
            for other in graph.get(node, ()):
                if other not in seen:
                    seen[other] = seen[node] + 1
                    queue.append(other)
        return sorted(seen.items())

Use instead
-----------
::

    from collections import deque


    def reach(graph: dict[int, list[int]], start: int) -> list[int]:
        queue = deque([start])
        seen = {start: 0}
        while queue:
            node = queue.popleft()
            for other in graph.get(node, ()):
                if other not in seen:
                    seen[other] = seen[node] + 1
                    queue.append(other)
        return sorted(seen.items())

Counter-example
---------------
The queue is looked at in the middle::

    def reach(graph: dict[int, list[int]], start: int) -> list[int]:
        queue = [start]
        seen = {start: 0}
        while queue:
            node = queue.pop(0)
            for other in graph.get(node, ()):
                if other not in queue[1:]:
                    seen[other] = seen[node] + 1
                    queue.append(other)
        return sorted(seen.items())
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import libcst as cst

from optagent.rules.base import Proposal, Site
from optagent.rules.code.imports import Import, member_import
from optagent.rules.code.kinds import Facts
from optagent.rules.code.loops import is_consumed, levels
from optagent.rules.code.scene import Mention, Scene, read_scene
from optagent.rules.code.syntax import has_comment, walk
from optagent.rules.edits import Place, expression, propose

# What a list and a deque do alike, with the number of arguments that this holds for.
SHARED = {"append": 1, "extend": 1, "clear": 0, "count": 1, "reverse": 0, "pop": 0}
# Builtins that ask, or go through all elements at once, whatever holds them.
USERS = frozenset({"len", "bool", "sum", "sorted", "list", "tuple", "set", "any", "all", "max", "min", "frozenset"})
PLAIN = (cst.While, cst.If, cst.IfExp, cst.Assert)


class DequeQueue:
    """Makes a deque of a list that is used as a queue."""

    slug = "deque-queue"
    title = "a list used as a queue is a deque"

    def propose(self, site: Site) -> Iterator[Proposal]:
        scene = read_scene(site.source, site.qualname, site.line)
        if scene is not None and not scene.is_opaque and scene.meaning("list") == "list":
            yield from propose(self.slug, scene, list(places(scene, Facts(scene, site.types))))


def places(scene: Scene, facts: Facts) -> Iterator[Place]:
    """One place for each name that can hold a deque instead."""
    for name, mentions in list(scene.mentions.items()):
        if not scene.is_local(name) or name in scene.params:
            continue
        ends = [call for one in mentions if (call := front_call(scene, one)) is not None]
        if not any(levels(scene, call) for call in ends):
            continue
        makings = [one for one in mentions if one.stores and making(scene, facts, one) is not None]
        others = [one for one in mentions if one not in makings and front_call(scene, one) is None]
        takes = [*filter(is_pop, ends), *(one.node for one in others if takes_end(scene, one))]
        safe = all(is_asked(scene, name, node) for node in takes)
        if makings and safe and all(is_shared_use(scene, facts, one) for one in others):
            yield place(scene, facts, name, makings, ends, others)


def method_of(scene: Scene, mention: Mention) -> tuple[str, cst.Call] | None:
    """The method called on a name, with its call."""
    attribute = scene.parent[mention.node]
    call = scene.parent.get(attribute)
    if mention.stores or not isinstance(attribute, cst.Attribute) or not isinstance(call, cst.Call):
        return None
    plain = call.func is attribute and not any(one.star or one.keyword for one in call.args)
    return (attribute.attr.value, call) if plain else None


def front_call(scene: Scene, mention: Mention) -> cst.Call | None:
    """The `queue.pop(0)` or `queue.insert(0, x)` of a mention."""
    found = method_of(scene, mention)
    if found is None or scene.in_closure(mention.node) or has_comment(found[1]):
        return None
    method, call = found
    wanted = {"pop": 1, "insert": 2}.get(method)
    at_front = len(call.args) == wanted and isinstance(call.args[0].value, cst.Integer)
    return call if at_front and scene.code(call.args[0].value) == "0" else None


def is_pop(call: cst.Call) -> bool:
    return len(call.args) == 1


def making(scene: Scene, facts: Facts, mention: Mention) -> cst.BaseExpression | None:
    """The new list that a mention binds to the name alone."""
    target = scene.parent[mention.node]
    whole = scene.parent[target] if isinstance(target, cst.AssignTarget) else target
    single = isinstance(whole, cst.Assign) and len(whole.targets) == 1
    if not (single or isinstance(whole, cst.AnnAssign)) or scene.in_closure(mention.node):
        return None
    assert isinstance(whole, cst.Assign | cst.AnnAssign)
    value = whole.value
    return value if value is not None and facts.is_new(value) and facts.of(value) == {"list"} else None


def takes_end(scene: Scene, mention: Mention) -> bool:
    """Whether a mention raises where the queue is empty: `queue[0]`, `queue.pop()`."""
    found = method_of(scene, mention)
    return (found is not None and found[0] == "pop") or isinstance(scene.parent[mention.node], cst.Subscript)


def is_asked(scene: Scene, name: str, node: cst.CSTNode) -> bool:
    """Whether what leads to a place asks for the queue, so that it is not empty there."""
    for part, whole in scene.ancestors(node):
        test: cst.CSTNode | None = None
        if isinstance(whole, cst.While | cst.If | cst.IfExp) and part is not whole.test:
            test = whole.test
        elif isinstance(whole, cst.BooleanOperation) and part is whole.right:
            test = whole.left
        elif isinstance(whole, cst.For) and part is whole.body:
            test = whole.iter
        elif isinstance(whole, cst.IndentedBlock):
            before = whole.body[: next(k for k, line in enumerate(whole.body) if line is part)]
            test = next((line.test for line in before if isinstance(line, cst.If) and leads_away(line)), None)
        if test is not None and any(isinstance(one, cst.Name) and one.value == name for one in walk(test)):
            return True
    return False


def leads_away(node: cst.If) -> bool:
    last = node.body.body[-1]
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    return isinstance(small, cst.Break | cst.Continue | cst.Return | cst.Raise)


def is_shared_use(scene: Scene, facts: Facts, mention: Mention) -> bool:
    """Whether a mention does the same with a deque."""
    node = mention.node
    parent = scene.parent[node]
    if scene.in_closure(node):
        return False
    if found := method_of(scene, mention):
        method, call = found
        return SHARED.get(method) == len(call.args) and not (method == "extend" and mentions_again(call, node))
    if isinstance(parent, cst.AugAssign):
        return node is parent.target and is_grown(facts, parent)
    return not mention.stores and (is_asking(scene, parent, node) or is_passing(scene, parent, node))


def is_asking(scene: Scene, parent: cst.CSTNode, node: cst.Name) -> bool:
    """Whether a mention asks for an element, an end, or whether there is any."""
    match parent:
        case cst.UnaryOperation():
            return isinstance(parent.operator, cst.Not)
        case cst.BooleanOperation():
            return is_condition(scene, parent)
        case cst.ComparisonTarget():
            whole = scene.parent[parent]
            alone = isinstance(whole, cst.Comparison) and len(whole.comparisons) == 1
            return alone and isinstance(parent.operator, cst.In | cst.NotIn)
        case cst.Subscript():
            return parent.value is node and parent not in scene.stored and scene.code(parent) in ends_of(node.value)
        case _:
            return isinstance(parent, PLAIN) and node is parent.test


def is_passing(scene: Scene, parent: cst.CSTNode, node: cst.Name) -> bool:
    """Whether a mention goes through all elements, or gives them back as a list can be made of them."""
    match parent:
        case cst.Arg():
            call = scene.parent[parent]
            return isinstance(call, cst.Call) and not parent.star and is_user(scene, call, parent)
        case cst.For():
            return node is parent.iter and not mentions_within(scene, parent.body, node.value)
        case cst.CompFor():
            return node is parent.iter and is_run_now(scene, parent, node.value)
        case cst.Return():
            return True
        case cst.Element():
            whole = scene.parent[parent]
            return isinstance(whole, cst.Tuple) and isinstance(scene.parent[whole], cst.Return)
        case _:
            return False


def is_user(scene: Scene, call: cst.Call, argument: cst.Arg) -> bool:
    """Whether a builtin goes through its argument: `max(queue)`, not `max(queue, other)`."""
    alone = sum(one.keyword is None for one in call.args) == 1 or scene.dotted(call.func) == "sum"
    return alone and call.args[0] is argument and scene.dotted(call.func) in USERS


def is_run_now(scene: Scene, loop: cst.CompFor, name: str) -> bool:
    """Whether a comprehension goes through the queue on the spot and mentions it once."""
    whole: cst.CSTNode = loop
    while isinstance(whole, cst.CompFor):
        whole = scene.parent[whole]
    if isinstance(whole, cst.GeneratorExp) and not is_consumed(scene, whole):
        return False
    return sum(scene.within(mention.node, [whole]) for mention in scene.mentions[name]) == 1


def is_grown(facts: Facts, node: cst.AugAssign) -> bool:
    kinds = facts.of(node.value)
    return isinstance(node.operator, cst.AddAssign) and bool(kinds) and kinds <= {"list", "tuple", "str", "range"}


def is_condition(scene: Scene, node: cst.BaseExpression) -> bool:
    """Whether only the truth of a value matters: `while queue and n:`."""
    parent = scene.parent[node]
    if isinstance(parent, cst.BooleanOperation):
        return is_condition(scene, parent)
    negated = isinstance(parent, cst.UnaryOperation) and isinstance(parent.operator, cst.Not)
    return negated or (isinstance(parent, PLAIN) and node is parent.test)


def ends_of(name: str) -> set[str]:
    return {f"{name}[0]", f"{name}[-1]"}


def mentions_again(call: cst.Call, node: cst.Name) -> bool:
    """Whether an argument is made of the queue itself, which would be gone through while it grows."""
    words = (part for argument in call.args for part in walk(argument))
    return any(isinstance(part, cst.Name) and part.value == node.value for part in words)


def mentions_within(scene: Scene, node: cst.CSTNode, name: str) -> bool:
    return any(scene.within(mention.node, [node]) for mention in scene.mentions[name])


def place(
    scene: Scene, facts: Facts, name: str, makings: list[Mention], ends: list[cst.Call], others: list[Mention]
) -> Place:
    """The edits: deques made, both methods renamed, a list made of what is returned."""
    needed = member_import(scene, "collections", "deque")
    lines = scene.line(scene.parent[scene.parent[makings[0].node]])
    edits = Place(f"`{scene.function.name.value}` uses a deque for `{name}` (line {lines})", imports=needed.lines)
    for mention in makings:
        target = scene.parent[mention.node]
        edits.replace[scene.parent[target] if isinstance(target, cst.AssignTarget) else target] = made(needed)
    for call in ends:
        edits.replace[call] = at_left
    for mention in others:
        above = scene.parent[mention.node]
        if isinstance(above, cst.Return | cst.Element):
            edits.replace[mention.node] = as_list
    return edits


def made(needed: Import) -> Callable[[cst.CSTNode], cst.CSTNode]:
    """Makes `queue = deque(…)` of `queue = […]`; a note that it is a list goes."""

    def make(node: cst.CSTNode) -> cst.CSTNode:
        assert isinstance(node, cst.Assign | cst.AnnAssign)
        target = node.targets[0].target if isinstance(node, cst.Assign) else node.target
        value = node.value
        empty = isinstance(value, cst.List) and not value.elements and not has_comment(value)
        arguments = [] if empty or value is None else [cst.Arg(elements_of(value))]
        call = cst.Call(expression(needed.word), arguments)
        if isinstance(node, cst.Assign):
            return node.with_changes(value=call)
        assert isinstance(target, cst.Name)
        return cst.Assign([cst.AssignTarget(target)], call, semicolon=node.semicolon)

    return make


def elements_of(value: cst.BaseExpression) -> cst.BaseExpression:
    """The `xs` of `list(xs)`: no list is needed to fill a deque."""
    copies = isinstance(value, cst.Call) and isinstance(value.func, cst.Name) and value.func.value == "list"
    if isinstance(value, cst.Call) and copies and len(value.args) == 1 and not has_comment(value):
        argument = value.args[0]
        return argument.value if not argument.star and argument.keyword is None else value
    return value


def at_left(node: cst.CSTNode) -> cst.CSTNode:
    """`queue.popleft()` for `queue.pop(0)`, `queue.appendleft(x)` for `queue.insert(0, x)`."""
    assert isinstance(node, cst.Call)
    assert isinstance(node.func, cst.Attribute)
    rest = node.args[1:]
    word = cst.Name("appendleft" if rest else "popleft")
    return node.with_changes(
        func=node.func.with_changes(attr=word), args=[one.with_changes(comma=cst.MaybeSentinel.DEFAULT) for one in rest]
    )


def as_list(node: cst.CSTNode) -> cst.CSTNode:
    assert isinstance(node, cst.Name)
    call = cst.Call(cst.Name("list"), [cst.Arg(cst.Name(node.value))])
    return call.with_changes(lpar=node.lpar, rpar=node.rpar)
