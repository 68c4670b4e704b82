"""Membership in a set: where it is proposed, where it is not, and that it stays the same."""

from __future__ import annotations

import pytest
from equivalence import assert_same, of_rule, site

SLUG = "membership-set"
LISTS = {"xs": {"list"}, "ys": {"list"}}
PAIRS = [
    ([], []),
    ([1], []),
    ([], [1]),
    ([1], [1]),
    ([1, 2, 2, 3], [2, 2, 9]),
    ([3, 1, 3], [1, 3, 1]),
    (None, [1]),
    ([1], 5),
]

MUST = {
    "a parameter annotated as a list": """
        def fn(xs: list[int], ys: list[int]):
            out = []
            for y in ys:
                if y in xs:
                    out.append(y)
            return out
    """,
    "not in, typing.List, a decorator and a docstring": """
        import functools, typing
        def same(f):
            @functools.wraps(f)
            def g(*a):
                return f(*a)
            return g
        @same
        def fn(xs: typing.List[int], ys):
            '''Text in xs.'''
            out = []
            # a comment
            for y in ys:  # another
                if y not in xs: out.append(y)
            return out
    """,
    "a list comprehension": """
        def fn(xs: list, ys):
            return [y for y in ys if y in xs]
    """,
    "a generator run to its end": """
        def fn(xs: list, ys):
            return sum(y for y in ys if y not in xs), any(y in xs for y in ys)
    """,
    "a dict and a set comprehension": """
        def fn(xs: list, ys):
            return {y: y in xs for y in ys}, {y for y in ys if y in xs}
    """,
    "a comprehension in an elif": """
        def fn(xs: list, ys):
            if not ys:
                return 1
            elif [y for y in ys if y in xs]:
                return 2
            return 3
    """,
    "a comprehension in a one-line suite": """
        def fn(xs: list, ys):
            out = 0
            if ys: out = [y for y in ys if y in xs]
            return out
    """,
    "a comprehension after a semicolon": """
        def fn(xs: list, ys):
            a = 1; b = [y for y in ys if y in xs]; return a, b
    """,
    "the iterable of a loop that changes the list": """
        def fn(xs: list, ys):
            out = []
            for y in [y for y in ys if y not in xs]:
                out.append(y)
            xs.extend(out)
            return out
    """,
    "a local list from sorted": """
        def fn(xs, ys):
            known = sorted(xs)
            return [y in known for y in ys]
    """,
    "a local tuple": """
        def fn(xs, ys):
            known = tuple(x for x in xs)
            hits = 0
            for y in ys:
                hits += y in known
            return hits
    """,
    "a parameter made a list first": """
        def fn(xs, ys):
            xs = list(xs)
            hits = 0
            for y in ys:
                if y in xs:
                    hits += 1
            return hits
    """,
    "a while loop": """
        def fn(xs: list, ys):
            n = 0
            while n in xs and n < 50:
                n += 1
            return n
    """,
    "nested loops, set before the outer one": """
        def fn(xs: list, ys):
            out = []
            for y in ys:
                for z in ys:
                    if y + z in xs:
                        out.append((y, z))
            return out
    """,
    "the outer loop changes the list, the inner one does not": """
        def fn(xs: list, ys):
            out = []
            for y in list(ys):
                xs.append(y)
                for z in ys:
                    if z in xs:
                        out.append(z)
            return out, xs
    """,
    "pure readers of the list in the loop": """
        def fn(xs: list, ys):
            out = []
            for y in ys:
                if y in xs:
                    out.append((len(xs), xs.index(y), xs.count(y), xs[0], max(xs), list(enumerate(xs))))
            return out
    """,
    "uniqueness that keeps the order": """
        def fn(xs, ys):
            seen = []
            for x in xs:
                if x not in seen:
                    seen.append(x)
            return seen
    """,
    "uniqueness in a one-line suite": """
        def fn(xs, ys):
            seen = list()
            for x in xs:
                if x not in seen: seen.append(x)
            return seen
    """,
    "uniqueness by a key computed twice": """
        def fn(xs, ys):
            seen = []
            for x in xs:
                if x % 3 not in seen:
                    seen.append(x % 3)
            return seen
    """,
    "uniqueness anew for each row": """
        def fn(xs, ys):
            out = []
            for x in xs:
                seen = []
                for y in ys:
                    if y not in seen:
                        seen.append(y)
                out.append((x, seen))
            return out
    """,
    "uniqueness across rows": """
        def fn(xs, ys):
            seen = []
            for x in xs:
                for y in ys:
                    if x + y not in seen:
                        seen.append(x + y)
            return sorted(seen)
    """,
    "a list with a start that grows": """
        def fn(xs, ys):
            seen = [0]
            for x in xs:
                if x in seen:
                    continue
                seen.append(x)
            seen.sort()
            return seen
    """,
    "a guard with continue, walrus and match": """
        def fn(xs: list, ys):
            out = []
            for y in ys:
                match y:
                    case int() if (z := y + 1) in xs:
                        out.append(z)
                    case _:
                        out.append(None)
            return out
    """,
    "a method": """
        class A:
            def fn(self, xs: list, ys):
                return [y for y in ys if y in xs]
        def fn(xs, ys):
            return A().fn(xs, ys)
    """,
    "a tested list that is also iterated": """
        def fn(xs: list, ys):
            return [x for x in xs if x + 1 in xs]
    """,
    "a loop that stops early": """
        def fn(xs: list, ys):
            for y in ys:
                if y in xs:
                    break
            else:
                return None
            return y
    """,
    "two lists": """
        def fn(xs: list, ys: list):
            return [z for z in range(5) if z in xs and z not in ys]
    """,
    "text split into words": """
        def fn(xs, ys):
            words = "a b c d".split()
            return [x in words for x in xs]
    """,
}


