"""From times to a ratio with an interval, and the one rule that says "faster".

The rule is a sign test over launches with a few looks: exact whatever the launches' distribution, and not moved by a
launch that is far off, however far. docs/decisions/0003-claim.md has the alternatives and the numbers.

A *launch* is one pair of fresh processes. Every launch has a bias of its own, so launches are the samples; what
happens inside one launch is summarised before anything is decided.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import Literal

MARGIN = 0.01
"""A gain must exceed this to be called one: launch biases of 0.2 to 0.9 % are no gains."""

SLOWER_MARGIN = 0.02
ALPHA = 0.004
"""Chance that one claim calls a gain of MARGIN or less a gain."""

SPENDING = (0.5, 0.8, 1.0)
"""Share of ALPHA that may be gone by the looks that forgive no launch, one, two. Half at once, since most true gains
need nothing to be forgiven."""

SEARCH_LOOKS = ((3, 0), (5, 1))
"""For choosing, not for claiming: three launches without exception, or four of five."""

LOSS_LOOKS = ((5, 0), (7, 1))
"""A loss is a verdict of the search, which no claim looks at again: with as few launches as for a gain, 6 of 1,008
looks at identical code said "slower"."""

PLAIN_LOOKS = ((1, 0),)
PLAIN, PLAIN_NOISE, PLAIN_SWEEPS, PLAIN_ROUNDS = 0.3, 10.0, 2, 4
"""A gain or loss of so much, and of so many times the noise, shows in one launch, for choosing: in four rounds and two
sweeps at least, of which first calls are one. Launches of identical code are off by far less
(docs/decisions/0035-plain-looks.md)."""

SETTLED_ROUNDS = 4
SETTLED_SWEEPS, SETTLED_IN_ALL = 3, 12
SETTLED_ERRORS = 1.5
"""A launch for choosing ends once its rounds lie so many standard errors off what would go on: after four of each
group, or after three where those of all groups are twelve. Chosen by replaying 800 recorded launches of ten kernels,
and 320 (docs/decisions/0028-launches.md)."""

LEAST_SCATTER = 0.005
MAD_TO_SD = 1.4826
MEDIAN_TO_MEAN = 1.2533
"""Standard deviation over median absolute deviation, and standard error of a median over that of a mean, both of a
normal distribution (Huber and Ronchetti, Robust Statistics, 1.2 and 5.1)."""

NOISE_LAUNCHES = 3
ROUGHLY = 3
"""Fewer launches have no middle to speak of."""

CONFIDENCE = 0.99
"""Least confidence of an interval that is shown; fewer than eight launches cannot give it."""

MEMO_FACTOR = 3.0
"""First calls that cost this many times more, against later ones, than the reference's do: it remembers."""

SLIGHT_MEMO_FACTOR = 1.2
"""This much is enough where launches agree in the middle and first calls show less than half of the later gain."""

Looks = tuple[tuple[int, int], ...]
"""(launches, how many of them may fail): when to look, and what is still enough."""


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


@dataclass(frozen=True)
class Total(Times):
    """One launch on one clock: one pass over all inputs. `error` is the standard error of its log ratio, by how its
    rounds scatter and without the launch's own bias; 0 where every group had one round."""

    error: float = 0.0

    @property
    def doubt(self) -> float:
        """How far off the log ratio may be by that error, for choosing."""
        return SETTLED_ERRORS * self.error

    @property
    def least_loss(self) -> float:
        """What the new side loses, as a log ratio, allowing for that."""
        return -self.log_ratio - self.doubt


def total(groups: Sequence[Sequence[Round]]) -> Total:
    """A launch's rounds, by group of inputs, as times for one pass over all groups.

    The new side's time is the median of its rounds; the old side's is that times the median over rounds of the
    paired ratio, because drift hits both sides of a pair. So the ratio of the totals is one of total times.
    """
    new = [median(one.new_ns for one in rounds) for rounds in groups]
    old = [time * math.exp(median(one.log_ratio for one in rounds)) for time, rounds in zip(new, groups, strict=True)]
    return Total(sum(old), sum(new), _error(groups, new))


def _error(groups: Sequence[Sequence[Round]], new: Sequence[float]) -> float:
    """Standard error of the log ratio of the totals: scatter of all rounds around the medians of their groups, each
    group with its share of the time as its weight.

    >>> round(_error([[Round(101, 100), Round(100, 100), Round(99, 100)]] * 4, [100] * 4), 4)
    0.0065
    """
    rounds = min(len(one) for one in groups)
    if rounds < 2:
        return 0.0
    logs = [[one.log_ratio for one in group] for group in groups]
    off = [abs(one - median(group)) for group in logs for one in group]
    scatter = max(LEAST_SCATTER, MAD_TO_SD * median(off) * math.sqrt(rounds / (rounds - 1)))
    weight = math.sqrt(sum((one / sum(new)) ** 2 for one in new))
    return MEDIAN_TO_MEAN * scatter * weight / math.sqrt(rounds)


