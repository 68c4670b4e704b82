"""The one purse of a run: every ceiling is asked before anything is spent, calls under way counted together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Lock

from optagent.core.goal import Budget, BudgetSpent, Spent

NOTHING = Spent()


class Purse:
    """`limit`, what earlier sessions `spent`, and what is `reserved` for work they left; seconds of this session are
    read from the clock, never booked.

    `refusal` is the last thing that did not fit, in one sentence; empty while everything did.
    """

    def __init__(self, limit: Spent, spent: Spent, clock: Callable[[], float], reserved: Spent = NOTHING) -> None:
        self._budget = Budget(limit, spent, reserved)
        self._clock = clock
        self._began = clock()
        self._lock = Lock()  # several trials may ask at once
        self.refusal = ""

    def left(self) -> Spent:
        """What nobody has spent or reserved, this moment."""
        with self._lock:
            return self._now().remaining()

    def has(self, worst: Spent) -> bool:
        """Whether the worst case would fit; where not, nobody is refused anything."""
        with self._lock:
            return self._now().allows(worst)

    def reserve(self, worst: Spent) -> None:
        """The worst case is set aside. Raises BudgetSpent, and sets nothing aside, when a ceiling could be passed."""
        with self._lock:
            try:
                self._now().reserve(worst)
            except BudgetSpent as refusal:
                self.refusal = str(refusal)
                raise
            self._budget = replace(self._budget, reserved=self._budget.reserved + worst)

    def require(self, worst: Spent) -> None:
        """Returns when the worst case would fit. Raises BudgetSpent."""
        self.reserve(worst)
        self.settle(worst, NOTHING)

    def settle(self, reserved: Spent, actual: Spent) -> None:
        """What was reserved is free again, and what it cost is booked; seconds are the clock's to count."""
        with self._lock:
            self._budget = self._budget.settle(reserved, replace(actual, seconds=0.0))

    def _now(self) -> Budget:
        gone = Spent(seconds=self._clock() - self._began)
        return replace(self._budget, spent=self._budget.spent + gone)
