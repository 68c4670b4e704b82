"""Small loops put together at random behave the same after every edit any rule proposes."""

from __future__ import annotations

import textwrap

import pytest
from equivalence import assert_same
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optagent.rules.base import Site
from optagent.rules.registry import proposals

NUMBERS = [
    "x",
    "y",
    "n",
    "len(xs)",
    "max(ys)",
    "sum(xs)",
    "xs[0]",
    "n % 7 * n + 1",
    "min(xs, default=n)",
    "sorted(ys)[-1]",
]
CONDITIONS = [
    *("x in xs", "x not in ys", "n in seen", "x in seen", "x not in seen", "len(out) < 5", "x > n and x in ys"),
    *("any(x in ys for x in xs)", "x < max(ys)", "acc", "x in xs[1:]", "y in ys or x in seen"),
]
SIMPLE = [
    *("seen.append({n})", "seen.append(x)", "out.append({n})", "out.append(seen)", "xs.append({n})", "ys.remove(x)"),
    *(
        "acc += str({n})",
        "acc = acc + 'a' + str(x)",
        "acc += str(x) * 2",
        "raw += b'z'",
        "acc = ''",
        "seen = []",
        "n = {n} % 9",
    ),
    *("n += 1", "ys = xs", "ys = list(ys)", "out = [v + {n} for v in ys if v in xs]", "xs[0] = x", "del ys[0]"),
    *(
        "continue",
        "break",
        "return acc",
        "return acc, out",
        "out += [{n}]",
        "total += {n} * {n}",
        "y = {n}",
        "seen.sort()",
    ),
    *("out.append(sum(v * v for v in ys))", "acc += ''.join(str(v) for v in ys if v in xs)", "log.append(acc)", "pass"),
    *(
        "x = {n}",
        "total += max(xs) - x",
        "raw = raw + b'a' + b'b'",
        "out.append([v in xs for v in ys])",
        "alias = seen",
    ),
    *(
        "alias.append(x)",
        "(z := {n})",
        "assert {n} >= 0",
        "out = out[:3]",
        "seen, out = out, seen",
        "yield_ = lambda: xs",
    ),
]
HEADS = [
    *("for x in xs:", "for x in list(ys):", "for x in range(3):", "for x, y in zip(xs, ys):", "for y in ys:"),
    *("for x in [v for v in ys if v not in xs]:", "while len(out) < 3:", "for x in sorted(xs):"),
]
START = """
seen = []
out = []
log = []
alias = []
acc = ""
raw = b""
total = fuel = 0
x = y = 0
"""


def simple() -> st.SearchStrategy[str]:
    pair = st.tuples(st.sampled_from(SIMPLE), st.sampled_from(NUMBERS))
    return pair.map(lambda both: both[0].replace("{n}", both[1]))


def suite(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(part, min_size=1, max_size=3).map(lambda lines: textwrap.indent("\n".join(lines), "    "))


def branching(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = suite(part)
    test = st.sampled_from(CONDITIONS)
    plain = st.tuples(test, body).map(lambda it: f"if {it[0]}:\n{it[1]}")
    other = st.tuples(test, body, body).map(lambda it: f"if {it[0]}:\n{it[1]}\nelse:\n{it[2]}")
    third = st.tuples(test, body, test, body).map(lambda it: f"if {it[0]}:\n{it[1]}\nelif {it[2]}:\n{it[3]}")
    caught = st.tuples(body, body).map(lambda it: f"try:\n{it[0]}\nexcept ValueError:\n{it[1]}")
    return st.one_of(plain, plain, other, third, caught)


def looping(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = suite(part)
    head = st.sampled_from(HEADS)
    plain = st.tuples(head, body).map(lambda it: f"{it[0]}\n    fuel += 1\n    if fuel > 40: break\n{it[1]}")
    other = st.tuples(head, body, body).map(
        lambda it: f"{it[0]}\n    fuel += 1\n    if fuel > 40: break\n{it[1]}\nelse:\n{it[2]}"
    )
    return st.one_of(plain, plain, other)


INNER = st.recursive(simple(), lambda part: st.one_of(branching(part), looping(part)), max_leaves=6)
PROGRAM = st.lists(st.one_of(looping(INNER), looping(INNER), INNER), min_size=1, max_size=3)
INPUTS = [
    *(([], [], 0), ([1], [], 1), ([], [1], 0), ([1, 2, 2], [2, 3], 1), ([3, 1], [1, 1, 5], 2), ([2, 2], [0, 2], 3)),
    *((["a"], [1], 0), (["a", "b"], ["b"], 0)),
]


def compiles(source: str) -> bool:
    try:
        compile(source, "<random>", "exec")
    except SyntaxError:
        return False
    return True


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(PROGRAM, st.booleans())
def test_random_loops_stay_the_same(parts: list[str], with_types: bool) -> None:
    body = START + "\n".join(parts) + "\nreturn acc, raw, out, seen, log, total, n\n"
    source = "def fn(xs: list, ys: list, n: int):\n" + textwrap.indent(body, "    ")
    if not compiles(source):
        return
    at = Site(source, "fn", {"xs": frozenset({"list"}), "ys": frozenset({"list"})} if with_types else {})
    assert_same(at, proposals(at), INPUTS)
