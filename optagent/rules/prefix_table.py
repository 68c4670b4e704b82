"""The sum, maximum or minimum of everything up to an index, asked at each index, is read from a table.

What
----
``sum(xs[:i])``, ``max(xs[:i + 1])``, ``min(xs[i:])`` and the like in a loop over the indices become an
entry of a list that ``itertools.accumulate`` makes once before the loop.

Why it is slow
--------------
The slice is copied and gone through for each index: n squared steps instead of n. With 1000 elements
the measured factor is 44 to 45, and it grows with the list.

Preconditions
-------------
- the list stays the same in the loop, as for `hoist-invariant`;
- the index is the variable of ``range(len(xs))``, ``range(1, len(xs))``, ``enumerate(xs)`` or a ``range`` that
  is known to end there, so that each slice ends inside the list, and none that must not be is empty;
- for a sum from the index on, the elements are known to be ``int``, as it is a difference; for all others
  they are not declared ``float``: sums of floats are rounded in another order from Python 3.12 on.

Example
-------
::

    from itertools import accumulate


    def shares(counts: list[int]) -> list[float]:
        out = []
        for i in range(len(counts)):
            out.append(sum(counts[: i + 1]) / (i + 1))
        return out

Use instead
-----------
::

    from itertools import accumulate


    def shares(counts: list[int]) -> list[float]:
        out = []
        counts_sums = list(accumulate(counts, initial=0))
        for i in range(len(counts)):
            out.append(counts_sums[i + 1] / (i + 1))
        return out

Counter-example
---------------
The list changes in the loop::

    def shares(counts: list[int]) -> list[float]:
        out = []
        for i in range(len(counts)):
            out.append(sum(counts[: i + 1]) / (i + 1))
            counts[i] = 0
        return out
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import libcst as cst

from optagent.rules.base import Proposal, Site
from optagent.rules.code.effects import kinds_at
from optagent.rules.code.imports import member_import
from optagent.rules.code.index_range import Reach, reach_of
from optagent.rules.code.kinds import Facts
from optagent.rules.code.loops import Level, levels
from optagent.rules.code.scene import Scene, read_scene
from optagent.rules.code.steady import stays_same
from optagent.rules.code.syntax import has_comment, walk
from optagent.rules.edits import Place, expression, propose

INT_WORDS = ("[int]", "[int, ...]")


class PrefixTable:
    """Reads sums, maxima and minima of slices from a table."""

    slug = "prefix-table"
    title = "sums and extremes up to an index are read from a table"

    def propose(self, site: Site) -> Iterator[Proposal]:
        scene = read_scene(site.source, site.qualname, site.line)
        if scene is not None and not scene.is_opaque and scene.meaning("list") == "list":
            yield from propose(self.slug, scene, list(places(scene, Facts(scene, site.types))))


@dataclass(frozen=True)
class Fold:
    """`word(values[:edge])`, or `word(values[edge:])` if `after`; the edge is the index plus `offset`."""

    call: cst.Call
    word: str
    values: str
    edge: cst.BaseExpression
    index: cst.Name
    offset: int
    after: bool


def places(scene: Scene, facts: Facts) -> Iterator[Place]:
    """One place for each table and each loop before which it is made."""
    groups: dict[tuple[str, str, bool, cst.CSTNode], list[Fold]] = {}
    for node in walk(scene.function.body):
        fold = fold_of(scene, node)
        level = best_level(scene, facts, fold) if fold is not None else None
        if fold is not None and level is not None and level.anchor is not None:
            backwards = fold.after and fold.word != "sum"
            groups.setdefault((fold.values, fold.word, backwards, level.anchor), []).append(fold)
    taken: list[str] = []
    for (values, word, backwards, anchor), folds in groups.items():
        ending = "sums" if word == "sum" else f"{word}_{'from' if backwards else 'upto'}"
        taken.append(scene.fresh(f"{values}_{ending}", taken))
        yield place(scene, folds, backwards, anchor, taken[-1])


def fold_of(scene: Scene, node: cst.CSTNode) -> Fold | None:
    """The call as a fold of a slice from the start, or to the end, of a local list."""
    word = scene.dotted(node.func) if isinstance(node, cst.Call) else None
    if not isinstance(node, cst.Call) or word not in ("sum", "max", "min") or len(node.args) != 1 or has_comment(node):
        return None
    part = node.args[0].value
    if node.args[0].star or node.args[0].keyword or not isinstance(part, cst.Subscript) or len(part.slice) != 1:
        return None
    cut = part.slice[0].slice
    if not isinstance(part.value, cst.Name) or not isinstance(cut, cst.Slice) or cut.step is not None:
        return None
    edges = [edge for edge in (cut.lower, cut.upper) if edge is not None and not is_zero(edge)]
    if len(edges) != 1:
        return None
    given = index_and_offset(edges[0])
    after = edges[0] is cut.lower
    return Fold(node, word, part.value.value, edges[0], given[0], given[1], after) if given and word else None


def is_zero(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Integer) and node.value == "0"


def index_and_offset(node: cst.BaseExpression) -> tuple[cst.Name, int] | None:
    """`i` and 1 for `i + 1`."""
    if isinstance(node, cst.Name):
        return node, 0
    if not isinstance(node, cst.BinaryOperation) or not isinstance(node.operator, cst.Add | cst.Subtract):
        return None
    sign = 1 if isinstance(node.operator, cst.Add) else -1
    if isinstance(node.left, cst.Name) and isinstance(node.right, cst.Integer):
        return node.left, sign * node.right.evaluated_value
    if sign == 1 and isinstance(node.right, cst.Name) and isinstance(node.left, cst.Integer):
        return node.right, node.left.evaluated_value
    return None


def best_level(scene: Scene, facts: Facts, fold: Fold) -> Level | None:
    """The outermost loop in which the list stays the same, if the index stays inside the list."""
    reach = reach_of(scene, fold.index, fold.values)
    if reach is None or not scene.is_local(fold.values) or not is_inside(fold, reach):
        return None
    best = None
    for level in levels(scene, fold.call) or ():
        if not stays_same(scene, facts, {fold.values}, level):
            break
        if level.anchor is not None and scene.within(reach.loop, [level.loop]):
            best = level
    if best is None or best.anchor is None:
        return None
    kinds = kinds_at(scene, facts, fold.values, best.anchor)
    return best if kinds and kinds <= {"list", "tuple"} and fits(scene, facts, fold) else None


def is_inside(fold: Fold, reach: Reach) -> bool:
    """Whether the edge is at least 0 (1 for the extreme of what is before it), and at most the length (less 1)."""
    least, most = reach.first + fold.offset, reach.beyond + fold.offset
    if fold.word == "sum":
        return least >= 0 and most <= 0
    return least >= 0 and most <= -1 if fold.after else least >= 1 and most <= 0


def fits(scene: Scene, facts: Facts, fold: Fold) -> bool:
    """Whether the elements are what a table gives the same result for, as far as annotations and makings tell."""
    notes = [getattr(scene.parent[one.node], "annotation", None) for one in scene.mentions[fold.values] if one.stores]
    texts = [scene.code(note.annotation) for note in notes if isinstance(note, cst.Annotation)]
    if any(word in text for text in texts for word in ("float", "complex", "list[list", "Decimal", "ndarray")):
        return False
    if fold.word != "sum" or not fold.after:
        return True
    return bool(texts) and all(any(word in text for word in INT_WORDS) for text in texts)


def place(scene: Scene, folds: list[Fold], backwards: bool, anchor: cst.CSTNode, name: str) -> Place:
    """The edits: the table before the loop, an entry of it for each fold."""
    fold = folds[0]
    needed = member_import(scene, "itertools", "accumulate")
    line = scene.line(anchor if anchor in scene.record.starts else scene.parent[anchor])
    what = {"sum": "sums", "max": "maxima", "min": "minima"}[fold.word]
    idea = f"`{scene.function.name.value}` reads {what} of `{fold.values}` from a table made before line {line}"
    edits = Place(idea, imports=needed.lines, solid=tuple(one.call for one in folds))
    edits.before[anchor] = [f"{name} = {table(needed.word, fold, backwards)}"]
    for one in folds:
        edits.replace[one.call] = entry(scene, name, one)
    return edits


def table(word: str, fold: Fold, backwards: bool) -> str:
    if fold.word == "sum":
        return f"list({word}({fold.values}, initial=0))"
    if backwards:
        return f"list({word}(reversed({fold.values}), {fold.word}))[::-1]"
    return f"list({word}({fold.values}, {fold.word}))"


def entry(scene: Scene, name: str, fold: Fold) -> Callable[[cst.CSTNode], cst.CSTNode]:
    """Makes the entry of the table that stands for a fold."""
    edge = scene.code(fold.edge)
    if fold.word == "sum":
        text = f"({name}[-1] - {name}[{edge}])" if fold.after else f"{name}[{edge}]"
    else:
        text = f"{name}[{edge if fold.after else less_one(scene, fold)}]"

    def make(node: cst.CSTNode) -> cst.CSTNode:
        assert isinstance(node, cst.Call)
        new = expression(text)
        return new.with_changes(lpar=node.lpar, rpar=node.rpar) if node.lpar else new

    return make


def less_one(scene: Scene, fold: Fold) -> str:
    offset = fold.offset - 1
    index = fold.index.value
    return index if offset == 0 else f"{index} {'+' if offset > 0 else '-'} {abs(offset)}"
