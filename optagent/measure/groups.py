"""Parts the timed inputs into blocks that are long enough for the clock. Pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MOST_TIMES = 2000
MOST_BLOCK_BYTES = 4 << 20
"""Arguments are made fresh for every pass, and every result of a checked block is encoded: with objects that takes far
longer than the calls themselves."""

BLOCK_NS = 1_000_000
NEW_BLOCK_NS = 200_000
LONG_BLOCK_NS = 20_000_000
"""As long as the old side's block may become so that the new one's is long enough for the clock."""

BRIEF_BLOCK_NS = 5_000_000
"""The same where a launch is for choosing: whether it is 50 times or 55 is for a claim to say."""


@dataclass(frozen=True)
class Group:
    """Inputs that are called one after the other in one block, and how many passes a block makes over them.

    Both sides make the same passes, so that whatever they burn outside the stopwatch can be compared too.
    """

    numbers: tuple[int, ...]
    times: int


def form_groups(
    old_ns: Sequence[int], new_ns: Sequence[int], sizes: Sequence[int], longest_ns: int = LONG_BLOCK_NS
) -> list[Group]:
    """Consecutive inputs gathered until the old side needs BLOCK_NS for them; the last group may be short.

    Times are nanoseconds for one call, sizes are bytes of its arguments, both in the order of the inputs.
    """
    groups: list[Group] = []
    numbers: list[int] = []
    for number in range(len(old_ns)):
        numbers.append(number)
        if sum(old_ns[k] for k in numbers) >= BLOCK_NS or number == len(old_ns) - 1:
            old, new, size = (sum(one[k] for k in numbers) for one in (old_ns, new_ns, sizes))
            groups.append(Group(tuple(numbers), passes(max(1, old), max(1, new), max(1, size), longest_ns)))
            numbers = []
    return groups


def passes(old_ns: int, new_ns: int, size: int, longest_ns: int = LONG_BLOCK_NS) -> int:
    """Passes per block: enough for BLOCK_NS of the old side; more while the new side's block is too short to be
    told from the protocol around it, unless the old side's would become long or the arguments large."""
    wanted = math.ceil(BLOCK_NS / old_ns)
    for_new = min(math.ceil(NEW_BLOCK_NS / new_ns), longest_ns // old_ns)
    return max(1, min(max(wanted, for_new), MOST_TIMES, MOST_BLOCK_BYTES // size))
