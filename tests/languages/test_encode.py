"""The canonical encoding that runs in the target's interpreter: type-exact, and never silently equal."""

from __future__ import annotations

import enum
import math
import sys
import threading

import pytest
import toolbox_path  # noqa: F401
from hypothesis import given
from hypothesis import strategies as st

# isort: split
import optagent_objects  # noqa: F401 - puts the objects into the encoding
from optagent_encode import CannotEncode, encode

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5)
    | st.complex_numbers() | st.just(...)
)  # fmt: skip
hashables = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=6)
values = st.recursive(
    hashables,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    | st.lists(inner, max_size=3).map(tuple),
    max_leaves=20,
)  # fmt: skip


@given(values)
def test_the_same_value_built_twice_gives_the_same_bytes(value):
    assert encode(value) == encode(rebuilt(value))


def rebuilt(value):
    if isinstance(value, list | tuple):
        return type(value)([rebuilt(one) for one in value])
    return {key: rebuilt(one) for key, one in value.items()} if isinstance(value, dict) else value


@given(values, values)
def test_different_bytes_for_values_that_python_can_tell_apart(one, other):
    if encode(one) == encode(other):
        assert repr(one) == repr(other)


DIFFERENT = [
    (True, 1), (1, 1.0), (0.0, -0.0), ("1", 1), (b"a", "a"), (b"a", bytearray(b"a")), ([1], (1,)), ({1}, frozenset({1})),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}), (None, False), (10**5000, 10**5000 + 1), ("\ud800", "\ud801"),
    (math.inf, -math.inf), ([], [[]]), ({}, set()), (ValueError("a"), ValueError("b")), (ValueError("a"), TypeError("a")),
    (["i", "ff"], 255), (["f", "0x1p+0"], 1.0), (range(3), range(4)),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=range(len(DIFFERENT)))
def test_what_python_may_call_equal_is_kept_apart(one, other):
    assert encode(one) != encode(other)


def test_nan_is_nan_and_sets_have_no_order():
    assert encode(math.nan) == encode(math.nan)
    assert encode({"a", "b", (1, 2)}) == encode({(1, 2), "b", "a"})


def test_an_alias_is_not_a_copy_and_a_cycle_ends():
    inner = [1]
    assert encode([inner, inner]) != encode([[1], [1]])
    knot: list[object] = []
    knot.append(knot)
    assert encode(knot) == b'["l",["r",0]]'


class Colour(enum.IntEnum):
    RED = 1


class Loud(list):
    pass


class Liar:
    __class__ = list

    def __eq__(self, other):
        return True


@pytest.mark.parametrize("value", [Colour.RED, Loud(), Liar()], ids=lambda one: type(one).__name__)
def test_what_claims_to_be_a_builtin_is_encoded_by_its_own_class(value):
    assert type(value).__name__.encode() in encode([value])
    assert encode(value) not in (encode(1), encode([]), encode(object()))


@pytest.mark.parametrize(
    "value", [threading.Lock(), sys._getframe(), property(len)], ids=lambda one: type(one).__name__
)
def test_what_has_no_form_is_refused_by_name(value):
    with pytest.raises(CannotEncode, match=type(value).__name__):
        encode([value])


def test_a_bottomless_value_is_refused_and_does_not_crash():
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(CannotEncode, match="nested deeper"):
        encode(deep)
    while isinstance(deep, list):  # taken apart by hand: its deallocation would recurse too
        deep = deep.pop()
