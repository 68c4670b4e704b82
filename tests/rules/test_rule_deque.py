"""Queues: where a deque is proposed, where it is not, and that nothing else changes."""

from __future__ import annotations

import textwrap

import pytest
from equivalence import assert_same, of_rule, site
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SLUG = "deque-queue"
INPUTS = [([],), ([1],), ([3, 1, 2],), ([1, 1, 0, 4, 2],), ("abc",), (None,)]

MUST = {
    "a search in breadth": """
        def fn(xs):
            queue = [0]
            seen = []
            while queue:
                node = queue.pop(0)
                if node in seen:
                    continue
                seen.append(node)
                for x in xs:
                    if x not in seen:
                        queue.append(x)
            return seen, queue
    """,
    "pairs, a copy of a parameter, an annotation, a returned queue": """
        def fn(xs):
            queue: list[tuple[int, int]] = list(enumerate(xs))
            out = []
            while len(queue) > 1:
                k, x = queue.pop(0)
                out.append((k, x, len(queue), queue[0], queue[-1]))
            return queue
    """,
    "asked first": """
        def fn(xs):
            queue = [x for x in xs]
            out = []
            while True:
                if not queue:
                    break
                out.append(queue.pop(0))
                if queue and queue[0] == 1:
                    out.append(queue.pop())
            return out
    """,
    "filled at the front": """
        def fn(xs):
            out = []
            for x in xs:
                out.insert(0, x)
            return out
    """,
    "in circles": """
        def fn(xs):
            ring = list(xs)
            out = []
            while len(ring) > 1:
                for _ in range(2):
                    ring.append(ring.pop(0))
                out.append(ring.pop(0))
            return out + [x for x in ring], sorted(ring), list(ring), sum(1 for x in ring), (x in ring for x in xs)
    """.replace(", (x in ring for x in xs)", ""),
    "grown in other ways": """
        def fn(xs):
            queue = []
            queue += [x for x in xs]
            queue.extend(xs)
            out = 0
            while queue and out < 9:
                out += 1
                if queue.pop(0) == 1:
                    queue = [5]
                    queue.clear()
            for x in queue:
                out += 1
            return out if queue else not queue
    """,
}


@pytest.mark.parametrize("text", MUST.values(), ids=MUST.keys())
def test_proposed_and_the_same(text: str) -> None:
    at = site(text)
    found = of_rule(SLUG, at)
    assert found
    assert all("deque(" in one.source and ".pop(0)" not in one.source for one in found)
    assert_same(at, found, INPUTS)


def queued(use: str, start: str = "list(xs)") -> str:
    lines = [f"queue = {start}", "other = []", "while queue:", "    x = queue.pop(0)", *use.split("\n"), "return other"]
    return "def fn(xs):\n" + textwrap.indent("\n".join(lines), "    ") + "\n"


HANDS_OFF = {
    "a slice": queued("    other = queue[1:]"),
    "an index in the middle": queued("    other.append(queue[x])"),
    "an entry is stored": queued("    queue[0] = x"),
    "a comparison": queued("    other.append(queue == [])"),
    "passed on": queued("    other = print(queue)"),
    "kept": queued("    other.append(queue)"),
    "an alias": queued("    other = queue"),
    "added to": queued("    other = other + queue"),
    "made a text": queued("    other.append(f'{queue}')"),
    "sorted": queued("    queue.sort()"),
    "found in": queued("    other.append(queue.index(x))"),
    "popped in the middle": queued("    queue.pop(1)"),
    "inserted in the middle": queued("    queue.insert(1, x)"),
    "changed while it is gone through": queued("    for y in queue:\n        queue.append(1)\n        break"),
    "changed in a comprehension": queued("    [queue.append(y) for y in queue if y > 9]"),
    "extended by itself": queued("    queue.extend(queue)"),
    "multiplied": queued("    queue *= 2"),
    "deleted from": queued("    del queue[0]"),
    "compared with another": queued("    other = max(queue, other)"),
    "a start of a sum": queued("    other = sum([], queue)"),
    "unpacked": queued("    other = [*queue]"),
    "used in a function": queued("    other.append(lambda: queue)"),
    "a method kept": queued("    other.append(queue.append)"),
    "made elsewhere": queued("    pass", "xs"),
    "yielded": queued("    yield queue"),
    "a parameter": "def fn(queue: list):\n    while queue:\n        queue.pop(0)\n    return queue\n",
    "nobody asked whether it is empty": "def fn(xs):\n    q = list(xs)\n    for x in xs:\n        q.pop(0)\n",
    "not in a loop": "def fn(xs):\n    q = list(xs)\n    if q:\n        q.pop(0)\n    return q\n",
    "a global": "queue = []\ndef fn(xs):\n    global queue\n    queue = list(xs)\n    while queue:\n        queue.pop(0)\n",
    "only the back": "def fn(xs):\n    q = list(xs)\n    while q:\n        q.pop()\n    return q\n",
}


@pytest.mark.parametrize("text", HANDS_OFF.values(), ids=HANDS_OFF.keys())
def test_hands_off(text: str) -> None:
    assert of_rule(SLUG, site(text)) == []


def test_the_import_is_added_once_and_a_name_that_is_there_is_used() -> None:
    [plain] = of_rule(SLUG, site('"""Doc."""\n\nimport os\n\n\n' + queued("    pass")))
    assert '"""Doc."""\n\nimport os\nfrom collections import deque\n\n\ndef fn' in plain.source
    [whole] = of_rule(SLUG, site("import collections\n" + queued("    pass")))
    assert "queue = collections.deque(xs)" in whole.source
    [taken] = of_rule(SLUG, site("deque = 3\n" + queued("    pass")))
    assert "from collections import deque as _deque" in taken.source
    inner = "def fn(xs):\n    deque = 1\n" + queued("    pass").split("\n", 1)[1]
    [hidden] = of_rule(SLUG, site("from collections import deque\n" + inner))
    assert "queue = _deque(xs)" in hidden.source
    assert_same(site("from collections import deque\n" + inner), [hidden], INPUTS)


LINES = [
    *("q.append(x)", "q.insert(0, x)", "out.append(q.pop())", "out.append(q[0])", "out.append(len(q))", "x in q"),
    *("q += [x, x]", "q.extend(out)", "q = [1, 2]", "return q", "return out, q", "q.clear()", "out.append(q[-1])"),
    *("out.append(sorted(q))", "q.reverse()", "out.append(q.count(x))", "out += [y for y in q]", "out = q"),
]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=4), st.booleans())
def test_random_queues_stay_the_same(lines: list[str], asked: bool) -> None:
    body = ["fuel += 1", "if fuel > 9: break", "x = q.pop(0)", *(f"if q: {line}" if asked else line for line in lines)]
    text = (
        "q = list(xs)\nout = []\nx = fuel = 0\nwhile q:\n" + textwrap.indent("\n".join(body), "    ") + "\nreturn out"
    )
    at = site("def fn(xs):\n" + textwrap.indent(text, "    "))
    assert_same(at, of_rule(SLUG, at), INPUTS[:4])
