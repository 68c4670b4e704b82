"""Hoisting: where it is proposed, where it is not, and that it stays the same."""

from __future__ import annotations

import time

import pytest
from equivalence import assert_same, of_rule, site

SLUG = "hoist-invariant"
LISTS = {"xs": {"list"}, "ys": {"list"}, "n": {"int"}}
INPUTS = [
    *(([], [], 3), ([1], [], 0), ([], [1], 3), ([1, 2, 2], [3, 1], 2), ([0], [0, 0], 1), ([5, 4, 4], [1, 2, 3], -1)),
    *((["a"], [1, 2], 2), ([1, "a"], [1, 2], 2), ([[1], [2]], [[1]], 1), (None, [1], 1), ([2.5, 1.0], [1.5], 3)),
]

MUST = {
    "a maximum": """
        def fn(xs, ys, n):
            out = []
            for y in ys:
                out.append(y / max(xs))
            return out
    """,
    "a mean": """
        def fn(xs, ys, n):
            out = []
            for x in xs:
                mean = sum(xs) / len(xs)
                out.append(x - mean)
            return out
    """,
    "in a comprehension": """
        def fn(xs, ys, n):
            return [y * sum(xs) for y in ys]
    """,
    "a comprehension over an inner comprehension": """
        def fn(xs, ys, n):
            return [y + sum(x * x for x in xs) for y in ys if y < max(xs)]
    """,
    "a branch that is not always taken": """
        def fn(xs, ys, n):
            out = 0
            for y in ys:
                if y > 2:
                    out += min(xs)
            return out
    """,
    "the right side of and": """
        def fn(xs, ys, n):
            out = 0
            for y in ys:
                if y > 2 and max(xs) > y:
                    out += 1
            return out
    """,
    "an elif and a conditional expression": """
        def fn(xs, ys, n):
            out = []
            for y in ys:
                if y == 1:
                    pass
                elif y < sum(xs):
                    out.append(max(xs) if y else min(xs))
            return out
    """,
    "the condition of a while": """
        def fn(xs, ys, n):
            k = 0
            while k < sum(xs) + n:
                k += 1
            return k
    """,
    "arithmetic of integers between two loops": """
        def fn(xs, ys, n):
            out = []
            for i in range(3):
                for j in range(4):
                    out.append(i * n + j)
            return out
    """,
    "arithmetic of integers out of both loops": """
        def fn(xs, ys, n):
            out = []
            for i in range(3):
                for j in range(4):
                    out.append(i * j + (n * n + 1))
            return out
    """,
    "a sorted list that is only read": """
        def fn(xs, ys, n):
            out = []
            for k in range(len(xs)):
                out.append(sorted(xs)[k])
            return out
    """,
    "math": """
        import math
        def fn(xs, ys, n):
            out = []
            for y in ys:
                out.append(y * math.sqrt(n * n + 2))
            return out
    """,
    "a function imported by name": """
        from math import sqrt as root
        def fn(xs, ys, n):
            return [y * root(n) for y in ys]
    """,
    "an import in the function": """
        def fn(xs, ys, n):
            import math
            return [y * math.floor(n / 2) for y in ys]
    """,
    "a one-line suite and a semicolon": """
        def fn(xs, ys, n):
            out = []
            for y in ys: out.append(y); out.append(max(xs))
            return out
    """,
    "the iterable of an inner loop": """
        def fn(xs, ys, n):
            out = []
            for y in ys:
                for x in sorted(xs):
                    out.append((x, y))
            return out
    """,
    "invariant of the inner loop only": """
        def fn(xs, ys, n):
            out = []
            for k in range(3):
                xs = xs[:2]
                for y in ys:
                    out.append(y + sum(xs) * k)
            return out
    """,
    "a sum inside a product": """
        def fn(xs, ys, n):
            out = []
            for i in range(3):
                for y in ys:
                    out.append(y + i * max(xs))
            return out
    """,
    "a prefix": """
        def fn(xs, ys, n):
            out = []
            for y in ys:
                out.append(y + sum(xs[:n]))
            return out
    """,
    "text": """
        def fn(xs, ys, n):
            text = "A b C" * n
            return [str(y) in text.lower() for y in ys]
    """,
    "after something that is noticed": """
        def fn(xs, ys, n):
            out = []
            log = []
            try:
                for y in ys:
                    out.append((log.append(y), max(xs)))
            except ValueError:
                return list(log)
            return out, list(log)
    """,
    "a try in the loop": """
        def fn(xs, ys, n):
            out = []
            for y in ys:
                try:
                    out.append(y / sum(xs))
                except ZeroDivisionError:
                    out.append(None)
            return out
    """,
    "a generator of numbers": """
        def fn(xs, ys, n):
            for y in ys:
                yield y + (n ** 3 % 7 * n + n)
    """,
    "a dict": """
        def fn(xs, ys, n):
            d = {k: k * 2 for k in range(4)}
            return [max(d.values()) + y for y in ys]
    """,
    "a match": """
        def fn(xs, ys, n):
            out = []
            for y in ys:
                match y:
                    case int() if y < max(xs):
                        out.append(y)
            return out
    """,
    "walrus": """
        def fn(xs, ys, n):
            out = []
            for y in ys:
                if (top := max(xs)) > y:
                    out.append(top)
            return out
    """,
    "a return": """
        def fn(xs, ys, n):
            for y in ys:
                if y > 1:
                    return max(xs)
    """,
    "an index that is stored to": """
        def fn(xs, ys, n):
            out = {}
            for y in ys:
                out[max(xs)] = y
                out[y] = sum(xs)
            return out
    """,
}


