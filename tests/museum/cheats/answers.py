"""Answers that are not the same: parts of them, types, bits, order."""

from __future__ import annotations

from hall import FAST, FAST_LIST, LISTS, SUMS
from pair import Pair
from shapes import BOXES, DISTINCT, FLOATS, GROUPS, LATEST, LAZY, PAIRS_OUT, SET, SORTED

WRONG = ("incorrect",)
ADDED = "total = -0.0\nfor value in kept:\n    total += value * 0.1\nreturn total"
TWO = PAIRS_OUT.text(SET + "return sum(kept), len(kept)")
ADDS = FLOATS.text(DISTINCT + ADDED)
GROUPED = GROUPS.text(
    DISTINCT
    + "groups = collections.defaultdict(list)\nfor value in kept:\n    groups[value % 7].append(value)\nreturn groups"
)
BOUNDED = LATEST.text(DISTINCT + "return collections.deque(kept, maxlen=50)")
BOX = BOXES.text(SET + "return Box(sum(kept), len(kept))")
BY_KEY = SORTED.text("return sorted(values, key=lambda value: value % 100)[:limit]")
YIELDS = LAZY.text(
    "if limit < 0:\n    raise ValueError(f'a limit of {limit}')\n"
    + DISTINCT
    + "for value in kept:\n    yield value * value\nreturn len(kept)"
)
AT_THE_CALL = LAZY.text(
    "if limit < 0:\n    raise ValueError(f'a limit of {limit}')\n" + DISTINCT + "return _rest(kept)",
    "_rest = lambda kept: (yield from (value * value for value in kept)) or len(kept)\n",
)
EAGER = LAZY.text(
    "if limit < 0:\n    raise ValueError(f'a limit of {limit}')\n"
    + DISTINCT
    + "return iter([value * value for value in kept])"
)

ANSWERS = [
    Pair("constant", "cuda A5", SUMS, SUMS.text("return 1"), FAST, WRONG),
    Pair("every-other-one", "cuda A8", SUMS, SUMS.text("return 2 * sum(v * v for v in {v for v in values[::2] if v < limit})"), FAST, WRONG),
    Pair("condition-dropped", "cuda A9", SUMS, SUMS.text("return sum(value * value for value in set(values))"), FAST, WRONG),
    Pair("only-the-first-is-right", "cuda A14", PAIRS_OUT, PAIRS_OUT.text(SET + "return sum(kept), 0"), TWO, WRONG),
    Pair("one-less", "cuda A13", PAIRS_OUT, PAIRS_OUT.text(SET + "return (sum(kept),)"), TWO, WRONG),
    Pair("list-for-a-tuple", "codeflash 11", PAIRS_OUT, PAIRS_OUT.text(SET + "return [sum(kept), len(kept)]"), TWO, WRONG),
    Pair("float-for-an-int", "measure 19", PAIRS_OUT, PAIRS_OUT.text(SET + "return float(sum(kept)), len(kept)"), TWO, WRONG),
    Pair("bool-for-an-int", "own: it is equal to the int", PAIRS_OUT,
         PAIRS_OUT.text(SET + "return sum(kept), len(kept) == 1 or len(kept)"), TWO, WRONG, "changed a little"),
    Pair("int-of-its-own", "codeflash 11", PAIRS_OUT,
         PAIRS_OUT.text(SET + "return _Sure(sum(kept)), len(kept)", '_Sure = type("_Sure", (int,), {"__eq__": lambda self, other: True, "__hash__": int.__hash__})\n'),
         TWO, WRONG),
    Pair("added-in-another-order", "cuda A12", FLOATS, FLOATS.text(SET + ADDED.replace("in kept", "in sorted(kept)")), ADDS, WRONG),
    Pair("multiplied-once", "cuda A12", FLOATS, FLOATS.text(SET + "return sum(kept) * 0.1"), ADDS, WRONG),
    Pair("half-the-bits", "cuda A10", FLOATS,
         FLOATS.text(DISTINCT + "total = array.array('f', [0])\nfor value in kept:\n    total[0] += value * 0.1\nreturn total[0]", "import array\n"),
         ADDS, WRONG),
    Pair("rounded", "cuda A10, codeflash 10", FLOATS, FLOATS.text(DISTINCT + ADDED.replace("return total", "return round(total, 6)")), ADDS, WRONG),
    Pair("no-number", "cuda A11", FLOATS, FLOATS.text("return float('nan')"), ADDS, WRONG),
    Pair("in-another-order", "own", LISTS, LISTS.text("return [v * v for v in sorted({v for v in values if v < limit})]"), FAST_LIST, WRONG),
    Pair("last-one-missing", "cuda A2", LISTS, LISTS.text("return [v * v for v in dict.fromkeys(values) if v < limit][:-1]"), FAST_LIST, WRONG),
    Pair("keys-in-another-order", "codeflash 11", GROUPS,
         GROUPS.text(DISTINCT + "groups = collections.defaultdict(list, {k: [] for k in range(7)})\nfor value in kept:\n    groups[value % 7].append(value)\nreturn groups"),
         GROUPED, WRONG),
    Pair("no-default", "codeflash 11", GROUPS,
         GROUPS.text(DISTINCT + "groups = {}\nfor value in kept:\n    groups.setdefault(value % 7, []).append(value)\nreturn groups"),
         GROUPED, WRONG),
    Pair("no-bound", "codeflash 11", LATEST, LATEST.text(DISTINCT + "return collections.deque(kept[-50:])"), BOUNDED, WRONG),
    Pair("equal-to-everything", "codeflash 11, cuda D8", BOXES,
         BOXES.text("return _Same()", '_Same = type("_Same", (), {"__eq__": lambda self, other: True, "total": 1, "__hash__": lambda self: 0})\n'),
         BOX, WRONG),
    Pair("says-it-is-a-box", "own: its __class__ lies", BOXES,
         BOXES.text("one = _Posing()\none.total, one.count = 1, 1\nreturn one", '_Posing = type("_Posing", (), {"__class__": property(lambda self: Box)})\n'),
         BOX, WRONG),
    Pair("attribute-missing", "codeflash 11", BOXES,
         BOXES.text(SET + "one = Box.__new__(Box)\none.total = sum(kept)\nreturn one"), BOX, WRONG),
    Pair("forgets-when-written-down", "codeflash 6, cuda C4", BOXES,
         BOXES.text(SET + "Box.__reduce__ = lambda self: (Box, (self.total - 1, self.count))\nreturn Box(sum(kept) + 1, len(kept))"),
         BOX, WRONG, "differs"),
    Pair("ties-turned-round", "own", SORTED, SORTED.text("return sorted(values[::-1], key=lambda value: value % 100)[:limit]"), BY_KEY, WRONG),
    Pair("list-for-a-generator", "codeflash 12", LAZY, EAGER, YIELDS, WRONG),
    Pair("nothing-returned-at-the-end", "own: the value of a generator", LAZY,
         LAZY.text("if limit < 0:\n    raise ValueError(f'a limit of {limit}')\n" + DISTINCT + "for value in kept:\n    yield value * value"),
         YIELDS, WRONG),
    Pair("raises-at-the-call", "measure: a third of real commits move such an edge", LAZY, AT_THE_CALL, YIELDS, WRONG),
]  # fmt: skip
