"""The one rule that says faster: what it promises, by simulation and as properties."""

from __future__ import annotations

import math
import random
from statistics import median, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optagent.core.statistics import (
    ALPHA,
    MARGIN,
    SEARCH_LOOKS,
    Round,
    Total,
    answer,
    bar,
    interval,
    is_settled,
    looks_of,
    noise_floor,
    one_look,
    passing,
    remember_slightly,
    remembers,
    slower_bar,
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


def claimed(rng: random.Random, effect: float, sd: float, outliers: float, noise: float = 0.0) -> bool:
    """Whether one claim is confirmed; launches are made as they are asked for."""
    seen: list[float] = []
    while (said := answer(seen, bar(noise), looks_of(0))) == "open":
        seen.append(launch(rng, effect, sd, outliers))
    return said == "yes"


@pytest.mark.parametrize("sd", [0.003, 0.01, 0.04, 0.2])
def test_identical_code_is_claimed_faster_in_less_than_one_in_two_hundred(sd):
    rng = random.Random(1)
    wrong = sum(claimed(rng, 0.0, sd, 0.04) for _ in range(20_000))
    assert wrong / 20_000 < 0.005


def test_a_gain_exactly_on_the_margin_is_claimed_no_more_often_than_promised():
    rng = random.Random(2)
    wrong = sum(claimed(rng, MARGIN, 0.01, 0.0) for _ in range(20_000))
    assert wrong / 20_000 < 0.006


@pytest.mark.parametrize(("outliers", "least"), [(0.0, 0.999), (0.02, 0.99), (0.06, 0.96)])
def test_a_gain_of_five_per_cent_is_claimed_though_some_launches_are_far_off(outliers, least):
    rng = random.Random(3)
    found = sum(claimed(rng, 0.05, 0.009, outliers) for _ in range(4_000))
    assert found / 4_000 >= least


@pytest.mark.parametrize("claims_before", range(4))
def test_all_looks_of_a_claim_together_are_within_its_error_and_that_halves(claims_before):
    looks = looks_of(claims_before)
    assert passing(looks, 0.5) <= ALPHA / 2**claims_before
    assert [forgiven for _, forgiven in looks] == [0, 1, 2]
    earlier = [(n - 1, forgiven) if k == 0 else (n, forgiven) for k, (n, forgiven) in enumerate(looks)]
    assert passing(tuple(earlier), 0.5) > ALPHA / 2**claims_before, "a launch less would be too few"


def test_the_chance_of_passing_is_what_counting_all_courses_gives():
    looks = ((2, 0), (4, 1))
    courses = [[1.0 if code >> bit & 1 else -1.0 for bit in range(4)] for code in range(16)]
    assert passing(looks, 0.5) == sum(answer(course, 0.0, looks) == "yes" for course in courses) / 16


@given(
    logs.filter(lambda values: len(values) >= 1),
    st.sampled_from([looks_of(0), looks_of(2), SEARCH_LOOKS, one_look(13)]),
)
def test_more_launches_never_take_an_answer_back(values, looks):
    answers = [answer(values[:n], bar(0.0), looks) for n in range(len(values) + 1)]
    settled = [one for one in answers if one != "open"]
    assert answers == ["open"] * (len(answers) - len(settled)) + settled
    assert len(set(settled)) <= 1


def test_one_launch_that_is_far_off_is_forgiven_and_three_are_not():
    good, bad = 0.05, -0.9
    looks = looks_of(0)
    assert answer([bad] + [good] * 12, bar(0.0), looks) == "yes"
    assert answer([good] * 8 + [bad] + [good] * 4, bar(0.0), looks) == "yes"
    assert answer([bad, bad, bad], bar(0.0), looks) == "no"


def played(rng: random.Random, effect: float, scatter: float, rounds: int) -> list[list[Round]]:
    """Rounds of four groups of inputs; one in twenty is far off."""
    logs = [
        [math.log1p(effect) + rng.gauss(0, scatter) * (10 if rng.random() < 0.05 else 1) for _ in range(rounds)]
        for _ in range(4)
    ]
    return [[Round(1e6 * math.exp(one), 1e6) for one in group] for group in logs]


@pytest.mark.parametrize("scatter", [0.01, 0.05])
@pytest.mark.parametrize(("effect", "least", "most"), [(0.0, 0.6, 1.0), (0.02, 0.0, 0.2), (0.05, 0.0, 0.05)])
def test_a_launch_for_choosing_gives_up_on_identical_code_and_seldom_on_a_gain(effect, least, most, scatter):
    rng = random.Random(4)
    futile = math.log1p(0.02)
    ended = sum(
        any(is_settled([group[:n] for group in one], futile, 9.9) for n in range(4, 7))
        for one in (played(rng, effect, scatter, 6) for _ in range(1_000))
    )
    assert least <= ended / 1_000 <= most


def test_the_error_of_a_launch_is_what_its_ratio_scatters_by():
    rng = random.Random(5)
    seen = [total(played(rng, 0.0, 0.03, 9)) for _ in range(600)]
    said = median(one.error for one in seen)
    assert said == pytest.approx(pstdev(one.log_ratio for one in seen), rel=0.25)


def test_a_loss_that_the_rounds_do_not_agree_on_is_no_loss_to_look_into():
    steady, wild = [[Round(96, 100)] * 4], [[Round(80, 100), Round(96, 100), Round(96, 100), Round(120, 100)]]
    assert total(steady).least_loss > slower_bar(0.0) > total(wild).least_loss


@given(rounds)
def test_what_gives_up_on_a_gain_does_not_see_one(groups):
    assert not (is_settled(groups, 0.02, math.inf) and is_settled(groups, -math.inf, 0.02))


def test_noise_of_the_baseline_raises_the_bar():
    assert answer([0.03] * 9, bar(0.01), looks_of(0)) == "yes"
    assert answer([0.03] * 9, bar(0.04), looks_of(0)) == "no"
    assert answer([], bar(0.0), looks_of(0)) == "open"
    assert bar(0.0) == math.log1p(MARGIN)


@pytest.mark.parametrize(("launches", "position"), [(3, 0), (8, 0), (9, 0), (13, 1), (17, 2)])
def test_an_interval_leaves_out_as_many_launches_as_its_confidence_allows(launches, position):
    values = [k / 100 for k in range(launches)]
    found = interval(values)
    assert found.low == pytest.approx(math.exp(values[position]))
    assert found.high == pytest.approx(math.exp(values[-1 - position]))
    assert found.confidence >= 0.99 or launches < 8


def test_the_interval_holds_the_median_as_often_as_it_says():
    rng = random.Random(4)
    for launches in (9, 13, 17):
        told = interval([0.0] * launches).confidence
        outside = 0
        for _ in range(4_000):
            found = interval([rng.expovariate(1.0) for _ in range(launches)])
            outside += not found.low <= math.exp(math.log(2)) <= found.high
        assert outside / 4_000 <= 1.6 * (1 - told)


@given(logs)
def test_swapping_the_sides_inverts_the_interval(values):
    there, back = interval(values), interval([-one for one in values])
    assert there.ratio == pytest.approx(1 / back.ratio)
    assert there.low == pytest.approx(1 / back.high)
    assert there.low <= there.ratio <= there.high


@given(logs)
def test_nothing_is_both_faster_and_slower(values):
    gain = answer(values, bar(0.0), SEARCH_LOOKS)
    loss = answer([-one for one in values], slower_bar(0.0), SEARCH_LOOKS)
    assert (gain, loss) != ("yes", "yes")


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


def test_first_calls_decide_when_launches_agree_that_most_of_the_gain_is_later_ones():
    assert remember_slightly([0.0, -0.1, 0.02], [0.75, 0.74, 0.75])
    assert not remember_slightly([0.0, -0.1], [0.75, 0.74])  # two launches are too few
    assert not remember_slightly([0.6, 0.7, 0.7], [0.75, 0.74, 0.75])
    assert not remember_slightly([0.0, 0.0, 0.0], [0.1, 0.1, 0.1])  # that much may be noise


def test_the_noise_floor_is_what_launches_typically_deviate_by_either_way():
    assert noise_floor([0.01, -0.03, 0.02]) == pytest.approx(math.expm1(0.02))
    assert noise_floor([0.01, -0.4, 0.02]) == pytest.approx(math.expm1(0.02))
    assert noise_floor([]) == 0.0
