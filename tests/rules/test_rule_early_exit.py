"""Early exits: where they are proposed, where they are not, and that the answer stays the same."""

from __future__ import annotations

import textwrap

import pytest
from equivalence import assert_same, of_rule, site
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SLUG = "early-exit"
INPUTS = [([], []), ([1], [1]), ([1, 2, 3], [3, 1]), ([2, 4], [1, 9]), ([0, 0], [0]), ([5, 1], [])]

MUST = {
    "any and all of a list": """
        def fn(xs: list, ys: list):
            return any([x > 2 for x in xs]), all([x in ys and x for x in xs if x]), any([x == y for x in xs for y in ys])
    """,
    "methods of text, attributes": """
        def fn(xs: list, ys: list):
            return [str(x).startswith("1") for x in ys] and any([str(x).isdigit() for x in xs])
    """,
    "a length asked for": """
        def fn(xs: list, ys: list):
            a = len([x for x in xs if x > 2]) > 0
            if len([x for x in xs if x in ys]) == 0: a = not a
            return a, len([x for x in xs if x]) >= 1, (len([x for x in xs if x]) < 1) + 1, 2 if len([y for y in ys]) != 0 else 3
    """,
    "a flag": """
        def fn(xs: list, ys: list):
            found = False
            for x in xs:
                if x > 2:
                    found = True
            return found
    """,
    "a flag taken down, names of its own, a one-line if": """
        def fn(xs: list, ys: list):
            out = []
            for x in xs:
                ok = True
                for k, y in enumerate(ys):
                    d = x - y
                    if d < k: ok = False
                if ok:
                    out.append(x)
            return out
    """,
    "two loops": """
        def fn(xs: list, ys: list):
            hit = False
            for x in xs:
                if x > 4:
                    continue
                for y in ys:
                    if x == y:
                        hit = True
                    else:
                        pass
            return hit
    """,
    "a flag that may stand already": """
        def fn(xs: list, ys: list):
            hit = bool(ys)
            for x in xs:
                if not hit and x > 2 or x == 0:
                    hit = True
            for x in ys:
                hit = hit and x > 0
            return hit
    """,
    "set in two places": """
        def fn(xs: list, ys: list):
            ok = True
            for i in range(len(xs) - 1):
                if xs[i] > xs[i + 1]:
                    ok = False
                elif xs[i] in ys:
                    ok = False
            return ok
    """,
}


@pytest.mark.parametrize("text", MUST.values(), ids=MUST.keys())
def test_proposed_and_the_same(text: str) -> None:
    at = site(text)
    found = of_rule(SLUG, at)
    assert found
    assert_same(at, found, INPUTS)


def flagged(body: str, head: str = "for x in xs:", after: str = "return found") -> str:
    lines = ["found = False", "count = 0", head, *(f"    {line}" for line in body.split("\n")), *after.split("\n")]
    return "def fn(xs: list, ys):\n" + textwrap.indent("\n".join(lines), "    ") + "\n"


HIT = "if x > 2:\n    found = True"
HANDS_OFF = {
    "it counts": flagged(HIT + "\ncount += 1"),
    "it gathers": flagged("if x > 2:\n    found = True\n    ys.append(x)"),
    "it calls": flagged("if look(x):\n    found = True"),
    "it calls a method": flagged("if x.look():\n    found = True"),
    "it keeps the last": flagged("if x > 2:\n    found = x"),
    "it goes back": flagged(HIT + "\nelse:\n    found = False"),
    "two flags": flagged(HIT + "\nif x < 0:\n    count = True", after="return found, count"),
    "the variable is read": flagged(HIT, after="return found, x"),
    "an else": flagged(HIT, after="else:\n    found = 3\nreturn found"),
    "it leaves already": flagged(HIT + "\n    break"),
    "it returns": flagged("if x > 3: return 1\n" + HIT),
    "an iterator": flagged(HIT, "for x in ys:"),
    "a while loop": flagged("found = True", "while count:"),
    "it awaits": "async def fn(xs: list):\n    a = False\n    async for x in xs:\n        if x:\n            a = True\n    return a\n",
    "the flag was never set before": (
        "def fn(xs: list):\n    for x in xs:\n        if x:\n            a = True\n    return a\n"
    ),
    "it stores to an entry": flagged("if x > 2:\n    xs[0] = True"),
    "it yields": flagged("if (yield x):\n    found = True"),
    "something that calls in a list": "def fn(xs: list):\n    return any([look(x) for x in xs])\n",
    "a name given in a list": "def fn(xs: list):\n    return any([(y := x) for x in xs]), y\n",
    "an iterator in a list": "def fn(xs):\n    return any([x > 2 for x in xs]), next(xs)\n",
    "another any": "any = all\ndef fn(xs: list):\n    return any([x > 2 for x in xs])\n",
    "a generator already": "def fn(xs: list):\n    return any(x > 2 for x in xs)\n",
    "a length of more": "def fn(xs: list):\n    return len([x for x in xs if x]) > 1\n",
    "a set has a smaller length": "def fn(xs: list):\n    return len({x for x in xs if x}) == 1\n",
}


@pytest.mark.parametrize("text", HANDS_OFF.values(), ids=HANDS_OFF.keys())
def test_hands_off(text: str) -> None:
    assert of_rule(SLUG, site(text)) == []


LINES = [
    *("if x > 1: a = True", "if x in ys: b = False", "if x == 2:\n    a = True", "d = x * 2", "if d > 4: a = True"),
    *("for y in ys:\n    if x == y:\n        a = True", "for y in ys:\n    if x < y: b = False", "c += 1", "a = True"),
    *("if a: b = False", "if not a and x: a = True", "x = 3", "continue", "if x: pass\nelse: a = True", "a = False"),
]


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=3), st.sampled_from(["a", "a, b", "a, c", "a, d", "a, x"]))
def test_random_flags_stay_the_same(lines: list[str], result: str) -> None:
    body = "for x in xs:\n" + textwrap.indent("\n".join(lines), "    ")
    text = f"a = False\nb = True\nc = d = x = y = 0\n{body}\nreturn {result}"
    at = site("def fn(xs: list, ys: list):\n" + textwrap.indent(text, "    "))
    assert_same(at, of_rule(SLUG, at), INPUTS)
