"""What a verdict means beside its number: costs, growth, the whole. Pure arithmetic, held against its laws."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optagent.core.end_to_end import Sampled, amdahl, end_to_end, wilson
from optagent.core.growth import Growth, exponent
from optagent.core.guards import Costs, Guards, remarks

PLAIN = Costs(0.01, 0.005, 20 << 20, 100_000, 10, 0)


@given(st.floats(0.1, 3), st.floats(1e-9, 1e-3))
def test_the_exponent_of_a_power_law_is_read_back(power, factor):
    sizes = [100, 200, 400, 800]
    assert exponent(sizes, [factor * size**power for size in sizes]) == pytest.approx(power, abs=1e-6)


def test_a_quadratic_function_that_became_linear_gains_ten_times_more_at_ten_times_the_size():
    sizes = (100.0, 200.0, 400.0)
    growth = Growth(sizes, tuple(1e-6 * n * n for n in sizes), tuple(1e-4 * n for n in sizes))
    size, ratio = growth.extrapolated
    assert (size, ratio) == (4000.0, pytest.approx(10 * growth.ratios[-1]))


@given(st.floats(0, 1), st.floats(1, 1000))
def test_the_whole_gains_no_more_than_the_part_and_no_more_than_leaving_it_out(share, speedup):
    found = amdahl(share, speedup)
    assert found * (1 + 1e-12) >= 1
    assert found <= speedup * (1 + 1e-12)
    assert share == 1 or found <= 1 / (1 - share) * (1 + 1e-12)


@given(st.integers(1, 10_000), st.data())
def test_bounds_of_a_share_hold_it(samples, data):
    inside = data.draw(st.integers(0, samples))
    low, high = wilson(inside, samples)
    assert 0 <= low <= inside / samples <= high + 1e-12
    assert high <= 1


def test_ten_times_faster_in_one_per_cent_is_shown_as_one_per_cent():
    found = end_to_end(Sampled(5000, 50, 10.0), 10.0, (10.0, 9.5, 10.5))
    assert found.share == pytest.approx(0.01)
    assert 1.0 < found.low < found.ratio < found.high < 1.02


def test_what_a_run_waits_is_no_part_of_what_the_target_can_give_back():
    found = end_to_end(Sampled(1000, 1000, 1.0), 10.0, (math.inf, 100.0, math.inf))
    assert found.share == pytest.approx(0.1)
    assert found.ratio == pytest.approx(1 / 0.9)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (PLAIN, []),
        (Costs(0.0119, 0.006, 21 << 20, 119_000, 10, 0), []),
        (Costs(0.03, 0.005, 20 << 20, 100_000, 10, 0), ["importing it takes 30.0 ms of CPU, 10.0 ms before"]),
        (Costs(0.01, 0.02, 20 << 20, 100_000, 10, 0), ["the first call of every input takes 20.0 ms, 5.0 before"]),
        (Costs(0.01, 0.005, 40 << 20, 100_000, 10, 0), ["its process grows to 40.0 MiB, 20.0 MiB before"]),
        (Costs(0.01, 0.005, 20 << 20, 200_000, 10, 0), ["one call holds up to 195.3 KiB at once, 97.7 KiB before"]),
        (Costs(0.01, 0.005, 20 << 20, 100_000, 11, 0), ["it writes 11 characters in a pass, 10 before"]),
        (Costs(0.01, 0.005, 20 << 20, 100_000, 10, 2), ["it starts 2 threads in a pass, 0 before"]),
        (Costs(0.01, 0.005, 20 << 20, None, None, None), []),
        (Costs(0.001, 0.0001, 1 << 20, 10, 0, 0), []),
    ],
)
def test_a_cost_that_grew_is_told_once_and_one_that_did_not_never(new, said):
    assert remarks(Guards(PLAIN, new)) == said
