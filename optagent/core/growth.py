"""How time grows with the size of the input: a power law through a few sizes, old and new."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

FEWEST = 3
FARTHER = 10.0
"""What is said of larger inputs is said of inputs so many times the largest that was timed."""


@dataclass(frozen=True)
class Growth:
    """Seconds of one call at each size that `make_inputs` was asked for, on the deciding clock."""

    sizes: tuple[float, ...]
    old_s: tuple[float, ...]
    new_s: tuple[float, ...]
    kind: Literal["measured"] = "measured"

    @property
    def old_exponent(self) -> float:
        return exponent(self.sizes, self.old_s)

    @property
    def new_exponent(self) -> float:
        return exponent(self.sizes, self.new_s)

    @property
    def ratios(self) -> tuple[float, ...]:
        return tuple(old / new for old, new in zip(self.old_s, self.new_s, strict=True))

    @property
    def extrapolated(self) -> tuple[float, float]:
        """A size that nobody timed, and old over new time there if both go on as fitted."""
        ratio = self.ratios[-1] * FARTHER ** (self.old_exponent - self.new_exponent)
        return self.sizes[-1] * FARTHER, ratio


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The k of seconds = c * size ** k by least squares on the logarithms (ordinary linear regression).

    >>> round(exponent([10, 20, 40], [1.0, 4.0, 16.0]), 9)
    2.0
    """
    x, y = [math.log(size) for size in sizes], [math.log(one) for one in seconds]
    middle_x, middle_y = fmean(x), fmean(y)
    slope = sum((a - middle_x) * (b - middle_y) for a, b in zip(x, y, strict=True))
    return slope / sum((a - middle_x) ** 2 for a in x)
