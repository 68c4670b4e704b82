"""The search, on one page: ask, judge, tell, until nobody has a proposal or the budget is gone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

from optagent.core.goal import BudgetSpent, Spent
from optagent.core.trial import Trial
from optagent.core.verdict import Rejected
from optagent.errors import OptagentError
from optagent.search.decide import Proof, may_be_load, measured, proof
from optagent.search.policy import BASELINE, Policy, Proposal
from optagent.search.purse import NOTHING, Purse
from optagent.search.shop import Shop
from optagent.search.together import together

ONE_TRIAL = Spent(trials=1)


@dataclass
class Past:
    """What an earlier session of the same run left: decided trials, and those asked but not decided."""

    trials: Sequence[Trial] = ()
    pending: Sequence[tuple[int, Proposal]] = ()


def search(policy: Policy, shop: Shop, purse: Purse, past: Past, width: int = 1) -> Iterator[Trial]:
    """Yields every trial in the order decided; ends when the policy has nothing left or the purse refuses.

    Up to `width` candidates that do not wait for each other are proven at once; then the machine is quiet, and they are
    measured one after the other. The purse has the pending trials reserved already.

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
    waiting = deque(past.pending)
    number = max([trial.number for trial in past.trials] + [number for number, _ in past.pending], default=0)
    while True:
        pending = [waiting.popleft() for _ in range(min(width, len(waiting)))]
        flight = [*pending]
        while not pending and len(flight) < width and (not flight or purse.has(ONE_TRIAL)):
            ask = partial(policy.ask, number + 1) if not flight else policy.ahead
            proposal = _affordable(number + 1, ask, shop, purse, seen)
            if proposal is None:
                break
            number += 1
            shop.asked(number, proposal)
            flight.append((number, proposal))
        if not flight:
            return
        for trial in _judged(flight, shop):
            purse.settle(ONE_TRIAL, ONE_TRIAL)
            policy.tell(trial)
            yield trial
            if not (pending or purse.has(NOTHING)):
                break  # the time is over: the others stay undecided, but for those that an earlier session has begun


def _affordable(
    number: int, ask: Callable[[], Proposal | None], shop: Shop, purse: Purse, seen: dict[str, str]
) -> Proposal | None:
    """The next proposal with its trial reserved; None when there is none or the purse refuses."""
    try:
        purse.reserve(ONE_TRIAL)
    except BudgetSpent:
        return None
    try:
        proposal = _fresh(number, ask, shop, seen)
    except BudgetSpent:
        proposal = None
    if proposal is None:
        purse.settle(ONE_TRIAL, Spent())
    return proposal


def _fresh(number: int, ask: Callable[[], Proposal | None], shop: Shop, seen: dict[str, str]) -> Proposal | None:
    """The next candidate that no earlier one is equal to. An answer is a trial all the same: its verdict comes from
    memory."""
    while (proposal := ask()) is not None:
        form = shop.normal_form(proposal.candidate.patch)
        earlier = seen.setdefault(form, f"trial {number}")
        if proposal.fault or earlier == f"trial {number}":
            return proposal
        if proposal.is_answer:
            return replace(proposal, fault=Rejected("tried before", f"it is the same as {earlier}"))
    return None


def _judged(flight: Sequence[tuple[int, Proposal]], shop: Shop) -> Iterator[Trial]:
    """The trials of those in flight, in their order; each has its share of the time in which all were proven."""
    began = shop.elapsed_s()
    faults = [proposal.fault or shop.screen(number, proposal.candidate) for number, proposal in flight]
    with ExitStack() as stack:
        trees = [stack.enter_context(ExitStack()) for _ in flight]
        tasks = [partial(_proof, *asked, shop, tree) for asked, tree in zip(flight, trees, strict=True)]
        proofs = iter(_proofs([task for task, fault in zip(tasks, faults, strict=True) if not fault], shop))
        share = (shop.elapsed_s() - began) / len(flight)
        for (number, proposal), fault, prove, tree in zip(flight, faults, tasks, trees, strict=True):
            began = shop.elapsed_s()
            with tree:
                said = fault or next(proofs) or prove()
                verdict = measured(number, said, shop)
            cost = shop.paid(number) + Spent(seconds=share + shop.elapsed_s() - began, trials=1)
            yield Trial(number, proposal.candidate, verdict, cost)


def _proofs(tasks: Sequence[Callable[[], Proof]], shop: Shop) -> Sequence[Proof | None]:
    """What each gives beside the others; None where it has to be asked for alone, since the others may be why it failed
    (or why we did: memory, room, processes)."""
    if len(tasks) < 2:
        return [None] * len(tasks)
    shop.ready()
    try:
        return [None if may_be_load(said) else said for said in together(tasks)]
    except OptagentError:
        return [None] * len(tasks)


def _proof(number: int, proposal: Proposal, shop: Shop, tree: ExitStack) -> Proof:
    """What there is to say of it; its tree is there until that stack is closed."""
    return tree.enter_context(proof(number, proposal.candidate, shop))
