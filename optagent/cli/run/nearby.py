"""Calls near those that a claim is timed on: a matter of the reference alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import itemgetter

from optagent.cli.run.bench import reference_run
from optagent.cli.run.workshop import Workshop
from optagent.core.seeds import derive
from optagent.core.statistics import COMPARABLE
from optagent.core.workload import Input
from optagent.measure import speed
from optagent.measure.launch import Race
from optagent.verify.vary import FRESH, TIMED, vary

ALL_S = 1.0
Racing = Callable[[Sequence[Input]], Race]
"""The untouched code on such inputs."""

MOST_OF_IT = 0.9


@dataclass(frozen=True)
class Nearby:
    """Inputs on which a gain has to be, too, and those of a claim that they are near; whether the latter take most of
    its time (`is_whole`)."""

    near: tuple[Input, ...]
    own: tuple[Input, ...]
    is_whole: bool


def nearby(shop: Workshop, timed: Sequence[Input], known: Sequence[Input], race: Racing) -> Nearby | None:
    """Calls near those that take most of the time of a claim, with about as much to do, and none that is `known`: with
    other numbers and letters all through if the untouched code answers such, else with one place changed. None where
    there are none, or where the user says which inputs there are."""
    if shop.workload is not None:
        return None
    costs = _by_cost(shop, timed, race)
    most = MOST_OF_IT * sum(cost for _, cost in costs)
    spent = accumulate(cost for _, cost in costs)
    costs = [pair for pair, so_far in zip(costs, spent, strict=True) if so_far - pair[1] < most]
    own = sorted((one for one, _ in costs), key=lambda one: one.digest)  # whatever they took this time
    for wanted in (FRESH, TIMED):
        made = vary(reference_run(shop), shop.base, own, known, derive(shop.settings.seed, "near"), wanted)
        near = [pair for pair in _by_cost(shop, made, race) if pair[1] >= COMPARABLE * costs[-1][1]]
        if near:
            break
    else:
        return None
    of_a_size = [pair for pair in costs if COMPARABLE * pair[1] <= near[0][1]]
    return Nearby(_first(near), _first(of_a_size), len(of_a_size) == len(costs))


def _first(costs: Sequence[tuple[Input, int]]) -> tuple[Input, ...]:
    """As many of them as can be timed, in their order."""
    return tuple(one for one, _ in costs[: speed.within_a_pass([cost for _, cost in costs])])


def _by_cost(shop: Workshop, inputs: Sequence[Input], race: Racing) -> list[tuple[Input, int]]:
    """Those that there is time to call, and what the reference takes for each, the most first."""
    if not inputs:
        return []
    seed = derive(shop.settings.seed, "costs")
    costs = speed.costs(race(inputs), seed, ALL_S)
    return sorted(zip(inputs, costs, strict=False), key=itemgetter(1), reverse=True)
