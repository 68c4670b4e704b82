"""The least on top of a heap: where it is proposed, where it is not, and that ties stay the same."""

from __future__ import annotations

import pytest
from equivalence import assert_same, of_rule, site
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SLUG = "argmin-heap"
INPUTS = [
    ([], 0),
    ([], 3),
    ([1], 0),
    ([5, 1, 1, 4, 0, 0, 2], 3),
    ([1, 1, 1, 1, 1], 2),
    ([2, -3, 2, 0], 1),
    ([0.5, 0.25, 0.25, 1e300, -0.0], 4),
    (["a"], 2),
    ([3, None], 2),
    ([1] * 20, 4),
]

SEARCHES = {
    "a bound method": "best = min(range(n), key=loads.__getitem__)",
    "a lambda": "best = min(range(len(loads)), key=lambda d: loads[d])",
    "a lambda that spells the tie out": "best = min(range(len(loads)), key=lambda d: (loads[d], d))",
    "index of min": "best = loads.index(min(loads))",
    "index of min in two lines": "low = min(loads)\nbest = loads.index(low)",
    "a loop from the second": "best = 0\nfor d in range(1, n):\n    if loads[d] < loads[best]:\n        best = d",
    "a loop over all, the other way round": (
        "best = 0\nfor d in range(len(loads)):\n    if loads[best] > loads[d]: best = d"
    ),
    "a loop with the value": (
        "best = 0\nlow = loads[0]\nfor d in range(1, n):\n    if loads[d] < low:\n        low = loads[d]\n        best = d"
    ),
    "a loop with both at once": (
        "best, low = 0, loads[0]\nfor d, load in enumerate(loads):\n    if load < low:\n        best, low = d, load"
    ),
    "a loop from infinity": (
        'best = -1\nlow = float("inf")\nfor d, load in enumerate(loads):\n    if load < low:\n'
        "        best = d\n        low = load"
    ),
    "a loop from None": (
        "best = None\nfor d in range(n):\n    if best is None or loads[d] < loads[best]:\n        best = d"
    ),
}
CHANGES = ["loads[best] += w", "loads[best] = loads[best] + w", "if w != 1:\n    loads[best] += w"]


def program(search: str, change: str, start: str = "[0] * n", more: str = "pass") -> str:
    lines = [f"loads = {start}", "out = []", "low = 0", "for w in xs:"]
    body = [*search.split("\n"), *change.split("\n"), "out.append((best, loads[best]))", *more.split("\n")]
    return "\n".join(
        [
            "def fn(xs, n):",
            *(f"    {one}" for one in lines),
            *(f"        {one}" for one in body),
            "    return loads, out",
        ]
    )


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES.keys())
@pytest.mark.parametrize("change", CHANGES)
def test_proposed_and_the_same(search: str, change: str) -> None:
    at = site(program(search, change, "[0 for _ in range(n)]"))
    [proposal] = of_rule(SLUG, at)
    assert "heapreplace" in proposal.source
    assert proposal.source.startswith("import heapq\n")
    assert_same(at, [proposal], INPUTS)


def greatest(search: str) -> str:
    for old, new in (("min", "max"), ("loads[d] < ", "loads[d] > "), ("loads[best] > ", "loads[best] < ")):
        search = search.replace(old, new)
    return search.replace("load < low", "load > low").replace('float("inf")', 'float("-inf")')


@pytest.mark.parametrize("search", [text for name, text in SEARCHES.items() if "tie" not in name])
def test_the_greatest_is_found_as_well(search: str) -> None:
    at = site(program(greatest(search), "loads[best] -= w", "[9] * n"))
    [proposal] = of_rule(SLUG, at)
    assert "(-loads[best], best)" in proposal.source
    assert_same(at, [proposal], INPUTS)


