"""How a verb ends, and the exit code that says so. The one table."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from optagent.core.statistics import MARGIN
from optagent.core.verdict import Speedup, Verdict


class Outcome(StrEnum):
    """The better ones first."""

    FASTER = "faster"
    EQUIVALENT = "equivalent"
    BUDGET_EXHAUSTED = "budget_exhausted"
    INCONCLUSIVE = "inconclusive"
    CANNOT_COMPARE = "cannot_compare"
    NOTHING_FOUND = "nothing_found"
    SLOWER = "slower"
    REJECTED = "rejected"
    INCORRECT = "incorrect"
    BASELINE_BROKEN = "baseline_broken"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


OK, UNCONFIRMED, USAGE, ENVIRONMENT, PROVIDER, LEDGER, REGRESSION, CANNOT_TELL, CRASH, INTERRUPTED = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    70,
    130,
)

ALWAYS = {
    Outcome.BASELINE_BROKEN: ENVIRONMENT,
    Outcome.FAILED: CRASH,
    Outcome.INTERRUPTED: INTERRUPTED,
}
REFEREE = {
    Outcome.FASTER: OK,
    Outcome.EQUIVALENT: OK,
    Outcome.SLOWER: REGRESSION,
    Outcome.INCORRECT: REGRESSION,
    Outcome.REJECTED: REGRESSION,
}


BEST_FIRST = tuple(Outcome)
"""The order in which outcomes of several targets are told: as they stand in the class."""


def best(outcomes: Sequence[Outcome]) -> Outcome:
    """Of several targets' outcomes the one that `run` ends with.

    >>> best([Outcome.NOTHING_FOUND, Outcome.FASTER, Outcome.BASELINE_BROKEN])
    <Outcome.FASTER: 'faster'>
    """
    return min(outcomes, key=BEST_FIRST.index)


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """Of several targets' outcomes the one that `verify`, `compare` and `bot` end with: a regression is told before
    what could not be judged, and that before what passes.

    >>> worst([Outcome.FASTER, Outcome.EQUIVALENT]), worst([Outcome.SLOWER, Outcome.BASELINE_BROKEN, Outcome.FASTER])
    (<Outcome.EQUIVALENT: 'equivalent'>, <Outcome.SLOWER: 'slower'>)
    """
    return max(outcomes, key=lambda one: (REFEREE.get(one) == REGRESSION, BEST_FIRST.index(one)))


def run_exit_code(outcome: Outcome, goal_met: bool) -> int:
    """The exit code of `run` and `resume`.

    >>> run_exit_code(Outcome.FASTER, goal_met=True), run_exit_code(Outcome.FASTER, goal_met=False)
    (0, 1)
    """
    if outcome is Outcome.FASTER and goal_met:
        return OK
    return ALWAYS.get(outcome, UNCONFIRMED)


MAX_SLOWDOWN = 1.05
"""`--max-slowdown 5%`: what is surely less slow than this is no regression."""

SURELY_SLOWER = 1.02


def slower_bar(max_slowdown: float) -> float:
    """What is surely slower than this is a regression. Who tolerates more than usual, or less than this, has said so.

    >>> slower_bar(1.05), slower_bar(1.2), slower_bar(1.01)
    (1.02, 1.2, 1.01)
    """
    return min(max_slowdown, SURELY_SLOWER) if max_slowdown <= MAX_SLOWDOWN else max_slowdown


OF_VERDICT = {
    "faster": Outcome.FASTER,
    "incorrect": Outcome.INCORRECT,
    "rejected": Outcome.REJECTED,
    "cannot_compare": Outcome.CANNOT_COMPARE,
}


def is_drowned(verdict: Verdict) -> bool:
    """Whether a gain was seen that the machine's own noise is too large to tell: with less of it there may be one.

    >>> from optagent.core.verdict import Evidence, Inconclusive, Speedup
    >>> is_drowned(Inconclusive("", Evidence(), Speedup(1.04, 0.9, 1.2, 0.99, 30, 8, 0.08, "cpu", 1, 1, 1)))
    True
    """
    shown: Speedup | None = getattr(verdict, "speedup", None)
    return verdict.kind == "inconclusive" and shown is not None and 1 + MARGIN < shown.ratio <= 1 + shown.noise


def referee_outcome(verdict: Verdict, max_slowdown: float = MAX_SLOWDOWN) -> Outcome:
    """What `verify` says of a patch: by the interval of its speed when it does the same. `max_slowdown` is a factor.

    >>> from optagent.core.verdict import Evidence, Inconclusive, Speedup
    >>> near = Speedup(1.0, 0.99, 1.01, 0.99, 30, 8, 0.01, "cpu", 1, 1, 1)
    >>> referee_outcome(Inconclusive("no gain", Evidence(), near))
    <Outcome.EQUIVALENT: 'equivalent'>
    """
    known = OF_VERDICT.get(verdict.kind)
    speedup: Speedup | None = getattr(verdict, "speedup", None)
    if known is not None or speedup is None:
        return known or Outcome.INCONCLUSIVE
    if speedup.high < 1 / slower_bar(max_slowdown):
        return Outcome.SLOWER
    return Outcome.EQUIVALENT if speedup.low > 1 / max_slowdown else Outcome.INCONCLUSIVE


def referee_exit_code(outcome: Outcome) -> int:
    """The exit code of `verify`, `compare` and `bot`: undecided is never 0.

    >>> referee_exit_code(Outcome.EQUIVALENT), referee_exit_code(Outcome.INCONCLUSIVE)
    (0, 7)
    """
    return ALWAYS.get(outcome, REFEREE.get(outcome, CANNOT_TELL))
