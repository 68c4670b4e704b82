"""What a process and all that come of it take together, looked at while they run.

A limit on address space holds for each process alone: many children could still take all the machine has.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress

from optagent.sandbox.keeper import MOST_NAMES

LOOK_S, LOOK_SHARE = 0.02, 20
"""It is looked at so often, and not so often that looking takes more than a twentieth of the time."""

PAGE = os.sysconf("SC_PAGE_SIZE")
MACHINE_SHARE = 0.75
LITTLE_SHARE = 0.25
"""Less than this of the machine's memory is too little to go on where a command may be why."""

OWNED = ("MemFree", "Buffers", "Cached", "AnonPages", "SReclaimable")
"""By their names in /proc/meminfo."""

PRIVATE = ("/tmp", "/dev/shm")


def most_bytes(wanted: int) -> int:
    """No more than is asked for, and no more than leaves the machine something.

    >>> most_bytes(1 << 20) == 1 << 20, most_bytes(1 << 60) < 1 << 60
    (True, True)
    """
    return min(wanted, _most())


def fit_beside(wanted: int) -> int:
    """How many that may each hold so much can do so at the same time."""
    return _most() // most_bytes(wanted)


def _most() -> int:
    return int(MACHINE_SHARE * os.sysconf("SC_PHYS_PAGES") * PAGE)


class Watch:
    """Looks at the tree of a process that has just started, which may hold `most` bytes."""

    def __init__(self, most: int) -> None:
        told = meminfo()
        self.most = most
        self.most_unowned = unowned(told) + min(most, MACHINE_SHARE * told["MemAvailable"])

    def passed(self, process: int) -> str:
        """The limit that it has passed, by its name; nothing while it has not."""
        if holds_more(process, self.most) or self.has_hidden_more():
            return "memory"
        return "scratch" if any(map(has_many_names, descendants(process))) else ""

    def has_hidden_more(self) -> bool:
        """Whether memory that is no process's (buffers of sockets, shared segments) has grown by more than the tree may
        hold, and little is left. Whose it is the kernel does not tell: while there is enough, nobody is blamed."""
        told = meminfo()
        return told["MemAvailable"] < LITTLE_SHARE * told["MemTotal"] and unowned(told) > self.most_unowned


def meminfo() -> dict[str, int]:
    """What the kernel tells of the machine's memory, in bytes."""
    with open("/proc/meminfo", "rb") as file:
        return {name.decode(): int(rest.split()[0]) << 10 for name, _, rest in (one.partition(b":") for one in file)}


def unowned(told: Mapping[str, int]) -> int:
    """What is neither free, nor of a process alone, nor given back when it is asked for."""
    kept = 0
    with suppress(OSError), open("/proc/zoneinfo", "rb") as file:  # freed pages that each core keeps to itself
        kept = sum(int(one.split()[1]) for one in file if one.lstrip().startswith(b"count:")) * PAGE
    return told["MemTotal"] + told.get("Shmem", 0) - kept - sum(told.get(name, 0) for name in OWNED)  # Shmem is Cached


def has_many_names(process: int) -> bool:
    """Whether it has a file system of its own to write to, with more names than may be. A limit on its bytes does not
    hold for empty files, of which each takes a kilobyte of the kernel's memory."""
    with suppress(OSError):  # it has ended meanwhile
        for place in PRIVATE:
            seen = f"/proc/{process}/root{place}"
            if os.stat(seen).st_dev != os.stat(place).st_dev:
                told = os.statvfs(seen)
                if told.f_files - told.f_ffree > MOST_NAMES:
                    return True
    return False


def holds_more(process: int, most: int) -> bool:
    """Whether the tree of a process holds more than `most` bytes, memory that several share counted once. Looks closely
    only when a quick look, which counts that several times, says so."""
    tree = [process, *descendants(process)]
    return sum(map(_resident, tree)) > most and sum(map(_own_part, tree)) > most


def descendants(process: int) -> Iterator[int]:
    """All that come of a process and are there, by what the kernel says of the children of each thread."""
    for child in _children(process):
        yield child
        yield from descendants(child)


def _children(process: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):  # it has ended meanwhile
        for thread in os.listdir(f"/proc/{process}/task"):
            with suppress(OSError), open(f"/proc/{process}/task/{thread}/children", "rb") as file:
                found += map(int, file.read().split())
    return found


def _resident(process: int) -> int:
    """Of a process whose first thread has ended, others tell."""
    with suppress(OSError):  # it has ended meanwhile
        return _resident_by(str(process)) or max(map(_resident_by, _threads(process)), default=0)
    return 0


def _threads(process: int) -> list[str]:
    return [f"{process}/task/{thread}" for thread in os.listdir(f"/proc/{process}/task")]


def _resident_by(entry: str) -> int:
    with open(f"/proc/{entry}/statm", "rb") as file:
        return int(file.read().split()[1]) * PAGE


def _own_part(process: int) -> int:
    """Its proportional share of what it maps; all of it where the kernel does not tell us."""
    with suppress(OSError), open(f"/proc/{process}/smaps_rollup", "rb") as file:
        for line in file:
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) << 10
    return _resident(process)