def is_settled(groups: Sequence[Sequence[Round]], futile: float, bar: float, at_first: Sequence[float] = ()) -> bool:
    """Whether a launch's rounds so far say enough for choosing: that the gain is below `futile`, or above `bar` (both
    log ratios, as those of first calls `at_first`, which are a sweep of their own where they show as much). No claim: a
    launch that is off by its own bias is not found out.

    >>> [is_settled([[Round(ratio, 100)] * n], 0.02, 0.02) for ratio, n in ((100, 4), (100, 3), (130, 4), (102, 4))]
    [True, False, True, False]
    >>> is_settled([[Round(100, 100)] * 3] * 4, 0.02, 0.02), is_settled([[Round(100, 100)] * 2] * 6, 0.02, 0.02)
    (True, False)
    >>> is_settled([[Round(200, 100)] * 2] * 3, 0.02, 0.02), is_settled([[Round(200, 100), Round(99, 100)]], 0.02, 0.02)
    (True, False)
    >>> [is_settled([[Round(200, 100)]] * n, 0.02, 0.02, [one] * n) for n, one in ((3, 0.5), (3, 0.1), (1, 0.5))]
    [True, False, False]
    """
    least, in_all = min((len(one) for one in groups), default=0), sum(len(one) for one in groups)
    logs = [*at_first, *(one.log_ratio for group in groups for one in group)]
    sweeps = least + bool(at_first) if least else 0
    if (
        sweeps >= PLAIN_SWEEPS
        and len(logs) >= PLAIN_ROUNDS
        and is_plain(logs, 0.0)
        and (max(logs) < futile or min(logs) > bar)
    ):
        return True
    if least < SETTLED_SWEEPS or (least < SETTLED_ROUNDS and in_all < SETTLED_IN_ALL):
        return False
    seen = total(groups)
    return seen.log_ratio + seen.doubt < futile or seen.log_ratio - seen.doubt > bar


def remembers(first: Total, later: Total) -> bool:
    """Whether the new side's first calls cost far more, against its later ones, than the old side's do."""
    return first.new_ns * later.old_ns > MEMO_FACTOR * first.old_ns * later.new_ns


def remember_slightly(first: Sequence[float], later: Sequence[float]) -> bool:
    """Whether most of a gain is not there when arguments are new, by the log ratios of at least three launches. One
    launch alone may say so of identical code, on a machine with much else to do.

    >>> remember_slightly([0.0, 0.1, 0.0], [0.7, 0.7, 0.1]), remember_slightly([2.4, 2.3, 2.4], [2.7, 2.6, 2.7])
    (True, False)
    """
    if len(first) < ROUGHLY:
        return False
    at_first, profit = median(first), median(b - a for a, b in zip(first, later, strict=True))
    return profit > math.log(SLIGHT_MEMO_FACTOR) and at_first < median(later) / 2


NEAR_LAUNCHES = 3
BESIDE_LAUNCHES = 5
NEAR_SHARE = 0.5
COMPARABLE = 0.5
"""Calls on which the reference has less than this share to do say nothing of a gain on the others."""


def is_mostly_gone(gain: float, left: float, bar: float) -> bool:
    """Whether less than half of a gain is left under other circumstances (all log ratios, `bar` for their noise).

    >>> is_mostly_gone(0.69, 0.02, 0.01), is_mostly_gone(0.69, 0.6, 0.01), is_mostly_gone(0.05, 0.03, 0.01)
    (True, False, False)
    """
    return left + bar < NEAR_SHARE * gain


@dataclass(frozen=True)
class Interval:
    """Ratio of old over new with the bounds of its median over launches."""

    ratio: float
    low: float
    high: float
    confidence: float


