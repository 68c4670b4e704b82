"""Text or bytes grown piece by piece in a loop are joined once after it.

What
----
``acc += piece`` (also ``acc = acc + piece + more``) in a loop, for ``str`` and ``bytes``, becomes
``acc_pieces.append(piece)`` with one ``join`` after the loop.

Why it is slow
--------------
Each ``+`` of two texts may copy everything gathered so far, so the work grows with the square of the
length. CPython often grows a lone ``str`` in place, never ``bytes`` and never ``s = s + a + b``, which
was measured 28 to 30 times slower than a join at 1000 pieces.

Preconditions
-------------
- a literal of text or bytes (or ``str()``, ``bytes()``) is assigned to the name before the loop, and
  everything else that is assigned to it is such a literal or grows it;
- in the loop the name is only grown, or returned; a condition, a call or a nested function that reads
  it keeps the rule away, and so does a ``yield``;
- no handler and no context manager can see the name half-grown: a piece of the wrong type raises
  ``TypeError`` at the join instead of in the middle of the loop;
- no piece is a buffer that may be overwritten before it is joined.

Example
-------
::

    def render(rows: list[str]) -> str:
        out = ""
        for row in rows:
            out += row + "\\n"
        return out

Use instead
-----------
::

    def render(rows: list[str]) -> str:
        out_pieces = []
        for row in rows:
            out_pieces.append(row + "\\n")
        out = "".join(out_pieces)
        return out

Counter-example
---------------
The text is read while it grows::

    def render(rows: list[str]) -> str:
        out = ""
        for row in rows:
            if len(out) > 10:
                break
            out += row + "\\n"
        return out
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from optagent.rules.base import Proposal, Site
from optagent.rules.code.effects import Definition, definition_before
from optagent.rules.code.kinds import Facts
from optagent.rules.code.loops import levels
from optagent.rules.code.scene import Mention, Scene, read_scene
from optagent.rules.code.syntax import has_comment, root_name, walk
from optagent.rules.edits import Place, expression, propose

Loop = cst.For | cst.While
# Handlers of these never catch the TypeError of a wrong piece.
OTHER_ERRORS = frozenset(
    {"ValueError", "KeyError", "IndexError", "LookupError", "AttributeError", "OSError", "IOError", "StopIteration"}
    | {"ZeroDivisionError", "UnicodeDecodeError", "UnicodeEncodeError", "UnicodeError", "FileNotFoundError"}
    | {"OverflowError", "ArithmeticError", "AssertionError", "EOFError", "ImportError", "KeyboardInterrupt"}
)
# Context managers that let every exception through.
CLEAR = frozenset({"open", "closing", "ZipFile", "TarFile", "scandir", "TemporaryDirectory", "nullcontext", "Lock"})
BUFFERS = frozenset({"bytearray", "memoryview", "array", "mmap", "ndarray"})


class JoinPieces:
    """Joins pieces of text or bytes once."""

    slug = "join-pieces"
    title = "text grown in a loop is joined once after it"

    def propose(self, site: Site) -> Iterator[Proposal]:
        scene = read_scene(site.source, site.qualname, site.line)
        if scene is not None and not scene.is_opaque:
            yield from propose(self.slug, scene, list(places(scene, Facts(scene, site.types))))


def places(scene: Scene, facts: Facts) -> Iterator[Place]:
    """One place for each accumulator and each outermost loop that only grows it."""
    for name, mentions in list(scene.mentions.items()):
        kind = accumulates(scene, facts, name)
        if kind is None:
            continue
        loops: dict[Loop, None] = {}
        for mention in mentions:
            if growth(scene, mention) is not None:
                loops.update(dict.fromkeys(outermost(scene, facts, name, mention)))
        for loop in loops:
            yield place(scene, name, kind, loop)


def growth(scene: Scene, mention: Mention) -> cst.Assign | cst.AugAssign | None:
    """The statement `name += …` or `name = name + …` whose target this mention is."""
    statement = scene.parent[mention.node]
    if isinstance(statement, cst.AugAssign):
        grows = mention.node is statement.target and isinstance(statement.operator, cst.AddAssign)
        return statement if grows else None
    whole = scene.parent.get(statement)
    if isinstance(statement, cst.AssignTarget) and isinstance(whole, cst.Assign) and len(whole.targets) == 1:
        return whole if pieces(whole) else None
    return None


def pieces(statement: cst.Assign | cst.AugAssign) -> list[cst.BaseExpression]:
    """What a growth adds, from left to right; empty when the statement is no growth.

    `acc + a + b` adds `a`, then `b`; `acc + (a + b)` adds one piece, as `+=` does.
    """
    if isinstance(statement, cst.AugAssign):
        return [statement.value]
    name = statement.targets[0].target
    found: list[cst.BaseExpression] = []
    node = statement.value
    while isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        found.insert(0, node.right)
        node = node.left
    same = isinstance(node, cst.Name) and isinstance(name, cst.Name) and node.value == name.value
    return found if same and not has_comment(statement) else []


def own_words(scene: Scene, statement: cst.Assign | cst.AugAssign) -> list[cst.CSTNode]:
    """The mentions of the accumulator that a growth is made of: its target and, for `acc = acc + x`, the `acc` read."""
    if isinstance(statement, cst.AugAssign):
        return [statement.target]
    node: cst.CSTNode = statement.value
    while isinstance(node, cst.BinaryOperation):
        node = node.left
    return [statement.targets[0].target, node]


def accumulates(scene: Scene, facts: Facts, name: str) -> str | None:
    """`str` or `bytes` when the name holds nothing else and is this function's own."""
    if not scene.is_local(name) or any(scene.in_closure(mention.node) for mention in scene.mentions[name]):
        return None
    kinds = set()
    for mention in scene.mentions[name]:
        if mention.stores and growth(scene, mention) is None:
            kinds.add(start_kind(scene, facts, mention))
    kind = kinds.pop() if len(kinds) == 1 else None
    return kind if kind in ("str", "bytes") else None


