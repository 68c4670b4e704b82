"""What a loop computes again and again, always with the same result, is computed once.

What
----
A pure expression whose names do not change in a loop is computed at its first use and kept. Where it
provably cannot raise (sums and products of integers, lengths) it is computed before the loop.

Why it is slow
--------------
``max(xs)`` in a loop over ``xs`` turns n steps into n squared. Arithmetic of an outer loop's variable
inside an inner loop is repeated for nothing, too, but is worth little: the referee measures it.

Preconditions
-------------
- the expression consists of locals, constants, arithmetic, comparisons, subscripts, and calls of known
  functions that only read (``len``, ``sum``, ``sorted``, ``math.…``, methods of known text); what is gone
  through can be gone through again (an iterator cannot);
- no name in it is rebound in the loop, and no container in it changes there or is handed to code that
  is not known to leave it alone; the loop changes no object from outside the function, and, unless
  everything in the expression is a number or text, does not ``yield`` or ``await``;
- a result that could be changed afterwards (``sorted(xs)``) is only read.

Example
-------
::

    def relative(values: list[float]) -> list[float]:
        out = []
        for value in values:
            out.append(value / max(values))
        return out

Use instead
-----------
::

    def relative(values: list[float]) -> list[float]:
        out = []
        max_values = None
        for value in values:
            if max_values is None:
                max_values = max(values)
            out.append(value / max_values)
        return out

Counter-example
---------------
The list changes while it is looked at::

    def relative(values: list[float]) -> list[float]:
        out = []
        while values:
            out.append(values.pop() / max(values, default=1.0))
        return out
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from optagent.rules.base import Proposal, Site
from optagent.rules.code.kinds import Facts
from optagent.rules.code.loops import Level, levels
from optagent.rules.code.order import leading_statement, may_be_named
from optagent.rules.code.purity import PASS, cannot_raise, is_number, weigh
from optagent.rules.code.scene import Scene, read_scene
from optagent.rules.code.steady import free_names, stays_same
from optagent.rules.code.syntax import children, has_comment, walk
from optagent.rules.code.uses import Use, flow
from optagent.rules.edits import Place, expression, propose

# Looking whether a value is there costs about two operations; less than twice that is not worth it.
LAZY_WORTH = 4
EAGER_WORTH = 2


class HoistInvariant:
    """Computes what does not change in a loop once."""

    slug = "hoist-invariant"
    title = "what does not change in a loop is computed once"

    def propose(self, site: Site) -> Iterator[Proposal]:
        scene = read_scene(site.source, site.qualname, site.line)
        if scene is not None and not scene.is_opaque:
            yield from propose(self.slug, scene, places(scene, Facts(scene, site.types)))


@dataclass(frozen=True)
class Finding:
    """An expression, the outermost loop in which it stays the same, and whether it may be computed early."""

    node: cst.BaseExpression
    level: Level
    eager: bool


def places(scene: Scene, facts: Facts) -> list[Place]:
    """One place for each distinct expression and loop; equal expressions of a loop share one."""
    groups: dict[tuple[str, cst.CSTNode], list[Finding]] = {}
    for finding in findings(scene, facts, scene.function.body, None):
        groups.setdefault((scene.code(finding.node), finding.level.loop), []).append(finding)
    made: list[Place] = []
    taken: list[str] = []
    for (code, _), found in groups.items():
        taken.append(scene.fresh(wish(code), taken))
        made.append(place(scene, found, taken[-1]))
    return made


def findings(scene: Scene, facts: Facts, node: cst.CSTNode, around: Level | None) -> Iterator[Finding]:
    """The largest invariant expressions, and inside them long passes that stay the same in an outer loop still."""
    found = finding(scene, facts, node) if isinstance(node, cst.BaseExpression) else None
    if found is not None and (around is None or is_further_out(scene, found, around, facts)):
        yield found
        around = found.level
    for child in children(node):
        if not isinstance(child, cst.Annotation | cst.MatchPattern):
            yield from findings(scene, facts, child, around)


def is_further_out(scene: Scene, found: Finding, around: Level, facts: Facts) -> bool:
    outside = found.level.loop is not around.loop and scene.within(around.loop, [found.level.loop])
    return outside and (weigh(facts, found.node) or 0) >= PASS


def finding(scene: Scene, facts: Facts, node: cst.BaseExpression) -> Finding | None:
    """The expression as a finding if it is pure, worth it, and the same all through some loop around it."""
    if node in scene.stored or (isinstance(node, cst.Name) or is_word(scene, node)):
        return None
    around = levels(scene, node)
    weight = weigh(facts, node) if around else None
    if not weight or is_kept_already(scene, node):
        return None
    if weight < PASS and not free_names(scene, facts, node):
        return None  # `int("7")` costs next to nothing
    level = best_level(scene, facts, node, around) if around else None
    if around is None or level is None or not is_result_safe(scene, facts, node):
        return None
    eager = cannot_raise(facts, node)
    if eager and (weight >= EAGER_WORTH or (level.loop is not around[-1].loop and names_two(node))):
        return Finding(node, level, True)
    usable = leading_statement(scene, node) is not None or may_be_named(scene, node)
    return Finding(node, level, False) if weight >= LAZY_WORTH and usable and not eager else None


def is_kept_already(scene: Scene, node: cst.BaseExpression) -> bool:
    """Whether the expression is only computed while the name it is given to is None, as this rule leaves it."""
    parent = scene.parent[node]
    goal = parent.target if isinstance(parent, cst.NamedExpr) else None
    if isinstance(parent, cst.Assign) and len(parent.targets) == 1:
        goal = parent.targets[0].target
    if not isinstance(goal, cst.Name):
        return False
    above = [whole for _, whole in scene.ancestors(node)][:4]
    tests = [whole.test for whole in above if isinstance(whole, cst.If | cst.IfExp)]
    return any(scene.code(test) in (f"{goal.value} is None", f"{goal.value} is not None") for test in tests)


def is_word(scene: Scene, node: cst.BaseExpression) -> bool:
    parent = scene.parent[node]
    return isinstance(node, cst.Attribute) or (isinstance(parent, cst.Call) and parent.func is node)


def names_two(node: cst.BaseExpression) -> bool:
    return (
        isinstance(node, cst.BinaryOperation) and isinstance(node.left, cst.Name) and isinstance(node.right, cst.Name)
    )


def is_result_safe(scene: Scene, facts: Facts, node: cst.BaseExpression) -> bool:
    """Whether one object can serve all uses: it cannot change, was there before, or is only read."""
    element = isinstance(node, cst.Subscript) and all(isinstance(one.slice, cst.Index) for one in node.slice)
    return element or is_number(facts, node) or flow(scene, node) in (Use.READ, Use.TEST)


def best_level(scene: Scene, facts: Facts, node: cst.BaseExpression, around: list[Level]) -> Level | None:
    """The outermost loop in which the expression stays the same and before which there is a place for it."""
    best = None
    names = free_names(scene, facts, node)
    for level in around:
        if not stays_same(scene, facts, names, level):
            break
        best = level if level.anchor is not None else best
    return best


def wish(code: str) -> str:
    """A name that says what the value is: `max_values` for `max(values)`.

    >>> wish("max(values)"), wish("math.sqrt(a * a + b)"), wish("x * 2")
    ('max_values', 'math_sqrt_a', 'x_value')
    """
    bare = re.sub(r"#.*|'[^']*'|\"[^\"]*\"", "", code)
    words = list(dict.fromkeys(word.strip("_") for word in re.findall(r"[^\W\d]\w*", bare)))
    words = [word for word in words if word][:3]
    return "_".join(words) if len(words) > 1 else f"{''.join(words) or 'fixed'}_value"


def place(scene: Scene, found: list[Finding], name: str) -> Place:
    """The edits: a name for the value before the loop, and the name in place of each of the equal expressions."""
    first = found[0]
    anchor = first.level.anchor
    assert anchor is not None
    code = one_line(scene, first.node)
    eager = first.eager
    line = scene.line(anchor if anchor in scene.record.starts else scene.parent[anchor])
    when = "before" if eager else "at its first use in"
    idea = f"`{scene.function.name.value}` computes `{' '.join(code.split())}` once, {when} the loop at line {line}"
    edits = Place(idea, solid=tuple(one.node for one in found))
    edits.before[anchor] = [f"{name} = {code if eager else None}"]
    for one in found:
        statement = None if eager else leading_statement(scene, one.node)
        if eager or statement is not None:
            edits.replace[one.node] = lambda node: by_name(name, node)
        else:
            edits.replace[one.node] = lambda node: at_first_use(name, node)
        if statement is not None:
            guard = f"if {name} is None:\n{scene.module.default_indent}{name} = {code}\n"
            edits.before.setdefault(statement, []).append(guard)
    return edits


def one_line(scene: Scene, node: cst.BaseExpression) -> str:
    """The expression as text that can stand alone on the right of an assignment."""
    code = scene.code(node)
    if not re.search(r"[\r\n]", code):
        return code
    if not any(isinstance(part, cst.SimpleString) for part in walk(node)) and not has_comment(node):
        return " ".join(code.replace("\\", " ").split()).replace("( ", "(").replace(" )", ")")
    return f"({code})"


def by_name(name: str, node: cst.CSTNode) -> cst.Name:
    """The name, in the parentheses the expression had: `return(x)` needs them."""
    assert isinstance(node, cst.BaseExpression)
    return cst.Name(name, lpar=node.lpar, rpar=node.rpar)


def at_first_use(name: str, node: cst.CSTNode) -> cst.BaseExpression:
    """`(name if name is not None else (name := value))`: computed where and when it was, but once."""
    assert isinstance(node, cst.BaseExpression)
    whole = expression(f"({name} if {name} is not None else ({name} := 0))")
    assert isinstance(whole, cst.IfExp)
    assert isinstance(whole.orelse, cst.NamedExpr)
    return whole.with_changes(orelse=whole.orelse.with_changes(value=node))