@pytest.mark.parametrize("text", MUST.values(), ids=MUST)
def test_proposed_and_the_same(text: str) -> None:
    at = site(text, "A.fn" if "class A" in text else "fn")
    found = of_rule(SLUG, at)
    assert found
    assert all("_set" in proposal.source and proposal.source != at.source for proposal in found)
    runs = site(text)
    assert_same(runs, found, PAIRS)


HANDS_OFF = {
    "text": ("def fn(xs: str, ys):\n    return [y for y in ys if y in xs]\n", {}),
    "text seen at run time": ("def fn(xs: list, ys):\n    return [y for y in ys if y in xs]\n", {"xs": {"str"}}),
    "text or list": ("def fn(xs, ys):\n    return [y for y in ys if y in xs]\n", {"xs": {"str", "list"}}),
    "text by annotation, though lists were seen": (
        "def fn(xs: str | list, ys):\n    return [y for y in ys if y in xs]\n",
        {"xs": {"list"}},
    ),
    "optional": ("def fn(xs: list = None, ys=()):\n    return [y for y in ys if xs and y in xs]\n", {}),
    "a dict": ("def fn(xs: dict, ys):\n    return [y for y in ys if y in xs]\n", {}),
    "a set": ("def fn(xs, ys):\n    k = set(xs)\n    return [y for y in ys if y in k]\n", {}),
    "unknown": ("def fn(xs, ys):\n    return [y for y in ys if y in xs]\n", {}),
    "no loop": ("def fn(xs: list, y):\n    return y in xs\n", {}),
    "the iterable alone": ("def fn(xs: list, y):\n    for a in [1] if y in xs else []:\n        print(a)\n", {}),
    "else of a loop": (
        "def fn(xs: list, ys):\n    for y in ys:\n        pass\n    else:\n        return y in xs\n",
        {},
    ),
    "rebound": ("def fn(xs: list, ys):\n    for y in ys:\n        if y in xs:\n            xs = xs[1:]\n", {}),
    "removed from": ("def fn(xs: list, ys):\n    for y in ys:\n        if y in xs:\n            xs.remove(y)\n", {}),
    "an item set": ("def fn(xs: list, ys):\n    for y in ys:\n        if y in xs:\n            xs[0] = y\n", {}),
    "an item deleted": ("def fn(xs: list, ys):\n    for y in ys:\n        if y in xs:\n            del xs[0]\n", {}),
    "grown in place": ("def fn(xs: list, ys):\n    for y in ys:\n        if y in xs:\n            xs += [y]\n", {}),
    "a parameter grown": (
        "def fn(xs: list, ys):\n    for y in ys:\n        if y not in xs:\n            xs.append(y)\n",
        {},
    ),
    "passed away": (
        """
            def fn(xs: list, ys):
                for y in ys:
                    if y in xs:
                        ys.sort(key=xs)
                        g(xs)
        """,
        {},
    ),
    "aliased": (
        "def fn(xs: list, ys):\n    for y in ys:\n        z = xs\n        if y in xs:\n            z.append(1)\n",
        {},
    ),
    "alias in a tuple": (
        "def fn(xs: list, ys):\n    for y in ys:\n        for z in (xs, ys):\n            z.append(y in xs)\n",
        {},
    ),
    "a bound method kept": (
        "def fn(xs: list, ys):\n    for y in ys:\n        add = xs.append\n        if y in xs:\n            add(y)\n",
        {},
    ),
    "a bound method from before": (
        """
            def fn(ys):
                xs = []
                add = xs.append
                for y in ys:
                    if y not in xs:
                        add(y)
        """,
        {},
    ),
    "a closure that appends": (
        """
            def fn(ys):
                xs = []
                def add(y):
                    xs.append(y)
                for y in ys:
                    if y not in xs:
                        add(y)
        """,
        {},
    ),
    "nonlocal": (
        """
            def fn(ys):
                xs = []
                def add(y):
                    nonlocal xs
                    xs = [y]
                for y in ys:
                    if y not in xs:
                        add(y)
        """,
        {},
    ),
    "global": (
        """
            def fn(ys):
                global xs
                xs = []
                for y in ys:
                    if y not in xs:
                        xs.append(y)
        """,
        {},
    ),
    "another list that may be the same": (
        "def fn(xs: list, ys: list, zs: list):\n    for y in zs:\n        if y in xs:\n            ys.append(y)\n",
        {},
    ),
    "an item of another list that may be the same": (
        "def fn(xs: list, ys: list):\n    for k in range(9):\n        if k in xs:\n            ys[k] = k\n",
        {},
    ),
    "a method of self that may change it": (
        """
            class A:
                def fn(self, xs: list, ys):
                    for y in ys:
                        if y not in xs:
                            self.add(y)
        """,
        {},
    ),
    "a list of this object": (
        """
            def fn(self, ys):
                xs = self.xs
                for y in ys:
                    if y not in xs:
                        self.xs.append(y)
        """,
        {},
    ),
    "kept by somebody before": (
        """
            def fn(self, ys):
                xs = []
                self.xs = xs
                for y in ys:
                    if y not in xs:
                        xs.append(y)
                        self.go()
        """,
        {},
    ),
    "two names for one list": (
        "def fn(ys):\n    xs = zs = []\n    for y in ys:\n        if y not in xs:\n            zs.append(y)\n",
        {},
    ),
    "two names for one growing list": (
        """
            def fn(ys):
                xs = zs = []
                for y in ys:
                    if y not in xs:
                        xs.append(y)
                        zs.append(2)
        """,
        {},
    ),
    "handed out each round": (
        """
            def fn(ys):
                xs = []
                out = []
                for y in ys:
                    if y not in xs:
                        xs.append(y)
                    out.append(xs)
                return out
        """,
        {},
    ),
    "handed out before, round the outer loop": (
        """
            def fn(ys, g):
                xs = []
                for a in ys:
                    for y in a:
                        if y not in xs:
                            xs.append(y)
                    g(xs)
        """,
        {},
    ),
    "a yield lets the caller change it": (
        "def fn(xs: list, ys):\n    for y in ys:\n        if y in xs:\n            yield y\n",
        {},
    ),
    "an await lets others change it": (
        "async def fn(xs: list, ys):\n    for y in ys:\n        if y in xs:\n            await y\n",
        {},
    ),
    "a generator that runs later": ("def fn(xs: list, ys):\n    return (y for y in ys if y in xs)\n", {}),
    "a lambda": ("def fn(xs: list, ys):\n    for y in ys:\n        yield lambda z: z in xs\n", {}),
    "a nested function": (
        "def fn(xs: list, ys):\n    for y in ys:\n        def g(z):\n            return z in xs\n        print(g)\n",
        {},
    ),
    "a comprehension in the condition of a while that changes it": (
        "def fn(xs: list, ys):\n    while [y for y in ys if y in xs]:\n        xs.pop()\n",
        {},
    ),
    "elements that cannot be hashed": ("def fn(xs: list[list[int]], ys):\n    return [y for y in ys if y in xs]\n", {}),
    "elements that cannot be hashed, grown": (
        """
            def fn(ys):
                xs = []
                for y in ys:
                    if [y] not in xs:
                        xs.append([y])
                return xs
        """,
        {},
    ),
    "a chain": ("def fn(xs: list, ys):\n    return [y for y in ys if 0 < y in xs]\n", {}),
    "three constants": ("def fn(ys):\n    xs = [1, 2]\n    return [y for y in ys if y in xs]\n", {}),
    "extended": (
        """
            def fn(ys):
                xs = []
                for y in ys:
                    if y not in xs:
                        xs.extend([y, y + 1])
                return xs
        """,
        {},
    ),
    "appended as an expression": (
        "def fn(ys):\n    xs = []\n    return [y for y in ys if not (y in xs or xs.append(y))]\n",
        {},
    ),
    "maybe unbound": (
        "def fn(ys, a):\n    if a:\n        xs = [1, 2, 3, 4]\n    return [y for y in ys if y in xs]\n",
        {},
    ),
    "set is something else": ("set = list\ndef fn(xs: list, ys):\n    return [y for y in ys if y in xs]\n", {}),
    "its locals are looked at": ("def fn(xs: list, ys):\n    return [locals() for y in ys if y in xs]\n", {}),
    "a module-level list": ("XS = [1, 2, 3, 4, 5]\ndef fn(ys):\n    return [y for y in ys if y in XS]\n", {}),
    "filled while it is gone through": (
        "def fn(ys, fill):\n    xs = []\n    for y in fill(xs):\n        if y in xs:\n            print(y)\n",
        {},
    ),
    "sorted by a module function": (
        """
            import heapq
            def fn(xs: list, ys):
                for y in ys:
                    if y in xs:
                        heapq.heappush(xs, 1)
        """,
        {},
    ),
    "deleted": ("def fn(xs: list, ys):\n    for y in ys:\n        if y in xs:\n            del xs\n", {}),
    "bound by a comprehension": ("def fn(zs):\n    return [y for xs in zs for y in xs if y in xs]\n", {}),
    "unpacked": ("def fn(zs):\n    xs, ys = zs\n    return [y for y in ys if y in xs]\n", {}),
}