def start_kind(scene: Scene, facts: Facts, mention: Mention) -> str | None:
    """The one type that an assignment of the accumulator is known to give."""
    parent = scene.parent[mention.node]
    whole = scene.parent[parent] if isinstance(parent, cst.AssignTarget) else parent
    if isinstance(whole, cst.Assign | cst.AnnAssign) and whole.value is not None:
        kinds = facts.of(whole.value)
        return next(iter(kinds)) if len(kinds) == 1 else None
    return None


def outermost(scene: Scene, facts: Facts, name: str, mention: Mention) -> list[Loop]:
    """The outermost loop around a growth in which nothing sees the text half-grown; none or one."""
    best: list[Loop] = []
    for loop in loops_around(scene, mention.node):
        if not only_grows(scene, facts, name, loop):
            break
        if definition_before(scene, name, loop, chained=True) and not is_watched(scene, name, loop):
            best = [loop]
    return best


def loops_around(scene: Scene, node: cst.CSTNode) -> list[Loop]:
    """The loops around something that runs again and again, innermost first, also those in whose `else` it stands."""
    wholes = [whole for _, whole in scene.ancestors(node)] if levels(scene, node) else []
    return [whole for whole in wholes if isinstance(whole, cst.For | cst.While)]


def only_grows(scene: Scene, facts: Facts, name: str, loop: Loop) -> bool:
    """Whether a loop mentions the name in growths and in returns of it only."""
    if loop.orelse and any(isinstance(node, cst.Break | cst.Continue) for node in walk(loop.orelse)):
        return False  # they lead past what stands after the loop
    inside = [mention for mention in scene.mentions[name] if scene.within(mention.node, [loop])]
    grown = [statement for mention in inside if (statement := growth(scene, mention)) is not None]
    words = {word for statement in grown for word in own_words(scene, statement)}
    others = [mention.node for mention in inside if mention.node not in words]
    if any(not is_returned(scene, node) for node in others):
        return False
    if any(isinstance(node, cst.Yield) for node in walk(loop)) or any(is_guarded(scene, one, loop) for one in grown):
        return False
    return not any(is_buffer(facts, piece) for statement in grown for piece in pieces(statement))


def is_returned(scene: Scene, node: cst.CSTNode) -> bool:
    """Whether a mention is part of what a `return` gives back, and no assignment expression is around."""
    for _, whole in scene.ancestors(node):
        if isinstance(whole, cst.Return):
            # An f-string cannot hold the quotes of a join before Python 3.12.
            odd = cst.NamedExpr | cst.Lambda | cst.GeneratorExp | cst.FormattedString
            return not any(isinstance(part, odd) for part in walk(whole))
        if isinstance(whole, cst.BaseStatement):
            return False
    return False


def is_buffer(facts: Facts, piece: cst.BaseExpression) -> bool:
    """Whether a piece may be, or look into, memory that is overwritten later."""
    root = root_name(piece)
    if root is None or isinstance(piece, cst.Call):
        return isinstance(piece, cst.Call) and root in BUFFERS - {"bytearray"}
    return bool(facts.of_name(root) & BUFFERS) or made_as_buffer(facts, root)


def made_as_buffer(facts: Facts, name: str) -> bool:
    for mention in facts.scene.mentions.get(name, ()):
        parent = facts.scene.parent[mention.node]
        whole = facts.scene.parent[parent] if isinstance(parent, cst.AssignTarget) else parent
        value = getattr(whole, "value", None)
        if mention.stores and isinstance(value, cst.Call) and not BUFFERS.isdisjoint(words_of(value.func)):
            return True
    return False


def words_of(node: cst.CSTNode) -> set[str]:
    return {part.value for part in walk(node) if isinstance(part, cst.Name)}


def is_guarded(scene: Scene, statement: cst.CSTNode, loop: Loop) -> bool:
    """Whether, between a growth and the loop, the TypeError of a wrong piece could be caught or acted on."""
    for part, whole in scene.ancestors(statement):
        if part is loop:
            return False
        if isinstance(whole, cst.Try | cst.TryStar) and part is whole.body and not lets_through(whole):
            return True
        if isinstance(whole, cst.With) and not is_clear(whole):
            return True
    return False


