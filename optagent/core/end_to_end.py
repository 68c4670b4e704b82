"""What a speedup of one function is worth to the whole: Amdahl's law on a sampled share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Z = 2.576
"""Two-sided 99 % of the normal distribution."""


@dataclass(frozen=True)
class Sampled:
    """One run under a sampling clock: samples taken, those in which the target was under way, CPU seconds of the
    run."""

    samples: int
    inside: int
    cpu_s: float


@dataclass(frozen=True)
class EndToEnd:
    """`share` is the part of the whole run (`whole_s` wall seconds) that is spent in the target, with bounds from
    sampling; `ratio` is old over new time of the whole run, computed and not measured, with bounds from those of the
    share and of the speedup."""

    share: float
    share_low: float
    share_high: float
    ratio: float
    low: float
    high: float
    whole_s: float
    kind: Literal["computed"] = "computed"


def end_to_end(seen: Sampled, whole_s: float, speedup: tuple[float, float, float]) -> EndToEnd:
    """`speedup` is ratio, low and high of the target's own.

    >>> found = end_to_end(Sampled(1000, 10, 2.0), 2.0, (10.0, 9.0, 11.0))
    >>> f"{found.share:.1%} of the run, {found.ratio:.3f}x"
    '1.0% of the run, 1.009x'
    """
    part = min(1.0, seen.cpu_s / whole_s)
    low, high = wilson(seen.inside, seen.samples)
    share, share_low, share_high = (part * one for one in (seen.inside / seen.samples, low, high))
    ratio, slowest, fastest = speedup
    bounds = [amdahl(one, two) for one in (share_low, share_high) for two in (slowest, fastest)]
    return EndToEnd(share, share_low, share_high, amdahl(share, ratio), min(bounds), max(bounds), whole_s)


def amdahl(share: float, speedup: float) -> float:
    """Old over new time of a whole of which `share` becomes `speedup` times faster (Amdahl 1967).

    >>> amdahl(0.5, 2.0), amdahl(0.0, 10.0)
    (1.3333333333333333, 1.0)
    """
    return 1.0 / (1.0 - share + share / speedup)


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Bounds of a proportion at 99 % (Wilson 1927).

    >>> low, high = wilson(0, 100)
    >>> low, round(high, 3)
    (0.0, 0.062)
    """
    p, square = hits / trials, Z * Z / trials
    middle = (p + square / 2) / (1 + square)
    half = Z * math.sqrt(p * (1 - p) / trials + square / (4 * trials)) / (1 + square)
    return max(0.0, middle - half) if hits else 0.0, min(1.0, middle + half)
