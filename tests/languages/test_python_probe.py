"""What the probe sees of calls that are not plain: closures, generators, properties, defaults, fixtures, threads.

Every kind of call stands in one small project, whose tests run once per target in the sandbox.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from pythons import home_of, outcomes

from optagent.languages.python.targets.locate import locate
from optagent.languages.python.testing.pytest_run import Wish, run_tests
from optagent.languages.tests import Captured, TestReport

pytestmark = pytest.mark.slow  # the quick tier has the plain calls, in test_python_project.py

MODULE = """
import functools


def default(a, b=[], *, c=3):
    b.append(a)
    return c


def captured(a):
    def inner():
        return a
    a = a + 1
    return inner


def lazily(n):
    yield from range(n)


async def later(n):
    return n


@functools.wraps(default)
def wrapped(*args):
    return args


def cached_plain(n):
    return n

cached = functools.lru_cache(cached_plain)


def even(n):
    return n == 0 or odd(n - 1)

def odd(n):
    return n != 0 and even(n - 1)


def falls(n):
    if n > 2:
        raise ValueError(n)
    return falls(n + 1)


def holds(thing):
    return thing


def unreached():
    return 1


class Shape:
    kind = "shape"

    @classmethod
    def named(cls, name):
        return name

    @staticmethod
    def still(x):
        return x
"""

TESTS = """
import asyncio
import inspect
import threading
import unittest

import pytest

from m import *
from m import Shape, falls


def test_default():
    default(1); default(2, [5]); default(a=3, c=4)

def test_captured():
    assert captured(1)() == 2

def test_lazily():
    assert list(lazily(3)) == [0, 1, 2]

def test_later():
    assert asyncio.run(later(4)) == 4

def test_wrong_call():
    with pytest.raises(TypeError):
        holds()

def test_cached():
    cached(5); cached(5)

def test_even():
    assert even(4)

def test_falls():
    for _ in range(2):
        with pytest.raises(ValueError):
            falls(0)

def test_holds():
    holds(object()); holds(lambda: 1); holds([1, 2]); holds([1, 2])
    holds(threading.Lock()); holds([threading.Lock()])

def test_thread():
    one = threading.Thread(target=holds, args=("in a thread",))
    one.start(); one.join()

def test_still():
    Shape.still(7); Shape().still(8)

@pytest.fixture
def made():
    return holds("in setup")

def test_setup(made): pass

@pytest.fixture
def broken():
    raise KeyError("setup")

def test_broken_setup(broken): pass

@pytest.mark.xfail(strict=True)
def test_strict(): pass

@pytest.mark.xfail
def test_loose(): pass

class TestUnit(unittest.TestCase):
    def test_it(self):
        assert holds("unit") == "unit"
        with self.subTest(): pass

@pytest.mark.parametrize("text", ["", " ", "::", "[x]", "a\\nb", "tests/test_m.py::test_even"])
def test_odd_ids(text):
    assert holds(text) == text
"""

NAME = "tests/test_m.py::test_"


@pytest.fixture(scope="module")
def tests_of(tmp_path_factory: pytest.TempPathFactory, ours: Path) -> Callable[[str], TestReport]:
    home, tree = home_of(tmp_path_factory.mktemp("probe"), {"m.py": MODULE, "tests/test_m.py": TESTS}, ours)
    known: dict[str, TestReport] = {}

    def report(target: str) -> TestReport:
        if target not in known:
            known[target] = run_tests(home, tree, Wish(None, (locate(tree, target),), keep=True))
        return known[target]

    report.home, report.tree = home, tree  # type: ignore[attr-defined]
    return report


def captured(report: TestReport) -> Captured:
    assert not report.broken
    (of_target,) = report.captured
    return of_target


def calls(report: TestReport) -> list[object]:
    return [pickle.loads(one.data) for one in captured(report).inputs]


def test_arguments_are_those_that_were_bound_before_the_call_began(tests_of):
    """3.11 keeps what the caller wrote, newer versions what was bound: called again, both do the same."""
    assert captured(tests_of("default")).calls == 3
    seen = calls(tests_of("default"))
    assert ((1,), {}) in seen or ((1, []), {"c": 3}) in seen


def test_an_argument_that_a_closure_holds_is_kept_too(tests_of):
    assert calls(tests_of("captured")) == [((1,), {})]


@pytest.mark.parametrize(("target", "n"), [("lazily", 3), ("later", 4)])
def test_a_generator_or_a_coroutine_is_a_call(tests_of, target, n):
    assert calls(tests_of(target)) == [((n,), {})]


def test_a_cache_around_the_target_hides_its_hits(tests_of):
    assert (captured(tests_of("cached_plain")).calls, calls(tests_of("cached_plain"))) == (1, [((5,), {})])


def test_recursion_through_another_function_is_one_call(tests_of):
    assert calls(tests_of("even")) == [((4,), {})]


def test_calls_that_raise_are_kept_and_the_next_outermost_call_is_still_seen(tests_of):
    assert calls(tests_of("falls")) == [((0,), {})]


def test_a_static_method_is_seen_through_its_class_and_an_instance(tests_of):
    assert calls(tests_of("Shape.still")) == [((7,), {}), ((8,), {})]


def test_what_cannot_be_kept_is_counted_by_its_reason_and_what_can_is_kept_once(tests_of):
    report = tests_of("holds")
    assert captured(report).lost == {"cannot pickle '_thread.lock' object": 2}
    told = outcomes(tests_of.home, tests_of.tree, locate(tests_of.tree, "holds"), captured(report))
    results = [one[2] for one in told]
    assert results.count(["l", 1, 2]) == 1
    assert "in a thread" in results
    assert any(one[0] == "o" and one[1] == "builtins.object" for one in results if isinstance(one, list))
    assert any(one[0] == "F" and "<lambda>" in one[1] for one in results if isinstance(one, list))


def test_nothing_is_reached_where_nothing_is_called(tests_of):
    report = tests_of("unreached")
    assert (captured(report).calls, captured(report).inputs) == (0, ())
    assert not any(test.reached for test in report.tests)


def test_calls_in_fixtures_threads_and_unit_tests_count_for_their_test(tests_of):
    reached = {test.name for test in tests_of("holds").tests if test.reached}
    assert {NAME + "setup", NAME + "thread", "tests/test_m.py::TestUnit::test_it"} <= reached
    assert NAME + "even" not in reached


def test_outcomes_are_told_for_faults_before_the_test_and_for_expected_ones(tests_of):
    report = tests_of("unreached")
    assert report.names("failed") == {NAME + "broken_setup", NAME + "strict"}
    assert {NAME + "loose", NAME + "default", "tests/test_m.py::TestUnit::test_it"} <= report.names("passed")
    assert report.names("unfinished") == set()


def test_tests_with_odd_names_are_told_apart(tests_of):
    odd = [test.name for test in tests_of("holds").tests if "odd_ids" in test.name]
    assert len(set(odd)) == 6
