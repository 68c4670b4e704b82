"""Where encoding is dear, a drawn part of what a call left is encoded: equal values stay equal, and whatever differs is
seen by the draw that takes it."""

from __future__ import annotations

import collections
from dataclasses import dataclass, field
from fractions import Fraction

import pytest
import toolbox_path  # noqa: F401
from hypothesis import given
from hypothesis import strategies as st
from test_encode_packed import plain

from optagent.core.canonical import first_difference

# isort: split
import optagent_objects  # noqa: F401 - teaches the encoder objects
from optagent_encode import encode

STEP = 7
DRAWS = [(number, STEP) for number in range(STEP)]


@dataclass
class Point:
    x: int
    y: object


class Node:
    def __init__(self, name, *children):
        self.name, self.children = name, children


def left(value):
    return ["returned", value, (), {}, []]


def texts(n):
    return [f"item {k}" for k in range(n)]


def tree(n):
    return Node(f"node {n}", tree(n // 2), tree(n // 3)) if n else None


LONG = {
    "list": texts,
    "tuple": lambda n: tuple(texts(n)),
    "dict": lambda n: {k: f"item {k}" for k in range(n)},
    "rows": lambda n: [(k, k / 3) for k in range(n)],
    "objects": lambda n: [Point(k, [k]) for k in range(n)],
    "deque": lambda n: collections.deque(texts(n)),
    "texts in a set": lambda n: {*texts(n)},
    "pairs in a set": lambda n: {(k, str(k)) for k in range(n)},
    "sets in a frozenset": lambda n: frozenset(frozenset((k, k + 1)) for k in range(n)),
}


def seen_by(old, new):
    return [draw for draw in DRAWS if encode(left(old), draw) != encode(left(new), draw)]


def again(value):
    return eval(repr(value), {"nan": float("nan"), "inf": float("inf"), "Point": Point})


@pytest.mark.slow
@given(st.lists(plain, max_size=40), st.integers(0, 1 << 32), st.integers(1, 61))
def test_equal_values_are_encoded_alike_whatever_is_drawn(items, number, step):
    assert encode(left(items), (number, step)) == encode(left(again(items)), (number, step))


nested = st.recursive(
    st.integers(),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=30)
        | st.lists(inner, min_size=1, max_size=4).map(tuple)
        | st.lists(inner, min_size=1, max_size=20).map(lambda items: dict(enumerate(items)))
        | st.tuples(st.integers(), inner).map(lambda pair: Point(*pair))
    ),
    max_leaves=60,
)


def changed(value, data):
    """The value with one number changed, wherever it is."""
    if isinstance(value, int):
        return value + 1
    if isinstance(value, Point):
        return Point(value.x, changed(value.y, data))
    if isinstance(value, dict):
        key = data.draw(st.sampled_from(sorted(value)))
        return {**value, key: changed(value[key], data)}
    where = data.draw(st.integers(0, len(value) - 1))
    return type(value)(changed(one, data) if k == where else one for k, one in enumerate(value))


@given(nested, st.integers(1, 61), st.data())
def test_whatever_has_changed_wherever_it_is_some_draw_looks_at_it(value, step, data):
    old, new = left(value), left(changed(value, data))
    assert any(encode(old, (number, step)) != encode(new, (number, step)) for number in range(step))


@given(st.integers(2, 200), st.data())
def test_every_item_of_a_list_is_looked_at_by_the_draws_of_one_remainder(n, data):
    where = data.draw(st.integers(0, n - 1))
    old, new = texts(n), texts(n)
    new[where] = "other"
    step = min(STEP, n)
    assert seen_by(old, new) == [draw for draw in DRAWS if draw[0] % step == where % step]


@pytest.mark.parametrize("kind", LONG)
@pytest.mark.parametrize("n", [16, 100, 101])
def test_a_part_of_a_long_container_takes_less_than_its_whole_and_its_length_is_always_seen(kind, n):
    make = LONG[kind]
    assert seen_by(make(n), make(n)) == []
    assert seen_by(make(n), make(n + 1)) == DRAWS
    assert {len(encode(left(make(n)), draw)) < len(encode(left(make(n)))) for draw in DRAWS} == {True}


def test_a_tree_of_small_objects_is_looked_at_in_part_too():
    whole = len(encode(left(tree(500))))
    parts = [len(encode(left(tree(500)), (number, 61))) for number in range(61)]
    assert sum(parts) / len(parts) < whole / 6  # each says where it stands in the tree, too


