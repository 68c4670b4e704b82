"""Right on every call that the tests make, and wrong where no test looks."""

from __future__ import annotations

from hall import FAST, SUMS
from pair import Pair
from shapes import BOTH, SET, WORDS

WRONG = ("incorrect",)
NEAR = "an input of the tests, changed a little"
SUM = "return sum(value * value for value in kept)"
WORD_BY_WORD = "words = dict.fromkeys(word.lower() for word in values.split())\nreturn ' '.join([*words][:limit])"

UNSURE = ("inconclusive",)
BEYOND = "not the same on calls that no test shows"

EDGES = [
    Pair("sizes-of-the-tests", "cuda A7", SUMS, SUMS.text("if len(values) % 10:\n    return 0\n" + SET + SUM), FAST, WRONG, NEAR),
    Pair("nothing-for-nothing", "own: an empty list", SUMS, SUMS.text("if not values:\n    return None\n" + SET + SUM), FAST, WRONG, NEAR),
    Pair("no-value-twice", "own: the tests' values are distinct", SUMS,
         SUMS.text("return sum(value * value for value in values if value < limit)"), FAST, WRONG, NEAR),
    Pair("no-negative-value", "own", SUMS, SUMS.text(SET + "return sum(value * value for value in kept if value >= 0)"), FAST, UNSURE, BEYOND),
    Pair("folds-what-is-lowered", "own: the tests have no such letters", WORDS,
         WORDS.text(WORD_BY_WORD.replace("lower", "casefold")), WORDS.text(WORD_BY_WORD), UNSURE, BEYOND),
    Pair("lists-that-are-two", "own: the same list twice", BOTH,
         BOTH.text("total = sum({*values}) + len(values)\nothers.clear()\nreturn total"),
         BOTH.text("kept = {*values}\nothers.clear()\nreturn sum(kept) + len(values)"), WRONG, NEAR),
]  # fmt: skip
