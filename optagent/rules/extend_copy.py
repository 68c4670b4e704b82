"""A list that is copied to grow it, or filled element by element, is grown in place by as much at once.

What
----
``out = out + more`` in a loop becomes ``out += more``, ``out = [*out, x]`` becomes ``out += [x]``, and a
loop that does nothing but ``out.append(x)`` for each ``x`` becomes one ``out.extend``.

Why it is slow
--------------
``out + more`` copies everything gathered so far, so the work grows with the square of the length: for
30 lists it was measured 8 times slower, and the factor grows. A loop of appends runs in Python what
``extend`` does in C: 10 times slower.

Preconditions
-------------
- the list is made in the function and nobody else holds it: it was not stored, returned or passed on
  between its making and the end of the outermost loop, so growing it in place is not noticed;
- nothing goes through the list while it grows, neither a loop around nor a ``zip`` or an ``iter`` kept;
- what is added is known to be a list: ``out + (1,)`` raises, ``out += (1,)`` does not;
- the variable of a loop of appends is not read after it, and its iterable does not mention the list.

Example
-------
::

    def gather(groups: dict[str, str], keys: list[str]) -> list[str]:
        out = []
        for key in keys:
            out = out + groups[key].split()
        return out

Use instead
-----------
::

    def gather(groups: dict[str, str], keys: list[str]) -> list[str]:
        out = []
        for key in keys:
            out += groups[key].split()
        return out

Counter-example
---------------
Each length of the list is kept::

    def gather(groups: dict[str, str], keys: list[str]) -> list[list[str]]:
        out = []
        steps = []
        for key in keys:
            out = out + groups[key].split()
            steps.append(out)
        return steps
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import libcst as cst

from optagent.rules.base import Proposal, Site
from optagent.rules.code.effects import definition_before, is_captured, is_unshared, kinds_at
from optagent.rules.code.kinds import Facts
from optagent.rules.code.loops import is_consumed
from optagent.rules.code.purity import VIEWS
from optagent.rules.code.scene import Mention, Scene, read_scene
from optagent.rules.code.steady import is_dead_outside
from optagent.rules.code.syntax import has_comment, method_call, walk
from optagent.rules.code.uses import Use, use_of
from optagent.rules.edits import Place, propose

LAZY = frozenset({"zip", "enumerate", "map", "filter", "reversed", "iter"})


class ExtendCopy:
    """Grows a list in place."""

    slug = "extend-copy"
    title = "a list copied to grow it is grown in place"

    def propose(self, site: Site) -> Iterator[Proposal]:
        scene = read_scene(site.source, site.qualname, site.line)
        if scene is not None and not scene.is_opaque:
            facts = Facts(scene, site.types)
            yield from propose(self.slug, scene, [*growths(scene, facts), *fillings(scene, facts)])


def growths(scene: Scene, facts: Facts) -> Iterator[Place]:
    """One place for each list: all its `out = out + …` together, since all must be safe for one to be."""
    for name in list(scene.mentions):
        found = [one for mention in scene.mentions[name] if (one := growth(scene, facts, mention)) is not None]
        if found and all(is_alone(scene, facts, name, one, found) for one in found):
            lines = ", ".join(str(scene.line(scene.parent[one])) for one in found)
            idea = f"`{scene.function.name.value}` grows `{name}` in place (line {lines})"
            yield Place(idea, replace={one: grows(name, added(facts, one)) for one in found}, solid=tuple(found))


def growth(scene: Scene, facts: Facts, mention: Mention) -> cst.Assign | None:
    """The statement in a loop that gives the name a longer copy of its list."""
    target = scene.parent[mention.node]
    whole = scene.parent.get(target)
    if not isinstance(target, cst.AssignTarget) or not isinstance(whole, cst.Assign) or len(whole.targets) != 1:
        return None
    looped = any(isinstance(one, cst.For | cst.While) for _, one in scene.ancestors(whole))
    return whole if looped and not has_comment(whole) and added(facts, whole) is not None else None


def added(facts: Facts, statement: cst.Assign) -> cst.BaseExpression | None:
    """The list that is added to the name: `more` of `out = out + more`, `[x]` of `out = [*out, x]`."""
    name = statement.targets[0].target
    value = statement.value
    if not isinstance(name, cst.Name):
        return None
    if isinstance(value, cst.List) and len(value.elements) > 1 and is_spread(value.elements[0], name.value):
        return value.with_changes(elements=value.elements[1:])
    rest: list[cst.BaseExpression] = []
    while isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Add) and not value.lpar:
        rest.insert(0, value.right)
        value = value.left
    same = isinstance(value, cst.Name) and value.value == name.value
    if not same or not rest or not all(facts.of(one) == {"list"} for one in rest):
        return None
    whole = rest[0]
    for one in rest[1:]:
        whole = cst.BinaryOperation(whole, cst.Add(), one)
    return whole


def is_spread(element: cst.BaseElement, name: str) -> bool:
    return (
        isinstance(element, cst.StarredElement) and isinstance(element.value, cst.Name) and element.value.value == name
    )


def grows(name: str, more: cst.BaseExpression | None) -> Callable[[cst.CSTNode], cst.CSTNode]:
    """Makes `name += more` of an assignment."""

    def make(node: cst.CSTNode) -> cst.CSTNode:
        assert isinstance(node, cst.Assign)
        assert more is not None
        return cst.AugAssign(cst.Name(name), cst.AddAssign(), more, semicolon=node.semicolon)

    return make


def is_alone(scene: Scene, facts: Facts, name: str, statement: cst.Assign, growths: list[cst.Assign]) -> bool:
    """Whether the list was made here, and while it may grow nobody else holds it or goes through it."""
    if is_captured(scene, name) or any(scene.in_closure(one.node) for one in scene.mentions[name]):
        return False
    regions, start = way_to(scene, name, statement, growths)
    if start is None or not facts.is_new(start) or facts.of(start) != {"list"}:
        return False
    words = {word for one in growths for word in walk(one) if isinstance(word, cst.Name) and word.value == name}
    region = [one for one in scene.mentions[name] if scene.within(one.node, regions)]
    for mention in region:
        if mention.node in words:
            continue
        if mention.stores and not is_fresh(scene, facts, mention):
            return False
        if not mention.stores and (use_of(scene, mention) is Use.ESCAPE or is_kept(scene, mention)):
            return False
    return not any(is_gone_through(scene, name, one) for one in growths)


def way_to(
    scene: Scene, name: str, statement: cst.Assign, growths: list[cst.Assign]
) -> tuple[list[cst.CSTNode], cst.BaseExpression | None]:
    """All code that can run between the making of the list and a growth, and what the list is made as."""
    regions: list[cst.CSTNode] = []
    anchor: cst.CSTNode = statement
    while (found := definition_before(scene, name, anchor)) is not None:
        regions.extend(found.region)
        if found.statement not in growths:
            return regions, found.value
        anchor = found.statement
    return regions, None


def is_fresh(scene: Scene, facts: Facts, mention: Mention) -> bool:
    """Whether a mention binds the name to another new list, or grows its list in place."""
    whole = scene.parent[mention.node]
    if isinstance(whole, cst.AugAssign):
        return isinstance(whole.operator, cst.AddAssign)
    statement = scene.parent[whole] if isinstance(whole, cst.AssignTarget) else whole
    plain = isinstance(statement, cst.AnnAssign) or (isinstance(statement, cst.Assign) and len(statement.targets) == 1)
    value = getattr(statement, "value", None)
    return plain and isinstance(value, cst.BaseExpression) and facts.is_new(value) and facts.of(value) == {"list"}


def is_kept(scene: Scene, mention: Mention) -> bool:
    """Whether something that goes through the list later is made: `zip(out, …)`, a generator not run at once."""
    for part, whole in scene.ancestors(mention.node):
        if isinstance(whole, cst.GeneratorExp) and not is_consumed(scene, whole):
            return True
        if isinstance(whole, cst.Call) and scene.dotted(whole.func) in LAZY:
            above = scene.parent[whole]
            return not (isinstance(above, cst.For | cst.CompFor) or is_direct(scene, above))
        if isinstance(part, cst.BaseStatement | cst.BaseSmallStatement):
            return False
    return False


def is_direct(scene: Scene, argument: cst.CSTNode) -> bool:
    """Whether an argument goes to a builtin that uses it up."""
    call = scene.parent[argument]
    return isinstance(call, cst.Call) and scene.dotted(call.func) in ("list", "tuple", "sum", "sorted", "dict", "set")


def is_gone_through(scene: Scene, name: str, statement: cst.CSTNode) -> bool:
    """Whether a loop around goes through the list."""
    loops = [whole for part, whole in scene.ancestors(statement) if isinstance(whole, cst.For) and part is whole.body]
    words = (node for loop in loops for node in walk(loop.iter) if isinstance(node, cst.Name))
    return any(node.value == name for node in words)


def fillings(scene: Scene, facts: Facts) -> Iterator[Place]:
    """One place for each loop that only appends what it goes through."""
    for node in walk(scene.function.body):
        if isinstance(node, cst.For) and (name := filled(scene, facts, node)):
            idea = (
                f"`{scene.function.name.value}` extends `{name}` at once instead of the loop at line {scene.line(node)}"
            )
            source = scene.code(source_of(scene, facts, node) or node.iter)
            yield Place(idea, replace={node: in_one(scene, f"{name}.extend({source})")}, solid=(node.body, node.iter))


def filled(scene: Scene, facts: Facts, loop: cst.For) -> str | None:
    """The list that a loop appends each of its elements to, if it does nothing else."""
    call = only_call(loop)
    found = method_call(call) if call else None
    if found is None or loop.orelse or loop.asynchronous or has_comment(loop.body) or has_comment(loop.iter):
        return None
    receiver, method, call = found
    if method != "append" or len(call.args) != 1 or call.args[0].star or not isinstance(receiver, cst.Name):
        return None
    name = receiver.value
    iterated = {node.value for node in walk(loop.iter) if isinstance(node, cst.Name)}
    if not isinstance(loop.target, cst.Name) or name in iterated | {loop.target.value} or scene.in_closure(loop):
        return None
    item = call.args[0].value
    direct = isinstance(item, cst.Name) and item.value == loop.target.value
    if not direct and source_of(scene, facts, loop) is None:
        return None
    if not scene.is_local(name) or not is_dead_outside(scene, loop.target.value, loop):
        return None
    if kinds_at(scene, facts, name, loop) != {"list"}:
        return None
    # While a generator runs, others could look at the list; what is a list or text does nothing of its own.
    unseen = is_unshared(scene, facts, name, loop) and not is_tried(scene, loop)
    return name if unseen or not direct or is_calm_source(facts, loop.iter) else None


def is_tried(scene: Scene, node: cst.CSTNode) -> bool:
    return any(isinstance(whole, cst.Try | cst.TryStar | cst.With) for _, whole in scene.ancestors(node))


def only_call(loop: cst.For) -> cst.Call | None:
    line = loop.body.body[0] if len(loop.body.body) == 1 else None
    small = line.body[0] if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else line
    return small.value if isinstance(small, cst.Expr) and isinstance(small.value, cst.Call) else None


def source_of(scene: Scene, facts: Facts, loop: cst.For) -> cst.BaseExpression | None:
    """The `xs` of `for i in range(len(xs)): out.append(xs[i])`."""
    call = only_call(loop)
    item = call.args[0].value if call and call.args else None
    if not isinstance(item, cst.Subscript) or not isinstance(item.value, cst.Name):
        return None
    index = scene.code(loop.target)
    exact = scene.code(loop.iter) == f"range(len({item.value.value}))" and scene.meaning("range") == "range"
    same = scene.code(item) == f"{item.value.value}[{index}]" and scene.meaning("len") == "len"
    known = kinds_at(scene, facts, item.value.value, loop)
    return item.value if exact and same and bool(known) and known <= {"list", "tuple", "str", "bytes"} else None


def is_calm_source(facts: Facts, node: cst.BaseExpression) -> bool:
    """Whether going through the iterable runs no code of others."""
    kinds = facts.of(node)
    if isinstance(node, cst.Call) and facts.scene.dotted(node.func) == "range":
        return True
    if found := method_call(node):
        receiver, method, call = found
        if method in VIEWS and not call.args:
            return facts.of(receiver) == {"dict"}
    return bool(kinds) and kinds <= {"list", "tuple", "str", "bytes", "set", "frozenset", "range", "dict", "deque"}


def in_one(scene: Scene, text: str) -> Callable[[cst.CSTNode], cst.CSTNode]:
    """Makes one statement of a loop, under the comments that stood above it."""

    def make(node: cst.CSTNode) -> cst.CSTNode:
        assert isinstance(node, cst.For)
        new = cst.parse_statement(text, scene.module.config_for_parsing)
        assert isinstance(new, cst.SimpleStatementLine)
        return new.with_changes(leading_lines=node.leading_lines)

    return make
