"""Which cores we and what we start run on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

NODES = Path("/sys/devices/system/node")


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
