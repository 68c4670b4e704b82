"""Lists grown in place: where it is proposed, where it is not, and that nobody notices."""

from __future__ import annotations

import textwrap

import pytest
from equivalence import assert_same, of_rule, site
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SLUG = "extend-copy"
INPUTS = [([],), ([1],), ([1, 2, 1],), ("abc",), ({1: 2, 3: 4},), (None,), ([[1], [2]],), (5,)]

MUST = {
    "a copy for each": """
        def fn(xs):
            out = []
            for x in xs:
                out = out + [x]
            return out
    """,
    "several, a spread, and both": """
        def fn(xs):
            out = [0]
            for x in xs:
                out = out + [x] + [x, x]
                out = [*out, x, *out]
                if len(out) > 50:
                    return out
                out += [1]
            return out
    """,
    "a list made in an outer loop": """
        def fn(xs):
            rows = []
            for x in xs:
                row = []
                for y in xs:
                    row = row + [y]
                rows.append(row)
            return rows
    """,
    "a part of itself": """
        def fn(xs):
            out = [1]
            while len(out) < 20:
                out = out + out[-1:]
            return out
    """,
    "a while loop and a comment behind": """
        def fn(xs):
            out = list(xs)
            n = 0
            while n < 3:
                out = out + sorted(out)  # again
                n += 1
            return out
    """,
    "a loop of appends": """
        def fn(xs):
            out = []
            for x in xs:
                out.append(x)
            return out
    """,
    "a loop of appends after others": """
        def fn(xs):
            out = [1]
            out.append(2)
            # the rest
            for x in xs: out.append(x)
            for y in reversed(list(xs)):
                out.append(y)
            return out
    """,
    "a loop over indices": """
        def fn(xs):
            xs = list(xs)
            out = []
            for i in range(len(xs)):
                out.append(xs[i])
            return out
    """,
    "the list is somebody else's, what is gone through does nothing": """
        def fn(xs: list):
            for k in range(3):
                xs.append(k)
            return xs
    """,
    "the same variable in two loops": """
        def fn(xs):
            out = []
            for x in xs:
                out.append(x)
            for x in [7, 8]:
                out.append(x)
            return out
    """,
}


@pytest.mark.parametrize("text", MUST.values(), ids=MUST.keys())
def test_proposed_and_the_same(text: str) -> None:
    at = site(text)
    found = of_rule(SLUG, at)
    assert found
    assert_same(at, found, [args for args in INPUTS if "xs: list" not in text or args[0] in ([], [1], [1, 2, 1])])


def growing(use: str, growth: str = "out = out + [x]", start: str = "out = []") -> str:
    lines = [*start.split("\n"), "kept = []", "for x in xs:", f"    {growth}", *use.split("\n"), "return out, kept"]
    return "def fn(xs):\n" + textwrap.indent("\n".join(lines), "    ") + "\n"


HANDS_OFF = {
    "kept": growing("    kept.append(out)"),
    "an alias before": growing("    pass", start="out = []\nkept_too = out"),
    "an alias after": growing("    last = out"),
    "yielded": growing("    yield out"),
    "passed on": growing("    keep(out)"),
    "kept under a condition before": growing("    pass", "if x: kept.append(out)\n    out = out + [x]"),
    "a closure": growing("    kept.append(lambda: out)"),
    "an iterator kept": growing("    kept = zip(out, xs)"),
    "a generator kept": growing("    kept = (y for y in out)"),
    "gone through by a loop around": """
        def fn(xs):
            out = [1, 2]
            for x in out:
                if len(out) < 9:
                    out = out + [x]
            return out
    """,
    "what is added is of unknown kind": growing("    pass", "out = out + x"),
    "what is added is a tuple": growing("    pass", "out = out + (x,)"),
    "the start is somebody else's": growing("    pass", start="out = xs"),
    "the start is a parameter": "def fn(out: list):\n    for x in [1, 2]:\n        out = out + [x]\n    return out\n",
    "text": growing("    pass", "out = out + 'a'", "out = ''"),
    "in front": growing("    pass", "out = [x] + out"),
    "two targets": growing("    pass", "out = both = out + [x]"),
    "not in a loop": "def fn(xs):\n    out = [1]\n    out = out + [2]\n    return out\n",
    "rebound to another's": growing("    out = xs"),
    "appends and more": "def fn(xs):\n    out = []\n    for x in xs:\n        out.append(x)\n        print(x)\n    return out\n",
    "appends of something else": "def fn(xs):\n    out = []\n    for x in xs:\n        out.append(x + 1)\n    return out\n",
    "the variable is read": "def fn(xs):\n    out = []\n    for x in xs:\n        out.append(x)\n    return out, x\n",
    "appends to what is gone through": "def fn(xs: list):\n    for x in xs[:2] and xs:\n        xs.append(x)\n",
    "appends to another kind": "def fn(out, xs):\n    for x in xs:\n        out.append(x)\n",
    "an else": "def fn(xs):\n    out = []\n    for x in xs:\n        out.append(x)\n    else:\n        out.append(1)\n    return out\n",
    "somebody else's list, and an iterator": "def fn(out: list, xs):\n    for x in xs:\n        out.append(x)\n",
    "a comment inside": "def fn(xs):\n    out = []\n    for x in xs:\n        # one\n        out.append(x)\n    return out\n",
}


@pytest.mark.parametrize("text", HANDS_OFF.values(), ids=HANDS_OFF.keys())
def test_hands_off(text: str) -> None:
    assert of_rule(SLUG, site(text)) == []


LINES = [
    *("out = out + [x]", "out = [*out, x]", "out = out + [x] + out[:2]", "kept.append(out)", "out = []", "out = kept"),
    *(
        "kept = out",
        "kept = kept + [x]",
        "for y in kept[:5]: out.append(y)",
        "for y in tuple(out): kept.append(y)",
        "out.append(x)",
    ),
    *("kept.append(len(out))", "for y in xs:\n    out = out + [y]", "out += [x]", "break", "out = sorted(kept)"),
    *("if x: out = out + [x]", "for y in out:\n    out = out + [y]", "it = iter(out)", "it = (v for v in out)"),
]


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=4), st.lists(st.sampled_from(LINES), max_size=2))
def test_random_growths_stay_the_same(lines: list[str], after: list[str]) -> None:
    lines = ["if len(out) + len(kept) > 40: break", *lines]
    body = "for x in xs:\n" + textwrap.indent("\n".join(lines), "    ")
    rest = "for x in xs:\n" + textwrap.indent("\n".join(after), "    ") if after else ""
    text = f"out = []\nkept = []\nit = ()\n{body}\n{rest}\nreturn out, kept, list(it)"
    at = site("def fn(xs):\n" + textwrap.indent(text, "    "))
    assert_same(at, of_rule(SLUG, at), [([],), ([1],), ([1, 0, 2],)])
