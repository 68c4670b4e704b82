"""The search, on one page: ask, judge, tell, until nobody has a proposal or the budget is gone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from optagent.core.goal import Budget, Spent
from optagent.core.patch import Candidate
from optagent.core.trial import Trial
from optagent.search.decide import decide
from optagent.search.policy import Policy
from optagent.search.shop import Shop

ONE_TRIAL = Spent(trials=1)


@dataclass
class Past:
    """What an earlier session of the same run left: decided trials, and those asked but not decided."""

    trials: Sequence[Trial] = ()
    pending: Sequence[tuple[int, Candidate]] = ()


def search(policy: Policy, shop: Shop, budget: Budget, past: Past, width: int = 1) -> Iterator[Trial]:
    """Yields every trial in the order decided; ends when the policy has nothing left or the budget refuses.

    A candidate with the normal form of an earlier one is not tried again. A bad candidate is a verdict, never an
    exception; only our own faults raise. `budget` counts what earlier sessions spent.
    """
    began = shop.elapsed_s()
    known = [trial.candidate for trial in past.trials] + [candidate for _, candidate in past.pending]
    seen = {shop.normal_form(candidate) for candidate in known}
    for trial in past.trials:
        policy.tell(trial)
    flight = deque(past.pending)
    number = max([trial.number for trial in past.trials] + [number for number, _ in past.pending], default=0)
    while True:
        while len(flight) < width and _allows(budget, shop.elapsed_s() - began, len(flight)):
            candidate = _fresh(policy, shop, seen)
            if candidate is None:
                break
            number += 1
            shop.asked(number, candidate)
            flight.append((number, candidate))
        if not flight:
            return
        trial = _judge(*flight.popleft(), shop)
        budget = budget.settle(Spent(), Spent(trials=1))
        policy.tell(trial)
        yield trial


def _judge(number: int, candidate: Candidate, shop: Shop) -> Trial:
    began = shop.elapsed_s()
    verdict = decide(number, candidate, shop)
    return Trial(number, candidate, verdict, Spent(seconds=shop.elapsed_s() - began, trials=1))


def _fresh(policy: Policy, shop: Shop, seen: set[str]) -> Candidate | None:
    """The next candidate that no earlier one is equal to."""
    while (candidate := policy.ask()) is not None:
        form = shop.normal_form(candidate)
        if form not in seen:
            seen.add(form)
            return candidate
    return None


def _allows(budget: Budget, seconds: float, in_flight: int) -> bool:
    return budget.allows(Spent(seconds=seconds, trials=in_flight + 1))
