"""Which inputs a claim is timed on: a matter of the reference alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter

from optagent.cli.bench import reference_run
from optagent.cli.workshop import Workshop
from optagent.core.seeds import derive
from optagent.core.workload import Input
from optagent.measure import speed
from optagent.measure.judge import COMPARABLE
from optagent.verify.vary import TIMED, vary

ALL_S = 1.0
MOST_COSTLY = 4
"""So many of the tests' inputs, those that take longest, are those on which a gain counts most."""


def affordable(
    shop: Workshop, inputs: Sequence[Input], patience_s: float, purpose: str, index: int = 0
) -> tuple[Input, ...]:
    """As many of them as can be timed, in their order."""
    if not inputs:
        return ()
    seed = derive(shop.settings.seed, purpose, index)
    return speed.affordable(shop.project, shop.base, inputs, seed, shop.core, patience_s)


def near_costly(
    shop: Workshop, by_tests: Sequence[Input], patience_s: float
) -> tuple[tuple[Input, ...], tuple[Input, ...]]:
    """Inputs near the tests' most costly ones, with about as much to do, and these. None where there are none, or where
    the user says which inputs there are."""
    if shop.workload is not None:
        return (), ()
    costs = _by_cost(shop, by_tests, patience_s)[:MOST_COSTLY]
    own = tuple(one for one, _ in costs)
    seed, wanted = derive(shop.settings.seed, "near"), replace(TIMED, patience_s=patience_s)
    made = vary(reference_run(shop), shop.base, own, by_tests, seed, wanted)
    least = COMPARABLE * min(cost for _, cost in costs)
    near = [one for one, cost in _by_cost(shop, made, patience_s) if cost >= least]
    return affordable(shop, near, patience_s, "near"), affordable(shop, own, patience_s, "near")


def _by_cost(shop: Workshop, inputs: Sequence[Input], patience_s: float) -> list[tuple[Input, int]]:
    """Those that there is time to call, and what the reference takes for each, the most first."""
    if not inputs:
        return []
    seed = derive(shop.settings.seed, "costs")
    costs = speed.costs(shop.project, shop.base, inputs, seed, shop.core, patience_s, ALL_S)
    return sorted(zip(inputs, costs, strict=False), key=itemgetter(1), reverse=True)
