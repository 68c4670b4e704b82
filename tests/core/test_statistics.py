"""The one rule that says faster: what it promises, by simulation and as properties."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optagent.core.statistics import (
    MARGIN,
    Round,
    Total,
    interval,
    is_above,
    is_below,
    launches_needed,
    noise_floor,
    remembers,
    total,
)

logs = st.lists(st.floats(-2, 2), min_size=1, max_size=12)
rounds = st.lists(
    st.lists(st.builds(Round, st.floats(1e3, 1e9), st.floats(1e3, 1e9)), min_size=1, max_size=7), min_size=1, max_size=4
)


def launch(rng: random.Random, effect: float, sd: float, outliers: float) -> float:
    """One launch's log ratio: a bias of its own, and now and then a layout that is off by a fifth."""
    bias = rng.gauss(0.0, sd)
    return math.log1p(effect) + bias + (rng.choice((-0.2, 0.2)) if rng.random() < outliers else 0.0)


def claimed(rng: random.Random, effect: float, sd: float, outliers: float, needed: int) -> bool:
    return is_above([launch(rng, effect, sd, outliers) for _ in range(needed)], noise=0.0)


@pytest.mark.parametrize("sd", [0.003, 0.01, 0.04])
def test_identical_code_is_claimed_faster_in_less_than_one_in_two_hundred(sd):
    rng = random.Random(1)
    wrong = sum(claimed(rng, 0.0, sd, 0.04, launches_needed(0)) for _ in range(20_000))
    assert wrong / 20_000 < 0.005


def test_a_gain_exactly_on_the_margin_is_claimed_no_more_often_than_promised():
    rng = random.Random(2)
    wrong = sum(claimed(rng, MARGIN, 0.01, 0.0, launches_needed(0)) for _ in range(20_000))
    assert wrong / 20_000 < 0.006


def test_a_gain_of_five_per_cent_is_claimed_in_most_cases_on_a_quiet_machine():
    rng = random.Random(3)
    found = sum(claimed(rng, 0.05, 0.009, 0.0, launches_needed(0)) for _ in range(2_000))
    assert found / 2_000 > 0.95


def test_noise_of_the_baseline_raises_the_bar():
    assert is_above([0.03] * 8, noise=0.01)
    assert not is_above([0.03] * 8, noise=0.04)
    assert not is_above([], noise=0.0)


@given(logs)
def test_swapping_the_sides_inverts_the_interval(values):
    there, back = interval(values), interval([-one for one in values])
    assert there.ratio == pytest.approx(1 / back.ratio)
    assert there.low == pytest.approx(1 / back.high)
    assert there.low <= there.ratio <= there.high


@given(logs)
def test_nothing_is_both_faster_and_slower(values):
    assert not (is_above(values, 0.0) and is_below(values, 0.0))


@given(rounds, st.floats(0.1, 10))
def test_another_unit_of_time_leaves_the_ratio(groups, factor):
    scaled = [[Round(one.old_ns * factor, one.new_ns * factor) for one in group] for group in groups]
    assert total(scaled).log_ratio == pytest.approx(total(groups).log_ratio, abs=1e-9)


@given(rounds)
def test_a_side_against_itself_has_ratio_one(groups):
    same = [[Round(one.old_ns, one.old_ns) for one in group] for group in groups]
    assert total(same).log_ratio == pytest.approx(0.0, abs=1e-12)


def test_one_outlier_round_does_not_move_a_launch():
    quiet = [Round(1e6, 5e5)] * 6
    assert total([[*quiet, Round(9e9, 5e5)]]).log_ratio == total([quiet]).log_ratio


def test_first_calls_decide_when_later_ones_profit():
    later = Total(1e6, 1e3)
    assert remembers(Total(1e6, 9e5), later)
    assert not remembers(Total(1e6, 1e3), later)


def test_the_noise_floor_is_the_largest_deviation_either_way():
    assert noise_floor([0.01, -0.03, 0.02]) == pytest.approx(math.expm1(0.03))
