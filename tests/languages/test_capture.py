"""Calls of functions of every kind, seen while tests run and made again by a worker, on every Python that is here.

One small project holds them all; its tests run once for each Python, with all functions watched together.
"""

from __future__ import annotations

import pytest
from pythons import home_of, outcomes, python, returned, targets_of  # noqa: F401

from optagent.languages.python.testing.pytest_run import Wish, run_tests

pytestmark = pytest.mark.slow

MODULE = '''
import contextlib
import functools


class Counted:
    """A decorator that is an object."""

    def __init__(self, function):
        self.inner, self.times = function, 0

    def __call__(self, *args):
        self.times += 1
        return self.inner(*args)


def loud(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper


def quiet(function):
    def wrapper(*args):
        return function(*args)
    return wrapper


class Shape:
    kind = "shape"

    def __init__(self, sides):
        self.sides = sides
        self.seen = []

    def area(self, scale=1):
        self.seen.append(scale)
        return self.sides * scale

    @staticmethod
    def still(x):
        return x + 1

    @classmethod
    def named(cls, name):
        return [cls.kind, name]

    @property
    def corners(self):
        return self.sides

    @corners.setter
    def corners(self, value):
        self.sides = value

    @functools.cached_property
    def doubled(self):
        return 2 * self.sides

    def __len__(self):
        return self.sides

    def __hidden(self, x):
        return x - 1

    def open(self, x):
        return self.__hidden(x)

    def each(self):
        for k in range(self.sides):
            yield k
        return "over"

    async def later(self, n):
        return n + self.sides


class Square(Shape):
    kind = "square"


@functools.lru_cache
def cached(n):
    return n * n


@contextlib.contextmanager
def opened(name):
    yield name.upper()


@loud
def wrapped(x):
    return -x


@quiet
def hidden(x):
    return x + 100


@Counted
def counted(x):
    return x + 1000


async def waits(n):
    return [n]


async def steps(n):
    for k in range(n):
        yield k


def lazily(n):
    yield from range(n)
    return n


def total(numbers):
    return sum(numbers)


def peek(numbers, start=()):
    return [*start, next(numbers)]


def every_way(first, /, second, *rest, third, **more):
    return [list(one) for one in (first, second, *rest, third, *more.values())]


def in_a_closure(numbers):
    def inner():
        return list(numbers)

    return inner()


def from_a_generator(numbers):
    yield from numbers


def use(function, x):
    return function(x)


def many(*args, option=1, **more):
    return [len(args), option, sorted(more)]


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


def even(n):
    return n == 0 or odd(n - 1)


def odd(n):
    return n != 0 and even(n - 1)


def fails(n):
    if n > 2:
        raise ValueError(n)
    return fails(n + 1)


def empties(xs):
    out = 0
    while xs:
        out += xs.pop()
    return out


def own(thing):
    return thing.sides


def unreached():
    return 1
'''

