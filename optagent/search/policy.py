"""Who is asked for the next candidate, and is told what became of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from optagent.core.patch import EMPTY, Candidate
from optagent.core.trial import Trial
from optagent.core.verdict import Faster, Rejected

BASELINE = Candidate(EMPTY, "baseline", "the untouched code")


@dataclass(frozen=True)
class Proposal:
    """A candidate; `fault` when it is known already to be none (a reply that nobody can read). `is_answer`: somebody
    was asked for it, so that it is a trial also when it was tried before."""

    candidate: Candidate
    fault: Rejected | None = None
    is_answer: bool = False


class Policy(Protocol):
    """No policy may assume that its last ask was answered: several trials may be in flight."""

    def ask(self, number: int) -> Proposal | None:
        """The next proposal, for the trial of that number, or None while there is nothing to propose.

        Raises BudgetSpent when it cannot be afforded, ProviderFault when nobody answers.
        """

    def ahead(self) -> Proposal | None:
        """One more, while trials are in flight: only what costs nothing to ask for and will be worth a trial whatever
        becomes of them."""

    def tell(self, trial: Trial) -> None:
        """A trial is decided; trials of an interrupted run are told again in their order."""


def better(trial: Trial, best: Trial | None) -> bool:
    """Whether a trial beats the best one so far."""
    return isinstance(trial.verdict, Faster) and trial.ratio > (best.ratio if best else 1.0)


class Greedy:
    """Single edits of the baseline first, then edits on top of the best trial, until nothing improves it."""

    def __init__(self, propose: Callable[[Candidate], Sequence[Candidate]]) -> None:
        self.propose = propose
        self.best: Trial | None = None
        self.queue: deque[Candidate] = deque()
        self.expanded: set[str] = set()

    def ask(self, number: int) -> Proposal | None:
        if not self.queue:
            self._expand(BASELINE)
        if not self.queue and self.best is not None:
            self._expand(self.best.candidate)
        return self.ahead()

    def ahead(self) -> Proposal | None:
        return Proposal(self.queue.popleft()) if self.queue else None

    def tell(self, trial: Trial) -> None:
        if better(trial, self.best):
            self.best = trial

    def _expand(self, parent: Candidate) -> None:
        if parent.digest not in self.expanded:
            self.expanded.add(parent.digest)
            self.queue.extend(self.propose(parent))


class InTurn:
    """The first policy that has something is asked; all are told. Cheap ones stand first: their result is the floor."""

    def __init__(self, *policies: Policy) -> None:
        self.policies = policies

    def ask(self, number: int) -> Proposal | None:
        for policy in self.policies:
            if (proposal := policy.ask(number)) is not None:
                return proposal
        return None

    def ahead(self) -> Proposal | None:
        return next((found for policy in self.policies if (found := policy.ahead()) is not None), None)

    def tell(self, trial: Trial) -> None:
        for policy in self.policies:
            policy.tell(trial)
