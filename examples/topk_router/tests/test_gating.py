import random

import pytest

from router import adjust_bias, route_tokens, top_experts
from router.gating import gate_weights


def batch(seed, tokens=60, experts=64, grid=None):
    rng = random.Random(seed)
    rows = [[rng.gauss(0.0, 1.5) for _ in range(experts)] for _ in range(tokens)]
    if grid:
        rows = [[round(logit / grid) * grid for logit in row] for row in rows]
    return rows


@pytest.mark.parametrize("k", [1, 2, 6, 8])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_token_gets_its_k_best_experts(k, seed):
    logits = batch(seed)
    routing = route_tokens(logits, [0.0] * 64, k)
    for row, chosen in zip(logits, routing.experts):
        assert len(set(chosen)) == k
        worst = min(row[expert] for expert in chosen)
        assert all(logit <= worst for expert, logit in enumerate(row) if expert not in chosen)
        assert [row[expert] for expert in chosen] == sorted((row[expert] for expert in chosen), reverse=True)


@pytest.mark.parametrize("experts", [8, 16, 160])
def test_loads_count_every_choice_once(experts):
    routing = route_tokens(batch(experts, tokens=40, experts=experts), [0.0] * experts, 4)
    assert sum(routing.loads) == 40 * 4
    for expert, load in enumerate(routing.loads):
        assert load == sum(expert in chosen for chosen in routing.experts)


def test_weights_follow_the_logits_and_sum_to_one():
    routing = route_tokens(batch(5), [0.0] * 64, 6)
    for weights in routing.weights:
        assert sum(weights) == pytest.approx(1.0)
        assert weights == sorted(weights, reverse=True)


def test_a_fresh_gate_sends_everything_to_the_first_experts():
    routing = route_tokens([[0.0] * 8 for _ in range(5)], [0.0] * 8, 3)
    assert routing.experts == [[0, 1, 2]] * 5
    assert routing.loads == [5, 5, 5, 0, 0, 0, 0, 0]
    assert routing.weights == [[1 / 3] * 3] * 5


@pytest.mark.parametrize(
    ("scores", "k", "expected"),
    [
        ([1.0, 3.0, 2.0], 2, [1, 2]),
        ([2.0, 3.0, 3.0, 2.0], 3, [1, 2, 0]),
        ([0.0, -0.0, 0.0], 2, [0, 1]),
        ([-1.0, -2.0, -1.0], 3, [0, 2, 1]),
        ([5.0], 1, [0]),
    ],
)
def test_ties_go_to_the_lower_index(scores, k, expected):
    assert top_experts(scores, k) == expected


@pytest.mark.parametrize("seed", range(4))
def test_coarse_logits_are_routed_as_a_stable_sort_would(seed):
    logits = batch(seed, tokens=30, experts=32, grid=0.5)
    for row, chosen in zip(logits, route_tokens(logits, [0.0] * 32, 5).experts):
        assert chosen == sorted(range(32), key=row.__getitem__, reverse=True)[:5]


def test_the_bias_steers_the_choice_but_not_the_weights():
    logits = [[2.0, 1.0, 0.0]]
    routing = route_tokens(logits, [-5.0, 0.0, 0.0], 2)
    assert routing.experts == [[1, 2]]
    assert routing.weights == [gate_weights(logits[0], [1, 2])]


def test_the_best_biased_expert_comes_first_even_when_it_weighs_less():
    routing = route_tokens([[2.0, 1.0]], [0.0, 4.0], 2)
    assert routing.experts == [[1, 0]]
    assert routing.weights[0][0] < routing.weights[0][1]


def test_large_logits_do_not_overflow():
    assert route_tokens([[1000.0, 999.0, -1000.0]], [0.0] * 3, 2).weights[0][0] == pytest.approx(0.731, abs=1e-3)


def test_no_tokens_is_an_empty_routing():
    assert route_tokens([], [0.0] * 4, 2) == ([], [], [0, 0, 0, 0])


@pytest.mark.parametrize("k", [0, -1, 5])
def test_k_must_fit_the_experts(k):
    with pytest.raises(ValueError, match="of 4 experts"):
        route_tokens([[0.0] * 4], [0.0] * 4, k)


def test_a_token_of_another_width_is_named():
    with pytest.raises(ValueError, match="token 1 has 3 logits"):
        route_tokens([[0.0] * 4, [0.0] * 3], [0.0] * 4, 2)


def test_balancing_evens_out_a_skewed_gate():
    rng = random.Random(9)
    taste = [rng.gauss(0.0, 1.0) for _ in range(16)]
    logits = [[rng.gauss(liked, 1.0) for liked in taste] for _ in range(80)]
    bias = [0.0] * 16
    first = route_tokens(logits, bias, 2).loads
    for _ in range(40):
        bias = adjust_bias(bias, route_tokens(logits, bias, 2).loads, step=0.05)
    last = route_tokens(logits, bias, 2).loads
    assert max(last) < max(first)
    assert min(last) > min(first)
