"""What the referee says of a candidate. Frozen classes, one union; nothing here decides anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Unmeasured:
    """A number nobody took, and why. Never 0, never null."""

    reason: str
    kind: Literal["unmeasured"] = "unmeasured"


@dataclass(frozen=True)
class Measured:
    """A number with its unit."""

    value: float
    unit: str
    kind: Literal["measured"] = "measured"


Number = Measured | Unmeasured


@dataclass(frozen=True)
class Speedup:
    """Old time over new time; above 1 is faster.

    `low` and `high` bound the ratio at `confidence`; `noise` is what the baseline typically deviates
    from itself by, as a share (0.01 is one per cent); `old_s` and `new_s` are seconds for one pass over
    the timed inputs; `clock` names the clock that decided; `first_call` says that in most launches the first calls did.
    """

    ratio: float
    low: float
    high: float
    confidence: float
    pairs: int
    launches: int
    noise: float
    clock: Literal["cpu", "wall"]
    old_s: float
    new_s: float
    other_ratio: float
    first_call: bool = False


@dataclass(frozen=True)
class Difference:
    """The first place where old and new are not the same, each side shortened to one line. `input` is the number of the
    input, from 1; 0 where it is not known."""

    where: str
    old: str
    new: str
    input: int = 0


@dataclass(frozen=True)
class Beyond:
    """So many inputs beyond all that was seen (other signs, other lengths, other letters) were compared; the first
    difference that there was, and a test of it, or why there is none. `odd` where it took a float like NaN, infinity or
    minus zero to find one."""

    inputs: int
    difference: Difference | None = None
    test: str | Unmeasured = Unmeasured("nothing differs")
    odd: bool = False


@dataclass(frozen=True)
class Evidence:
    """What verification saw: tests that passed, inputs compared, how many of those were held out, and how many inputs
    near them were compared besides."""

    tests: int = 0
    inputs: int = 0
    held_out: int = 0
    first_difference: Difference | None = None
    varied: int = 0

    def __add__(self, other: Evidence) -> Evidence:
        return Evidence(
            max(self.tests, other.tests),
            max(self.inputs, other.inputs),
            max(self.held_out, other.held_out),
            self.first_difference or other.first_difference,
            max(self.varied, other.varied),
        )


@dataclass(frozen=True)
class Rejected:
    """Not judged further: the edit leaves its scope, cheats, or is no edit at all."""

    reason: str
    detail: str = ""
    kind: Literal["rejected"] = "rejected"


@dataclass(frozen=True)
class Incorrect:
    """Does not do the same."""

    evidence: Evidence
    reason: str
    kind: Literal["incorrect"] = "incorrect"


@dataclass(frozen=True)
class CannotCompare:
    """Nobody can say whether it does the same, and why."""

    reason: str
    kind: Literal["cannot_compare"] = "cannot_compare"


@dataclass(frozen=True)
class Slower:
    """Does the same, and is slower."""

    speedup: Speedup
    evidence: Evidence
    kind: Literal["slower"] = "slower"


@dataclass(frozen=True)
class Inconclusive:
    """Does the same as far as anyone saw; no speedup was shown."""

    reason: str
    evidence: Evidence
    speedup: Speedup | None = None
    kind: Literal["inconclusive"] = "inconclusive"


@dataclass(frozen=True)
class Faster:
    """Does the same as far as anyone saw, and is faster."""

    speedup: Speedup
    evidence: Evidence
    kind: Literal["faster"] = "faster"


Verdict = Rejected | Incorrect | CannotCompare | Slower | Inconclusive | Faster
