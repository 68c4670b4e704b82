"""Lookups by key: where an index is proposed, where it is not, and that it stays the same."""

from __future__ import annotations

import textwrap

import pytest
from equivalence import assert_same, of_rule, site
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SLUG = "join-index"
LISTS = {"xs": {"list"}, "ys": {"list"}}


def rows(*keys: object) -> list[dict[str, object]]:
    return [{"k": key, "n": number, "on": number % 2} for number, key in enumerate(keys)]


INPUTS = [
    ([], []),
    (rows(1), []),
    ([], rows(1)),
    (rows(1, 2, 1, 3), rows(1, 1, 2, 5)),
    (rows("a", None, "b"), rows(None, "b", "b", "a")),
    (rows(1, True, 1.0), rows(1.0, True, 0, 1)),
    (rows((1, 2), (1,)), rows((1,), (1, 2))),
    (rows(1, 2), rows(3, 4)),
]

MUST = {
    "all matches": """
        def fn(xs: list, ys: list):
            out = []
            for x in xs:
                for y in ys:
                    if x["k"] == y["k"]:
                        out.append((x["n"], y["n"]))
            return out
    """,
    "the first match and an else": """
        def fn(xs: list, ys: list):
            out = []
            for x in xs:
                for y in ys:
                    if y["k"] == x["k"]:
                        out.append((x["n"], y["n"]))
                        break
                else:
                    out.append(x["n"])
            return out
    """,
    "the last match": """
        def fn(xs: list, ys: list):
            out = []
            for x in xs:
                found = None
                for y in ys:
                    if y["k"] == x["k"]:
                        found = y
                out.append(found)
            return out
    """,
    "a match used after the loop that only a match leaves": """
        def fn(xs: list, ys: list):
            out = []
            for x in xs:
                for y in ys:
                    if y["k"] == x["k"]:
                        break
                else:
                    continue
                out.append((x, y))
            return out
    """,
    "not equal, continue": """
        def fn(xs: list, ys: list):
            out = []
            for x in xs:
                for y in ys:
                    if x["k"] != y["k"]:
                        continue
                    # both
                    if y["on"]: out.append(x["n"])
                    out.append(y["n"])
            return out
    """,
    "more conditions before and after": """
        def fn(xs: list, ys: list):
            return [
                (x["n"], y["n"])
                for x in xs
                for y in ys
                if y is not None and x is not y and x["k"] == y["k"] and y["on"] == x["on"] and (y["on"] or x["n"])
            ]
    """,
    "conditions of their own": """
        def fn(xs: list, ys: list):
            return [(x["n"], y["n"]) for x in xs for y in ys if y["k"] == x["k"] if y["on"] or x["n"] if x["on"]]
    """,
    "next with a default": """
        def fn(xs: list, ys: list):
            return [next((y["n"] for y in ys if y["k"] == x["k"]), None) for x in xs]
    """,
    "sum, any, a list, and the same list twice": """
        def fn(xs: list, ys: list):
            out = []
            for x in xs:
                out.append(sum(y["n"] for y in ys if y["k"] == x["k"]))
                out.append(any(y["k"] == x["k"] and y["on"] for y in ys))
                out.append([z["n"] for z in xs if z["k"] == x["k"]])
            return out
    """,
    "indices": """
        def fn(xs: list, ys: list):
            out = []
            for i in range(len(xs)):
                for j in range(len(ys)):
                    if xs[i]["k"] == ys[j]["k"] and i != j:
                        out.append((i, j))
            return out
    """,
    "enumerate and zip": """
        def fn(xs: list, ys: list):
            out = []
            for x in xs:
                for j, y in enumerate(ys):
                    if y["k"] == x["k"]:
                        out.append(j)
                for y, z in zip(ys, xs):
                    if y["k"] == x["k"]:
                        out.append((z["n"], y["n"]))
                        break
            return out
    """,
    "items of a dict": """
        def fn(xs: list, ys: list):
            table = {y["k"]: y["n"] for y in ys}
            return [name for x in xs for name, number in table.items() if number == x["n"]]
    """,
    "an entry given to the outer element": """
        def fn(xs: list, ys: list):
            for x in xs:
                for y in ys:
                    if x["k"] == y["k"]:
                        x["match"] = y["n"]
                        break
            return xs
    """,
    "two keys and a normalised one": """
        def fn(xs: list, ys: list):
            out = []
            for x in xs:
                for y in ys:
                    if str(y["k"]).lower() == str(x["k"]).lower() and y["on"] == x["on"]:
                        out.append(y["n"])
            return out
    """,
    "a function with a variable of that name": """
        def fn(xs: list, ys: list):
            out = []
            for x in xs:
                for y in ys:
                    if y["k"] == x["k"]:
                        out.append(y["n"])
            return sorted(out, key=lambda y: -y)
    """,
    "a while loop around": """
        def fn(xs: list, ys: list):
            out = []
            n = 0
            while n < len(xs):
                for y in ys:
                    if y["k"] == xs[n]["k"]:
                        out.append(y["n"])
                n += 1
            return out
    """,
    "a return from the inner loop, comments kept": """
        def fn(xs: list, ys: list):
            for x in xs:
                for y in ys:  # look
                    # equal
                    if y["k"] == x["k"]:  # found
                        return x["n"], y["n"]  # done
            return None
    """,
    "a key that is the element": """
        def fn(xs: list, ys: list):
            keys = [y["k"] for y in ys]
            return [n for x in xs for n, key in enumerate(keys) if key == x["k"]]
    """,
}


