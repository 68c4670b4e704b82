"""What a change costs beside the time of its calls, and which of that a person should be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GROWTH = 1.2
"""A cost that grows by less than a fifth is no news."""

IMPORT_S, FIRST_S, MEMORY_BYTES, RESIDENT_BYTES = 0.002, 0.001, 16 << 10, 4 << 20
"""Nor one that grows by less than this: imports and first calls differ by as much from launch to launch."""

SPREAD = 1.5
"""First calls are taken once in each launch, so that they differ far more than later ones."""


@dataclass(frozen=True)
class Costs:
    """One side, for one pass over the timed inputs.

    `import_s` is the CPU time of importing the target and `first_s` that of the first call of every input, on the
    deciding clock (medians over launches); `resident_bytes` is the largest resident size of its process. `held_bytes`
    is the most that one call held at once of memory that Python traces (tracemalloc), `printed` the characters that it
    wrote to its standard streams, `threads` those that it started; None where there is no way to see them.
    """

    import_s: float
    first_s: float
    resident_bytes: int
    held_bytes: int | None = None
    printed: int | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Guards:
    """Both sides of a change."""

    old: Costs
    new: Costs
    kind: Literal["measured"] = "measured"


def remarks(guards: Guards) -> list[str]:
    """What grew so much that a faster function may still be a loss, one sentence each.

    >>> before, after = Costs(0.01, 0.001, 20 << 20, 50_000, 0, 0), Costs(0.01, 0.001, 20 << 20, 99_000, 0, 1)
    >>> remarks(Guards(before, after))
    ['one call holds up to 96.7 KiB at once, 48.8 KiB before', 'it starts 1 thread in a pass, 0 before']
    """
    old, new = guards.old, guards.new
    said = []
    if _grew(old.import_s, new.import_s, GROWTH, IMPORT_S):
        said.append(f"importing it takes {1e3 * new.import_s:.1f} ms of CPU, {1e3 * old.import_s:.1f} ms before")
    if _grew(old.first_s, new.first_s, SPREAD, FIRST_S):
        said.append(f"the first call of every input takes {1e3 * new.first_s:.1f} ms, {1e3 * old.first_s:.1f} before")
    if _grew(old.held_bytes, new.held_bytes, GROWTH, MEMORY_BYTES):
        said.append(f"one call holds up to {size(new.held_bytes)} at once, {size(old.held_bytes)} before")
    if _grew(old.resident_bytes, new.resident_bytes, GROWTH, RESIDENT_BYTES):
        said.append(f"its process grows to {size(new.resident_bytes)}, {size(old.resident_bytes)} before")
    if _grew(old.printed, new.printed, 1.0, 0):
        said.append(f"it writes {new.printed} characters in a pass, {old.printed} before")
    if _grew(old.threads, new.threads, 1.0, 0):
        threads = "1 thread" if new.threads == 1 else f"{new.threads} threads"
        said.append(f"it starts {threads} in a pass, {old.threads} before")
    return said


def _grew(old: float | None, new: float | None, factor: float, least: float) -> bool:
    return old is not None and new is not None and new > factor * old and new - old > least


def size(bytes_: int | None) -> str:
    """
    >>> [size(one) for one in (512, 2048, 5 << 20, 3 << 30)]
    ['512 B', '2.0 KiB', '5.0 MiB', '3.0 GiB']
    """
    if bytes_ is None:
        return "unknown"
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if bytes_ >= factor:
            return f"{bytes_ / factor:.1f} {unit}"
    return f"{bytes_} B"
