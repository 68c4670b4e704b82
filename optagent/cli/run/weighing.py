"""What a verdict means beside its number: other costs, growth with size, and what it is worth to the whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from optagent.cli.run.workshop import Workshop
from optagent.core.end_to_end import EndToEnd, end_to_end
from optagent.core.growth import Growth
from optagent.core.guards import Guards
from optagent.core.verdict import Faster, Slower, Speedup, Unmeasured, Verdict
from optagent.languages.contestant import Misconduct
from optagent.ledger.events import Weighed
from optagent.measure.growth import take_growth
from optagent.measure.guards import take_guards
from optagent.measure.launch import Race
from optagent.search.baseline import Problem

T = TypeVar("T")
CAPTURED = Unmeasured("the inputs were captured, and nothing says how to make larger ones (see --workload)")
TOO_ALIKE = Unmeasured("make_inputs gives fewer than three sizes that can be told apart")
UNREACHED = Unmeasured("no test reaches the target")
WAITS = Unmeasured("the target waits, and only its CPU time can be seen in a whole run")
SHORTEST_S = 0.1
"""Tests that are shorter give fewer than 25 samples, one every 4 ms."""

UNSEEN = Unmeasured("the tests are too short, or run in a way that cannot be sampled")


def weigh(shop: Workshop, problem: Problem, race: Race, verdict: Verdict, speedup: Speedup, seed: int) -> Weighed:
    """For a verdict that has this speedup."""
    clock = problem.noise.clock
    guards: Guards | Unmeasured = _unless_it_fails(lambda: take_guards(race, clock, seed))
    growth: Growth | Unmeasured = CAPTURED
    if shop.workload is not None:
        file = shop.workload
        growth = _unless_it_fails(lambda: take_growth(race, file, clock, seed) or TOO_ALIKE)
    return Weighed(guards, growth, _worth(shop, problem, verdict, speedup))


def _unless_it_fails(take: Callable[[], T]) -> T | Unmeasured:
    """A side that fails here has passed all that decides: larger inputs, and memory being traced, are no part of it."""
    try:
        return take()
    except Misconduct as failed:
        return Unmeasured(f"the {failed.name} fails: {failed.phase}: {failed.reason}")


def _worth(shop: Workshop, problem: Problem, verdict: Verdict, speedup: Speedup) -> EndToEnd | Unmeasured:
    suite = problem.suite
    if not isinstance(verdict, Faster | Slower):
        return Unmeasured("no difference was confirmed")
    if not suite.reaching:
        return UNREACHED
    if speedup.clock != "cpu":
        return WAITS
    if suite.reaching_s < SHORTEST_S:
        return UNSEEN
    seen = shop.project.sample_tests(shop.base, suite.reaching, suite.patience_s)
    if seen is None or suite.seconds <= 0:
        return UNSEEN
    return end_to_end(seen, suite.seconds, (speedup.ratio, speedup.low, speedup.high))
