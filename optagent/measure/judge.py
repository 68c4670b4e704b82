"""From what launches showed to a verdict. The rule itself stands in core/statistics.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from optagent.core.statistics import COMPARABLE, MARGIN, PLAIN, bar, is_mostly_gone
from optagent.core.strain import likeliest
from optagent.core.verdict import Evidence, Faster, Inconclusive, Incorrect, Rejected, Slower, Speedup, Verdict
from optagent.languages.contestant import Misconduct, Uncomparable
from optagent.measure.speed import Found, Near


@dataclass(frozen=True)
class Ruling:
    """A verdict, and what was measured for it, if it came to that."""

    verdict: Verdict
    found: Found | None = None


def judge(measure: Callable[[], Found], evidence: Evidence) -> Ruling:
    """On a candidate that does the same on everything in `evidence`, after measuring it."""
    try:
        found = measure()
    except (Misconduct, Uncomparable) as failed:
        return Ruling(_of_failure(failed, evidence))
    return Ruling(verdict(found, evidence), found)


def _of_failure(failed: Misconduct | Uncomparable, evidence: Evidence) -> Verdict:
    if isinstance(failed, Misconduct):
        return failed.verdict(evidence)
    return Inconclusive(f"results of timed calls hold {failed}, which has no canonical form yet", evidence)


def judge_near(ruling: Ruling, is_whole: bool, measure: Callable[[float], Near]) -> Ruling:
    """A gain, after `measure` looked for it (a log ratio) on inputs that differ a little from those it was claimed on.
    Where the reference has far less to do on these (it refuses them, or ends early), they say nothing. Where they are
    near those that make up the `whole` of the claim, it has to be there again on the latter."""
    claimed = ruling.verdict
    if not isinstance(claimed, Faster):
        return ruling
    gain = math.log(claimed.speedup.ratio)
    try:
        near = measure(gain)
    except (Misconduct, Uncomparable) as failed:
        return replace(ruling, verdict=_of_failure(failed, claimed.evidence))
    said = verdict(near.there, claimed.evidence)
    if isinstance(said, Incorrect | Rejected):
        return replace(ruling, verdict=said)
    if near.here is None or near.work < COMPARABLE:
        return ruling
    there, here = near.there.speedup, near.here.speedup
    if is_mostly_gone(math.log(here.ratio), math.log(there.ratio), bar(there.noise)):
        reason = (
            f"the gain is for the tests' own calls only: {here.ratio:.3f}x on them, and {there.ratio:.3f}x on calls "
            "that differ a little"
        )
    elif is_whole and is_mostly_gone(gain, math.log(here.ratio), bar(there.noise)):
        reason = (
            f"the gain did not come again: {claimed.speedup.ratio:.3f}x, and then {here.ratio:.3f}x on the same calls"
        )
    else:
        return ruling
    return replace(ruling, verdict=Inconclusive(reason, claimed.evidence))


def verdict(found: Found, evidence: Evidence) -> Verdict:
    """Wrong while timed comes first, then work moved out of sight; only then the numbers count."""
    if found.difference is not None:
        first = found.difference
        said = f"{first.where} differs in timed calls: {first.old} before, {first.new} after"
        return Incorrect(replace(evidence, first_difference=found.difference), said)
    if found.moved and found.moved_clearly:
        return Rejected("work moved", f"CPU saved in the timed calls reappears in {found.moved}")
    if found.moved and found.speedup.low > 1 + MARGIN:  # a number that nobody knows what it is of is not told
        reason = f"what it may have saved cannot be told from how much {found.moved} takes anyway"
        return Inconclusive(reason, evidence)
    if found.is_faster and found.collecting is not None and found.collecting <= 1 + MARGIN:
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
    is_denied = _is_on_one_clock(shown) and shown.other_ratio < 1 - PLAIN
    return (shown.noise > MARGIN or shown.high > 1 + least) and not is_denied


def _is_on_one_clock(shown: Speedup) -> bool:
    """Whether the deciding clock shows a gain and the other one shows none."""
    return shown.low > 1 + max(MARGIN, shown.noise) and shown.other_ratio <= 1 + MARGIN


def _only_without_collector(off: float, on: float) -> str:
    return f"{off:.3f}x with the garbage collector off, as timed calls have it, and {on:.3f}x with it on"


def _why_not(found: Found) -> str:
    shown = found.speedup
    if shown.noise > MARGIN and shown.ratio <= 1 + shown.noise:
        return f"{shown.ratio:.3f}x is within the noise of this machine now ({shown.noise:.1%})"
    least = max(MARGIN, shown.noise)
    if _is_on_one_clock(shown):
        clock, other = ("CPU", "wall") if shown.clock == "cpu" else ("wall", "CPU")
        return f"{shown.ratio:.3f}x on the {clock} clock, and {shown.other_ratio:.3f}x on the {other} clock"
    if shown.launches == 1:
        return f"{shown.ratio:.3f}x is no gain beyond {least:.1%}"
    return f"{shown.ratio:.3f}x in the middle of {shown.launches} launches, and too few of them beyond {least:.1%}"
