"""The parts a search works with, as functions. `cli/run/shop.py` puts real ones in; tests may put in others."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from optagent.core.goal import Spent
from optagent.core.patch import Candidate, Patch
from optagent.core.target import Tree
from optagent.core.verdict import CannotCompare, Evidence, Inconclusive, Incorrect, Rejected, Verdict
from optagent.search.policy import Proposal

Objection = Rejected | Incorrect | CannotCompare | Inconclusive


@dataclass(frozen=True)
class Shop:
    """Every function that judges takes the number of the trial it works for, so that it can keep a record.

    `paid` tells what was paid for a trial before anybody judged it; `ready` sees to what all that are tested and
    compared have in common, after which any number may be at the same time; `measure` gives a search verdict; `claim`
    decides a winner again on the held-out set of that index in fresh launches with those looks.
    """

    normal_form: Callable[[Patch], str]
    paid: Callable[[int], Spent]
    screen: Callable[[int, Candidate], Rejected | None]
    ready: Callable[[], None]
    checkout: Callable[[Candidate], AbstractContextManager[Tree]]
    test: Callable[[int, Tree], Evidence | Objection]
    compare: Callable[[int, Tree, Evidence], Evidence | Objection]
    measure: Callable[[int, Tree, Evidence], Verdict]
    claim: Callable[[int, Tree, int, int], Verdict]
    asked: Callable[[int, Proposal], None]
    elapsed_s: Callable[[], float]
