"""How strong the oracle is: small faults are planted in the original code, and the checks have to notice them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

from optagent.core.fault import Fault, Strength, Survivor, sample
from optagent.core.patch import Patch
from optagent.core.verdict import Unmeasured

MOST_FAULTS = 40
NOTHING_TO_PLANT = Unmeasured("there is nothing in the target to plant a fault in")
UNREACHED = Unmeasured("the inputs reach no line in which a fault could be planted")
UNTOLD = Unmeasured("no planted fault could be judged in the time there was")


def strength(
    faults: Sequence[Fault],
    reached: Collection[int] | None,
    accepts: Callable[[Patch], bool | None],
    seconds: float,
    seed: int,
) -> Strength | Unmeasured:
    """A sample of the faults planted one at a time, for about so many seconds.

    `reached` are the lines that the inputs execute (None: all that can be); `accepts` says whether a patch passes the
    checks that candidates have to pass, None where that could not be told: such a fault counts for nothing.
    """
    if not faults:
        return NOTHING_TO_PLANT
    within = [one for one in faults if reached is None or one.is_reached(reached)]
    if not within:
        return UNREACHED
    until, told = time.monotonic() + seconds, []
    for fault in sample(within, MOST_FAULTS, seed):
        accepted = accepts(fault.patch)
        if accepted is not None:
            told.append((fault, accepted))
        if time.monotonic() > until:
            break
    survivors = tuple(Survivor(one.line, one.kind, one.words) for one, accepted in told if accepted)
    if not told:
        return UNTOLD
    return Strength(len(told), len(told) - len(survivors), survivors, len(faults) - len(within))
