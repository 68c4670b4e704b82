"""A call written as a test that a person can paste: what was written is run, and fails for another function."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import toolbox_path  # noqa: F401 - the toolbox is found from here on
from hypothesis import given
from hypothesis import strategies as st
from optagent_codec import pack
from optagent_source import NotPlain, source, written

from optagent.core.target import Target
from optagent.core.verdict import Unmeasured
from optagent.languages.python.failing_test import failing_test

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
    "Box.first": [("return values[0]", "return values[-1]"), ("values[0]", "(values or [0])[0]")],
}
CALLS = {
    "total": [(([1, 2, 4],), {}), (([],), {"start": 7}), (([True, 2.5],), {"start": 0})],
    "Box.first": [(([3, 4],), {}), (([],), {})],
}


def test_for(qualname: str, call: tuple[Any, Any]) -> str:
    namespace: dict[str, Any] = {}
    exec(MODULE, namespace)
    found: Any = namespace[qualname.partition(".")[0]]
    found = getattr(found, "first", found)
    kind = "staticmethod" if "." in qualname else "function"
    args, kwargs = call
    said = written(found, pack(args, kwargs, lambda module: False)[1])
    text = failing_test(Target("m.py", qualname, "m", ".", 1, kind), said)
    assert isinstance(text, str), text
    return text


test_for.__test__ = False  # type: ignore[attr-defined]


def passes(folder: Path, module: str, tests: list[str]) -> list[bool]:
    """Whether each test passes with that module, in a pytest of its own."""
    (folder / "m.py").write_text(module)
    for k, text in enumerate(tests):
        (folder / f"test_{k}.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), "-rA", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return [f"PASSED test_{k}.py" in done.stdout for k in range(len(tests))]


def test_pasted_tests_pass_with_the_original_and_one_of_them_fails_with_every_wrong_version(tmp_path):
    for qualname, versions in WRONG.items():
        tests = [test_for(qualname, call) for call in CALLS[qualname]]
        assert passes(tmp_path, MODULE, tests) == [True] * len(tests)
        for old, new in versions:
            assert old in MODULE
            assert not all(passes(tmp_path, MODULE.replace(old, new), tests)), (qualname, new)


def test_an_exception_is_expected_with_its_class_and_its_words():
    text = test_for("Box.first", (([],), {}))
    assert "pytest.raises(Exception, match=re.escape('list index out of range')) as caught" in text
    assert "== 'builtins.IndexError'" in text


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (Target("m.py", "Box.get", "m", ".", 1, "method"), "object"),
        (Target("m.py", "items", "m", ".", 1, is_generator=True), "lazy"),
        (Target("m.py", "f", "m", ".", 1), "cannot be written"),
    ],
)
def test_where_there_is_no_test_the_reason_is_told(target, why):
    found = failing_test(target, {"fault": "builtins.object"})
    assert isinstance(found, Unmeasured)
    assert why in found.reason


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"args": [1], "kwargs": {}, "kind": "returned", "said": ["1"], "changes": False, "after": []},
        {"args": [], "kwargs": {"a b": "1"}, "kind": "returned", "said": ["1"], "changes": False, "after": []},
        {"args": [], "kwargs": {}, "kind": "returned", "said": ["1", "2"], "changes": False, "after": []},
        {"args": [], "kwargs": {}, "kind": "left", "said": ["1"], "changes": False, "after": []},
    ],
)
def test_an_answer_that_is_no_answer_gives_no_test(said):
    assert isinstance(failing_test(Target("m.py", "f", "m", ".", 1), said), Unmeasured)
