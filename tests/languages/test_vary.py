"""Inputs near those of the tests: of the same kind, no further out than what was seen, the same for the same seed."""

from __future__ import annotations

import itertools
import random

import toolbox_path  # noqa: F401
from hypothesis import given
from hypothesis import strategies as st

# isort: split
from optagent_codec import drained, pack, unpack
from optagent_encode import encode
from optagent_rename import is_sorted, renamed
from optagent_vary import Seen, changed, varied

PLAIN = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=4)
        | st.frozensets(st.integers(), max_size=4)
    ),
    max_leaves=8,
)


def near(value, *others):
    """What is near a value where those others have been seen in its place."""
    seen = Seen()
    for one in (value, *others):
        seen.add(one)
    return list(changed(value, seen, random.Random(1), 0))


def packed(*args, **kwargs):
    args, kwargs, _, _ = drained(args, kwargs)
    return pack(args, kwargs, lambda module: False)[1]


def calls(inputs, of=None, seed=1, most=500, reach="near"):
    return [unpack(data) for _, data in varied(inputs, len(inputs) if of is None else of, seed, most, reach)]


@given(PLAIN, PLAIN)
def test_what_is_near_a_value_is_of_its_type_and_leaves_it_alone(value, other):
    before = encode(value)
    assert all(type(one) is type(value) for one in near(value, other))
    assert encode(value) == before


@given(st.lists(st.integers()), st.lists(st.integers()))
def test_a_sequence_that_is_sorted_stays_so(values, others):
    assert all(is_sorted(one) or not one for one in near(sorted(values), others))


@given(st.lists(st.integers() | st.floats(allow_nan=False), min_size=1))
def test_numbers_stay_between_the_least_and_the_greatest_that_were_seen(values):
    for one in near(values):
        for kind in (int, float):
            of_kind = [value for value in values if type(value) is kind]
            assert all(min(of_kind) <= value <= max(of_kind) for value in one if type(value) is kind)


def test_the_edges_of_each_kind_are_there_where_several_lengths_were_seen():
    assert set(near(7, -9, 50)) == {0, 1, -1, 6, 8, -7, -9, 50}
    assert near("ab", "abc") == near("ab", "") == ["", "a", "a", "abab"]
    assert {(), (1,), (1, 1, 2, 2)} <= {tuple(one) for one in near([1, 2], [3])}
    assert {} in near({"a": 1}, {})
    assert set() in near({1, 2}, {3})
    assert near(None) == near(object()) == near([], [1]) == []


def test_what_always_had_the_same_length_keeps_it():
    assert all(len(one) == 2 for one in near((3, 4), (5, 6)))
    pairs = near([(1, 2), (3, 4)], [(5, 6)])
    assert {len(one) for one in pairs} == {0, 1, 2, 3, 4}
    assert all(len(pair) == 2 for one in pairs for pair in one)


def test_one_object_may_stand_in_two_places():
    assert any(args[0] is args[1] for args, _ in calls([packed([k], [k + 1]) for k in range(3)]))


def test_a_keyword_is_left_out_only_where_some_call_leaves_it_out():
    always, at_times = [packed([1], by=k) for k in range(3)], [packed([1], by=4), packed([2])]
    assert all("by" in kwargs for _, kwargs in calls(always))
    assert ([1],) in [args for args, kwargs in calls(at_times) if "by" not in kwargs]


def test_only_the_first_inputs_are_varied_and_none_of_all_comes_out_again():
    inputs = [packed([5] * 5, 1), packed([5] * 4, 1)]
    made = calls(inputs, of=1)
    assert ([5] * 4, 1) not in [args for args, _ in made]
    assert ([], 1) in [args for args, _ in made]
    assert calls(inputs, of=0) == []


def test_an_iterator_among_the_arguments_is_whole_in_every_call():
    made = calls([packed(iter([1, 2, 3]), k) for k in (0, 10, 20)])
    assert made
    assert all(list(args[0]) == [1, 2, 3] for args, _ in made)


def test_the_same_seed_gives_the_same_calls_of_many_inputs_and_many_kinds():
    inputs = [packed([k, k + 1, k + 2][: 1 + k % 3], limit=k) for k in range(6)]
    made = varied(inputs, 6, 5, 12)
    assert made == varied(inputs, 6, 5, 12) != varied(inputs, 6, 6, 12)
    assert len(made) == len({data for _, data in made}) == 12
    lengths = {len(unpack(data)[0][0]) for _, data in made}
    assert {0, 1} <= lengths