@pytest.mark.parametrize(("text", "types"), HANDS_OFF.values(), ids=HANDS_OFF)
def test_hands_off(text: str, types: dict[str, set[str]]) -> None:
    found = of_rule(SLUG, site(text, "A.fn" if "class A" in text else "fn", types))
    assert [proposal.source for proposal in found] == []


def test_types_seen_at_run_time_are_enough() -> None:
    text = "def fn(xs, ys):\n    return [y for y in ys if y in xs]\n"
    [proposal] = of_rule(SLUG, site(text, types={"xs": {"list", "tuple"}}))
    assert "xs_set = set(xs)\n    return [y for y in ys if y in xs_set]" in proposal.source


def test_the_value_of_an_append_is_computed_once() -> None:
    text = """
        calls = []
        def key(x):
            calls.append(x)
            return x % 2
        def fn(xs):
            seen = []
            for x in xs:
                if x not in seen:
                    seen.append(key(x))
            return seen, len(calls)
    """
    at = site(text)
    [proposal] = of_rule(SLUG, at)
    assert "seen.append(seen_item := key(x))" in proposal.source
    assert_same(at, [proposal], [([],), ([1, 2, 3, 1],)])


def test_the_set_goes_before_the_outermost_loop_where_it_stays_right() -> None:
    at = site(MUST["nested loops, set before the outer one"])
    [proposal] = of_rule(SLUG, at)
    assert proposal.source.index("xs_set = set(xs)") < proposal.source.index("for y in ys")


