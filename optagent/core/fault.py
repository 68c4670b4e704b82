"""Small faults planted in the original code, and how many of them the checks found: how much the evidence is worth.

Mutation analysis (DeMillo, Lipton, Sayward, "Hints on Test Data Selection", Computer 11(4), 1978): checks that do not
notice a planted fault would not notice the same mistake of a candidate either.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from optagent.core.patch import Change, Patch
from optagent.core.verdict import Unmeasured


@dataclass(frozen=True)
class Fault:
    """A fault that can be planted: where it stands in the original file, what kind it is, and what it does in words.
    `first` and `last` are the lines of the statement that it is in (of its head, if it has a body); `text` takes the
    place of the characters from `start` to `end` of the file at `path`."""

    path: str
    line: int
    first: int
    last: int
    kind: str
    words: str
    start: int
    end: int
    text: str

    def patch(self, source: str) -> Patch:
        """What plants it into that text of its file."""
        new = source[: self.start] + self.text + source[self.end :]
        return Patch((Change(self.path, source, new),))

    def is_reached(self, lines: Collection[int]) -> bool:
        """Whether one of the lines that were executed is of its statement."""
        return any(self.first <= line <= self.last for line in lines)


def sample(faults: Sequence[Fault], most: int, seed: int) -> list[Fault]:
    """At most so many of them, kinds in turn so that none crowds out the others: in that order, so that those which
    there is time for are a sample too."""
    rng = random.Random(seed)
    by_kind: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults:
        by_kind[fault.kind].append(fault)
    for some in by_kind.values():
        rng.shuffle(some)
    chosen: list[Fault] = []
    while len(chosen) < most and any(by_kind.values()):
        for some in by_kind.values():
            if some and len(chosen) < most:
                chosen.append(some.pop())
    return chosen


@dataclass(frozen=True)
class Survivor:
    """A planted fault that nothing noticed."""

    line: int
    kind: str
    words: str


FLOOR = 0.8
"""Below this share of planted faults found, evidence is called weak."""


@dataclass(frozen=True)
class Strength:
    """How many faults were planted in lines that the workload reaches, how many of them the checks found, and those
    they did not. `unreached` counts faults in lines that no input executes: nothing could find them; `untried` those
    of the sample that there was no time for, or of which nobody could tell."""

    planted: int
    found: int
    survivors: tuple[Survivor, ...]
    unreached: int = 0
    untried: int = 0

    @property
    def share(self) -> float:
        """
        >>> Strength(4, 3, (Survivor(7, "comparison", "`<` becomes `<=`"),)).share
        0.75
        """
        return self.found / self.planted

    @property
    def is_weak(self) -> bool:
        return self.share < FLOOR


ENOUGH = 10
"""Fewer faults than this say nothing where there were more to plant."""


def fault_of(oracle: Strength | Unmeasured, least: float | None) -> str | None:
    """Why evidence is too weak when so many per cent of planted faults have to be noticed; None when it is not.

    >>> fault_of(Strength(4, 3, ()), 80)
    'the checks notice 3 of 4 planted faults (75 %), and 80 % are asked for'
    >>> fault_of(Strength(4, 3, ()), 75), fault_of(Unmeasured("no time"), None)
    (None, None)
    """
    if least is None:
        return None
    if isinstance(oracle, Unmeasured):
        return f"nobody knows what the checks notice ({oracle.reason}), and {least:.3g} % are asked for"
    if oracle.untried and oracle.planted < ENOUGH:
        return f"only {oracle.planted} planted faults could be judged, and {least:.3g} % are asked for"
    if 100 * oracle.found >= least * oracle.planted:
        return None
    seen = f"{oracle.found} of {oracle.planted} planted faults ({100 * oracle.share:.0f} %)"
    return f"the checks notice {seen}, and {least:.3g} % are asked for"


@dataclass(frozen=True)
class Unexecuted:
    """First lines of the changed statements that no compared input executed: of them nothing was seen."""

    lines: tuple[int, ...]
