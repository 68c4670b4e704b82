"""A search that goes on after its answer is known stops there.

What
----
``any([… for …])`` and ``all([… for …])`` lose the list, ``len([… for … if …]) > 0`` becomes ``any``, and a loop
that does nothing but set a flag to one constant leaves with ``break`` once it is set.

Why it is slow
--------------
The list is made to its end, and the loop runs to its end, though the first hit decides. Where the hit
comes early the measured factor is 40 to 200; where none comes, ``any`` of a generator is a fifth slower
than of a list: the referee measures it on real inputs.

Preconditions
-------------
- conditions and elements only look: comparisons, attributes, entries, methods of text, builtins that
  read; what the rest of them would raise is not raised any more;
- what is gone through is no iterator that somebody else could go on with;
- the loop sets one name, always to the same ``True`` or ``False``; whatever else it binds is not read
  after it; it has no ``else``, no ``break``, and calls nothing else.

Example
-------
::

    def has_long(words: list[str], limit: int) -> bool:
        found = False
        for word in words:
            if len(word) > limit:
                found = True
        return found

Use instead
-----------
::

    def has_long(words: list[str], limit: int) -> bool:
        found = False
        for word in words:
            if len(word) > limit:
                found = True
                break
        return found

Counter-example
---------------
The loop counts, too::

    def has_long(words: list[str], limit: int) -> tuple[bool, int]:
        found = False
        count = 0
        for word in words:
            count += 1
            if len(word) > limit:
                found = True
        return found, count
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from optagent.rules.base import Proposal, Site
from optagent.rules.code.effects import is_bound
from optagent.rules.code.kinds import Facts
from optagent.rules.code.purity import is_plain_target
from optagent.rules.code.scene import Scene, read_scene
from optagent.rules.code.steady import is_dead_outside
from optagent.rules.code.syntax import has_comment, walk
from optagent.rules.code.tame import is_settled, is_tame
from optagent.rules.edits import Place, expression, propose

ASKS_ANY = {("GreaterThan", "0"), ("NotEqual", "0"), ("GreaterThanEqual", "1")}
ASKS_NONE = {("Equal", "0"), ("LessThan", "1")}


class EarlyExit:
    """Stops where the answer is known."""

    slug = "early-exit"
    title = "a search stops at its first hit"

    def propose(self, site: Site) -> Iterator[Proposal]:
        scene = read_scene(site.source, site.qualname, site.line)
        if scene is not None and not scene.is_opaque:
            facts = Facts(scene, site.types)
            yield from propose(self.slug, scene, [*flags(scene, facts), *lists(scene, facts)])


def lists(scene: Scene, facts: Facts) -> Iterator[Place]:
    """One place for each list that is made only to be asked for a hit."""
    for node in walk(scene.function.body):
        made = listed(scene, node)
        if made is None or not is_quiet_list(scene, facts, made):
            continue
        idea = f"`{scene.function.name.value}` stops at the first hit (line {scene.line(node)})"
        if isinstance(node, cst.Call):
            yield Place(idea, replace={made: as_generator}, solid=(made,))
        elif scene.meaning("any") == "any" and isinstance(node, cst.Comparison):
            yield Place(idea, replace={node: as_any}, solid=(node,))


def listed(scene: Scene, node: cst.CSTNode) -> cst.ListComp | None:
    """The list in `any([…])`, or in `len([…]) > 0` and what means the same."""
    call: cst.CSTNode
    if isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
        call, asked = (
            node.left,
            (type(node.comparisons[0].operator).__name__, scene.code(node.comparisons[0].comparator)),
        )
        words = {"len"} if asked in ASKS_ANY | ASKS_NONE else set()
    else:
        call, words = node, {"any", "all"}
    if not isinstance(call, cst.Call) or len(call.args) != 1 or scene.dotted(call.func) not in words:
        return None
    argument = call.args[0]
    plain = not argument.star and argument.keyword is None and not has_comment(node)
    return argument.value if plain and isinstance(argument.value, cst.ListComp) else None


def is_quiet_list(scene: Scene, facts: Facts, node: cst.ListComp) -> bool:
    """Whether making less of a list is not noticed."""
    loop: cst.CompFor | None = node.for_in
    parts = [node.elt]
    while loop is not None:
        if loop.asynchronous or not is_settled(scene, facts, loop.iter):
            return False
        parts += [condition.test for condition in loop.ifs]
        loop = loop.inner_for_in
    return all(is_tame(scene, part) for part in parts)


def as_generator(node: cst.CSTNode) -> cst.CSTNode:
    assert isinstance(node, cst.ListComp)
    return cst.GeneratorExp(node.elt, node.for_in, lpar=[], rpar=[])


def as_any(node: cst.CSTNode) -> cst.CSTNode:
    """`any(True for …)` of `len([… for …]) > 0`, with `not` where none is asked for."""
    assert isinstance(node, cst.Comparison)
    assert isinstance(node.left, cst.Call)
    made = node.left.args[0].value
    assert isinstance(made, cst.ListComp)
    some = cst.Call(cst.Name("any"), [cst.Arg(cst.GeneratorExp(cst.Name("True"), made.for_in, lpar=[], rpar=[]))])
    operator = type(node.comparisons[0].operator).__name__
    if operator in {word for word, _ in ASKS_NONE}:
        none = expression("not x")
        assert isinstance(none, cst.UnaryOperation)
        return none.with_changes(expression=some, lpar=node.lpar, rpar=node.rpar)
    return some.with_changes(lpar=node.lpar, rpar=node.rpar)


def flags(scene: Scene, facts: Facts) -> Iterator[Place]:
    """One place for each outermost loop that only sets a flag."""
    done: list[cst.CSTNode] = []
    for node in walk(scene.function.body):
        if not isinstance(node, cst.For) or scene.within(node, done) or scene.in_closure(node):
            continue
        found = flag_of(scene, facts, node)
        if found is not None:
            done.append(node)
            yield place(scene, node, *found)


def flag_of(scene: Scene, facts: Facts, loop: cst.For) -> tuple[str, str] | None:
    """The one name that matters after a loop, and the constant that the loop sets it to."""
    if not is_quiet_loop(scene, facts, loop) or any(isinstance(node, cst.Break) for node in walk(loop)):
        return None
    names = {node.value for node in walk(loop) if node in scene.stored and isinstance(node, cst.Name)}
    live = [name for name in names if not is_dead_outside(scene, name, loop)]
    if len(live) != 1 or not is_bound(scene, live[0], loop):
        return None
    stores = [scene.parent[scene.parent[one]] for one in walk(loop) if one in scene.stored and is_word(one, live[0])]
    values = {scene.code(one.value) if isinstance(one, cst.Assign) else "" for one in stores}
    if len(values) != 1 or not values <= {"True", "False"} or not all(is_last(scene, one) for one in stores):
        return None
    return live[0], values.pop()


def is_word(node: cst.CSTNode, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name


def is_last(scene: Scene, statement: cst.CSTNode) -> bool:
    """Whether a statement ends the block of an `if`, so that a `break` can follow it."""
    line = scene.parent[statement]
    if isinstance(line, cst.SimpleStatementSuite):
        return line.body[-1] is statement and isinstance(scene.parent[line], cst.If)
    block = scene.parent[line]
    last = isinstance(line, cst.SimpleStatementLine) and line.body[-1] is statement
    return (
        last
        and isinstance(block, cst.IndentedBlock)
        and block.body[-1] is line
        and isinstance(scene.parent[block], cst.If)
    )


def is_quiet_loop(scene: Scene, facts: Facts, loop: cst.For) -> bool:
    """Whether a loop only looks, and binds names."""
    if loop.orelse is not None or loop.asynchronous or not is_settled(scene, facts, loop.iter):
        return False
    return is_plain_target(loop.target) and is_quiet_suite(scene, facts, loop.body)


def is_quiet_suite(scene: Scene, facts: Facts, suite: cst.BaseSuite) -> bool:
    lines = suite.body if isinstance(suite, cst.IndentedBlock) else [suite]
    return all(is_quiet(scene, facts, line) for line in lines)


def is_quiet(scene: Scene, facts: Facts, node: cst.CSTNode) -> bool:
    match node:
        case cst.SimpleStatementLine() | cst.SimpleStatementSuite():
            return all(is_quiet(scene, facts, small) for small in node.body)
        case cst.Assign():
            plain = all(isinstance(one.target, cst.Name) for one in node.targets)
            return plain and is_tame(scene, node.value)
        case cst.If():
            other = node.orelse
            if other is not None and not is_quiet(scene, facts, other):
                return False
            return is_tame(scene, node.test) and is_quiet_suite(scene, facts, node.body)
        case cst.Else():
            return is_quiet_suite(scene, facts, node.body)
        case cst.For():
            return is_quiet_loop(scene, facts, node)
        case _:
            return isinstance(node, cst.Pass | cst.Continue)


def place(scene: Scene, loop: cst.For, flag: str, value: str) -> Place:
    """The edits: a `break` where the flag is set, and after each inner loop where it is."""
    idea = f"`{scene.function.name.value}` leaves the loop at line {scene.line(loop)} once `{flag}` is {value}"
    edits = Place(idea)
    indent = scene.module.default_indent
    asked = flag if value == "True" else f"not {flag}"
    for node in walk(loop):
        if node in scene.stored and is_word(node, flag):
            edits.after[scene.parent[scene.parent[node]]] = ["break"]
            for _, whole in scene.ancestors(node):
                if whole is loop:
                    break
                if isinstance(whole, cst.For):
                    edits.after[whole] = [f"if {asked}:\n{indent}break\n"]
    return edits
