"""Calls made from type hints: of the types that are asked for, the same for the same seed, and none without hints."""

from __future__ import annotations

import decimal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import hypothesis
import hypothesis.configuration as configuration
import toolbox_path  # noqa: F401

# isort: split
import pytest
from optagent_codec import drained, pack, unpack
from optagent_hints import GREATEST, has_hints, varied

pytestmark = pytest.mark.slow

FOLDER = str(Path(hypothesis.__file__).parents[1])
T = TypeVar("T")


def packed(*args, **kwargs):
    args, kwargs, _, _ = drained(args, kwargs)
    return pack(args, kwargs, lambda module: False)[1]


def calls(target, inputs=(), seed=1, most=40):
    return [unpack(data) for _, data in varied(inputs, len(inputs), seed, most, 1 << 16, target, FOLDER)]


def of_all_kinds(
    a: list[int], b: dict[str, float], c: bool | None, d: tuple[int, ...], e: Literal["x", "y"], f: set[bytes]
): ...


def test_every_call_has_values_of_the_types_that_the_hints_name():
    made = calls(of_all_kinds)
    assert len(made) == 40
    for (a, b, c, d, e, f), kwargs in made:
        assert kwargs == {}
        assert all(type(one) is int and abs(one) <= GREATEST for one in a)
        assert all(type(k) is str and abs(v) <= GREATEST for k, v in b.items())
        assert c in (None, True, False)
        assert type(d) is tuple
        assert e in ("x", "y")
        assert all(type(one) is bytes for one in f)
    assert len({repr(one) for one in made}) == 40


def test_the_same_seed_makes_the_same_calls_and_another_makes_others():
    assert repr(calls(of_all_kinds, seed=3)) == repr(calls(of_all_kinds, seed=3)) != repr(calls(of_all_kinds, seed=4))


def test_no_call_is_one_of_the_inputs():
    def target(a: bool): ...

    assert [args for args, _ in calls(target, [packed(True)])] == [(False,)]


@dataclass
class Jar:
    size: int

    def keep(self, what: str, times: int = 1, *, loudly: bool = False): ...


def test_what_has_no_hint_takes_what_calls_showed():
    made = calls(Jar.keep, [packed(Jar(3), "a"), packed(Jar(4), "b")])
    assert {args[0].size for args, _ in made} == {3, 4}
    assert all(type(args[1]) is str and type(args[2]) is int for args, _ in made)
    assert {one["loudly"] for _, one in made} == {True, False}


def no_hints(a, b): ...
def one_of_two(a: int, b): ...
def says_nothing(a: Any, b: T, c: Callable[[int], int]): ...
def unknown(a: NotThere): ...  # noqa: F821
def spread(*args: int, **kwargs: int): ...


@pytest.mark.parametrize("target", [no_hints, one_of_two, says_nothing, unknown, spread, len])
def test_where_hints_are_not_enough_there_are_no_calls(target):
    assert calls(target) == []


@pytest.mark.parametrize("target", [no_hints, says_nothing, unknown, len])
def test_hypothesis_is_not_imported_where_no_hint_says_anything(target):
    assert varied([], 0, 1, 9, 1 << 16, target, "/there/is/no/such/folder") == []
    assert not has_hints(target)


def test_a_hint_that_hypothesis_knows_nothing_for_counts_as_none():
    class Odd(Generic[T]):
        def __init__(self, *, secret: NotThere): ...  # noqa: F821

    def target(a: Odd[int], b: int): ...

    target.__annotations__["a"] = Odd[int]
    assert calls(target) == []
    seen = calls(target, [packed(7, 8)])
    assert seen
    assert {args[0] for args, _ in seen} == {7}


def test_a_default_is_left_out_where_nothing_says_what_else_could_be_there():
    def target(a=None, b: int = 0, *, c: int): ...

    for args, kwargs in calls(target):
        assert args == ()
        assert {*kwargs} == {"b", "c"}


def test_iterators_are_written_down_as_what_they_give():
    def target(values: Iterator[int]): ...

    assert all(type(one) is int for (values,), _ in calls(target) for one in values)


def test_hypothesis_leaves_no_files(tmp_path, monkeypatch):
    def texts(a: str): ...  # which letters there are is kept in a file

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    homes = []
    monkeypatch.setattr(configuration, "set_hypothesis_home_dir", homes.append)
    assert calls(texts)
    (home,) = homes
    assert Path(home).parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_numbers_are_plain():
    def target(a: list[float], b: decimal.Decimal): ...

    for (values, exact), _ in calls(target, most=200):
        assert all(str(one) not in ("-0.0", "nan", "inf", "-inf") and one == round(one, 3) for one in values)
        assert exact.is_finite()


def test_objects_of_the_projects_own_classes_are_taken_from_calls():
    def target(a: Jar, b: list[Jar], c: int): ...

    assert calls(target) == []
    assert {args[0].size for args, _ in calls(target, [packed(Jar(3), [], 1), packed(Jar(4), [Jar(5)], 2)])} == {3, 4}


def test_a_keyword_only_parameter_takes_no_positional_value():
    def target(a: int, *rest, flag): ...

    assert {one["flag"] for _, one in calls(target, [packed(1, 2, 3, flag="yes")])} == {"yes"}
