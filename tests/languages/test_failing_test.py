"""A call written as a test that a person can paste: what was written is run, and fails for another function."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest
import toolbox_path  # noqa: F401 - the toolbox is found from here on
from hypothesis import given
from hypothesis import strategies as st
from optagent_codec import pack
from optagent_source import NotPlain, source, written

from optagent.core.target import Target
from optagent.core.verdict import Unmeasured
from optagent.languages.python.testing.failing_test import failing_test

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.binary(max_size=9)
KEYS = st.integers() | st.text(max_size=5) | st.tuples(st.booleans())
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.sets(KEYS, max_size=3)
        | st.frozensets(KEYS, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_what_is_written_makes_the_value_again(value):
    again = eval(source(value))
    assert type(again) is type(value)
    assert source(again) == source(value)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (object(), "object"),
        (type("Sub", (int,), {})(), "Sub"),
        ([[]] * 2, "in two places"),
        ("x" * 5000, "characters"),
        (iter([1]), "iterator"),
    ],
)
def test_what_is_no_plain_data_is_named(value, why):
    with pytest.raises(NotPlain, match=why):
        source(value)


def test_a_container_that_holds_itself_is_no_endless_text():
    value: list[Any] = []
    value.append(value)
    with pytest.raises(NotPlain):
        source(value)


MODULE = '''
def total(values, *, start=0):
    """The sum; the values are used up."""
    for value in list(values):
        start += value
        values.remove(value)
    return start


def strict(value, /, result=None):
    if value > 3:
        raise SystemExit("too large")
    if value < 0:
        raise ValueError("bad")
    return {"{": value, "set": result}


def result(args, *, named):
    """Its names are those of a test."""
    named.append(args)
    return args


class Box:
    @staticmethod
    def first(values):
        return values[0]
'''
WRONG = {
    "total": [
        ("return start", "return start + 1"),
        ("return start", "return float(start)"),
        ("        values.remove(value)\n", ""),
    ],
    "strict": [
        ('ValueError("bad")', 'ValueError("bad value")'),
        ('SystemExit("too large")', 'OverflowError("too large")'),
        ('{"{": value', '{"{": int(value)'),
    ],
    "result": [("    named.append(args)\n", ""), ("    return args\n", "    return not args\n")],
    "Box.first": [("return values[0]", "return values[-1]"), ("values[0]", "(values or [0])[0]")],
}
CALLS = {
    "total": [(([1, 2, 4],), {}), (([],), {"start": 7}), (([True, 2.5],), {"start": 0})],
    "strict": [((4,), {}), ((-1,), {}), ((True,), {"result": 0.0})],
    "result": [((True,), {"named": []})],
    "Box.first": [(([3, 4],), {}), (([],), {})],
}


def said_by(module: str, qualname: str, call: tuple[Any, Any]) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    exec(module, namespace)
    found: Any = namespace[qualname.partition(".")[0]]
    args, kwargs = call
    return written(getattr(found, "first", found), pack(args, kwargs, lambda module: False)[1])


def pasted(qualname: str, call: tuple[Any, Any], new: str) -> str | Unmeasured:
    """The test for that call, when the module becomes `new`."""
    kind = "staticmethod" if "." in qualname else "function"
    target = Target("m.py", qualname, "m", ".", 1, kind)
    return failing_test(target, said_by(MODULE, qualname, call), said_by(new, qualname, call))


def passes(module: str, test: str) -> bool:
    """Whether the one test function in a text passes with that module."""
    namespace: dict[str, Any] = {}
    there = sys.modules["m"] = types.ModuleType("m")
    try:
        exec(module, there.__dict__)
        exec(test, namespace)
        (run,) = [one for name, one in namespace.items() if name.startswith("test_")]
        run()
    except (AssertionError, pytest.fail.Exception, UnboundLocalError):
        return False
    finally:
        del sys.modules["m"]
    return True


def test_a_pasted_test_passes_with_the_original_and_fails_with_what_is_wrong():
    for qualname, versions in WRONG.items():
        for old, new in versions:
            assert old in MODULE
            changed = MODULE.replace(old, new)
            tests = [text for call in CALLS[qualname] if isinstance(text := pasted(qualname, call, changed), str)]
            assert tests, (qualname, new)
            for test in tests:
                assert passes(MODULE, test), test
                assert not passes(changed, test), test


def test_a_difference_that_such_a_test_cannot_see_gives_none():
    found = pasted("total", (([1],), {}), MODULE.replace("    return start\n", "    print(start)\n    return start\n"))
    assert isinstance(found, Unmeasured)


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (Target("m.py", "Box.get", "m", ".", 1, "method"), "object"),
        (Target("m.py", "items", "m", ".", 1, is_generator=True), "lazy"),
        (Target("m.py", "f", "m", ".", 1), "cannot be written"),
    ],
)
def test_where_there_is_no_test_the_reason_is_told(target, why):
    found = failing_test(target, {"fault": "builtins.object"}, {})
    assert isinstance(found, Unmeasured)
    assert why in found.reason


WHOLE = {"args": ["1"], "kwargs": {"a": "2"}, "kind": "returned", "said": ["3"], "after": ["1"], "named": {"a": "2"}}


@pytest.mark.parametrize(
    "part",
    [
        {"args": [1]},
        {"kwargs": {"a": "import os"}},
        {"after": None},
        {"said": ["1", "2"]},
        {"said": ["1; 2"]},
        {"kind": "left"},
        {"kind": "raised"},
        {"named": []},
    ],
)
def test_an_answer_that_is_no_answer_gives_no_test(part):
    target = Target("m.py", "f", "m", ".", 1)
    assert isinstance(failing_test(target, WHOLE, {}), str)
    assert isinstance(failing_test(target, WHOLE | part, {}), Unmeasured)