@pytest.mark.parametrize("text", MUST.values(), ids=MUST.keys())
def test_proposed_and_the_same(text: str) -> None:
    at = site(text)
    found = of_rule(SLUG, at)
    assert found
    assert_same(at, found, INPUTS)
    for comment in [word for word in ("# look", "# equal", "# found", "# done", "# both") if word in at.source]:
        assert all(comment in proposal.source for proposal in found)


HANDS_OFF = {
    "no outer loop": """
        def fn(xs: list, ys: list):
            for y in ys:
                if y["k"] == xs[0]["k"]:
                    return y
    """,
    "something for the others": """
        def fn(xs: list, ys: list):
            misses = 0
            for x in xs:
                for y in ys:
                    if y["k"] == x["k"]:
                        break
                    misses += 1
            return misses
    """,
    "an elif": """
        def fn(xs: list, ys: list):
            out = []
            for x in xs:
                for y in ys:
                    if y["k"] == x["k"]:
                        out.append(1)
                    elif y["on"]:
                        out.append(2)
            return out
    """,
    "the inner list changes": """
        def fn(xs: list, ys: list):
            for x in xs:
                for y in ys:
                    if y["k"] == x["k"]:
                        ys.remove(y)
                        break
            return ys
    """,
    "the inner list is passed on": """
        def fn(xs: list, ys: list):
            out = []
            for x in xs:
                for y in ys:
                    if y["k"] == x["k"]:
                        out.append(pick(ys))
            return out
        def pick(ys): return ys.pop()
    """,
    "keys are stored to": """
        def fn(xs: list, ys: list):
            for x in xs:
                for y in ys:
                    if y["k"] == x["k"]:
                        x["k"] = y["n"]
            return xs
    """,
    "key attributes are stored to": """
        def fn(xs: list, ys: list):
            for x in xs:
                for y in ys:
                    if y.k == x.k:
                        y.k = None
    """,
    "the inner list depends on the outer element": """
        def fn(xs: list, ys: list):
            return [y for x in xs for y in x["ys"] if y["k"] == x["k"]]
    """,
    "the rest of the list": """
        def fn(xs: list, ys: list):
            return [(i, j) for i in range(len(xs)) for j in range(i + 1, len(xs)) if xs[i]["k"] == xs[j]["k"]]
    """,
    "an iterator": """
        def fn(xs: list, ys):
            ys = iter(ys)
            return [y for x in xs for y in ys if y["k"] == x["k"]]
    """,
    "a kind that nobody knows": """
        def fn(xs: list, ys):
            return [y for x in xs for y in ys if y["k"] == x["k"]]
    """,
    "the variable is read afterwards": """
        def fn(xs: list, ys: list):
            out = []
            for x in xs:
                y = None
                for y in ys:
                    if y["k"] == x["k"]:
                        break
                out.append(y)
            return out
    """,
    "a generator that others go on with": """
        def fn(xs: list, ys: list):
            for x in xs:
                for y in ys:
                    if y["k"] == x["k"]:
                        yield x, y
    """,
    "a generator that is kept": """
        def fn(xs: list, ys: list):
            return [(y for y in ys if y["k"] == x["k"]) for x in xs]
    """,
    "floats": """
        def fn(xs: list[float], ys: list[float]):
            return [(x, y) for x in xs for y in ys if x == y]
    """,
    "lists": """
        def fn(xs: list[list[int]], ys: list[list[int]]):
            return [(x, y) for x in xs for y in ys if x == y]
    """,
    "a key that is computed by anyone": """
        def fn(xs: list, ys: list):
            return [y for x in xs for y in ys if key(y) == x["k"]]
        def key(y): return y["k"]
    """,
    "a guard of the outer element": """
        def fn(xs: list, ys: list):
            return [y for x in xs for y in ys if x is not None and y["k"] == x["k"]]
    """,
    "or": """
        def fn(xs: list, ys: list):
            return [y for x in xs for y in ys if y["k"] == x["k"] or y["on"]]
    """,
    "one key is compared with a constant": """
        def fn(xs: list, ys: list):
            return [y["n"] + x["n"] for x in xs for y in ys if y["k"] == 1]
    """,
    "the key is rebound on the way": """
        def fn(xs: list, ys: list):
            out = []
            for x in xs:
                for y in ys:
                    if y["k"] == x["k"]:
                        x = y
                        out.append(x)
            return out
    """,
    "a global table": """
        TABLE = {}
        def fn(xs: list, ys: list):
            return [y for x in xs for y in ys if TABLE[y["k"]] == x["k"]]
        def more(): TABLE.clear(); globals()["TABLE"] = {}
        TABLE = {}
    """,
    "a function that reads the variable later": """
        def fn(xs: list, ys: list):
            out = []
            for x in xs:
                for y in ys:
                    if y["k"] == x["k"]:
                        out.append(lambda: y["n"])
            return [one() for one in out]
    """,
    "a generator that reads the variable later": """
        def fn(xs: list, ys: list):
            out = []
            for x in xs:
                for y in ys:
                    if y["k"] == x["k"]:
                        out.append(y["n"] + v for v in (1, 2))
            return [list(one) for one in out]
    """,
    "nested one in the other": """
        def fn(xs: list, ys: list):
            out = []
            for x in xs:
                for y in ys:
                    if y["k"] == x["k"]:
                        out[0]["rows"]["k"] = y
            return out
    """,
}