def test_a_taken_name_is_not_taken_again() -> None:
    at = site("def fn(xs: list, xs_set):\n    return [y for y in xs_set if y in xs]\n")
    [proposal] = of_rule(SLUG, at)
    assert "y in xs_set_2" in proposal.source
    assert_same(at, [proposal], PAIRS)


def test_two_places_are_proposed_alone_and_together() -> None:
    at = site(MUST["two lists"])
    alone, other, together = of_rule(SLUG, at)
    assert (alone.places, other.places, together.places) == (1, 1, 2)
    assert "xs_set" in together.source
    assert "ys_set" in together.source
    assert_same(at, [alone, other, together], PAIRS)


def test_a_one_line_function_gets_the_set_in_its_line() -> None:
    at = site("def fn(xs: list, ys): return [y for y in ys if y in xs]\n")
    [proposal] = of_rule(SLUG, at)
    assert proposal.source == "def fn(xs: list, ys): xs_set = set(xs); return [y for y in ys if y in xs_set]\n"
    assert_same(at, [proposal], PAIRS)


def test_a_generator_eaten_by_extend_is_run_on_the_spot() -> None:
    at = site("def fn(xs: list, ys):\n    out = []\n    out.extend(y for y in ys if y not in xs)\n    return out\n")
    [proposal] = of_rule(SLUG, at)
    assert_same(at, [proposal], PAIRS)


def test_a_generator_eaten_by_the_list_it_looks_into_is_left_alone() -> None:
    assert (
        of_rule(SLUG, site("def fn(xs: list, ys):\n    xs.extend(y for y in ys if y not in xs)\n    return xs\n")) == []
    )
