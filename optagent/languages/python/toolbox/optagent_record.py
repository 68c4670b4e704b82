"""Keeps a sample of the arguments that a function is called with, without slowing its caller down for long.

Runs in the target's interpreter: standard library only. Of every function a reservoir is kept (a uniform sample of the
calls looked at) and the largest and smallest arguments seen. Calls are looked at while that has taken less than a
fixed share of the time that has passed, the first few of each function before all others.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import optagent_codec

if TYPE_CHECKING:
    from collections.abc import Callable

RESERVOIR = 200
LARGEST = 8
FIRST_CALLS = 60
FIRST = 6
SHARE, SHARE_OF_FIRST = 0.12, 0.28
"""Share of the time passed that recording may take: for calls in general, and until each function has had its first
ones looked at."""

GRACE_S = 1.0
"""What the first calls may take however short the tests are."""

LONGEST_STEP = 30
"""Of a function that is called all the time, at least every so many calls one is measured for its size."""

GROWTH = 1.5
MOST_BYTES_EACH = 24 << 20
MOST_BYTES = 160 << 20
SIZED = (str, bytes, bytearray, list, tuple, dict, set, frozenset)


class Purse:
    """Time and memory that all recorders share."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.spent = 0.0
        self.bytes = 0

    def has_time(self, is_first: bool) -> bool:
        passed = time.perf_counter() - self.began
        return self.spent < (GRACE_S + SHARE_OF_FIRST * passed if is_first else SHARE * passed)


class Recorder:
    """Calls of one function: how many, a sample of distinct arguments, and why some could not be kept."""

    def __init__(self, purse: Purse, by_value: Callable[[str], bool]) -> None:
        self.purse, self.by_value = purse, by_value
        self.calls = 0
        self.looked_at = 0
        self.last_look = 0
        self.next_look = 0
        self.reservoir: list[tuple[str, bytes]] = []
        self.extremes: list[tuple[str, bytes]] = []
        self.known: set[bytes] = set()
        self.bytes = 0
        self.lost: dict[str, int] = {}
        self.bounds = [0.0, 0.0]
        self.chance = random.Random(1)

    def wants(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether to look at this call: an early one, a lucky one, or one larger or smaller than all before. To be
        asked when `calls` has reached `next_look`."""
        if self.looked_at < FIRST:
            return self.purse.has_time(is_first=True)
        step = self.calls - self.last_look
        if self.calls > FIRST_CALLS:
            self.next_look = self.calls + 1 + int(self.chance.random() * min(LONGEST_STEP, self.calls / FIRST_CALLS))
        self.last_look = self.calls
        size = extent(args) + extent(tuple(kwargs.values()))
        is_extreme = size > GROWTH * self.bounds[1] + 1 or size < self.bounds[0]
        is_lucky = self.calls <= FIRST_CALLS or self.chance.random() * self.calls < FIRST_CALLS * step
        return (is_extreme or is_lucky) and self.purse.has_time(is_first=False)

    def record(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The call kept, or the reason why not; the arguments to call with, fresh where keeping used them up."""
        began = time.perf_counter()
        kept_args, kept_kwargs, args, kwargs = optagent_codec.drained(args, kwargs)
        try:
            codec, data = optagent_codec.pack(kept_args, kept_kwargs, self.by_value)
        except optagent_codec.CannotCarry as reason:
            self.lose(str(reason))
        else:
            self.keep(codec, data, extent(kept_args) + extent(tuple(kept_kwargs.values())))
        self.looked_at += 1
        self.purse.spent += time.perf_counter() - began
        return args, kwargs

    def keep(self, codec: str, data: bytes, size: float) -> None:
        if data in self.known:
            return
        if self.bytes + len(data) > MOST_BYTES_EACH or self.purse.bytes + len(data) > MOST_BYTES:
            self.lose("more arguments than there is room for")
            return
        is_extreme = not self.known or size > GROWTH * self.bounds[1] + 1 or size < self.bounds[0]
        self.bounds = [min(self.bounds[0], size), max(self.bounds[1], size)] if self.known else [size, size]
        if is_extreme and len(self.extremes) < LARGEST:
            self.add(self.extremes, codec, data)
        elif len(self.reservoir) < RESERVOIR:
            self.add(self.reservoir, codec, data)
        elif (place := self.chance.randrange(len(self.known))) < RESERVOIR:
            self.bytes -= len(self.reservoir[place][1])
            self.purse.bytes -= len(self.reservoir[place][1])
            self.reservoir[place] = self.reservoir[-1]
            self.reservoir.pop()
            self.add(self.reservoir, codec, data)

    def add(self, to: list[tuple[str, bytes]], codec: str, data: bytes) -> None:
        self.known.add(data)
        self.bytes += len(data)
        self.purse.bytes += len(data)
        to.append((codec, data))

    def lose(self, reason: str) -> None:
        self.lost[reason] = self.lost.get(reason, 0) + 1

    @property
    def inputs(self) -> list[tuple[str, bytes]]:
        return [*self.extremes, *self.reservoir]


def extent(args: tuple[Any, ...]) -> float:
    """A cheap guess at how large arguments are, to be compared with others of the same function only."""
    return sum(len(one) if type(one) in SIZED else one if type(one) is int and 0 < one < 1 << 40 else 1 for one in args)
