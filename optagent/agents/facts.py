"""The deterministic half of the Judge: what profile and verdict say, one sentence a fact, nothing guessed."""

from __future__ import annotations

from collections.abc import Sequence

from optagent.agents.brief import Listing
from optagent.core.profile import Profile
from optagent.core.trial import Trial
from optagent.core.verdict import (
    CannotCompare,
    Faster,
    Inconclusive,
    Incorrect,
    Rejected,
    Slower,
    Speedup,
    Verdict,
)

MOST_LINES = 6
MOST_FUNCTIONS = 6
MOST_LESSONS = 12
LONGEST = 500
"""Characters of one fact: a difference between two texts can be as long as the texts."""


def profile_facts(profile: Profile, listing: Listing) -> list[str]:
    """Hot lines with their text, and the functions in which the time of a pass is spent."""
    text = listing.function.splitlines()
    facts = []
    for hot in profile.lines[:MOST_LINES]:
        at = hot.line - listing.first_line
        if 0 <= at < len(text):
            facts.append(
                f"line {at + 1} takes {hot.share:.0%} of the traced time in {hot.hits} visits: {text[at].strip()}"
            )
    total = max((one.total_s for one in profile.functions), default=0.0)
    for one in sorted(profile.functions, key=lambda one: -one.own_s)[:MOST_FUNCTIONS]:
        if total > 0 and one.own_s > 0.01 * total:
            facts.append(f"{one.name} takes {one.own_s / total:.0%} of the time itself in {one.calls} calls")
    return [_short(fact) for fact in facts] + ([profile.note] if profile.note else [])


def verdict_facts(verdict: Verdict) -> list[str]:
    """What the referee said of the last candidate, with its numbers."""
    match verdict:
        case Incorrect():
            first = verdict.evidence.first_difference
            told = [f"it does not do the same: {verdict.reason}"]
            if first is not None:
                told = [
                    f"it does not do the same; the first difference is in {first.where}",
                    f"before: {first.old}",
                    f"after: {first.new}",
                ]
        case Rejected():
            told = [f"it was rejected: {verdict.reason}" + (f": {verdict.detail}" if verdict.detail else "")]
        case CannotCompare():
            told = [f"nobody can tell whether it does the same: {verdict.reason}"]
        case Slower() | Faster():
            told = [_speed(verdict.speedup)]
        case Inconclusive():
            told = ["it does the same as far as anyone saw", f"no speedup was shown: {verdict.reason}"]
    return [_short(fact) for fact in told]


def _speed(shown: Speedup) -> str:
    word = "faster than" if shown.ratio >= 1 else "the speed of"
    return (
        f"it does the same and is {shown.ratio:.2f} times {word} the untouched code "
        f"({shown.low:.2f} to {shown.high:.2f}, {shown.old_s:.3g} s before, {shown.new_s:.3g} s after)"
    )


def outcome(trial: Trial) -> str:
    """How a trial ended, in a few words, and what had been predicted."""
    verdict = trial.verdict
    match verdict:
        case Faster() | Slower():
            said = f"{verdict.kind}, {verdict.speedup.ratio:.2f} times the speed of the untouched code"
        case Incorrect() | Inconclusive() | CannotCompare():
            said = f"{verdict.kind.replace('_', ' ')}: {verdict.reason}"
        case Rejected():
            said = f"rejected: {verdict.reason}" + (f" ({verdict.detail})" if verdict.detail else "")
    advice = trial.candidate.advice
    expected = f"; {advice.expected:.2f} times was expected" if advice and advice.mode == "performance" else ""
    return said + expected


def lessons(trials: Sequence[Trial]) -> tuple[str, ...]:
    """What was tried and what came of it: the last dozen and, before those, whatever was faster."""
    old, recent = trials[:-MOST_LESSONS], trials[-MOST_LESSONS:]
    kept = [trial for trial in old if isinstance(trial.verdict, Faster)][-MOST_LESSONS:]
    return tuple(_short(f"trial {one.number}: {one.candidate.idea}: {outcome(one)}") for one in [*kept, *recent])


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 3] + "..."
