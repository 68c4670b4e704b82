"""Tables of sums and extremes: where they are proposed, where they are not, and that every entry is right."""

from __future__ import annotations

import pytest
from equivalence import assert_same, of_rule, site
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SLUG = "prefix-table"
INPUTS = [([],), ([1],), ([3, 1, 2],), ([-1, -5, 0, 7, 7, 2],), ([0, 0],), ([10**30, 1, -(10**30)],)]

MUST = {
    "sums before and from": """
        def fn(xs: list[int]):
            out = []
            for i in range(len(xs)):
                out.append((sum(xs[:i]), sum(xs[: i + 1]), sum(xs[i:]), sum(xs[i + 1 :]), sum(xs[0:i])))
            return out
    """,
    "extremes before and from": """
        def fn(xs: list):
            n = len(xs)
            out = 0
            for i in range(1, n - 1):
                left = max(xs[:i])
                right = max(xs[i + 1 :])
                out += min(left, right) - min(xs[i:]) + min(xs[: i + 1])
            return out
    """,
    "enumerate, and a comprehension": """
        def fn(xs: list[int]):
            out = [sum(xs[: i + 1]) / (i + 1) for i, x in enumerate(xs) if x]
            for i, x in enumerate(xs):
                out.append(x - sum(xs[:i]))
            return out
    """,
    "an index one behind the end": """
        def fn(xs: list[int]):
            return [sum(xs[:i]) == sum(xs[i:]) for i in range(len(xs) + 1)]
    """,
    "a local list, in parentheses": """
        def fn(xs):
            ys = sorted(xs)
            out = []
            for k in range(len(ys)):
                out.append(k*(sum(ys[:k]))-(max(ys[k:])))
            return out
    """,
    "the outer loop's index in an inner loop": """
        def fn(xs: list[int]):
            out = 0
            for i in range(len(xs)):
                for j in range(3):
                    out += sum(xs[:i]) * j
            return out
    """,
}


@pytest.mark.parametrize("text", MUST.values(), ids=MUST.keys())
def test_proposed_and_the_same(text: str) -> None:
    at = site(text)
    found = of_rule(SLUG, at)
    assert found
    assert all(one.source.startswith("from itertools import accumulate\n") for one in found)
    assert_same(at, found, INPUTS)


def asked(expression: str, head: str = "for i in range(len(xs)):", kind: str = "list[int]", more: str = "pass") -> str:
    return f"def fn(xs: {kind}, n):\n    out = []\n    {head}\n        out.append({expression})\n        {more}\n    return out\n"


HANDS_OFF = {
    "the list changes": asked("sum(xs[:i])", more="xs[i] = 0"),
    "the list grows": asked("sum(xs[:i])", more="xs.append(1)"),
    "the list is rebound": asked("sum(xs[:i])", more="xs = xs[1:]"),
    "the list is passed on": asked("sum(xs[:i])", more="print(n(xs))"),
    "the index moves": asked("sum(xs[:i])", more="i += 1"),
    "another end": asked("sum(xs[:i])", "for i in range(n):"),
    "past the end": asked("sum(xs[:i])", "for i in range(len(xs) + 2):"),
    "a step": asked("sum(xs[:i:2])"),
    "both ends": asked("sum(xs[i:n])"),
    "from behind": asked("sum(xs[:i - 1])"),
    "backwards": asked("sum(xs[:i])", "for i in range(len(xs) - 1, -1, -1):"),
    "counted from one": asked("sum(xs[:i])", "for i, x in enumerate(xs, 1):"),
    "nothing before the first": asked("max(xs[:i])"),
    "nothing after the last": asked("max(xs[i + 1:])"),
    "a default": asked("max(xs[:i], default=0)"),
    "a start": asked("sum(xs[:i], 1)"),
    "floats": asked("sum(xs[:i])", kind="list[float]"),
    "the rest of elements of unknown kind": asked("sum(xs[i:])", kind="list"),
    "text": asked("max(xs[:i + 1])", kind="str"),
    "unknown": "def fn(xs):\n    return [sum(xs[:i]) for i in range(len(xs))]\n",
    "another list's length": "def fn(xs: list, ys: list):\n    return [sum(xs[:i]) for i in range(len(ys))]\n",
    "the length of another time": (
        "def fn(xs: list):\n    n = len(xs)\n    xs.pop()\n    return [sum(xs[:i + 1]) for i in range(n)]\n"
    ),
    "not in a loop of its index": "def fn(xs: list, i: int):\n    return [sum(xs[:i]) for _ in xs]\n",
    "it yields": "def fn(xs: list[int]):\n    for i in range(len(xs)):\n        yield sum(xs[:i])\n",
    "another sum": "sum = max\n" + asked("sum(xs[:i])"),
}


@pytest.mark.parametrize("text", HANDS_OFF.values(), ids=HANDS_OFF.keys())
def test_hands_off(text: str) -> None:
    assert of_rule(SLUG, site(text)) == []


def test_equal_elements_of_other_types_come_as_they_came() -> None:
    at = site("def fn(xs: list):\n    return [(max(xs[:i + 1]), min(xs[:i + 1])) for i in range(len(xs))]\n")
    found = of_rule(SLUG, at)
    assert found
    assert_same(at, found, [([1, True, 1.0, 0, -0.0, False],), ([True, 1, 0.0],), ([float("nan"), 1, 2],), (["a", 1],)])


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    st.sampled_from(["sum", "max", "min"]),
    st.sampled_from(["xs[:{}]", "xs[{}:]"]),
    st.sampled_from(["i", "i + 1", "i - 1", "1 + i", "i + 2"]),
    st.sampled_from(["len(xs)", "1, len(xs)", "len(xs) - 1", "1, len(xs) + 1", "2, n", "n - 1"]),
    st.lists(st.integers(-3, 3), max_size=6),
)
def test_random_slices_stay_the_same(word: str, cut: str, edge: str, reach: str, xs: list[int]) -> None:
    text = f"n = len(xs)\n    return [{word}({cut.format(edge)}) for i in range({reach})]"
    at = site(f"def fn(xs: list[int]):\n    {text}\n")
    assert_same(at, of_rule(SLUG, at), [(xs,)])
