"""The search, on one page: ask, judge, tell, until nobody has a proposal or the budget is gone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from optagent.core.goal import BudgetSpent, Spent
from optagent.core.trial import Trial
from optagent.core.verdict import Rejected, Verdict
from optagent.search.decide import decide
from optagent.search.policy import BASELINE, Policy, Proposal
from optagent.search.purse import Purse
from optagent.search.shop import Shop

ONE_TRIAL = Spent(trials=1)


@dataclass
class Past:
    """What an earlier session of the same run left: decided trials, and those asked but not decided."""

    trials: Sequence[Trial] = ()
    pending: Sequence[tuple[int, Proposal]] = ()


def search(policy: Policy, shop: Shop, purse: Purse, past: Past, width: int = 1) -> Iterator[Trial]:
    """Yields every trial in the order decided; ends when the policy has nothing left or the purse refuses.

    The purse has the pending trials reserved already.

    A bad candidate is a verdict, never an exception; only faults of ours and of providers raise.
    """
    seen = {shop.normal_form(BASELINE.patch): "the code it started from"}
    for number, patch in [
        *((trial.number, trial.candidate.patch) for trial in past.trials),
        *((number, proposal.candidate.patch) for number, proposal in past.pending),
    ]:
        seen.setdefault(shop.normal_form(patch), f"trial {number}")
    for trial in past.trials:
        policy.tell(trial)
    flight = deque(past.pending)
    number = max([trial.number for trial in past.trials] + [number for number, _ in past.pending], default=0)
    while True:
        while len(flight) < width:
            proposal = _affordable(number + 1, policy, shop, purse, seen)
            if proposal is None:
                break
            number += 1
            shop.asked(number, proposal)
            flight.append((number, proposal))
        if not flight:
            return
        trial = _judge(*flight.popleft(), shop)
        purse.settle(ONE_TRIAL, ONE_TRIAL)
        policy.tell(trial)
        yield trial


def _affordable(number: int, policy: Policy, shop: Shop, purse: Purse, seen: dict[str, str]) -> Proposal | None:
    """The next proposal with its trial reserved; None when there is none or the purse refuses."""
    try:
        purse.reserve(ONE_TRIAL)
    except BudgetSpent:
        return None
    try:
        proposal = _fresh(number, policy, shop, seen)
    except BudgetSpent:
        proposal = None
    if proposal is None:
        purse.settle(ONE_TRIAL, Spent())
    return proposal


def _fresh(number: int, policy: Policy, shop: Shop, seen: dict[str, str]) -> Proposal | None:
    """The next candidate that no earlier one is equal to. An answer is a trial all the same: its verdict comes from
    memory."""
    while (proposal := policy.ask(number)) is not None:
        form = shop.normal_form(proposal.candidate.patch)
        earlier = seen.setdefault(form, f"trial {number}")
        if proposal.fault or earlier == f"trial {number}":
            return proposal
        if proposal.is_answer:
            return replace(proposal, fault=Rejected("tried before", f"it is the same as {earlier}"))
    return None


def _judge(number: int, proposal: Proposal, shop: Shop) -> Trial:
    began = shop.elapsed_s()
    verdict: Verdict = proposal.fault or decide(number, proposal.candidate, shop)
    cost = shop.paid(number) + Spent(seconds=shop.elapsed_s() - began, trials=1)
    return Trial(number, proposal.candidate, verdict, cost)
