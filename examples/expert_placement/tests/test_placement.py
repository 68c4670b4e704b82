import math
import random

import pytest

from placement import device_loads, imbalance, moved, place_experts, plan_layers


def token_counts(seed, experts):
    """Tokens per expert in one interval: whole numbers, a few popular experts, some that nobody asked for."""
    rng = random.Random(seed)
    return [max(0, int(rng.lognormvariate(3.5, 1.3)) - 5) for _ in range(experts)]


@pytest.mark.parametrize(("experts", "devices"), [(64, 8), (160, 16), (256, 32), (512, 64), (768, 96), (1024, 48)])
def test_the_greedy_bound_holds(experts, devices):
    loads = token_counts(experts, experts)
    homes = place_experts(loads, devices)
    totals = device_loads(loads, homes, devices)
    assert len(homes) == experts
    assert sum(totals) == sum(loads)
    # the device that ends up busiest was no busier than the mean before its last expert came
    assert max(totals) <= sum(loads) / devices + max(loads)


def test_fractional_loads_are_placed_like_whole_ones():
    rng = random.Random(12)
    loads = [rng.random() for _ in range(400)]
    assert imbalance(loads, place_experts(loads, 25), 25) < 1.05


def test_a_small_layer_by_hand():
    # 9 -> 0, 7 -> 1, 6 -> 2, 5 -> 2 (6), 4 -> 1 (7), 1 -> 0 (9)
    assert place_experts([4, 9, 1, 6, 7, 5], 3) == [1, 0, 0, 2, 1, 2]


def test_equal_experts_are_dealt_out_in_turn():
    assert place_experts([2.0] * 7, 3) == [0, 1, 2, 0, 1, 2, 0]


def test_of_equally_busy_devices_the_first_is_taken():
    # after 5 and 3, 2 the devices stand at 5, 5: the last expert goes to the first of them
    assert place_experts([5, 3, 2, 1], 2) == [0, 1, 1, 0]


def test_experts_without_load_all_go_to_the_first_device_that_is_idle():
    assert place_experts([0, 0, 3, 0], 2) == [1, 1, 0, 1]
    assert place_experts([0.0] * 5, 4) == [0] * 5


def test_more_devices_than_experts_leaves_the_rest_idle():
    assert place_experts([1, 2, 3], 6) == [2, 1, 0]


def test_no_experts_and_one_device():
    assert place_experts([], 4) == []
    assert place_experts([3, 1, 2], 1) == [0, 0, 0]


def test_the_same_loads_give_the_same_placement_on_every_rank():
    loads = token_counts(4, 200)
    assert place_experts(loads, 24) == place_experts(tuple(loads), 24)


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_a_load_that_cannot_be_is_named(bad):
    with pytest.raises(ValueError, match="expert 2"):
        place_experts([1.0, 2.0, bad], 2)


@pytest.mark.parametrize("devices", [0, -3])
def test_there_must_be_a_device(devices):
    with pytest.raises(ValueError, match="devices"):
        place_experts([1.0], devices)


def test_an_idle_layer_is_balanced():
    assert imbalance([0, 0], [0, 1], 2) == 1.0


def test_placements_of_other_layers_are_refused():
    with pytest.raises(ValueError, match="fit"):
        device_loads([1.0, 2.0], [0], 1)
    with pytest.raises(ValueError, match="different"):
        moved([0, 1], [0])


def test_moved_names_the_experts_to_copy():
    assert moved([0, 1, 2, 0], [0, 2, 2, 1]) == [1, 3]


def test_only_layers_that_are_out_of_balance_get_a_new_plan():
    even, skewed = [1.0] * 8, [8.0, 8.0] + [1.0] * 6
    current = {"layer.3": [0, 1, 2, 3] * 2, "layer.4": [0, 0, 1, 1, 2, 2, 3, 3]}
    plan = plan_layers({"layer.3": even, "layer.4": skewed, "layer.5": even}, current, 4)
    assert set(plan) == {"layer.4", "layer.5"}
    assert plan["layer.4"][0] != plan["layer.4"][1]
