import pytest

from router import adjust_bias, dropped_tokens, entropy


def test_tokens_over_the_capacity_are_dropped():
    assert dropped_tokens([3, 9, 0, 5], capacity=4) == 6
    assert dropped_tokens([], capacity=4) == 0


@pytest.mark.parametrize(("loads", "bits"), [([5, 5, 5, 5], 2.0), ([7, 0], 0.0), ([], 0.0), ([0, 0], 0.0)])
def test_entropy_is_full_for_even_loads_and_none_for_one_expert(loads, bits):
    assert entropy(loads) == bits


def test_the_bias_moves_against_the_load():
    assert adjust_bias([0.0, 1.0, 2.0], [1, 2, 3], step=0.5) == [0.5, 1.0, 1.5]


def test_the_bias_needs_one_load_per_expert():
    with pytest.raises(ValueError, match="2 loads for 3 experts"):
        adjust_bias([0.0, 0.0, 0.0], [1, 2])