@pytest.mark.parametrize("text", MUST.values(), ids=MUST)
def test_proposed_and_the_same(text: str) -> None:
    at = site(text, types=LISTS)
    found = of_rule(SLUG, at)
    assert found
    assert_same(at, found, INPUTS)


FOR_Y = "def fn(xs, ys, n):\n    out = []\n    for y in ys:\n"
HANDS_OFF = {
    "trivial": FOR_Y + "        out.append(xs)\n",
    "a constant": FOR_Y + "        out.append(2 * 3)\n",
    "an addition": FOR_Y + "        out.append(n + 1)\n",
    "depends on the loop": FOR_Y + "        out.append(max(y, 1, 2, 3) + len(y))\n",
    "rebound": FOR_Y + "        out.append(max(xs))\n        xs = xs[1:]\n",
    "rebound by a walrus": FOR_Y + "        out.append(max(xs))\n        if (xs := [y]): pass\n",
    "appended to": FOR_Y + "        out.append(max(xs))\n        xs.append(y)\n",
    "an item set": FOR_Y + "        xs[0] = y\n        out.append(max(xs))\n",
    "an inner item set": FOR_Y + "        xs[0][0] = y\n        out.append(max(xs))\n",
    "an element changed": """
        def fn(xs, ys, n):
            out = []
            for x in xs:
                x.append(1)
                out.append(max(xs))
    """,
    "passed away": FOR_Y + "        out.append(max(xs))\n        g(xs)\n",
    "another container that may be the same": FOR_Y + "        ys[0] = 3\n        out.append(max(xs))\n",
    "another container that may be the same, grown": FOR_Y + "        ys.append(3)\n        out.append(max(xs))\n",
    "changed by a module function": "import random\n"
    + FOR_Y
    + "        random.shuffle(xs)\n        out.append(max(xs))\n",
    "an iterator": FOR_Y + "        out.append(sum(zs))\n".replace("zs", "n_iter"),
    "an iterator parameter": "def fn(it, ys):\n    return [sum(it) for y in ys]\n",
    "an iterator made before": "def fn(xs, ys):\n    it = iter(xs)\n    return [sum(it) for y in ys]\n",
    "a generator made before": "def fn(xs, ys):\n    it = (x for x in xs)\n    return [sum(it) for y in ys]\n",
    "a call of something unknown": FOR_Y + "        out.append(g(n) + h(n) * g(n))\n",
    "random": "import random\n" + FOR_Y + "        out.append(random.random() * n * n * n)\n",
    "time": "import time\n" + FOR_Y + "        out.append(time.time() * n * n * n)\n",
    "input": FOR_Y + "        out.append(int(input()))\n",
    "a fresh list each time": FOR_Y + "        out.append(sorted(xs))\n",
    "a fresh list each time, named": FOR_Y + "        zs = sorted(xs)\n        zs.append(y)\n        out.append(zs)\n",
    "a fresh slice each time": FOR_Y + "        out.append(xs[1:n])\n",
    "max is something else": "def max(xs):\n    return 1\n" + FOR_Y + "        out.append(max(xs))\n",
    "max is imported": "from numpy import max\n" + FOR_Y + "        out.append(max(xs))\n",
    "everything is imported": "from numpy import *\n" + FOR_Y + "        out.append(max(xs))\n",
    "max is a parameter": "def fn(max, xs: list, ys):\n    return [max(xs) for y in ys]\n",
    "math is a parameter": "import math\ndef fn(math, ys, n):\n    return [math.sqrt(n) for y in ys]\n",
    "a yield lets the caller change it": "def fn(xs, ys, n):\n    for y in ys:\n        yield max(xs)\n",
    "an await lets others change it": """
        async def fn(xs, ys, n):
            for y in ys:
                await y
                print(max(xs))
    """,
    "a generator that runs later": "def fn(xs, ys, n):\n    return (max(xs) + y for y in ys)\n",
    "a lambda": "def fn(xs, ys, n):\n    return [lambda: max(xs) for y in ys]\n",
    "a nested function": """
        def fn(xs, ys, n):
            for y in ys:
                def g():
                    return max(xs)
                print(g())
    """,
    "a closure changes it": (
        """
            def fn(xs, ys, n):
                def g():
                    xs.append(1)
                for y in ys:
                    g()
                    print(max(xs))
        """
    ),
    "a closure rebinds it": (
        """
            def fn(xs, ys, n):
                def g():
                    nonlocal n
                    n += 1
                for y in ys:
                    g()
                    print(n * n * n * n * n + 1)
        """
    ),
    "global": "def fn(ys):\n    global n\n    n = 1\n    for y in ys:\n        print(n * n * n * n * n * n)\n",
    "a global constant": "N = 3\ndef fn(ys):\n    for y in ys:\n        print(N * N * N * N * N * N)\n",
    "no loop": "def fn(xs, ys, n):\n    return max(xs) + sum(xs)\n",
    "an attribute of an object": "def fn(self, ys):\n    return [max(self.xs) for y in ys]\n",
    "maybe unbound": "def fn(ys, a):\n    if a:\n        xs = [1]\n    return [max(xs) for y in ys if a]\n",
    "its locals are looked at": FOR_Y + "        out.append(max(xs))\n        print(locals())\n",
    "a key function": FOR_Y + "        out.append(max(xs, key=g))\n",
    "a method of self": """
        class A:
            def fn(self, xs: list, ys):
                for y in ys:
                    self.step(max(xs))
    """,
    "a sum that is grown in place": FOR_Y
    + "        total = sum(xs, [])\n        total += y\n        out.append(total)\n",
    "an iterable of a comprehension that cannot hold a walrus": (
        FOR_Y + "        out += [x for x in [1] for z in sorted(xs)]\n"
    ),
    "a bound method kept": """
        def fn(xs: list, ys):
            add = xs.append
            for y in ys:
                add(y)
                print(max(xs))
    """,
    "changed by the iterable": "def fn(xs: list, g):\n    for y in g(xs):\n        print(max(xs))\n",
    "a target": FOR_Y + "        out[n * n * n * n] = y\n".replace("out[n * n * n * n]", "out[0]"),
}


