import random

import pytest

from apollo import fixed_projection, scale_channels


def gradient_of(seed, rows=96, columns=128):
    """A gradient in which some channels are far louder than others, as real ones are."""
    rng = random.Random(seed)
    loudness = [10 ** rng.uniform(-4, 0) for _ in range(columns)]
    return [[rng.gauss(0.0, loud) for loud in loudness] for _ in range(rows)]


@pytest.mark.parametrize("seed", range(6))
def test_each_channel_is_scaled_by_one_positive_factor(seed):
    gradient = gradient_of(seed)
    scaled = scale_channels(gradient, fixed_projection(4, 96, seed))
    for before, after in zip(zip(*gradient), zip(*scaled)):
        factors = [b / a for a, b in zip(before, after) if a]
        assert min(factors) > 0
        assert max(factors) - min(factors) <= 1e-14 * max(factors)


@pytest.mark.parametrize(("rows", "columns", "rank"), [(1, 1, 1), (8, 5, 2), (33, 64, 4), (96, 16, 8)])
def test_the_shape_stays(rows, columns, rank):
    scaled = scale_channels(gradient_of(11, rows, columns), fixed_projection(rank, rows))
    assert [len(row) for row in scaled] == [columns] * rows


def test_a_small_case_by_hand():
    # columns (3, 4) and (0, 2), sketched by (1, 0) and (0, 0.5): lengths 5 and 2 become sqrt(9 + 4) and 1
    assert scale_channels([[3.0, 0.0], [4.0, 2.0]], [[1.0, 0.0], [0.0, 0.5]]) == [
        [3.0 * (13**0.5 / 5.0), 0.0],
        [4.0 * (13**0.5 / 5.0), 1.0],
    ]


def test_a_projection_that_changes_nothing_gives_the_gradient_back():
    gradient = gradient_of(3, rows=6, columns=10)
    identity = [[float(i == j) for j in range(6)] for i in range(6)]
    assert scale_channels(gradient, identity) == gradient


def test_twice_the_projection_gives_twice_the_result():
    gradient, projection = gradient_of(4, rows=12, columns=9), fixed_projection(3, 12)
    doubled = scale_channels(gradient, [[2.0 * p for p in row] for row in projection])
    assert doubled == [[2.0 * value for value in row] for row in scale_channels(gradient, projection)]


def test_channels_do_not_touch_each_other():
    gradient, projection = gradient_of(5, rows=16, columns=20), fixed_projection(4, 16)
    backwards = scale_channels([row[::-1] for row in gradient], projection)
    assert [row[::-1] for row in backwards] == scale_channels(gradient, projection)


def test_a_silent_channel_stays_silent():
    assert scale_channels([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0]]) == [[0.0, 1.0], [0.0, 0.0]]


def test_no_rows_give_no_rows():
    assert scale_channels([], [[], []]) == []


def test_the_projection_is_fixed_by_its_seed():
    assert fixed_projection(4, 96, seed=1) == fixed_projection(4, 96, seed=1)
    assert fixed_projection(4, 96, seed=1) != fixed_projection(4, 96, seed=2)


@pytest.mark.parametrize("gradient", [[[1.0, 2.0], [3.0]], [[1.0], [2.0], [3.0]]])
def test_shapes_that_do_not_fit_are_refused(gradient):
    with pytest.raises(ValueError, match="zip"):
        scale_channels(gradient, [[1.0, 1.0]])
