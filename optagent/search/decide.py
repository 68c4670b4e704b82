"""From a candidate to a verdict: the cheapest gate first, and the first gate that closes names the verdict."""

from __future__ import annotations

from optagent.core.patch import Candidate
from optagent.core.verdict import Evidence, Verdict
from optagent.search.shop import Shop


def decide(number: int, candidate: Candidate, shop: Shop) -> Verdict:
    """Screen, tests that reach the target, old against new on the search inputs, then the stopwatch."""
    if fault := shop.screen(number, candidate):
        return fault
    with shop.checkout(candidate) as tree:
        tested = shop.test(number, tree)
        if not isinstance(tested, Evidence):
            return tested
        compared = shop.compare(number, tree, tested)
        if not isinstance(compared, Evidence):
            return compared
        return shop.measure(number, tree, compared)