@pytest.mark.parametrize("text", HANDS_OFF.values(), ids=HANDS_OFF)
def test_hands_off(text: str) -> None:
    at = site(text, "A.fn" if "class A" in text else "fn", LISTS)
    assert [proposal.source for proposal in of_rule(SLUG, at)] == []


def test_nothing_is_computed_when_the_loop_does_not_run() -> None:
    at = site(MUST["a maximum"], types=LISTS)
    [proposal] = of_rule(SLUG, at)
    assert (
        "max_xs = None\n    for y in ys:\n        if max_xs is None:\n            max_xs = max(xs)\n" in proposal.source
    )
    assert_same(at, [proposal], [([], [], 1)])


def test_what_may_be_skipped_is_computed_in_its_own_place() -> None:
    at = site(MUST["the right side of and"], types=LISTS)
    [proposal] = of_rule(SLUG, at)
    assert "y > 2 and (max_xs if max_xs is not None else (max_xs := max(xs))) > y" in proposal.source


def test_integers_are_multiplied_between_the_two_loops() -> None:
    at = site(MUST["arithmetic of integers between two loops"], types=LISTS)
    [proposal] = of_rule(SLUG, at)
    assert "    for i in range(3):\n        i_n = i * n\n        for j in range(4):\n" in proposal.source