def interval(log_ratios: Sequence[float]) -> Interval:
    """Median over launches, bounded by the innermost pair of launches that still gives CONFIDENCE.

    Distribution-free (David and Nagaraja, Order Statistics, 7.1): the true median lies outside of the k-th smallest
    and the k-th largest of n with probability 2 P(Bin(n, 1/2) < k). Fewer than k outliers move no bound.

    >>> interval([0.0, 0.0, 0.0]).confidence
    0.75
    """
    ordered, n = sorted(log_ratios), len(log_ratios)
    k = max([k for k in range(1, n // 2 + 1) if _confidence(n, k) >= CONFIDENCE], default=1)
    return Interval(math.exp(median(ordered)), math.exp(ordered[k - 1]), math.exp(ordered[-k]), _confidence(n, k))


def _confidence(n: int, k: int) -> float:
    """Of the interval from the k-th smallest to the k-th largest of n."""
    return 1.0 - sum(math.comb(n, i) for i in range(k)) / 2.0 ** (n - 1)


@cache
def looks_of(claims_before: int, spending: tuple[float, ...] = SPENDING) -> Looks:
    """When one claim looks at its launches; every further claim of a run has half the error.

    The earliest looks that forgive no launch, one, two and so on, such that all up to each of them are passed with
    probability `spending` of ALPHA at most by launches that exceed the bar with probability one half each (a gain whose
    true median is the bar). That probability is computed exactly (`passing`), whatever the launches' distribution.

    >>> looks_of(0)
    ((9, 0), (13, 1), (17, 2))
    """
    looks: Looks = ()
    for forgiven, share in enumerate(spending):
        n = looks[-1][0] + 1 if looks else 1
        while passing((*looks, (n, forgiven)), 0.5) > share * ALPHA / 2**claims_before:
            n += 1
        looks = (*looks, (n, forgiven))
    return looks


@cache
def one_look(launches: int) -> Looks:
    """So many launches seen through, and the most of them that may fail within ALPHA.

    Of 13 one may, which 14 of 8192 fair coins do; the interval then runs from the second smallest to the second
    largest, so that one bad launch on either side does not move it.

    >>> one_look(13)
    ((13, 1),)
    """
    allowed = [k for k in range(launches) if passing(((launches, k),), 0.5) <= ALPHA]
    return ((launches, max(allowed, default=0)),)


def passing(looks: Looks, chance: float) -> float:
    """Probability that one of the looks is passed, when each launch succeeds with this chance.

    >>> passing(((3, 0),), 0.5)
    0.125
    """
    passed, by_failures = 0.0, {0: 1.0}
    enough = dict(looks)
    for n in range(1, looks[-1][0] + 1):
        after: dict[int, float] = {}
        for failures, probability in by_failures.items():
            after[failures] = after.get(failures, 0.0) + probability * chance
            after[failures + 1] = after.get(failures + 1, 0.0) + probability * (1.0 - chance)
        passed += sum(share for failures, share in after.items() if failures <= enough.get(n, -1))
        by_failures = {failures: share for failures, share in after.items() if failures > enough.get(n, -1)}
    return passed


Answer = Literal["yes", "no", "open"]


def answer(log_ratios: Sequence[float], bar: float, looks: Looks) -> Answer:
    """Whether the launches exceed `bar` (a log ratio): yes at the first look that they pass, no as soon as more of them
    failed than the last look forgives, else open: another launch is needed. Launches after a yes count for nothing.

    >>> [answer(seen, 0.0, ((3, 0), (5, 1))) for seen in ([1, 1, 1], [1, -1, 1, 1], [1, -1, -1])]
    ['yes', 'open', 'no']
    """
    enough, (last, most) = dict(looks), looks[-1]
    failures = 0
    for n, one in enumerate(log_ratios, 1):
        failures += one <= bar
        if failures <= enough.get(n, -1):
            return "yes"
        if failures > most or n == last:
            return "no"
    return "open"


def bar(noise: float) -> float:
    """The log ratio that a launch has to exceed to speak for a gain: the margin, or what the baseline typically shows
    against itself here and now, whichever is more."""
    return math.log1p(max(MARGIN, noise))


def slower_bar(noise: float) -> float:
    """The same for a loss, with the sides swapped."""
    return math.log1p(max(SLOWER_MARGIN, noise))


def is_plain(seen: Sequence[float], noise: float) -> bool:
    """Whether log ratios of one launch (of first calls, of later ones) all show a gain, or all a loss, that is far
    beyond what any launch of identical code is off by.

    >>> is_plain([0.4, 0.5], 0.01), is_plain([-0.4, -0.5], 0.01), is_plain([0.4, 0.1], 0.01), is_plain([0.4, 0.5], 0.2)
    (True, True, False, False)
    """
    least = math.log1p(max(PLAIN, PLAIN_NOISE * noise))
    return min(seen) > least or max(seen) < -least


def noise_floor(log_ratios: Sequence[float]) -> float:
    """What a baseline typically deviates from itself by, as a share: the median, so that one bad launch does not speak
    for the machine.

    >>> round(noise_floor([0.01, -0.2, 0.02]), 4)
    0.0202
    """
    return math.expm1(median([abs(one) for one in log_ratios])) if log_ratios else 0.0
