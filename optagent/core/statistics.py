"""From times to a ratio with an interval, and the one rule that says "faster".

Evidence for the protocol: shared/research/measure.md sections 3 to 7 and 13. This is its first version; the
estimator, the looks and the margin are settled by experiment in step 4 and changed here only.

A *launch* is one pair of fresh processes. Every launch has a bias of its own, so launches are the samples; what
happens inside one launch is summarised before anything is decided.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

MARGIN = 0.01
"""A gain must exceed this to be called one: launch biases of 0.2 to 0.9 % are no gains."""

SLOWER_MARGIN = 0.02
ALPHA = 0.004
"""Chance that one claim calls a gain of MARGIN or less a gain."""

SEARCH_LAUNCHES = 3
MEMO_FACTOR = 3.0
"""First calls that cost this many times more, against later ones, than the reference's do: it remembers."""


@dataclass(frozen=True)
class Times:
    """Nanoseconds of each side for the same work."""

    old_ns: float
    new_ns: float

    @property
    def log_ratio(self) -> float:
        return math.log(max(self.old_ns, 1.0) / max(self.new_ns, 1.0))


class Round(Times):
    """One interleaved round on one group of inputs: one pass over the group."""


class Total(Times):
    """One launch on one clock: one pass over all inputs."""


def total(groups: Sequence[Sequence[Round]]) -> Total:
    """A launch's rounds, by group of inputs, as times for one pass over all groups.

    The new side's time is the median of its rounds; the old side's is that times the median over rounds of the
    paired ratio, because drift hits both sides of a pair. So the ratio of the totals is one of total times.
    """
    new = [median(one.new_ns for one in rounds) for rounds in groups]
    old = [time * math.exp(median(one.log_ratio for one in rounds)) for time, rounds in zip(new, groups, strict=True)]
    return Total(sum(old), sum(new))


def remembers(first: Total, later: Total) -> bool:
    """Whether the new side's first calls cost far more, against its later ones, than the old side's do."""
    return first.new_ns * later.old_ns > MEMO_FACTOR * first.old_ns * later.new_ns


@dataclass(frozen=True)
class Interval:
    """Ratio of old over new with the bounds of its median over launches."""

    ratio: float
    low: float
    high: float
    confidence: float


def interval(log_ratios: Sequence[float]) -> Interval:
    """Median over launches, bounded by the smallest and the largest launch.

    Distribution-free: the true median lies outside only when all launches fall on one side of it, which has
    probability 2 * 2**-n. One outlier moves a bound, never the estimate.

    >>> interval([0.0, 0.0, 0.0]).confidence
    0.75
    """
    return Interval(
        math.exp(median(log_ratios)),
        math.exp(min(log_ratios)),
        math.exp(max(log_ratios)),
        1.0 - 2.0 * 0.5 ** len(log_ratios),
    )


def launches_needed(claims_before: int) -> int:
    """How many unanimous launches one claim takes; every further claim of a run has half the error.

    >>> [launches_needed(k) for k in range(3)]
    [8, 9, 10]
    """
    return math.ceil(-math.log2(ALPHA / 2**claims_before))


def is_above(log_ratios: Sequence[float], noise: float) -> bool:
    """Whether every launch exceeds both the margin and what the baseline shows against itself.

    With n launches and a true median ratio at the bar or below it, this happens with probability 2**-n at most.
    """
    bar = math.log1p(max(MARGIN, noise))
    return bool(log_ratios) and min(log_ratios) > bar


def is_below(log_ratios: Sequence[float], noise: float) -> bool:
    """Whether every launch says slower, beyond the margin and the noise."""
    return bool(log_ratios) and max(log_ratios) < -math.log1p(max(SLOWER_MARGIN, noise))


def noise_floor(log_ratios: Sequence[float]) -> float:
    """The largest deviation of a baseline from itself, as a share."""
    return math.expm1(max((abs(one) for one in log_ratios), default=0.0))
