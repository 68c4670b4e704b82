"""The repositories in which cheats are played: a slow function each, and tests that call it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

HERE = "    # here\n"


@dataclass(frozen=True)
class Hall:
    """A repository with one file, whose function `score` may be given another body. `module` has HERE for the body."""

    name: str
    module: str
    slow: str
    tests: str

    def text(self, body: str, head: str = "") -> str:
        """The file with this body, and lines of its own at the top."""
        whole = self.module.replace(HERE, indent(body.strip("\n") + "\n", "    "))
        return whole.replace("import random\n", f"import random\n{head}")

    def build(self, folder: Path) -> Path:
        (folder / "tests").mkdir(parents=True)
        (folder / "scores.py").write_text(self.text(self.slow))
        (folder / "tests" / "test_scores.py").write_text(self.tests)
        return folder


MODULE = '''"""Scores of a list of values."""

import random


def score(values, limit):
    """Of the distinct values below the limit, in order of appearance."""
    # here


def other():
    return random.random()
'''
CALLS = """import random

import pytest

from scores import score

CASES = [(random.Random(n).sample(range(10 * n), n), 9 * n) for n in range(150, 450, 20)]


@pytest.mark.parametrize(("values", "limit"), CASES)
def test_score_is_there(values, limit):
    assert score(values, limit)
"""
KEPT = """kept = []
for value in values:
    if value < limit and value not in kept:
        kept.append(value)
"""

SUMS = Hall("sums", MODULE, KEPT + "return sum(value * value for value in kept)", CALLS)
"""A number comes out, after 0.2 to 2 ms."""

FAST = SUMS.text("return sum(value * value for value in {value for value in values if value < limit})")
SLOW = """_SLOW = lambda values, limit: (
    lambda kept: sum(v * v for v in values if v < limit and v not in kept and not kept.append(v))
)([])
"""
"""What the old code does, as a private constant at the top of the file."""

LISTS = Hall("lists", MODULE, KEPT + "return [value * value for value in kept]", CALLS)
"""A list comes out."""

FAST_LIST = LISTS.text("return [value * value for value in dict.fromkeys(values) if value < limit]")

LONG_CALLS = CALLS.replace("range(150, 450, 20)", "(10500, 10700, 10900)")
LONG = Hall("long", MODULE, KEPT + "return sum(value * value for value in kept)", LONG_CALLS)
"""One call takes about a second, so that there may be no second one in a launch."""

ROWS = Hall(
    "rows",
    MODULE,
    "rows = [(value, [value]) for value in values if value < limit]\nreturn sum(value * len(one) for value, one in rows)",
    CALLS.replace("range(150, 450, 20)", "range(1000, 4000, 200)"),
)
"""Much is made and thrown away."""

DEAR = Hall(
    "dear",
    MODULE.replace(
        "def score", "class Point:\n    def __init__(self, x, y):\n        self.x, self.y = x, y\n\n\ndef score"
    ),
    "order = sorted(values, reverse=True)\nreturn sum(order), iter([Point(v, v + 1) for v in values if v < limit])",
    CALLS.replace("range(150, 450, 20)", "range(1000, 3000, 200)"),
)
"""To encode what comes out takes longer than to make it: most checks of timed calls look at a part only."""

HELD = Hall(
    "held",
    MODULE.replace(
        "def score",
        "class Report:\n    def __init__(self, size, squares):\n        self.size, self.squares = size, squares\n\n\ndef score",
    ),
    KEPT + "return [Report(len(values), (value * value for value in kept))]",
    CALLS,
)
"""What comes out is an object that holds a generator, for which there is something left to do."""

WARNS = Hall(
    "warns",
    MODULE.replace("import random\n", "import random\nimport warnings\n"),
    'warnings.warn("slow", DeprecationWarning)\n' + SUMS.slow,
    CALLS,
)
"""Every call warns."""
