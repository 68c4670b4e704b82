"""Placement of one layer: experts are homes waiting for a device, heaviest first, each on the device with least to do."""

import math
from collections.abc import Sequence


def _check_loads(loads: Sequence[float]) -> None:
    for expert, load in enumerate(loads):
        if not math.isfinite(load) or load < 0:
            raise ValueError(f"expert {expert} has the load {load}: a load is finite and not negative")


def place_experts(loads: Sequence[float], devices: int) -> list[int]:
    """Assign every expert to a device and return the device of each expert.

    Experts are placed from the heaviest to the lightest, each on the device whose total is smallest so far.  Ties are
    settled by index, among experts as well as among devices: every rank of the job computes the plan on its own, and
    all must come to the same one.
    """
    if devices < 1:
        raise ValueError(f"cannot place experts on {devices} devices")
    _check_loads(loads)
    order = sorted(range(len(loads)), key=lambda expert: (-loads[expert], expert))
    totals = [0.0] * devices
    homes = [0] * len(loads)
    for expert in order:
        device = min(range(devices), key=lambda candidate: totals[candidate])
        homes[expert] = device
        totals[device] += loads[expert]
    return homes


def device_loads(loads: Sequence[float], homes: Sequence[int], devices: int) -> list[float]:
    """The total load of each device under a placement."""
    if len(loads) != len(homes):
        raise ValueError(f"{len(loads)} loads do not fit a placement of {len(homes)} experts")
    totals = [0.0] * devices
    for load, home in zip(loads, homes):
        totals[home] += load
    return totals


def imbalance(loads: Sequence[float], homes: Sequence[int], devices: int) -> float:
    """The load of the busiest device over the mean; 1.0 is perfect, and an idle layer is perfect too."""
    totals = device_loads(loads, homes, devices)
    mean = sum(totals) / devices
    return max(totals) / mean if mean else 1.0


def moved(before: Sequence[int], after: Sequence[int]) -> list[int]:
    """The experts whose weights must be copied to go from one placement to another."""
    if len(before) != len(after):
        raise ValueError("the two placements are of different layers")
    return [expert for expert, (old, new) in enumerate(zip(before, after)) if old != new]
