"""Which statements of a function a patch touches."""

from __future__ import annotations

import textwrap

import pytest

from optagent.core.target import Target
from optagent.languages.python.source.statements import touched

TARGET = Target("m.py", "Box.work", "m", ".", 3)
OLD = '''
class Box:
    def work(self, xs):
        """Text."""
        out = []
        for x in xs:
            if x:
                out.append(x)
        return out
'''


def touched_by(old: str, new: str) -> list[str]:
    assert old in OLD
    text = OLD.replace(old, new)
    return [text.splitlines()[first - 1].strip() for first, _ in touched(OLD, text, TARGET)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("out = []", "out = list()", ["out = list()"]),
        ("        for x in xs:", "        # a note\n        for x in xs:", []),
        ('"""Text."""', '"""Other text."""', []),
        ("out = []", "out: list", []),
        ("if x:", "if x and True:", ["if x and True:"]),
        ("out.append(x)", "out.append(\n                    x)", ["out.append("]),
        (
            "return out",
            "try:\n            return out\n        finally:\n            pass",
            ["try:", "return out", "pass"],
        ),
        ("            if x:\n                out.append(x)\n", "            out += [x]\n", ["out += [x]"]),
        ("class Box:", "import math\n\n\nclass Box:", []),
    ],
)
def test_statements_with_a_changed_line_are_touched(old, new, expected):
    assert touched_by(old, new) == expected


def test_a_statement_without_its_body_reaches_over_all_lines_of_its_head():
    old = "def work(xs):\n    return 0\n"
    new = textwrap.dedent(
        """
        def work(xs):
            for x in [
                xs,
            ]:
                x
            return 0
        """
    )
    assert touched(old, new, Target("m.py", "work", "m", ".", 1)) == [(3, 5), (6, 6)]


def test_a_match_is_touched_case_by_case():
    old = "def work(x):\n    match x:\n        case 1:\n            return 2\n        case _:\n            return 3\n"
    assert touched(old, old.replace("return 3", "return 4"), Target("m.py", "work", "m", ".", 1)) == [(6, 6)]


def test_clauses_that_have_a_condition_are_statements_too():
    old = "def work(x):\n    try:\n        x()\n    except KeyError:\n        pass\n    match x:\n        case 2 if x:\n            return 2\n        case _:\n            return 3\n"
    new = old.replace("KeyError", "ValueError").replace("case 2 if x", "case 2 if not x")
    assert touched(old, new, Target("m.py", "work", "m", ".", 1)) == [(4, 4), (7, 7)]


def test_a_target_that_is_gone_has_no_statements():
    assert touched(OLD, "x = 1\n", TARGET) == []
