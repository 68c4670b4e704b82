"""What the Judge says should be tried next, and what it expects of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mode = Literal["performance", "repair"]


@dataclass(frozen=True)
class Advice:
    """One bottleneck, one change, and a prediction that can be checked: `expected` is the speedup over the untouched
    code that the change is to reach (old time over new). In `repair` mode it says what to mend instead."""

    bottleneck: str
    change: str
    expected: float
    mode: Mode = "performance"