SEARCH, CHANGE = SEARCHES["a bound method"], CHANGES[0]
HANDS_OFF = {
    "a second change": program(SEARCH, CHANGE, more="loads[0] = 1"),
    "a change of another element": program(SEARCH, "loads[best - 1] += w"),
    "no change": program(SEARCH, "out.append(w)"),
    "a change before the search": program("best = 0\nloads[best] += w\n" + SEARCH, "out.append(w)"),
    "the index moves": program(SEARCH, "best = (best + 1) % n\n" + CHANGE),
    "a change in an inner loop": program(SEARCH, "for _ in range(2):\n    loads[best] += w"),
    "the list grows": program(SEARCH, CHANGE, more="loads.append(0)"),
    "the list is sorted": program(SEARCH, CHANGE, more="loads.sort()"),
    "the list is made anew": program(SEARCH, CHANGE, more="loads = [0] * n"),
    "somebody else holds the list": program(SEARCH, CHANGE, more="out.append(loads)"),
    "an alias": program(SEARCH, CHANGE, more="alias = loads\nalias[0] = 3"),
    "a parameter": "def fn(loads, n):\n    for w in range(n):\n        best = loads.index(min(loads))\n        loads[best] += w",
    "the last of equals": program(SEARCHES["a loop from the second"].replace("<", "<="), CHANGE),
    "another key": program("best = min(range(n), key=lambda d: -loads[d])", CHANGE),
    "the last of equals by a tuple": program("best = min(range(n), key=lambda d: (loads[d], -d))", CHANGE),
    "the greatest with the last of equals": program(
        "best = max(range(n), key=lambda d: (loads[d], d))", "loads[best] -= w", "[9] * n"
    ),
    "two lists": program("best = min(range(n), key=lambda d: (loads[d], out[d]))", CHANGE),
    "a part of the indices": program("best = min(range(n - 1), key=loads.__getitem__)", CHANGE),
    "another length": program(SEARCH, CHANGE, "[0] * (n + 1)"),
    "the length changes": program(SEARCH, CHANGE, more="n -= 1"),
    "it starts at another index": program(SEARCHES["a loop from the second"].replace("best = 0", "best = 1"), CHANGE),
    "a loop that looks at more": program(SEARCHES["a loop from the second"] + "\n        low = d", CHANGE),
    "a loop that starts late": program(
        "best = 0\nfor d in range(2, n):\n    if loads[d] < loads[best]: best = d", CHANGE
    ),
    "the loop variable is read": program(SEARCHES["a loop from the second"], CHANGE, more="out.append(d)"),
    "texts cannot be negated": program("best = max(range(n), key=loads.__getitem__)", CHANGE, '["a"] * n'),
    "values of unknown kind cannot be negated": program("best = loads.index(max(loads))", CHANGE, "[xs] * n"),
    "not in a loop": "def fn(xs, n):\n    loads = [0] * n\n    best = loads.index(min(loads))\n    loads[best] += 1\n    return loads",
    "another min": "min = max\n" + program(SEARCH, CHANGE),
    "a function that changes it": program(SEARCH, CHANGE, more="def g(): loads[0] = 5\ng()"),
}


@pytest.mark.parametrize("text", HANDS_OFF.values(), ids=HANDS_OFF.keys())
def test_hands_off(text: str) -> None:
    assert of_rule(SLUG, site(text)) == []


def test_a_heapq_that_is_there_is_used_under_its_name() -> None:
    text = program(SEARCH, CHANGE)
    [plain] = of_rule(SLUG, site("import os\nimport heapq as hq\nfrom sys import path\n" + text))
    assert plain.source.count("heapq") == 1
    assert "hq.heapreplace(loads_heap" in plain.source
    [other] = of_rule(SLUG, site("heapq = None\n" + text))
    assert other.source.startswith("import heapq as _heapq\n")
    assert "_heapq.heapify(loads_heap)" in other.source


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    st.sampled_from(sorted(SEARCHES.values())),
    st.sampled_from([*CHANGES, "loads[best] = -w", "loads[best] = w * 2"]),
    st.sampled_from(["continue", "break", "out.append(min(loads))", "out.append(sum(loads))", "n += 0", "w = 1"]),
    st.lists(st.integers(-3, 3), max_size=12),
    st.integers(0, 4),
)
def test_random_greedy_loops_stay_the_same(search: str, change: str, more: str, xs: list[int], n: int) -> None:
    at = site(program(search, f"{change}\nif w == 2:\n    {more}"))
    assert_same(at, of_rule(SLUG, at), [(xs, n)])
