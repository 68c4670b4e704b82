"""From what launches showed to a verdict. The rule itself stands in core/statistics.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from optagent.core.statistics import MARGIN, bar, is_for_these_only
from optagent.core.strain import likeliest
from optagent.core.verdict import Evidence, Faster, Inconclusive, Incorrect, Rejected, Slower, Speedup, Verdict
from optagent.languages.contestant import Misconduct, Uncomparable
from optagent.measure.speed import Found


@dataclass(frozen=True)
class Ruling:
    """A verdict, and what was measured for it, if it came to that."""

    verdict: Verdict
    found: Found | None = None


def judge(measure: Callable[[], Found], evidence: Evidence) -> Ruling:
    """On a candidate that does the same on everything in `evidence`, after measuring it."""
    try:
        found = measure()
    except Misconduct as failed:
        return Ruling(failed.verdict(evidence))
    except Uncomparable as unknown:
        reason = f"results of timed calls hold {unknown}, which has no canonical form yet"
        return Ruling(Inconclusive(reason, evidence))
    return Ruling(verdict(found, evidence), found)


@dataclass(frozen=True)
class Again:
    """A gain measured once more, on so many inputs."""

    inputs: int
    measure: Callable[[], Found]


COMPARABLE = 0.5


def judge_near(ruling: Ruling, near: Again, own: Again) -> Ruling:
    """A gain, after it was looked for on inputs that differ a little from those it was claimed on; `own` measures it on
    those of the same size, which are asked where it seems to be gone. Where the reference has far less to do on the
    former (it refuses them, or ends early), they say nothing."""
    claimed = ruling.verdict
    if not isinstance(claimed, Faster):
        return ruling
    there = _seen(near, claimed.evidence, ruling)
    if isinstance(there, Ruling):
        return there
    if not _is_lost(claimed.speedup, there):
        return ruling
    here = _seen(own, claimed.evidence, ruling)
    if isinstance(here, Ruling):
        return here
    if there.old_s / near.inputs < COMPARABLE * here.old_s / own.inputs or not _is_lost(here, there):
        return ruling
    reason = (
        f"the gain is for the tests' own calls only: {here.ratio:.3f}x on them, and {there.ratio:.3f}x on calls of the "
        "same size that differ a little"
    )
    return replace(ruling, verdict=Inconclusive(reason, claimed.evidence))


def _seen(again: Again, evidence: Evidence, ruling: Ruling) -> Speedup | Ruling:
    """What the gain is there; a ruling where there is nothing to compare, because a side failed or a timed call was
    wrong: what that says of the candidate, if anything, else the one there was."""
    said = judge(again.measure, evidence)
    if said.found is None or said.found.difference is not None:
        return said if isinstance(said.verdict, Incorrect | Rejected) else ruling
    return said.found.speedup


def _is_lost(here: Speedup, there: Speedup) -> bool:
    return is_for_these_only(math.log(here.ratio), math.log(there.ratio), bar(there.noise))


def verdict(found: Found, evidence: Evidence) -> Verdict:
    """Wrong while timed comes first, then work moved out of sight; only then the numbers count."""
    if found.difference is not None:
        first = found.difference
        said = f"{first.where} differs in timed calls: {first.old} before, {first.new} after"
        return Incorrect(replace(evidence, first_difference=found.difference), said)
    if found.moved and found.moved_clearly:
        return Rejected("work moved", f"CPU saved in the timed calls reappears in {found.moved}")
    if found.moved:
        reason = f"what it may have saved cannot be told from how much {found.moved} takes anyway"
        return Inconclusive(reason, evidence, found.speedup)
    if found.is_faster and found.collecting is not None and found.collecting <= 1:
        return Inconclusive(_only_without_collector(found.speedup.ratio, found.collecting), evidence, found.speedup)
    if found.is_faster:
        return Faster(found.speedup, evidence)
    if found.is_slower:
        return Slower(found.speedup, evidence)
    cause = likeliest(found.strain) if _is_untold(found.speedup) else None
    reason = _why_not(found) + (f"; the likeliest cause: {cause.what}" if cause else "")
    return Inconclusive(reason, evidence, found.speedup)


def _is_untold(shown: Speedup) -> bool:
    """Whether there may be a gain that this machine could not show; else the reason is that there is none."""
    least = max(MARGIN, shown.noise)
    return shown.noise > MARGIN or shown.high > 1 + least


def _only_without_collector(off: float, on: float) -> str:
    return f"{off:.3f}x with the garbage collector off, as timed calls have it, and {on:.3f}x with it on"


def _why_not(found: Found) -> str:
    shown = found.speedup
    if shown.noise > MARGIN and shown.ratio <= 1 + shown.noise:
        return f"{shown.ratio:.3f}x is within the noise of this machine now ({shown.noise:.1%})"
    least = max(MARGIN, shown.noise)
    if shown.launches == 1:
        return f"{shown.ratio:.3f}x is no gain beyond {least:.1%}"
    return f"{shown.ratio:.3f}x in the middle of {shown.launches} launches, and too few of them beyond {least:.1%}"
