import random

import pytest

from nibbles import compress, decompress


@pytest.mark.parametrize(("seed", "count"), [(0, 64), (1, 127), (2, 1000), (3, 1501)])
def test_weights_come_back_within_half_a_step(seed, count):
    rng = random.Random(seed)
    weights = [rng.gauss(0.0, 0.02) for _ in range(count)]
    block = compress(weights)
    assert len(block.data) == (count + 1) // 2
    for before, after in zip(weights, decompress(block), strict=True):
        assert abs(before - after) <= block.scale / 2 * (1 + 1e-9)


def test_the_largest_weight_is_exact():
    assert decompress(compress([0.0, -0.875, 0.25]))[1] == -0.875


@pytest.mark.parametrize("weights", [[], [0.0], [0.0, 0.0, 0.0]])
def test_a_block_without_any_weight_is_kept(weights):
    assert decompress(compress(weights)) == weights
