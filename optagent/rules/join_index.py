"""A container searched again and again for the elements with one key is indexed by that key once.

What
----
A loop, or part of a comprehension, that goes through all of ``inner`` and acts only where
``inner.key == outer.key`` goes through the elements with that key instead. They are looked up in a
dict of lists that is built once before the outermost loop for which nothing in it changes. The order
of the elements stays, so the first match is the first match, and all matches come as they came.

Why it is slow
--------------
For n elements outside and m inside, n times m keys are compared; with the index n + m are hashed.
With 1000 of each the measured factor is 48, and it grows with both.

Preconditions
-------------
- nothing happens for an element whose key is another one; conditions that are asked before the key
  are comparisons, and those about the inner element alone guard the index, too;
- both keys are read off: attributes, subscripts, tuples, simple arithmetic, ``lower()`` and the like;
- what is gone through can be gone through again and stays the same in the outer loop, nothing there
  stores to an attribute or an entry that the keys are made of, and no ``yield`` lets others do so;
- the variable of the inner loop is not read after it, except where only a match leads there;
- the keys can be hashed, and are no ``float`` as far as annotations tell: NaN differs from itself, but a
  dict finds it. What the source does not say, the referee finds out.

Example
-------
::

    def bill(orders: list[dict[str, str]], customers: list[dict[str, str]]) -> list[str]:
        lines = []
        for order in orders:
            for customer in customers:
                if customer["id"] == order["customer"]:
                    lines.append(customer["name"] + order["text"])
                    break
        return lines

Use instead
-----------
::

    def bill(orders: list[dict[str, str]], customers: list[dict[str, str]]) -> list[str]:
        lines = []
        customers_by_id = {}
        for customer in customers:
            customers_by_id.setdefault(customer["id"], []).append(customer)
        for order in orders:
            for customer in customers_by_id.get(order["customer"], ()):
                lines.append(customer["name"] + order["text"])
                break
        return lines

Counter-example
---------------
Something happens for the elements that do not match::

    def bill(orders: list[dict[str, str]], customers: list[dict[str, str]]) -> list[str]:
        lines = []
        for order in orders:
            for customer in customers:
                if customer["id"] == order["customer"]:
                    lines.append(customer["name"] + order["text"])
                else:
                    lines.append("")
        return lines
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from optagent.rules.base import Proposal, Site
from optagent.rules.code.effects import changes
from optagent.rules.code.kinds import Facts
from optagent.rules.code.loops import Level, levels
from optagent.rules.code.order import stands_alone
from optagent.rules.code.purity import is_plain_target, weigh_iterable
from optagent.rules.code.scans import (
    Scan,
    asks_any,
    ends_in_jump,
    is_calm,
    is_comparison,
    is_path,
    narrowed,
    scans,
    sides,
)
from optagent.rules.code.scene import Scene, read_scene
from optagent.rules.code.steady import free_names, is_dead_outside, keeps_names
from optagent.rules.code.syntax import has_comment, is_label, method_call, root_name, walk
from optagent.rules.edits import Place, expression, propose

CONSTANTS = frozenset({"True", "False", "None"})
UNFIT_WORDS = ("float", "[list", "[List", "[dict", "[Dict", "[set", "[Set", "[bytearray", "[np.", "[numpy")


class JoinIndex:
    """Looks up the elements with a key in a dict that is built once."""

    slug = "join-index"
    title = "a container searched by a key is indexed by it once"

    def propose(self, site: Site) -> Iterator[Proposal]:
        scene = read_scene(site.source, site.qualname, site.line)
        if scene is not None and not scene.is_opaque:
            yield from propose(self.slug, scene, list(places(scene, Facts(scene, site.types))))


@dataclass(frozen=True)
class Join:
    """`keys` pairs each key of the inner element with what it must equal; `guards` are asked of elements alone."""

    scan: Scan
    keys: tuple[tuple[cst.BaseExpression, cst.BaseExpression], ...]
    guards: tuple[cst.BaseExpression, ...]
    kept: tuple[cst.BaseExpression, ...]


def places(scene: Scene, facts: Facts) -> Iterator[Place]:
    """One place for each pass that can be a lookup."""
    taken: list[str] = []
    for scan in scans(scene):
        join = joined(scene, scan)
        if join is None or weigh_iterable(facts, scan.loop.iter) is None or not is_readable(scene, join):
            continue
        level = best_level(scene, facts, join)
        if level is not None:
            taken.append(scene.fresh(wish(scene, join), taken))
            yield place(scene, join, level, taken[-1])


def joined(scene: Scene, scan: Scan) -> Join | None:
    """The equalities that a pass asks for before anything else can happen."""
    keys: list[tuple[cst.BaseExpression, cst.BaseExpression]] = []
    guards: list[cst.BaseExpression] = []
    kept: list[cst.BaseExpression] = []
    waiting = list(scan.tests)
    while waiting:
        test = waiting[0]
        pair = key_pair(scene, scan, test)
        if pair is not None:
            keys.append(pair)
        elif is_calm(scene, test) and (inside := names_in(scene, test) & scan.names):
            about = not keys and names_in(scene, test) <= inside | names_in(scene, scan.loop.iter)
            (guards if about else kept).append(test)
        else:
            break
        waiting.pop(0)
    return Join(scan, tuple(keys), tuple(guards), (*kept, *waiting)) if keys else None


def key_pair(
    scene: Scene, scan: Scan, test: cst.BaseExpression
) -> tuple[cst.BaseExpression, cst.BaseExpression] | None:
    """The key of the inner element and the key it is compared with."""
    wanted = cst.NotEqual if is_skip(scan) else cst.Equal
    if not is_comparison(test, wanted) or has_comment(test):
        return None
    left, right = sides(test)
    if not (is_path(scene, left) and is_path(scene, right)):
        return None
    mine = [bool(names_in(scene, side) & scan.names) for side in (left, right)]
    if mine == [True, False]:
        return left, right
    return (right, left) if mine == [False, True] else None


def is_skip(scan: Scan) -> bool:
    """Whether the pass goes on to the next element where its condition holds."""
    return isinstance(scan.loop, cst.For) and len(scan.loop.body.body) > 1


def names_in(scene: Scene, node: cst.CSTNode) -> set[str]:
    """Every variable in an expression."""
    names = (part for part in walk(node) if isinstance(part, cst.Name) and part.value not in CONSTANTS)
    return {name.value for name in names if not is_label(name, scene.parent[name])}


def is_readable(scene: Scene, join: Join) -> bool:
    """Whether the names of the pass mean the same in the index and in the lookup, and nothing after it reads them."""
    scan = join.scan
    if not is_plain_target(scan.loop.target) or has_comment(scan.loop.iter) or has_comment(scan.loop.target):
        return False
    parts = list(walk(scan.loop if isinstance(scan.loop, cst.For) else scan.whole))
    if not isinstance(scan.loop, cst.For) and any(isinstance(node, cst.NamedExpr) for node in parts):
        return False
    own = set(walk(scan.loop.target))
    later = [node for node in walk(scan.loop) if node in scene.stored and node not in own]
    rebound = {node.value for node in later if isinstance(node, cst.Name)}
    outer = set().union(*(names_in(scene, key) for _, key in join.keys))
    if (outer | scan.names) & rebound or names_in(scene, scan.loop.iter) & scan.names:
        return False
    return all(is_dead(scene, scan, name) for name in scan.names)


def is_dead(scene: Scene, scan: Scan, name: str) -> bool:
    if not isinstance(scan.loop, cst.For) or is_dead_outside(scene, name, scan.loop):
        return True
    block = scene.parent[scan.loop]
    if not ends_in_jump(scan.loop.orelse) or not isinstance(block, cst.IndentedBlock):
        return False
    at = next(k for k, line in enumerate(block.body) if line is scan.loop)
    loads = [one.node for one in scene.mentions[name] if not scene.within(one.node, [scan.loop])]
    return all(scene.within(node, block.body[at + 1 :]) and node not in scene.stored for node in loads)


def best_level(scene: Scene, facts: Facts, join: Join) -> Level | None:
    """The outermost loop before which the index can be built; one at least must change what is looked up."""
    scan = join.scan
    parts = [scan.loop.iter, *(key for key, _ in join.keys), *join.guards]
    names = set().union(*(free_names(scene, facts, part) for part in parts)) - scan.names
    others = set().union(*(names_in(scene, part) for part in parts)) - scan.names - names
    if not names or not all(is_fixed(scene, name) for name in others):
        return None
    if any(is_unfit(scene, name, join) for name in names):
        return None
    best = None
    for level in levels(scene, scan.loop.iter) or ():
        if not keeps_names(scene, facts, names, level) or not leaves_keys(scene, facts, names, join, level):
            break
        if level.anchor is not None and stands_alone(scene, level.anchor) and varies(scene, join, level):
            best = level
    return best


def is_fixed(scene: Scene, name: str) -> bool:
    """Whether a name that is no local stands for a builtin, an import or a constant."""
    return scene.meaning(name) is not None or scene.constant(name) is not None


def is_unfit(scene: Scene, name: str, join: Join) -> bool:
    """Whether an annotation says that elements which are keys themselves are floats, or cannot be hashed."""
    if not any(isinstance(key, cst.Name | cst.Subscript) for key, _ in join.keys):
        return False
    notes = [getattr(scene.parent[one.node], "annotation", None) for one in scene.mentions[name] if one.stores]
    texts = [scene.code(note.annotation) for note in notes if isinstance(note, cst.Annotation)]
    bare = any(isinstance(key, cst.Name) for key, _ in join.keys)
    words = UNFIT_WORDS if bare else UNFIT_WORDS[:1]
    return any(word in text for text in texts for word in words)


def varies(scene: Scene, join: Join, level: Level) -> bool:
    """Whether the loop binds something that the lookup depends on."""
    names = set().union(*(names_in(scene, key) for _, key in join.keys))
    stores = (one.node for name in names for one in scene.mentions[name] if one.stores)
    return any(scene.within(node, level.region) for node in stores)


def leaves_keys(scene: Scene, facts: Facts, names: set[str], join: Join, level: Level) -> bool:
    """Whether the loop changes no element in a way that could give it another key, nor the container."""
    words = {word for pair in join.keys for key in pair for word in words_of(key)}
    stored = [node for node in walk(*level.region) if isinstance(node, cst.Attribute) and node in scene.stored]
    if any(node.attr.value in words for node in stored):
        return False
    for root, node in changes(scene, facts, level.region):
        if root in names or not (facts.is_own(root) or is_attached(scene, node, words)):
            return False
        if facts.is_own(root) and depth(node) > 1 and not is_attached(scene, node, words):
            return False
    return True


def words_of(key: cst.CSTNode) -> Iterator[str]:
    """The attributes and entries that a key is read from; `?` for an entry that is not spelled out."""
    for node in walk(key):
        if isinstance(node, cst.Attribute):
            yield node.attr.value
        elif isinstance(node, cst.Index):
            yield entry(node.value)
        elif isinstance(node, cst.Call):
            yield from (entry(one.value) for one in node.args)


def entry(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.SimpleString):
        return node.raw_value
    return node.value if isinstance(node, cst.Integer) else "?"


def depth(node: cst.CSTNode) -> int:
    """How many steps lead from the name to what is changed."""
    steps = 0
    node = node.func.value if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) else node
    while isinstance(node, cst.Attribute | cst.Subscript):
        node, steps = node.value, steps + 1
    return steps


def is_attached(scene: Scene, node: cst.CSTNode, words: set[str]) -> bool:
    """Whether a change only gives an element an entry that is no part of a key, or grows a list that hangs on it."""
    root = root_name(node.func if isinstance(node, cst.Call) else node) or "?"
    stores = [scene.parent[one.node] for one in scene.mentions.get(root, ()) if one.stores]
    if "?" in words or not stores or not all(isinstance(one, cst.For | cst.Element) for one in stores):
        return False
    if found := method_call(node):
        receiver, method, _ = found
        grows = method in ("append", "add", "extend") and isinstance(receiver, cst.Attribute | cst.Subscript)
        return grows and words.isdisjoint(words_of(receiver))
    return isinstance(node, cst.Subscript) and words.isdisjoint(words_of(node)) and "?" not in words_of(node)


def wish(scene: Scene, join: Join) -> str:
    """`customers_by_id` for customers with the key `customer.id`."""
    key = join.keys[0][0]
    names = [
        node.value for node in walk(join.scan.loop.iter) if isinstance(node, cst.Name) and scene.is_local(node.value)
    ]
    last = next((word for word in reversed([*words_of(key)]) if word.isidentifier()), "key")
    return f"{names[-1] if names else 'elements'}_by_{last}"


def place(scene: Scene, join: Join, level: Level, name: str) -> Place:
    """The edits: the index before the loop, and the lookup in place of the pass."""
    scan, anchor = join.scan, level.anchor
    assert anchor is not None
    line = scene.line(anchor if anchor in scene.record.starts else scene.parent[anchor])
    text = scene.code(scan.loop.iter)
    idea = f"`{scene.function.name.value}` looks up elements of `{text}` by key in a dict built once before line {line}"
    looked = expression(f"{name}.get({tuple_of(scene, [key for _, key in join.keys])}, ())")
    kept = list(join.kept)
    built = [f"{name} = {{}}", build(scene, join, name)]
    edits = Place(idea, before={anchor: built}, solid=(scan.loop.iter, *scan.tests))
    edits.replace[scan.loop] = lambda node: narrowed(node, looked, kept)
    if asks_any(scene, scan):
        edits.replace[scan.whole] = lambda node: node.with_changes(elt=cst.Name("True"))
    return edits


def build(scene: Scene, join: Join, name: str) -> str:
    """The loop that fills the index, with variables that nothing else uses."""
    scan = join.scan
    inside = {one: all(scene.within(m.node, [scan.whole]) for m in scene.mentions[one]) for one in scan.names}
    renamed = {one: one if alone else scene.fresh(f"{one}_item") for one, alone in inside.items()}
    if isinstance(scan.loop, cst.For):
        renamed = {one: one for one in scan.names}

    def spelled(node: cst.BaseExpression) -> str:
        return scene.code(renamed_in(scene, node, renamed))

    key = tuple_of(scene, [renamed_in(scene, key, renamed) for key, _ in join.keys])
    item = spelled(scan.loop.target)
    item = f"({item})" if isinstance(scan.loop.target, cst.Tuple) and not scan.loop.target.lpar else item
    indent = scene.module.default_indent
    line = f"{name}.setdefault({key}, []).append({item})\n"
    head = f"for {spelled(scan.loop.target)} in {scene.code(scan.loop.iter)}:\n"
    if join.guards:
        guard = " and ".join(enclosed(spelled(one)) for one in join.guards)
        return f"{head}{indent}if {guard}:\n{indent * 2}{line}"
    return f"{head}{indent}{line}"


def enclosed(test: str) -> str:
    return f"({test})" if " or " in test else test


def tuple_of(scene: Scene, keys: list[cst.BaseExpression]) -> str:
    texts = [scene.code(key) for key in keys]
    bare = isinstance(keys[0], cst.Tuple) and not keys[0].lpar
    return f"({', '.join(texts)})" if len(texts) > 1 or bare else texts[0]


class Renamer(cst.CSTTransformer):
    """Gives the variables of a piece of code other names."""

    def __init__(self, scene: Scene, names: dict[str, str]) -> None:
        super().__init__()
        self.scene = scene
        self.names = names

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:  # type: ignore[override]
        if not isinstance(original_node, cst.Name) or is_label(original_node, self.scene.parent[original_node]):
            return updated_node
        return updated_node.with_changes(value=self.names.get(original_node.value, original_node.value))


def renamed_in(scene: Scene, node: cst.BaseExpression, names: dict[str, str]) -> cst.BaseExpression:
    found = node.visit(Renamer(scene, names))
    assert isinstance(found, cst.BaseExpression)
    return found
