"""Text grown in an attribute, piece by piece in a loop, is joined once.

What
----
``self.text += piece`` in a loop becomes ``pieces.append(piece)``, and one ``self.text += "".join(pieces)`` in a
``finally`` after the loop, so that an exception leaves the attribute as it was left before. (Where the
attribute is missing and the first piece raises, too, the error is that of the piece.)

Why it is slow
--------------
Each ``+=`` copies everything gathered so far: what CPython does for a lone local name, growing it in
place, it does not do for an attribute. At 1000 pieces the measured factor is 16 to 20.

Preconditions
-------------
- every piece is known to be ``str``: a literal, an f-string, ``str(…)``, ``"".join(…)``, a name that holds
  only such, or a sum with one of them, so that no piece raises ``TypeError`` where it is added;
- the loop reads the attribute nowhere, and the object is used in it for nothing but reading other
  attributes: no method of it is called, it is not passed on, and nothing is yielded or awaited;
- everything else in the loop is known to do nothing but look, bind names and grow the function's own
  lists, so that nobody could look at the attribute in between;
- the class, as far as it stands in the file, makes no property of that name and no ``__setattr__``.

Example
-------
::

    class Page:
        def fill(self, rows: list[str]) -> None:
            for row in rows:
                self.text += f"<li>{row}</li>"

Use instead
-----------
::

    class Page:
        def fill(self, rows: list[str]) -> None:
            text_pieces = []
            try:
                for row in rows:
                    text_pieces.append(f"<li>{row}</li>")
            finally:
                if text_pieces:
                    self.text += "".join(text_pieces)

Counter-example
---------------
A method of the object runs in between and could look at the text::

    class Page:
        def fill(self, rows: list[str]) -> None:
            for row in rows:
                self.text += f"<li>{row}</li>"
                self.refresh()
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import libcst as cst

from optagent.rules.base import Proposal, Site
from optagent.rules.code.kinds import Facts
from optagent.rules.code.loops import suspends
from optagent.rules.code.scene import Scene, read_scene
from optagent.rules.code.syntax import method_call, walk
from optagent.rules.code.tame import is_settled, is_tame
from optagent.rules.code.uses import Use, use_of
from optagent.rules.edits import Place, propose
from optagent.rules.join_pieces import as_argument

Loop = cst.For | cst.While
HOOKS = frozenset({"__setattr__", "__getattr__", "__getattribute__"})


class AttributePieces:
    """Joins text grown in an attribute once."""

    slug = "attribute-pieces"
    title = "text grown in an attribute in a loop is joined once after it"

    def propose(self, site: Site) -> Iterator[Proposal]:
        scene = read_scene(site.source, site.qualname, site.line)
        if scene is not None and not scene.is_opaque:
            yield from propose(self.slug, scene, list(places(scene, Facts(scene, site.types))))


def places(scene: Scene, facts: Facts) -> Iterator[Place]:
    """One place for each attribute and each outermost loop that only grows it."""
    groups: dict[tuple[str, Loop], list[cst.AugAssign]] = {}
    for node in walk(scene.function.body):
        if isinstance(node, cst.AugAssign) and is_growth(facts, node):
            loop = outermost(scene, facts, node)
            if loop is not None:
                groups.setdefault((scene.code(node.target), loop), []).append(node)
    taken: list[str] = []
    for (target, loop), grown in groups.items():
        taken.append(scene.fresh(f"{target.split('.')[-1].strip('_') or 'text'}_pieces", taken))
        yield place(scene, target, loop, grown, taken[-1])


def is_growth(facts: Facts, node: cst.AugAssign) -> bool:
    """Whether a statement adds what is surely text to an attribute of a name."""
    target = node.target
    plain = isinstance(target, cst.Attribute) and isinstance(target.value, cst.Name)
    return plain and isinstance(node.operator, cst.AddAssign) and is_text(facts, node.value)


def is_text(facts: Facts, node: cst.BaseExpression) -> bool:
    """Whether a value, if there is one, is text: what is added to text is text, or raises on the spot."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        return is_text(facts, node.left) or is_text(facts, node.right)
    return facts.of(node) == {"str"}


def outermost(scene: Scene, facts: Facts, node: cst.AugAssign) -> Loop | None:
    """The outermost loop around a growth in which nobody can look at the attribute."""
    best: Loop | None = None
    for part, whole in scene.ancestors(node):
        if isinstance(whole, cst.For | cst.While) and part is whole.body:
            block = isinstance(scene.parent[whole], cst.IndentedBlock)
            if not block or not is_unseen(scene, facts, node, whole):
                break
            best = whole
    return best if best is not None and is_plain_class(scene, attribute_of(node)) else None


def attribute_of(node: cst.AugAssign) -> str:
    assert isinstance(node.target, cst.Attribute)
    return node.target.attr.value


def owner_of(node: cst.AugAssign) -> str:
    assert isinstance(node.target, cst.Attribute)
    assert isinstance(node.target.value, cst.Name)
    return node.target.value.value


def is_unseen(scene: Scene, facts: Facts, node: cst.AugAssign, loop: Loop) -> bool:
    """Whether a loop does nothing through which the attribute could be seen before the loop ends."""
    name, word = owner_of(node), attribute_of(node)
    if not scene.is_local(name) or suspends(scene, (loop,)):
        return False
    inside = [one for one in scene.mentions[name] if scene.within(one.node, [loop])]
    if any(one.stores or not is_looked_at(scene, one.node) for one in inside):
        return False
    words = [one for one in walk(loop) if isinstance(one, cst.Attribute) and one.attr.value == word]
    growths = [one for one in walk(loop) if isinstance(one, cst.AugAssign) and is_growth(facts, one)]
    own = {one.target for one in growths if owner_of(one) == name and attribute_of(one) == word}
    return all(one in own for one in words) and is_quiet(scene, facts, loop, own)


