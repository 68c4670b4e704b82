"""A studio whose Judge and Coder answer from a list, and verdicts for what they propose."""

from __future__ import annotations

from optagent.agents.brief import Brief, Listing, Standing
from optagent.core.advice import Advice
from optagent.core.goal import Spent
from optagent.core.patch import Candidate, Change, Patch
from optagent.core.profile import HotFunction, HotLine, Profile
from optagent.core.trial import Trial
from optagent.core.verdict import (
    Difference,
    Evidence,
    Faster,
    Inconclusive,
    Incorrect,
    Rejected,
    Slower,
    Speedup,
    Verdict,
)
from optagent.search.policy import Proposal
from optagent.search.refine import Studio

ORIGINAL = '''def total(values, limit):
    """The sum of the distinct values below the limit."""
    seen = []
    for value in values:
        if value < limit and value not in seen:
            seen.append(value)
    return sum(seen)
'''
STANDING = Standing(
    "Only this function may be edited.", "Python 3.11.7", ("limit: int", "values: list of int"), ("lists are long",)
)
BUDGET = "this trial and 9 more, $0.80, 6.0 minutes left. There is room to try a different algorithm."


def speedup(ratio: float) -> Speedup:
    return Speedup(ratio, ratio * 0.9, ratio * 1.1, 0.75, 10, 3, 0.01, "cpu", 0.004, 0.004 / ratio, ratio)


def faster(ratio: float) -> Faster:
    return Faster(speedup(ratio), Evidence(2, 20))


DIFFERENCE = Difference("the result of input 4", "int 12", "int 14")
WRONG = Incorrect(Evidence(2, 4, 0, DIFFERENCE), "the result of input 4 differs: 12 before, 14 after")
BROKEN_TEST = Incorrect(Evidence(), "tests/test_m.py::test_empty no longer passes: assert None == 0")
SLOWER = Slower(speedup(0.8), Evidence(2, 20))
NO_GAIN = Inconclusive("1.004x is no gain beyond 1.0%", Evidence(2, 20))
OUTSIDE = Rejected("out of scope", "edits tests/test_m.py, which is outside the target's file")
PROSE = Rejected("unusable answer", "it has no fenced code block")


class Atelier:
    """Answers are (text of the new function, idea); every brief that was given is kept."""

    def __init__(self, *answers: tuple[str, str], advice: Advice | None = None) -> None:
        self.answers = list(answers)
        self.advice = advice or Advice("the list is searched for every value", "use a set", 3.0)
        self.judged: list[Brief] = []
        self.written: list[tuple[int, str, Brief]] = []
        self.profiled: list[str] = []

    def studio(self) -> Studio:
        return Studio(STANDING, self.listing, self.profile, self.advise, self.write, lambda: BUDGET)

    def listing(self, candidate: Candidate) -> Listing:
        return Listing("m.py", "total", source_of(candidate), 3, "import math")

    def profile(self, candidate: Candidate) -> Profile:
        self.profiled.append(source_of(candidate))
        functions = (HotFunction("total", "m.py:3", 40, 0.9, 1.0), HotFunction("<built-in sum>", "~:0", 40, 0.1, 0.1))
        return Profile("ab" * 32, functions, (HotLine(7, 80000, 0.81), HotLine(6, 80040, 0.12)))

    def advise(self, number: int, brief: Brief) -> Advice | None:
        self.judged.append(brief)
        return Advice(self.advice.bottleneck, self.advice.change, self.advice.expected, brief.mode)

    def write(self, number: int, parent: Candidate, brief: Brief) -> Proposal:
        self.written.append((number, source_of(parent), brief))
        text, idea = self.answers.pop(0)
        if not text:
            return Proposal(Candidate(Patch(()), "model/m", idea, parent.digest, brief.advice), PROSE)
        patch = Patch((Change("m.py", ORIGINAL, text),))
        return Proposal(Candidate(patch, "model/m", idea, parent.digest, brief.advice))


def source_of(candidate: Candidate) -> str:
    return candidate.patch.changes[0].new or "" if candidate.patch.changes else ORIGINAL


def decided(number: int, proposal: Proposal, verdict: Verdict) -> Trial:
    return Trial(number, proposal.candidate, proposal.fault or verdict, Spent(1.0, 1))
