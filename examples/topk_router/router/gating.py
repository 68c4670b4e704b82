"""The gate: which experts see a token, and how much each of them counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Routing(NamedTuple):
    experts: list[list[int]]  # per token, best first
    weights: list[list[float]]  # per token, in the order of `experts`, sum 1
    loads: list[int]  # per expert, the number of tokens it was chosen for


def top_experts(scores: Sequence[float], k: int) -> list[int]:
    """
    Indices of the k highest scores, highest first.

    Equal scores are common early in training (a fresh gate is all zeros), so the order is spelled out:
    among equals, the lower index comes first.
    """
    ranking = sorted(range(len(scores)), key=lambda expert: (-scores[expert], expert))
    return ranking[:k]


def gate_weights(logits: Sequence[float], chosen: Sequence[int]) -> list[float]:
    """Softmax over the logits of the chosen experts only."""
    highest = max(logits[expert] for expert in chosen)
    powers = [math.exp(logits[expert] - highest) for expert in chosen]
    total = sum(powers)
    return [power / total for power in powers]


def route_tokens(logits: Sequence[Sequence[float]], bias: Sequence[float], k: int) -> Routing:
    """
    Choose k experts for each token.

    The bias takes part in the choice but not in the weights: it steers tokens away from busy experts without
    changing what the layer computes from those that are chosen.

    Raises ValueError if k is not between 1 and the number of experts, or if a token has not one logit per expert.
    """
    if not 1 <= k <= len(bias):
        raise ValueError(f"cannot choose {k} of {len(bias)} experts")
    experts = []
    weights = []
    loads = [0] * len(bias)
    for token, row in enumerate(logits):
        if len(row) != len(bias):
            raise ValueError(f"token {token} has {len(row)} logits for {len(bias)} experts")
        scores = [logit + shift for logit, shift in zip(row, bias)]
        chosen = top_experts(scores, k)
        experts.append(chosen)
        weights.append(gate_weights(row, chosen))
        for expert in chosen:
            loads[expert] += 1
    return Routing(experts, weights, loads)