@pytest.mark.parametrize("kind", ["pairs in a set", "sets in a frozenset", "texts in a set"])
def test_another_member_of_a_set_is_seen_by_every_look_at_it_and_its_order_by_none(kind):
    old = LONG[kind](100)
    new = type(old)([*list(old)[1:], "another one"])
    assert seen_by(old, new) == DRAWS
    assert seen_by(old, type(old)([*old][::-1])) == []


@dataclass(frozen=True)
class Row:
    key: int
    payload: object = field(compare=False)


def rows(payload, pack):
    return {pack(Row(k, payload)) for k in range(100)}


@pytest.mark.parametrize("pack", [lambda row: row, lambda row: (1, row), lambda row: frozenset([row])])
def test_members_that_hold_more_than_they_hash_are_looked_at_whole(pack):
    assert seen_by(rows("full", pack), rows(None, pack)) == DRAWS
    assert seen_by({Fraction(k) for k in range(100)}, {*range(100)}) == DRAWS


BY_HASHES = (0, 1)


@pytest.mark.parametrize("pack", [lambda row: row, lambda row: (1, row), lambda row: frozenset([row])])
def test_one_member_of_a_large_set_that_holds_more_than_it_hashes_is_looked_at_whole_where_all_are(pack):
    old, new = ({*range(200), pack(Row(7, payload))} for payload in ("full", None))
    assert encode(left(old), BY_HASHES) != encode(left(new), BY_HASHES)


@pytest.mark.parametrize("other", [float, bool, lambda k: k + 0j])
def test_numbers_of_another_kind_that_hash_alike_are_told_where_all_are_looked_at(other):
    old, new = ({(k, f"{k}", other(1) if k == 150 else 1) for k in range(200)} for other in (int, other))
    assert {hash(one) for one in old} == {hash(one) for one in new}
    assert encode(left(old), BY_HASHES) != encode(left(new), BY_HASHES)


def test_ints_of_which_a_hash_is_only_the_rest_of_a_division_are_never_told_by_it():
    old = {3**k for k in range(200)}
    new = {hash(one) for one in old}
    assert {hash(one) for one in new} == {hash(one) for one in old}
    for pack in (lambda members: members, lambda members: {(one, "x") for one in members}):
        assert encode(left(pack(old)), BY_HASHES) != encode(left(pack(new)), BY_HASHES)
        assert seen_by(pack(old), pack(new)) == DRAWS


class Claims(type):
    """Of classes that claim to be int."""

    def __hash__(cls):
        return hash(int)

    def __eq__(cls, other):
        return other is int or other is cls


class Later(metaclass=Claims):
    def __init__(self, value):
        self.value = value

    def __hash__(self):
        return self.value


def test_a_class_that_claims_to_be_int_is_none_in_a_large_set():
    old, new = {k * k for k in range(200)}, {0, *(Later(k * k) for k in range(1, 200))}
    assert encode(left(old), BY_HASHES) != encode(left(new), BY_HASHES)
    assert seen_by(old, new) == DRAWS


def test_every_member_of_a_large_set_has_the_same_chance_to_be_looked_at():
    members = [*range(100), Later(100)]
    seen = [encode(left({*members}), (number, STEP))[:30].count(b"H") for number in range(len(members))]
    assert seen.count(0) == -(-len(members) // STEP)


def test_sets_by_their_hashes_are_short_and_in_no_order():
    items = [(k, f"{k}") for k in range(2000)] + [frozenset([k]) for k in range(2000)]
    one, same = encode(left({*items}), BY_HASHES), encode(left({*items[::-1]}), BY_HASHES)
    assert one == same
    assert len(one) < 150


def test_what_a_call_left_is_always_looked_at_as_to_its_outcome():
    raised = ["raised", ValueError("no"), (), {}, []]
    assert all(encode(raised, draw) != encode(left("no"), draw) for draw in DRAWS)


def test_one_kind_of_container_is_never_taken_for_another():
    pairs = [(k, k) for k in range(20)]
    kinds = [pairs, tuple(pairs), dict(pairs), {*pairs}, frozenset(pairs)]
    assert len({encode(left(one), (1, STEP)) for one in kinds}) == len(kinds)


def test_the_place_of_a_difference_in_an_iterator_of_one_is_told():
    found = first_difference(encode(left(iter([1]))), encode(left(iter([2]))))
    assert (found.where, found.old, found.new) == ("the result[0]", "1", "2")


@pytest.mark.parametrize("items", [b"u\x03\0\0\0abc", b"[\x01\0\0\0i\x01\0\0\0"])
def test_sets_of_what_is_no_set_are_told_as_they_stand(items):
    odd = [b'["l","returned",["SZ",3,0],["t"],["d"],["l"]]\n' + items + end for end in (b"", b"i\0\0\0\0")]
    assert first_difference(*odd).where == "the encoding"