TESTS = '''
import asyncio
import threading

import pytest

import kinds
from kinds import Shape, Square


def test_methods():
    one = Shape(3)
    assert one.area() == 3 and one.area(scale=4) == 12
    assert Square(4).area(2) == 8
    assert Shape.still(7) == 8 and one.still(8) == 9
    assert Shape.named("a") == ["shape", "a"] and Square.named("b") == ["square", "b"]
    assert len(one) == 3 and one.open(5) == 4


def test_properties():
    one = Shape(5)
    assert one.corners == 5
    one.corners = 6
    assert one.doubled == 12 and one.doubled == 12


def test_generator_method():
    assert list(Shape(3).each()) == [0, 1, 2]


def test_asynchronous():
    async def collect():
        return [k async for k in kinds.steps(3)]

    assert asyncio.run(Shape(1).later(2)) == 3
    assert asyncio.run(kinds.waits(4)) == [4]
    assert asyncio.run(collect()) == [0, 1, 2]


def test_decorated():
    assert kinds.cached(5) == kinds.cached(5) == 25
    with kinds.opened("x") as name:
        assert name == "X"
    assert kinds.wrapped(2) == -2 and kinds.hidden(3) == 103 and kinds.counted(4) == 1004


def test_lazily():
    assert list(kinds.lazily(3)) == [0, 1, 2]


def test_iterators():
    assert kinds.total(iter([1, 2, 3])) == 6
    assert kinds.total(k for k in range(3)) == 3
    rest = iter([7, 8])
    assert kinds.peek(rest, start=iter([0])) == [0, 7]
    numbers = map(int, "12345")
    ones = (iter([int(k)]) for k in "2345")
    second, third, fourth, fifth = ones
    assert kinds.every_way(iter([1]), second, third, third=fourth, more=fifth) == [[1], [2], [3], [4], [5]]
    assert kinds.in_a_closure(numbers) == [1, 2, 3, 4, 5]
    assert list(kinds.from_a_generator(iter([1, 2]))) == [1, 2]


def test_functions():
    offset = 10
    assert kinds.use(lambda x: x + offset, 1) == 11
    assert kinds.use(helper, 2) == 4
    assert kinds.use(Shape(3).area, 2) == 6


def helper(x):
    return x * 2


def test_signatures():
    assert kinds.many(1, 2, option=3, extra=4) == [2, 3, ["extra"]]
    assert kinds.many() == [0, 1, []]


def test_recursion():
    assert kinds.depth(4) == 4 and kinds.even(6)
    for _ in range(2):
        with pytest.raises(ValueError):
            kinds.fails(0)


def test_emptied():
    xs = [1, 2]
    assert kinds.empties(xs) == 3 and xs == []


def test_thread():
    one = threading.Thread(target=kinds.empties, args=([5],))
    one.start()
    one.join()


class Local(Shape):
    """A class of the tests: no worker can import it."""


def test_objects():
    assert kinds.own(Square(4)) == 4 and kinds.own(Local(5)) == 5
'''

CALLS = {
    "Shape.area": [12, 3, 6, 8], "Shape.still": [8, 9],
    "Shape.named": [["l", "shape", "a"], ["l", "square", "b"]],
    "Shape.corners": [5], "Shape.doubled": [12], "Shape.__len__": [3], "Shape.__hidden": [4], "Shape.open": [4],
    "Shape.each": [["I", "generator", ["ended", "over"], 0, 1, 2]], "Shape.later": [3],
    "cached": [25], "opened": [["I", "generator", ["ended", None], "X"]], "wrapped": [-2], "hidden": [103],
    "counted": [1004], "waits": [["l", 4]], "steps": [["I", "async generator", ["ended", None], 0, 1, 2]],
    "lazily": [["I", "generator", ["ended", 3], 0, 1, 2]], "total": [3, 6], "peek": [["l", 0, 7]],"every_way": [["l", *[["l", k] for k in range(1, 6)]]], "in_a_closure": [["l", 1, 2, 3, 4, 5]],"from_a_generator": [["I", "generator", ["ended", None], 1, 2]], "use": [11, 4, 6],
    "many": [["l", 0, 1, ["l"]], ["l", 2, 3, ["l", "extra"]]], "depth": [4], "even": [True], "empties": [3, 5],
    "unreached": [],
}  # fmt: skip
TIMES = {"cached": 1, "own": 2, "Shape.corners": 1, "Shape.doubled": 1, "unreached": 0}
NAME = "tests/test_kinds.py::test_"


@pytest.fixture(scope="module")
def ran(python, tmp_path_factory):  # noqa: F811
    files = {"kinds.py": MODULE, "tests/test_kinds.py": TESTS}
    home, tree = home_of(tmp_path_factory.mktemp("kinds"), files, python)
    targets = targets_of(tree, [*CALLS, "fails", "own"])
    report = run_tests(home, tree, Wish(None, targets, keep=True))
    assert not report.broken
    assert report.names("failed") == set()
    return (
        home,
        tree,
        dict(zip([*CALLS, "fails", "own"], zip(targets, report.captured, strict=True), strict=True)),
        report,
    )


