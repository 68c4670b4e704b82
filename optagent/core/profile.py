"""Where the time goes: facts with units, no opinion."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HotFunction:
    """A function with its calls and its seconds, without (`own_s`) and with (`total_s`) what it calls."""

    name: str
    place: str
    calls: int
    own_s: float
    total_s: float


@dataclass(frozen=True)
class HotLine:
    """A line of the target: how often it ran and its share of the target's traced time."""

    line: int
    hits: int
    share: float


@dataclass(frozen=True)
class Fact:
    """What a profiler saw of one thing: `value` in `unit`. `place` is file:line, empty where the whole pass is meant;
    `count` is how often it was called, visited or allocated, `with_callees` the value with all that it calls; None
    where the profiler does not tell."""

    name: str
    place: str
    value: float
    unit: str
    count: int | None = None
    with_callees: float | None = None


@dataclass(frozen=True)
class Profile:
    """`source` is the SHA-256 of the file it was taken from; `note` says why something is missing."""

    source: str
    functions: tuple[HotFunction, ...] = ()
    lines: tuple[HotLine, ...] = ()
    note: str = ""