def test_what_cannot_be_opened_is_passed_over():
    assert len(calls([b"nonsense", packed(True)])) == 1
    assert calls([packed(None)]) == calls([]) == []


def test_many_arguments_are_varied_within_bounds():
    made = calls([packed(*range(300)), packed(*range(1, 301))], most=24)
    assert 4 < len(made) <= 24
    assert all(len(args) == 300 for args, _ in made)


ODD = {repr(one) for one in (float("nan"), float("inf"), -float("inf"), -0.0, 1e308, 5e-324)}


def numbers(value):
    if isinstance(value, list | tuple):
        return [number for one in value for number in numbers(one)]
    return [value]


def test_odd_calls_differ_by_one_odd_float_and_there_are_none_without_floats():
    inputs = [packed([1.5, 2.5, k], (k, "a"), limit=k) for k in range(1, 5)] + [packed([0.5], (7, "ab"))]
    for args, kwargs in calls(inputs, reach="odd"):
        assert sum(repr(number) in ODD for number in numbers([*args, *kwargs.values()])) == 1
        assert all(number in range(8) for number in numbers([*args, *kwargs.values()]) if type(number) is int)
    assert len(calls(inputs, reach="odd")) > 4
    assert calls([packed([k], "text", k > 2) for k in range(5)], reach="odd") == []


def test_beyond_what_was_seen_are_other_signs_lengths_and_letters():
    inputs = [packed([k, k + 1], f"w{k}") for k in range(5)]
    values, words = zip(*(args for args, _ in calls(inputs, reach="beyond")), strict=True)
    assert any(number < 0 for one in values for number in one)
    assert any(number > 6 for one in values for number in one)
    assert {len(one) for one in values} > {2}
    assert any(not word.isascii() for word in words)
    assert all(len(args[0]) == 2 and args[1].isascii() for args, _ in calls(inputs))


def test_beyond_what_was_seen_a_dict_is_in_another_order():
    inputs = [packed({"a": 1, "b": 2})]
    assert ["b", "a"] in [list(args[0]) for args, _ in calls(inputs, reach="beyond")]
    assert ["b", "a"] not in [list(args[0]) for args, _ in calls(inputs)]


RENAMED = st.recursive(
    st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(RENAMED, st.integers(0, 100))
def test_a_fresh_call_has_the_shape_of_the_one_it_was_made_from(value, seed):
    before = encode(value)
    ((other,), _) = renamed([value], {}, random.Random(seed))
    assert encode(value) == before
    leaves, others = list(leaves_of(value)), list(leaves_of(other))
    assert [type(one) for one in leaves] == [type(one) for one in others]
    assert [len(one) for one in leaves if isinstance(one, str)] == [len(one) for one in others if isinstance(one, str)]
    for kind in (int, float):
        pairs = sorted((a, b) for a, b in zip(leaves, others, strict=True) if type(a) is kind)
        assert all(a[1] <= b[1] and (a[0] != b[0] or a[1] == b[1]) for a, b in itertools.pairwise(pairs))
        assert not pairs or (pairs[0][0], pairs[-1][0]) == (pairs[0][1], pairs[-1][1])


def leaves_of(value):
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from leaves_of(one)
    if not isinstance(value, list | tuple | dict):
        yield value


def test_fresh_calls_keep_what_is_equal_sorted_a_key_or_one_object():
    row = [100, 250, 400]
    args = (["ab-12", "ba-21", "ab-12"], {"ab": "ab", "name": "xyz-name"}, [row, row], sorted([7, 300, 9000]), 5000)
    made = [args for args, _ in calls([packed(*args)], reach="fresh")]
    assert made
    for words, table, (one, other), numbers, number in made:
        assert words[0] == words[2] == words[1][1::-1] + "-" + words[1][:2:-1]
        assert list(table) == ["ab", "name"]
        assert table["ab"] == "ab"
        assert len(table["name"]) == 8
        assert one is other
        assert numbers == sorted(numbers)
        assert all(7 <= one <= 9000 for one in (*one, *numbers, number))
    assert len({str(one) for one in made}) > 1


def test_a_call_without_numbers_and_letters_has_no_fresh_one():
    assert calls([packed([], {}, None, "-")], reach="fresh") == []
