"""Which cores we and what we start run on, and whose turn it is on them.

A core is leased by an abstract socket of its name (docs/decisions/0034-core-lease.md): held while it is open, seen by
all of this machine's users, and gone with the process that opened it.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

NODES = Path("/sys/devices/system/node")
NAMES = "optagent"
MOST_WAIT_S = 60.0
"""Who measures for longer than this without a pause is stopped or is not one of us: we go on beside them."""

POLL_S = 0.002
"""A run takes its next turn about a millisecond after the last one."""


def own_core() -> int:
    """A core to measure on that no other run on this machine has as its own, the last one that is free (the first ones
    serve the machine's own interrupts more often). It is ours until this process ends. Where all are taken it is one of
    them, shared."""
    return _own(frozenset(os.sched_getaffinity(0)))


@cache
def _own(allowed: frozenset[int]) -> int:
    cores = sorted(allowed, reverse=True)
    for core in cores:
        with suppress(Taken):
            lease = _leased(f"own/{core}")
            if lease is not None:
                lease.detach()  # open, so held, until this process ends
            return core
    return cores[os.getpid() % len(cores)]


class Taken(Exception):
    """Somebody else holds that lease."""


@contextmanager
def measuring(core: int) -> Iterator[None]:
    """Nobody else measures on that core, unless they do not come to an end."""
    lease = _in_turn(f"measuring/{core}")
    try:
        yield
    finally:
        if lease is not None:
            lease.close()


def _in_turn(name: str) -> socket.socket | None:
    """The lease once nobody else has it; None where that takes too long."""
    until = time.monotonic() + MOST_WAIT_S
    while time.monotonic() < until:
        with suppress(Taken):
            return _leased(name)
        time.sleep(POLL_S)
    return None


def _leased(name: str) -> socket.socket | None:
    """The socket that holds this lease; None where there are no such leases. Raises Taken."""
    try:
        lease = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    except OSError:
        return None
    try:
        lease.bind(f"\0{NAMES}/{name}")
    except OSError as refused:
        lease.close()
        if refused.errno == errno.EADDRINUSE:
            raise Taken from None
        return None
    return lease


@contextmanager
def pinned(*cores: int) -> Iterator[None]:
    """We run on those cores only, and so does what we start."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def beside(core: int) -> tuple[int, ...]:
    """The cores that reach the same memory at the same speed, as far as we may use them; at least the core itself.

    What starts on another one and is moved here would leave the memory that it has taken so far over there.
    """
    allowed = os.sched_getaffinity(0) | {core}
    return tuple(sorted(allowed & next((one for one in _nodes() if core in one), {core})))


@cache
def _nodes() -> tuple[frozenset[int], ...]:
    try:
        return tuple(frozenset(listed(file.read_text("ascii"))) for file in NODES.glob("node[0-9]*/cpulist"))
    except (OSError, ValueError):
        return ()


def listed(cores: str) -> list[int]:
    """Cores as the kernel lists them.

    >>> listed("0-2,8\\n")
    [0, 1, 2, 8]
    """
    ranges = [part.partition("-") for part in cores.strip().split(",") if part.strip()]
    return [core for first, _, last in ranges for core in range(int(first), int(last or first) + 1)]
