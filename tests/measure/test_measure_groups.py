"""Blocks that are long enough for the clock: every input once, in order, and never too many passes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from optagent.measure.groups import (
    BLOCK_NS,
    LONG_BLOCK_NS,
    MOST_BLOCK_BYTES,
    MOST_TIMES,
    NEW_BLOCK_NS,
    form_groups,
    passes,
)

times = st.integers(0, 10**10)
sizes = st.integers(0, 1 << 30)
rows = st.lists(st.tuples(times, times, sizes), max_size=40)


def columns(calls: list[tuple[int, int, int]]) -> tuple[list[int], list[int], list[int]]:
    return [row[0] for row in calls], [row[1] for row in calls], [row[2] for row in calls]


@given(rows)
def test_every_input_is_in_one_group_and_their_order_stays(calls):
    groups = form_groups(*columns(calls))
    assert [number for group in groups for number in group.numbers] == list(range(len(calls)))
    assert all(group.numbers for group in groups)


@given(rows)
def test_a_group_ends_as_soon_as_the_old_side_fills_a_block(calls):
    old, new, size = columns(calls)
    for group in form_groups(old, new, size)[:-1]:
        filled = sum(old[k] for k in group.numbers)
        assert filled >= BLOCK_NS
        assert filled - old[group.numbers[-1]] < BLOCK_NS


@given(st.integers(1, 10**10), st.integers(1, 10**10), st.integers(1, 1 << 31))
def test_a_block_makes_one_pass_at_least_and_never_grows_without_end(old, new, size):
    times = passes(old, new, size)
    assert 1 <= times <= MOST_TIMES
    if times > 1:
        assert times * size <= MOST_BLOCK_BYTES
        assert (times - 1) * old < LONG_BLOCK_NS


@given(st.integers(1, 10**10), st.integers(1, 10**10))
def test_a_block_is_long_enough_for_the_old_side_unless_a_ceiling_is_hit(old, new):
    times = passes(old, new, 1)
    assert times * old >= BLOCK_NS or times == MOST_TIMES


@given(st.integers(1, 10**10), st.integers(1, 10**10), st.integers(1, 1 << 31), st.integers(2, 9))
def test_a_slower_old_side_or_larger_arguments_never_mean_more_passes(old, new, size, factor):
    assert passes(old * factor, new, size) <= passes(old, new, size)
    assert passes(old, new, size * factor) <= passes(old, new, size)


def test_a_much_faster_new_side_gets_more_passes_so_that_its_block_can_be_seen():
    assert passes(BLOCK_NS, BLOCK_NS, 1) == 1
    assert passes(BLOCK_NS, NEW_BLOCK_NS // 10, 1) == 10
    assert passes(BLOCK_NS, 1, 1) == LONG_BLOCK_NS // BLOCK_NS
    assert passes(2 * LONG_BLOCK_NS, 1, 1) == 1
