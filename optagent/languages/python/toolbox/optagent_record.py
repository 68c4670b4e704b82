"""Keeps a sample of the arguments that a function is called with, without slowing its caller down for long.

Runs in the target's interpreter: standard library only. Of every function a reservoir is kept (a uniform sample of the
calls looked at, unless memory ran out: then it gave up half, and later calls are likelier) and the largest and smallest
arguments seen. Calls are looked at while that has taken less than a
fixed share of the time that the tests take themselves, the first few of each function before all others.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import optagent_codec

if TYPE_CHECKING:
    from collections.abc import Callable

ENOUGH, COUNTED, DUE = range(3)
"""What a call means: no more of this function in this test, nothing to do, its arguments are to be looked at."""

RESERVOIR = 200
LARGEST = 8
FIRST_CALLS = 60
SHARES = ((3, 1.0, 0.22), (6, 0.4, 0.16))
"""Rows of (looks, seconds, share): so many first looks at each function may go on until recording has taken that share
of the time that the tests take themselves, or so many seconds where that is more. Two different calls make a workload,
so the very first ones come before all others."""

FIRST, SHARE = SHARES[-1][0], 0.09
"""The same for all further calls."""

ALIKE = 8
"""So many looks do not count for that while all calls have been alike, or could not be kept."""

FAIR = 4.0
"""One function may have so many times its equal part of that, but for its very first calls."""

PATIENCE = 20
"""After so many looks in a row that brought nothing new, they become rarer."""

GRACE_WALL_S, SHARE_WALL = 8.0, 0.4

OUT_OF_TIME = "no time left to write its arguments down"

LONGEST_STEP = 30
"""Of a function that is called all the time, at least every so many calls one is measured for its size."""

GROWTH = 1.5
MOST_BYTES_EACH = 24 << 20
MOST_BYTES = 160 << 20
SIZED = (str, bytes, bytearray, list, tuple, dict, set, frozenset)


class Purse:
    """Time and memory that all recorders share. Time is CPU time: a busy machine must not cost inputs. The wall has a
    bound of its own, since to read an iterator ahead of time may be to wait."""

    def __init__(self) -> None:
        self.began, self.began_wall = time.process_time(), time.perf_counter()
        self.spent = self.spent_wall = 0.0
        self.bytes = 0
        self.recorders: list[Recorder] = []
        """Those that have begun."""

    def has_room(self, wanted: int, holder: Recorder) -> bool:
        """Whether `holder` may keep so many bytes more, those who hold twice as much giving up half of theirs."""
        while self.bytes + wanted > MOST_BYTES:
            richest = max(self.recorders, key=lambda one: one.bytes)
            if richest.bytes < 2 * (holder.bytes + wanted) or not richest.shed():
                return False
        return True

    def allowed(self, looked_at: int) -> float:
        """Seconds that recording may have taken, all in all, for a function to be looked at once more."""
        own = time.process_time() - self.began - self.spent
        return next((max(seconds, share * own) for looks, seconds, share in SHARES if looked_at < looks), SHARE * own)

    def has_waited_too_long(self) -> bool:
        own = time.perf_counter() - self.began_wall - self.spent_wall
        return self.spent_wall > max(GRACE_WALL_S, SHARE_WALL * own)


class Recorder:
    """Calls of one function: how many, a sample of distinct arguments, and why some could not be kept."""

    def __init__(self, purse: Purse, by_value: Callable[[str], bool]) -> None:
        self.purse, self.by_value = purse, by_value
        self.calls = 0
        self.looked_at = 0
        self.spent = 0.0
        self.stale = 0
        self.last_look = 0
        self.next_look = 0
        self.reservoir: list[tuple[str, bytes]] = []
        self.extremes: list[tuple[str, bytes]] = []
        self.known: set[int] = set()
        """Hashes of what was kept at one time or another."""
        self.bytes = 0
        self.lost: dict[str, int] = {}
        self.bounds = [0.0, 0.0]
        self.chance = random.Random(1)

    def has_time(self) -> bool:
        """Whether there is time to look at this call; if not, some calls go by before the next question."""
        looks = self.looked_at if len(self.known) >= 2 else max(0, self.looked_at - ALIKE)
        allowed = self.purse.allowed(looks)
        is_fair = looks < SHARES[0][0] or self.spent * len(self.purse.recorders) <= FAIR * allowed
        if self.purse.spent < allowed and is_fair and not self.purse.has_waited_too_long():
            return True
        if self.looked_at < FIRST:
            self.lose(OUT_OF_TIME)
        self.next_look = self.calls + 1 + self.stride()
        return False

    def stride(self) -> int:
        """Calls to let go by: none of the first ones, then ever more, and more where looking has long brought nothing
        new."""
        often = min(LONGEST_STEP, self.calls / FIRST_CALLS) if self.calls > FIRST_CALLS else 0.0
        return int(self.chance.random() * (often + min(LONGEST_STEP, max(0, self.stale - PATIENCE))))

    def wants(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether to look at this call: an early one, a lucky one, or one larger or smaller than all before. To be
        asked when `calls` has reached `next_look` and there is time."""
        if self.looked_at < FIRST:
            return True
        step = self.calls - self.last_look
        self.next_look = self.calls + 1 + self.stride()
        self.last_look = self.calls
        if self.calls <= FIRST_CALLS or self.chance.random() * self.calls < FIRST_CALLS * step:
            return True
        size = extent(args) + extent(tuple(kwargs.values()))
        return size > GROWTH * self.bounds[1] + 1 or size < self.bounds[0]

    def record(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The call kept, or the reason why not; the arguments to call with, fresh where keeping used them up."""
        began, began_wall = time.thread_time(), time.perf_counter()
        if not self.looked_at:
            self.purse.recorders.append(self)
        self.looked_at += 1
        self.stale += 1
        kept_args, kept_kwargs, args, kwargs = optagent_codec.drained(args, kwargs)
        try:
            codec, data = optagent_codec.pack(kept_args, kept_kwargs, self.by_value)
        except optagent_codec.CannotCarry as reason:
            self.lose(str(reason))
        else:
            self.keep(codec, data, extent(kept_args) + extent(tuple(kept_kwargs.values())))
        took = time.thread_time() - began
        self.spent += took
        self.purse.spent += took
        self.purse.spent_wall += time.perf_counter() - began_wall
        return args, kwargs

    def keep(self, codec: str, data: bytes, size: float) -> None:
        if hash(data) in self.known:
            return
        if self.bytes + len(data) > MOST_BYTES_EACH or not self.purse.has_room(len(data), self):
            self.lose("more arguments than there is room for")
            return
        is_extreme = not self.known or size > GROWTH * self.bounds[1] + 1 or size < self.bounds[0]
        self.bounds = [min(self.bounds[0], size), max(self.bounds[1], size)] if self.known else [size, size]
        if is_extreme and len(self.extremes) < LARGEST:
            self.add(self.extremes, codec, data)
        elif len(self.reservoir) < RESERVOIR:
            self.add(self.reservoir, codec, data)
        elif (place := self.chance.randrange(len(self.known))) < RESERVOIR:
            self.drop(self.reservoir, place)
            self.add(self.reservoir, codec, data)

    def drop(self, of: list[tuple[str, bytes]], place: int) -> None:
        self.bytes -= len(of[place][1])
        self.purse.bytes -= len(of[place][1])
        of[place] = of[-1]
        of.pop()

    def shed(self) -> bool:
        """A random half of the reservoir given up (what stays is a uniform sample), then extremes; two inputs stay.
        Whether there was any to give."""
        before = len(self.reservoir)
        while self.reservoir and 2 * len(self.reservoir) >= before and len(self.inputs) > 2:
            self.drop(self.reservoir, self.chance.randrange(len(self.reservoir)))
        if not before and len(self.extremes) > 2:
            self.drop(self.extremes, self.chance.randrange(len(self.extremes)))
            return True
        return len(self.reservoir) < before

    def add(self, to: list[tuple[str, bytes]], codec: str, data: bytes) -> None:
        self.stale = 0
        self.known.add(hash(data))
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
