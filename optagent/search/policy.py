"""Who is asked for the next candidate, and is told what became of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from optagent.core.patch import EMPTY, Candidate
from optagent.core.trial import Trial
from optagent.core.verdict import Faster

BASELINE = Candidate(EMPTY, "baseline", "the untouched code")


class Policy(Protocol):
    """No policy may assume that its last ask was answered: several trials may be in flight."""

    def ask(self) -> Candidate | None:
        """The next candidate, or None while there is nothing to propose."""

    def tell(self, trial: Trial) -> None:
        """A trial is decided; trials of an interrupted run are told again in their order."""


class Greedy:
    """Single edits of the baseline first, then edits on top of the best trial, until nothing improves it."""

    def __init__(self, propose: Callable[[Candidate], Sequence[Candidate]]) -> None:
        self.propose = propose
        self.best: Trial | None = None
        self.queue: deque[Candidate] = deque()
        self.expanded: set[str] = set()

    def ask(self) -> Candidate | None:
        if not self.queue:
            self._expand(BASELINE)
        if not self.queue and self.best is not None:
            self._expand(self.best.candidate)
        return self.queue.popleft() if self.queue else None

    def tell(self, trial: Trial) -> None:
        if isinstance(trial.verdict, Faster) and trial.ratio > (self.best.ratio if self.best else 1.0):
            self.best = trial

    def _expand(self, parent: Candidate) -> None:
        if parent.digest not in self.expanded:
            self.expanded.add(parent.digest)
            self.queue.extend(self.propose(parent))
