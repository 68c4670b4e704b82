"""How strong the oracle is: small faults are planted in the original code, and the checks have to notice them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence

from optagent.core.fault import Fault, Strength, Survivor, sample
from optagent.core.verdict import Unmeasured

Accepts = Callable[[Fault], bool | None]
MOST_FAULTS = 30
NOTHING_TO_PLANT = Unmeasured("there is nothing in the target to plant a fault in (or its file is not UTF-8)")
UNREACHED = Unmeasured("the inputs reach no line in which a fault could be planted")
UNTOLD = Unmeasured("no planted fault could be judged in the time there was")


def strength(
    faults: Sequence[Fault],
    reached: Collection[int] | None,
    accepts: Accepts,
    seconds: float,
    seed: int,
    each: Callable[[Accepts, Sequence[Fault]], Iterable[bool | None]] = map,
) -> Strength | Unmeasured:
    """A sample of the faults planted, each alone, for about so many seconds; `each` is `map`, or one
    that judges several at a time.

    `reached` are the lines that the inputs execute (None: all that can be); `accepts` says whether the code with a
    fault passes the checks that candidates have to pass, None where that could not be told: it counts for nothing.
    """
    if not faults:
        return NOTHING_TO_PLANT
    within = [one for one in faults if reached is None or one.is_reached(reached)]
    if not within:
        return UNREACHED
    chosen, until = sample(within, MOST_FAULTS, seed), time.monotonic() + seconds
    said = each(lambda fault: accepts(fault) if time.monotonic() < until else None, chosen)
    told = [(fault, accepted) for fault, accepted in zip(chosen, said, strict=True) if accepted is not None]
    survivors = sorted((Survivor(one.line, one.kind, one.words) for one, accepted in told if accepted), key=_place)
    if not told:
        return UNTOLD
    unreached, untried = len(faults) - len(within), len(chosen) - len(told)
    return Strength(len(told), len(told) - len(survivors), tuple(survivors), unreached, untried)


def _place(one: Survivor) -> tuple[int, str]:
    return one.line, one.words