@pytest.mark.parametrize("name", CALLS)
def test_calls_of_every_kind_of_function_are_kept_and_made_again(ran, name):
    home, tree, seen, _ = ran
    target, captured = seen[name]
    assert returned(outcomes(home, tree, target, captured)) == sorted(CALLS[name], key=repr)


def test_what_a_call_raises_is_its_outcome(ran):
    home, tree, seen, _ = ran
    (told,) = outcomes(home, tree, *seen["fails"])
    assert told[1:3] == ["raised", ["x", "builtins.ValueError", ["t", 3], "3"]]


@pytest.mark.parametrize("name", TIMES)
def test_hits_of_a_cache_and_the_use_of_a_setter_are_no_calls(ran, name):
    assert ran[2][name][1].calls == TIMES[name]


def test_self_is_carried_as_it_was_before_the_call(ran):
    """Its list of scales is filled by the call; what is kept has it as it was."""
    home, tree, seen, _ = ran
    after = [told[3][1] for told in outcomes(home, tree, *seen["Shape.area"])]
    kept = sorted(dict(one[3:])["seen"][1:] for one in after)
    assert kept == [[1], [1, 4], [2], [2]]


def test_an_object_of_a_class_of_the_tests_is_lost_by_name(ran):
    home, tree, seen, _ = ran
    captured = seen["own"][1]
    reasons = [*captured.lost, *(one for one in outcomes(home, tree, *seen["own"]) if isinstance(one, str))]
    assert len(captured.inputs) + sum(captured.lost.values()) == 2
    assert any("Local" in one or "test_kinds" in one for one in reasons)


def test_every_test_reaches_what_it_calls_and_nothing_else(ran):
    _, _, seen, report = ran
    numbers = {name: number for number, name in enumerate(seen)}
    reached = {test.name.removeprefix(NAME): test.reached for test in report.tests}
    assert reached["lazily"] == {numbers["lazily"]}
    assert reached["properties"] == {numbers["Shape.corners"], numbers["Shape.doubled"]}
    assert reached["recursion"] == {numbers[name] for name in ("depth", "even", "fails")}
    assert {numbers["Shape.area"], numbers["use"]} == reached["functions"]
    assert numbers["empties"] in reached["thread"]
    assert not any(numbers["unreached"] in one for one in reached.values())


def test_without_arguments_asked_for_tests_reach_the_same_and_nothing_is_kept(ran):
    home, tree, seen, report = ran
    plain = run_tests(home, tree, Wish(None, tuple(target for target, _ in seen.values())))
    assert {one.name: one.reached for one in plain.tests} == {one.name: one.reached for one in report.tests}
    assert not any(one.inputs for one in plain.captured)


BUSY = """
def size(n):
    return n


def mix(*numbers):
    return len(numbers)
"""
BUSY_TESTS = """
import random
import m

def test_many():
    order = list(range(3000))
    random.Random(1).shuffle(order)
    for n in order:
        m.size("x" * n)

def test_the_same_again_and_again():
    for _ in range(500):
        m.mix(1, 2)

def test_more_than_are_counted():
    for n in range(21_000):
        m.mix(1, 2)

def test_after_that():
    m.mix(30)
"""


def test_however_many_calls_there_are_a_bounded_sample_of_small_and_large_is_kept(python, tmp_path):  # noqa: F811
    home, tree = home_of(tmp_path, {"m.py": BUSY, "tests/test_m.py": BUSY_TESTS}, python)
    targets = targets_of(tree, ["size", "mix"])
    report = run_tests(home, tree, Wish(None, targets, keep=True))
    assert not report.broken
    size, mix = report.captured
    assert 1000 <= size.calls <= 3000
    assert len({one.data for one in size.inputs}) == len(size.inputs) <= 200 + 8
    lengths = sorted(len(told[3][1]) for told in outcomes(home, tree, targets[0], size))
    assert lengths[0] <= 150 < 2000 <= lengths[-1]
    assert len(lengths) >= 20
    assert len(mix.inputs) == 2
    assert mix.calls <= 21_501
    assert report.tests[-1].reached == {1}
