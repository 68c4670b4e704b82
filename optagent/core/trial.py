"""One candidate from proposal to verdict."""

from __future__ import annotations

from dataclasses import dataclass

from optagent.core.goal import Spent
from optagent.core.patch import Candidate
from optagent.core.verdict import Faster, Verdict


@dataclass(frozen=True)
class Trial:
    """Never changed once made. `number` counts from 1 in the order asked."""

    number: int
    candidate: Candidate
    verdict: Verdict
    cost: Spent

    @property
    def ratio(self) -> float:
        """The estimated speedup; 1 for whatever was not found faster."""
        return self.verdict.speedup.ratio if isinstance(self.verdict, Faster) else 1.0