def test_equal_expressions_of_a_loop_share_one_name() -> None:
    at = site("def fn(xs, ys, n):\n    return [(max(xs), y, max(xs)) for y in ys]\n", types=LISTS)
    [proposal] = of_rule(SLUG, at)
    assert proposal.source.count("max(xs)") == 2
    assert proposal.source.count("max_xs = None") == 1
    assert_same(at, [proposal], INPUTS)


def test_an_own_list_changed_through_an_element_is_left_alone_in_a_generator_too() -> None:
    text = """
        def fn(n):
            rows = [[1], [2]]
            for row in rows:
                yield max(rows)[0]
                row.append(3)
                row[0] = 9
    """
    assert of_rule(SLUG, site(text)) == []


def test_an_element_multiplied_in_place_is_left_alone() -> None:
    text = "def fn(rows: list):\n    for row in rows:\n        row *= 2\n        print(max(rows))\n"
    assert of_rule(SLUG, site(text)) == []


def test_a_call_over_several_lines_is_kept_on_one() -> None:
    text = "def fn(xs: list, ys):\n    for y in ys:\n        print(y, max(\n            xs,\n            default=0,\n        ))\n"
    [proposal] = of_rule(SLUG, site(text))
    assert "max_xs_default = max(xs, default=0,)\n" in proposal.source


def test_a_value_that_needs_its_parentheses_keeps_them() -> None:
    text = "def fn(xs: list, ys, n: int):\n    out = []\n    for y in ys:\n        for k in range(3):\n            out.append(k if(k)<(n * n + 1)else y)\n    return out\n"
    at = site(text)
    [proposal] = of_rule(SLUG, at)
    assert "(k)<(n_value)else" in proposal.source
    assert_same(at, [proposal], [([], [1, 2], 0), ([], [], 1)])


def test_where_a_name_has_no_room_nothing_is_proposed() -> None:
    assert of_rule(SLUG, site("def fn(xs: list, ys):\n    for y in ys:\n        if y: return(max(xs))\n")) == []


def test_many_calls_in_one_function_are_looked_at_quickly() -> None:
    lines = "\n".join(f"        total += grid[{k}][x] * grid[x][{k}] + len(grid[{k}])" for k in range(150))
    at = site(f"def fn(grid: list, n):\n    total = 0\n    for x in range(n):\n{lines}\n    return total\n")
    started = time.process_time()
    of_rule(SLUG, at)
    assert (
        time.process_time() - started < 3
    )  # 0.6 s on a slow machine; half a minute if a question were asked per mention
