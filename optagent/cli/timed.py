"""Which inputs a claim is timed on, and which are near them: a matter of the reference alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from optagent.cli.bench import reference_run
from optagent.cli.workshop import Workshop
from optagent.core.seeds import derive
from optagent.core.statistics import COMPARABLE
from optagent.core.workload import Input
from optagent.measure import speed
from optagent.verify.vary import TIMED, vary

ALL_S = 1.0
MOST_OF_IT = 0.9


@dataclass(frozen=True)
class Nearby:
    """Inputs on which a gain has to be, too, and those of a claim that they are near; whether the latter take most of
    its time (`is_whole`)."""

    near: tuple[Input, ...]
    own: tuple[Input, ...]
    is_whole: bool


def affordable(
    shop: Workshop, inputs: Sequence[Input], patience_s: float, purpose: str, index: int = 0
) -> tuple[Input, ...]:
    """As many of them as can be timed, in their order."""
    if not inputs:
        return ()
    seed = derive(shop.settings.seed, purpose, index)
    return speed.affordable(shop.project, shop.base, inputs, seed, shop.core, patience_s)


def nearby(shop: Workshop, timed: Sequence[Input], known: Sequence[Input], patience_s: float) -> Nearby | None:
    """Calls near those that take most of the time of a claim, with about as much to do, and none that is `known`. None
    where there are none, or where the user says which inputs there are."""
    if shop.workload is not None:
        return None
    costs = _by_cost(shop, timed, patience_s)
    total = sum(cost for _, cost in costs)
    before = [sum(cost for _, cost in costs[:k]) for k in range(len(costs))]
    costs = [pair for pair, spent in zip(costs, before, strict=True) if spent < MOST_OF_IT * total]
    own = sorted((one for one, _ in costs), key=lambda one: one.digest)  # whatever they took this time
    made = vary(reference_run(shop), shop.base, own, known, derive(shop.settings.seed, "near"), TIMED)
    found = _by_cost(shop, made, patience_s)
    near = [(one, cost) for one, cost in found if cost >= COMPARABLE * costs[-1][1]]
    if not near:
        return None
    of_a_size = [one for one, cost in costs if COMPARABLE * cost <= near[0][1]]
    chosen = affordable(shop, [one for one, _ in near], patience_s, "near")
    return Nearby(chosen, affordable(shop, of_a_size, patience_s, "near"), len(of_a_size) == len(costs))


def _by_cost(shop: Workshop, inputs: Sequence[Input], patience_s: float) -> list[tuple[Input, int]]:
    """Those that there is time to call, and what the reference takes for each, the most first."""
    if not inputs:
        return []
    seed = derive(shop.settings.seed, "costs")
    costs = speed.costs(shop.project, shop.base, inputs, seed, shop.core, patience_s, ALL_S)
    return sorted(zip(inputs, costs, strict=False), key=itemgetter(1), reverse=True)
