"""Load balancing without an auxiliary loss: a bias per expert, nudged after every batch."""

from __future__ import annotations

from collections.abc import Sequence


def adjust_bias(bias: Sequence[float], loads: Sequence[int], step: float = 0.001) -> list[float]:
    """Raise the bias of experts with less than the mean load by `step`, lower it for those with more."""
    if len(bias) != len(loads):
        raise ValueError(f"{len(loads)} loads for {len(bias)} experts")
    mean = sum(loads) / len(loads)
    adjusted = []
    for shift, load in zip(bias, loads):
        if load < mean:
            shift += step
        elif load > mean:
            shift -= step
        adjusted.append(shift)
    return adjusted