def is_looked_at(scene: Scene, name: cst.Name) -> bool:
    """Whether a mention of the object only reads an attribute, or grows one."""
    attribute = scene.parent[name]
    whole = scene.parent.get(attribute)
    called = isinstance(whole, cst.Call) and whole.func is attribute
    return isinstance(attribute, cst.Attribute) and not called


def is_quiet(scene: Scene, facts: Facts, node: cst.CSTNode, own: set[cst.BaseAssignTargetExpression]) -> bool:
    """Whether a statement only looks, binds names, grows the function's own lists, or grows the attribute."""
    match node:
        case cst.IndentedBlock() | cst.SimpleStatementLine() | cst.SimpleStatementSuite():
            return all(is_quiet(scene, facts, one, own) for one in node.body)
        case cst.For():
            plain = node.asynchronous is None and is_quiet_tail(scene, facts, node, own)
            return plain and is_settled(scene, facts, node.iter) and is_quiet(scene, facts, node.body, own)
        case cst.While() | cst.If():
            tail = is_quiet_tail(scene, facts, node, own)
            return tail and is_still(scene, facts, node.test) and is_quiet(scene, facts, node.body, own)
        case cst.Else():
            return is_quiet(scene, facts, node.body, own)
        case cst.AugAssign():
            mine = node.target in own or isinstance(node.target, cst.Name)
            return mine and is_still(scene, facts, node.value)
        case cst.Assign():
            names = all(isinstance(one.target, cst.Name) for one in node.targets)
            return names and is_still(scene, facts, node.value)
        case cst.Expr():
            return is_own_append(scene, facts, node)
        case _:
            return isinstance(node, cst.Pass | cst.Continue | cst.Break)


def is_quiet_tail(
    scene: Scene, facts: Facts, node: cst.For | cst.While | cst.If, own: set[cst.BaseAssignTargetExpression]
) -> bool:
    return node.orelse is None or is_quiet(scene, facts, node.orelse, own)


def is_still(scene: Scene, facts: Facts, node: cst.CSTNode) -> bool:
    """Whether an expression only looks; `f"…"` and `"".join` of such do, too."""
    if isinstance(node, cst.FormattedString):
        parts = [one for one in node.parts if isinstance(one, cst.FormattedStringExpression)]
        return all(one.format_spec is None and is_still(scene, facts, one.expression) for one in parts)
    if isinstance(node, cst.BinaryOperation):
        return is_still(scene, facts, node.left) and is_still(scene, facts, node.right)
    found = method_call(node)
    if found is not None and found[1] in ("join", "format") and facts.of(found[0]) == {"str"}:
        return all(not one.star and is_tame(scene, one.value) for one in found[2].args)
    return is_tame(scene, node)


def is_own_append(scene: Scene, facts: Facts, node: cst.Expr) -> bool:
    """Whether a statement is `parts.append(value)` on a list made here, or a text alone."""
    if not isinstance(node.value, cst.Call):
        return isinstance(node.value, cst.SimpleString)
    func = node.value.func
    if not isinstance(func, cst.Attribute) or not isinstance(func.value, cst.Name):
        return False
    mentions = [one for one in scene.mentions.get(func.value.value, ()) if one.node is func.value]
    grows = any(use_of(scene, one) is Use.APPEND for one in mentions)
    return grows and facts.is_own(func.value.value) and is_still(scene, facts, node.value.args[0].value)


def is_plain_class(scene: Scene, word: str) -> bool:
    """Whether nothing in the class around the function is called when the attribute is set or read."""
    classes = [whole for whole in scene.around if isinstance(whole, cst.ClassDef)]
    names = {one.name.value for whole in classes for one in walk(whole) if isinstance(one, cst.FunctionDef)}
    return word not in names and HOOKS.isdisjoint(names)


def place(scene: Scene, target: str, loop: Loop, grown: list[cst.AugAssign], parts: str) -> Place:
    """The edits: a list before the loop, `append` for each growth, and the join in a `finally`."""
    line = scene.line(loop)
    idea = f"`{scene.function.name.value}` joins `{target}` once instead of growing it in the loop at line {line}"
    edits = Place(idea, before={loop: [f"{parts} = []"]}, solid=(loop,))
    for node in grown:
        edits.replace[node] = appended(parts)
    edits.replace[loop] = guarded(scene, f'if {parts}:\n{scene.module.default_indent}{target} += "".join({parts})\n')
    return edits


def appended(parts: str) -> Callable[[cst.CSTNode], cst.CSTNode]:
    def make(node: cst.CSTNode) -> cst.CSTNode:
        assert isinstance(node, cst.AugAssign)
        call = cst.Call(cst.Attribute(cst.Name(parts), cst.Name("append")), [cst.Arg(as_argument(node.value))])
        return cst.Expr(call, semicolon=node.semicolon)

    return make


def guarded(scene: Scene, last: str) -> Callable[[cst.CSTNode], cst.CSTNode]:
    """Makes `try: loop finally: last` of a loop."""

    def make(node: cst.CSTNode) -> cst.CSTNode:
        assert isinstance(node, cst.For | cst.While)
        end = cst.parse_statement(last, scene.module.config_for_parsing)
        bare = node.with_changes(leading_lines=[])
        return cst.Try(
            cst.IndentedBlock([bare]), finalbody=cst.Finally(cst.IndentedBlock([end])), leading_lines=node.leading_lines
        )

    return make
