"""What the training dashboard shows about a routing."""

from __future__ import annotations

import math
from collections.abc import Sequence


def dropped_tokens(loads: Sequence[int], capacity: int) -> int:
    """How many choices are lost when an expert takes at most `capacity` tokens."""
    return sum(max(0, load - capacity) for load in loads)


def entropy(loads: Sequence[int]) -> float:
    """Entropy of the load over the experts, in bits; log2 of their number when all are equally busy."""
    total = sum(loads)
    if total == 0:
        return 0.0
    shares = [load / total for load in loads if load]
    return -sum(share * math.log2(share) for share in shares)
