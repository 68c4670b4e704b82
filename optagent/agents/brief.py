"""What Coder and Judge are told for one trial. Values only; `prompts/` has the words around them."""

from __future__ import annotations

from dataclasses import dataclass

from optagent.core.advice import Advice, Mode
from optagent.core.goal import Spent


@dataclass(frozen=True)
class Listing:
    """The code that is shown: the target's own text as it stands in `path` from line `first_line`, the imports of its
    file, the class around it, and what it calls there."""

    path: str
    qualname: str
    function: str
    first_line: int
    imports: str = ""
    around: str = ""
    calls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Standing:
    """What stays the same for a whole run: what may be edited, what runs it, the kinds of arguments that were seen, and
    what the user said."""

    limits: str
    runtime: str
    arguments: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Brief:
    """`listing` is the parent's code, and `facts` are about that very code; `lessons` are of earlier trials. In
    `repair` mode the parent is a candidate that does not do the same as the `original` function."""

    standing: Standing
    listing: Listing
    mode: Mode
    facts: tuple[str, ...]
    lessons: tuple[str, ...]
    budget: str
    advice: Advice | None = None
    original: str = ""


SCARCE, LOW = 0.5, 0.2
REGIMES = {
    "plenty": "There is room to try a different algorithm.",
    "medium": "Prefer a change that is likely to work.",
    "low": "Little is left: make one small change that is sure to be right.",
}


def regime(left: Spent, limit: Spent) -> str:
    """How much of the scarcest resource is left, as one of three words.

    >>> regime(Spent(500.0, 28, 0.9, 10), Spent(600.0, 30, 1.0, 100))
    'low'
    """
    pairs = ((left.seconds, limit.seconds), (left.trials, limit.trials), (left.usd, limit.usd))
    shares = [have / most for have, most in (*pairs, (left.tokens, limit.tokens)) if most]
    share = min(shares, default=1.0)
    return "plenty" if share > SCARCE else "medium" if share > LOW else "low"


def budget_line(left: Spent, limit: Spent) -> str:
    """What is left, in one line, and what follows from it; the trial that is asked for counts as gone in `left`."""
    money = f"${left.usd:.2f}, " if limit.usd < UNBOUNDED else ""
    trials = f"this trial and {left.trials} more"
    return f"{trials}, {money}{left.seconds / 60:.1f} minutes left. {REGIMES[regime(left, limit)]}"


UNBOUNDED = 10**12
"""A ceiling that nobody set."""