@pytest.mark.parametrize("text", HANDS_OFF.values(), ids=HANDS_OFF.keys())
def test_hands_off(text: str) -> None:
    assert of_rule(SLUG, site(text)) == []


def test_types_seen_at_run_time_are_enough() -> None:
    text = "def fn(xs, ys):\n    return [y for x in xs for y in ys if y.k == x.k]\n"
    assert of_rule(SLUG, site(text)) == []
    assert len(of_rule(SLUG, site(text, types=LISTS))) == 1


def test_names_that_are_taken_are_left_alone() -> None:
    text = """
        def fn(xs: list, ys: list):
            ys_by_k = y = 7
            return [y["n"] for x in xs for y in ys if y["k"] == x["k"]], y, ys_by_k
    """
    [proposal] = of_rule(SLUG, site(text))
    assert "ys_by_k_2.setdefault(y_item" in proposal.source
    assert_same(site(text), [proposal], INPUTS)


def test_what_is_found_is_not_looked_for_again() -> None:
    at = site(MUST["all matches"])
    [proposal] = of_rule(SLUG, at)
    assert of_rule(SLUG, site(proposal.source)) == []


PARTS = ['y["k"] == x["k"]', 'x["k"] == y["k"]', 'y["on"]', "y is not None", 'y["n"] != x["n"]', 'x["on"]', "n < 9"]
LINES = [
    "out.append((x['n'], y['n']))",
    "break",
    "n += 1",
    "found = y",
    "ys.append(x)",
    "y['k'] = 0",
    "x['m'] = n",
    "continue",
    "ys = xs",
    "x = y",
]
TEST = st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map(" and ".join)
BODY = st.lists(st.sampled_from(LINES), min_size=1, max_size=3).map("\n".join)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(TEST, BODY, st.lists(st.sampled_from(LINES[:8]), max_size=1), st.booleans())
def test_random_searches_stay_the_same(test: str, body: str, rest: list[str], with_else: bool) -> None:
    inner = f"if {test}:\n" + textwrap.indent(body, "    ") + "".join("\n" + line for line in rest)
    loop = "for y in ys:\n    n += 0\n" if rest else "for y in ys:\n"
    loop += textwrap.indent(inner, "    ") + ("\nelse:\n    out.append(n)" if with_else else "")
    outer = f"for x in xs:\n    if len(out) > 20: break\n{textwrap.indent(loop, '    ')}"
    text = f"out = []\nn = 0\nfound = None\n{outer}\nreturn out, n, found"
    source = "def fn(xs: list, ys: list):\n" + textwrap.indent(text, "    ") + "\n"
    at = site(source)
    assert_same(at, of_rule(SLUG, at), [args for args in INPUTS if "ys.append" not in source or len(args[1]) < 1])
