"""How hard to look before answering: three efforts, each a row of numbers."""

from __future__ import annotations

from dataclasses import dataclass

from optagent.core.statistics import SPENDING, Looks, looks_of, one_look


@dataclass(frozen=True)
class Effort:
    """`search_s` and `claim_s` are seconds of timed rounds in one launch. A launch of the search ends early once a gain
    of `futile` or more is unlikely. `spending` says when a claim looks (`looks_of`), `compared` how many launches a
    pair gets that nobody chose."""

    search_s: float
    claim_s: float
    futile: float
    spending: tuple[float, ...]
    compared: int

    def claim_looks(self, claims_before: int) -> Looks:
        return looks_of(claims_before, self.spending)

    def compare_looks(self) -> Looks:
        """
        >>> [EFFORTS[name].compare_looks() for name in EFFORTS]
        [((13, 1),), ((13, 1),), ((29, 6),)]
        """
        return one_look(self.compared)


EFFORTS = {
    "quick": Effort(0.05, 0.15, 0.05, SPENDING, 13),
    "normal": Effort(0.15, 0.12, 0.02, SPENDING, 13),
    "thorough": Effort(0.3, 0.3, 0.01, (0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 1.0), 29),
}
"""`quick` searches for gains of five per cent and more. `thorough` shows gains of two to three: launches have an sd of
up to 0.9 %, and 29 of which six may fail confirm a true 2 % in 93 of 100 claims, 3 % in all (computed exactly). What a
claim has to show is the same for all."""
