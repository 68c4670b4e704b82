"""Where encoding is dear, drawn items of long containers are encoded: equal values stay equal, and whatever differs is
seen by the draw that takes it."""

from __future__ import annotations

import collections
from dataclasses import dataclass

import pytest
import toolbox_path  # noqa: F401
from hypothesis import given
from hypothesis import strategies as st
from test_encode_packed import plain

from optagent.core.canonical import first_difference

# isort: split
import optagent_objects  # noqa: F401 - teaches the encoder objects
from optagent_encode import encode

STEP = 8
DRAWS = [(first, STEP) for first in range(STEP)]


@dataclass
class Point:
    x: int
    y: object


def left(value):
    return ["returned", value, (), {}, []]


def texts(n):
    return [f"item {k}" for k in range(n)]


LONG = {
    "list": texts,
    "tuple": lambda n: tuple(texts(n)),
    "dict": lambda n: {k: f"item {k}" for k in range(n)},
    "rows": lambda n: [(k, k / 3) for k in range(n)],
    "objects": lambda n: [Point(k, [k]) for k in range(n)],
    "deque": lambda n: collections.deque(texts(n)),
    "attribute": lambda n: Point(1, texts(n)),
    "two lists": lambda n: (texts(n), texts(n)),
}


def seen_by(old, new):
    return [draw for draw in DRAWS if encode(left(old), draw) != encode(left(new), draw)]


@given(st.lists(plain, max_size=40), st.sampled_from(DRAWS))
def test_equal_values_are_encoded_alike_whatever_is_drawn(items, draw):
    again = eval(repr(items), {"nan": float("nan"), "inf": float("inf")})
    assert encode(left(items), draw) == encode(left(again), draw)


@given(st.integers(16, 200), st.data())
def test_every_item_is_looked_at_by_one_draw_and_by_no_other(n, data):
    where = data.draw(st.integers(0, n - 1))
    old, new = texts(n), texts(n)
    new[where] = "other"
    step = min(STEP, n // 2)
    assert seen_by(old, new) == [draw for draw in DRAWS if draw[0] % step == where % step]


@pytest.mark.parametrize("kind", LONG)
@pytest.mark.parametrize("n", [16, 100, 101])
def test_a_long_container_takes_less_than_its_whole_and_its_length_is_always_seen(kind, n):
    value = LONG[kind](n)
    assert seen_by(value, LONG[kind](n)) == []
    assert seen_by(value, LONG[kind](n + 1)) == DRAWS
    assert {len(encode(left(value), draw)) < len(encode(left(value))) for draw in DRAWS} == {True}


def test_short_containers_and_what_drawn_items_hold_are_looked_at_whole():
    assert {encode(left(texts(15)), draw) for draw in DRAWS} == {encode(left(texts(15)))}
    old, new = [texts(100) for _ in range(16)], [texts(100) for _ in range(16)]
    new[3][7] = "other"
    assert seen_by(old, new) == [(3, STEP)]


def test_one_kind_of_container_is_never_taken_for_another():
    pairs = [(k, k) for k in range(20)]
    ways = [encode(left(one), (1, STEP)) for one in (pairs, tuple(pairs), dict(pairs))]
    assert len(set(ways)) == 3


def test_an_alias_of_a_long_container_is_no_copy_of_it():
    one, other = texts(20), texts(20)
    assert seen_by([one, one], [one, other]) == DRAWS


class Late(Exception):
    def __str__(self):
        return "made when asked"


@pytest.mark.parametrize("late", [lambda: (k for k in range(3)), lambda: iter([1]), lambda: Late(1)])
def test_what_could_do_its_work_late_is_never_left_out(late):
    """Work that has been moved into it shows in the time that encoding takes, if all of it is encoded."""

    def value():
        return [("row", late()) for _ in range(40)]

    for draw in DRAWS:
        assert encode(left(value()), draw) == encode(left(value()))


@pytest.mark.parametrize(
    ("kind", "place"), [("list", "[3::8][2]"), ("tuple", "[3::8][2]"), ("dict", " (items [3::8])[2][1]")]
)
def test_the_place_of_a_difference_is_told(kind, place):
    old, new = LONG[kind](100), list(LONG[kind](100)) if kind != "dict" else LONG[kind](100)
    new[19] = "other"
    new = tuple(new) if kind == "tuple" else new
    found = first_difference(encode(left(old), (3, STEP)), encode(left(new), (3, STEP)))
    assert (found.where, found.old, found.new) == (f"the result{place}", "'item 19'", "'other'")


def test_another_length_is_told():
    found = first_difference(encode(left(texts(100)), (3, STEP)), encode(left(texts(99)), (3, STEP)))
    assert (found.where, found.old, found.new) == ("the result", "list of 100", "list of 99")
