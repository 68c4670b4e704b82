"""Sources that are deeper than Python's stack, as machines write them: they are judged, or refused in words."""

from __future__ import annotations

import ast

import pytest

from optagent.core.patch import Change, Patch
from optagent.core.scope import Scope
from optagent.core.target import Target
from optagent.errors import BadSource
from optagent.languages.python.cheats import cheats
from optagent.languages.python.faults import faults
from optagent.languages.python.scope.check import fault, patch_form
from optagent.languages.python.source.forms import dump
from optagent.languages.python.source.nesting import nested
from optagent.languages.python.source.sources import parse_source
from optagent.rules.base import Site
from optagent.rules.registry import proposals

pytestmark = pytest.mark.slow

N = 1200
WORK = "def work(xs):\n    seen = []\n    for x in xs:\n        if x not in seen:\n            seen.append(x)\n    return seen\n"
TARGET = Target("m.py", "work", "m", ".", 1)
EXPRESSIONS = {
    "a sum": "+".join(["x"] * N),
    "names with dots": "x" + ".a" * N,
    "a call of one": "x" + ".a" * N + "(1)",
    "calls": "x" + "(1)" * N,
    "places": "x" + "[0]" * N,
    "a number": "0x" + "f" * 5 * N,
}
ROW = "".join(f"{'el' if k else ''}if k == {k}:\n    z = {k}\n" for k in range(N))
PLACES = {
    "another function": WORK + "\ndef other(x):\n    return {}\n",
    "the function": WORK.replace("    return seen", "    x = 1 and ({})\n    return seen"),
    "a default": WORK.replace("(xs)", "(xs, x={})"),
    "a decorator": "@named({})\n" + WORK,
    "a statement": WORK + "\nz = {}\n",
}


def edit(old: str) -> Patch:
    return Patch((Change("m.py", old, old.replace("seen.append(x)", "seen += [x]")),))


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("expression", EXPRESSIONS)
@pytest.mark.parametrize("place", PLACES)
def test_an_edit_beside_a_long_chain_is_in_scope(place, expression, scope):
    patch = edit(PLACES[place].format(EXPRESSIONS[expression]))
    assert fault(TARGET, patch, scope) is None
    assert patch_form(patch) != patch_form(Patch(()))


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_changed_chain_outside_of_the_target_is_told(expression, scope):
    old = WORK + f"\nx = 1\nx = f({EXPRESSIONS[expression]})\n"
    patch = Patch((Change("m.py", old, old.replace("x = f(", "x = f(1, ")),))
    assert fault(TARGET, patch, scope) is not None


@pytest.mark.parametrize("scope", Scope)
def test_a_long_row_of_branches_is_no_obstacle(scope):
    old = WORK + "k = 1\n" + ROW
    assert fault(TARGET, edit(old), scope) is None
    inside = parse_source("def f(k):\n" + "".join(f"    {line}\n" for line in ROW.splitlines()), "m.py")
    assert list(nested(inside)) == []


def test_what_is_too_deep_to_be_parsed_is_refused_in_words():
    patch = Patch((Change("m.py", WORK, WORK + "_x = " + "+".join(["1"] * 4 * N) + "\n"),))
    assert "too deep to be read" in str(fault(TARGET, patch))
    with pytest.raises(BadSource, match="too deep to be read"):
        parse_source("+".join(["1"] * 4 * N), "m.py")


@pytest.mark.parametrize("expression", ["a sum", "a number"])
def test_faults_are_planted_where_they_can_be_written_and_cheats_and_rules_do_without(expression):
    deep = PLACES["the function"].format(EXPRESSIONS[expression])
    assert {one.kind for one in faults(deep, TARGET)} >= {"comparison", "flow"}
    assert cheats(deep, TARGET) == []
    assert isinstance(proposals(Site(deep, "work", {})), list)


SAME = ["f(1, 'a')", "f( 1,\n 'a')  # told"]
OTHERS = [
    "f(1, b'a')",
    "f(1.0, 'a')",
    "f(True, 'a')",
    "f(1), 'a'",
    "f('1', 'a')",
    "f(1, a)",
    "f(1, *'a')",
    "f(1, 'a', 'b')",
]


def test_a_dump_tells_apart_what_is_another_code_and_nothing_else():
    one, other = (dump(ast.parse(text)) for text in SAME)
    assert one == other
    assert len({dump(ast.parse(text)) for text in OTHERS} | {one}) == len(OTHERS) + 1
    assert dump(ast.parse("x = 1")) != dump(ast.parse("'said'\nx = 1"))
