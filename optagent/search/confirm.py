"""The claim: the best trials are decided again on inputs nobody saw, in launches that chose nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from optagent.core.trial import Trial
from optagent.core.verdict import Faster, Incorrect, Verdict
from optagent.search.shop import Shop

MOST_CLAIMS = 3


@dataclass(frozen=True)
class Claim:
    """One try to confirm a trial, on the held-out set of that index."""

    trial: Trial
    held_out: int
    verdict: Verdict


def confirm(
    trials: Sequence[Trial], shop: Shop, sets: int, past: Sequence[Claim] = (), most: int = MOST_CLAIMS
) -> Iterator[Claim]:
    """Claims, best estimate first, until one is confirmed, none is left, or `most` were made in all.

    Every claim halves the error it may make. A held-out difference burns its set: the next claim needs another.
    """
    claimed = {claim.trial.number for claim in past}
    burnt = {claim.held_out for claim in past if isinstance(claim.verdict, Incorrect)}
    made = len(past)
    for trial in sorted(trials, key=lambda trial: -trial.ratio):
        fresh = [k for k in range(sets) if k not in burnt]
        if made >= most or not fresh:
            return
        if not isinstance(trial.verdict, Faster) or trial.number in claimed:
            continue
        with shop.checkout(trial.candidate) as tree:
            verdict = shop.claim(trial.number, tree, fresh[0], made)
        made += 1
        if isinstance(verdict, Incorrect):
            burnt.add(fresh[0])
        yield Claim(trial, fresh[0], verdict)
        if isinstance(verdict, Faster):
            return