def lets_through(node: cst.Try | cst.TryStar) -> bool:
    """Whether no handler of a `try` takes a TypeError."""
    if isinstance(node, cst.TryStar):
        return False
    return all(words_of(handler.type) <= OTHER_ERRORS if handler.type else False for handler in node.handlers)


def is_clear(node: cst.With) -> bool:
    calls = [item.item.func for item in node.items if isinstance(item.item, cst.Call)]
    names = [func.attr.value if isinstance(func, cst.Attribute) else func for func in calls]
    plain = [name.value if isinstance(name, cst.Name) else name for name in names]
    return len(plain) == len(node.items) and all(name in CLEAR for name in plain)


def is_watched(scene: Scene, name: str, loop: Loop) -> bool:
    """Whether something around the loop could go on with the text half-grown after an exception in the loop."""
    for part, whole in scene.ancestors(loop):
        watches = isinstance(whole, cst.Try | cst.TryStar) or (isinstance(whole, cst.With) and not is_clear(whole))
        if watches and any(not scene.within(mention.node, [part]) for mention in scene.mentions[name]):
            return True
    return False


def place(scene: Scene, name: str, kind: str, loop: Loop) -> Place:
    """The edits: a list before the loop, `append` for each growth, one `join` after it and in each `return`."""
    parts = scene.fresh(f"{name}_pieces")
    line = scene.line(loop)
    empty = '""' if kind == "str" else 'b""'
    idea = f"`{scene.function.name.value}` joins `{name}` once instead of growing it in the loop at line {line}"
    edits = Place(idea, after={} if never_ends(loop) else {loop: [f"{name} = {empty}.join({parts})"]})
    start(scene, name, parts, loop, edits)
    inside = [mention for mention in scene.mentions[name] if scene.within(mention.node, [loop])]
    grown = {statement for mention in inside if (statement := growth(scene, mention)) is not None}
    words = {word for statement in grown for word in own_words(scene, statement)}
    for statement in grown:
        edits.replace[statement] = lambda node: appended(node, parts)
    for mention in inside:
        if mention.node not in words:
            edits.replace[mention.node] = lambda node: joined(node, f"{empty}.join({parts})")
    return edits


def never_ends(loop: Loop) -> bool:
    """Whether only a `return` or an exception leads out of the loop, so that nothing runs after it."""
    forever = isinstance(loop, cst.While) and isinstance(loop.test, cst.Name) and loop.test.value == "True"
    return forever and not any(isinstance(node, cst.Break) for node in walk(loop))


def start(scene: Scene, name: str, parts: str, loop: Loop, edits: Place) -> None:
    """The list takes the place of the empty literal where nothing stands between, or begins with what is there."""
    found = reaching_literal(scene, name, loop)
    if found is None:
        edits.before[loop] = [f"{parts} = [{name}]"]
    elif isinstance(found.statement, cst.Assign) and not has_comment(found.statement):
        edits.replace[found.statement] = lambda node: emptied(node, parts)
    else:
        edits.before[loop] = [f"{parts} = []"]


def reaching_literal(scene: Scene, name: str, loop: Loop) -> Definition | None:
    """The assignment of an empty literal in the block of the loop, when nothing in between mentions the name."""
    found = definition_before(scene, name, loop)
    if found is None or found.region[-1] is not loop or scene.code(found.value) not in EMPTY:
        return None
    between = found.region[:-1]
    return None if any(scene.within(mention.node, between) for mention in scene.mentions[name]) else found


EMPTY = frozenset({'""', "''", 'b""', "b''", "str()", "bytes()"})


def emptied(node: cst.CSTNode, parts: str) -> cst.CSTNode:
    """`parts = []` in place of the assignment, with its semicolon if it had one."""
    assert isinstance(node, cst.Assign)
    return cst.Assign([cst.AssignTarget(cst.Name(parts))], expression("[]"), semicolon=node.semicolon)


def joined(node: cst.CSTNode, text: str) -> cst.BaseExpression:
    """The join that stands for the name, in the parentheses the name had."""
    assert isinstance(node, cst.Name)
    return expression(text).with_changes(lpar=node.lpar, rpar=node.rpar)


def appended(node: cst.CSTNode, parts: str) -> cst.CSTNode:
    """`parts.append(piece)` for one piece, `parts.extend((a, b))` for several."""
    assert isinstance(node, cst.Assign | cst.AugAssign)
    added = pieces(node)
    if len(added) == 1:
        call = cst.Call(cst.Attribute(cst.Name(parts), cst.Name("append")), [cst.Arg(as_argument(added[0]))])
    else:
        several = cst.Tuple([cst.Element(piece) for piece in added])
        call = cst.Call(cst.Attribute(cst.Name(parts), cst.Name("extend")), [cst.Arg(several)])
    return cst.Expr(call, semicolon=node.semicolon)


def as_argument(piece: cst.BaseExpression) -> cst.BaseExpression:
    """The piece as it may stand between the parentheses of a call."""
    if isinstance(piece, cst.Tuple | cst.NamedExpr | cst.Yield | cst.GeneratorExp) and not piece.lpar:
        return piece.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return piece
