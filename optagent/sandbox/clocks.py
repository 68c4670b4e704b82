"""Both clocks of the referee: wall time, and the CPU time of another process read from the kernel."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

CPU_CLOCK_OF_PROCESS = 2  # CPUCLOCK_SCHED: all threads of the process, not its children


@dataclass(frozen=True)
class Waits:
    """Nanoseconds that a task ran, and that it was ready to run and no core was free (run delay)."""

    ran_ns: int
    waited_ns: int


def wall_ns() -> int:
    return time.perf_counter_ns()


def cpu_ns(pid: int) -> int:
    """CPU nanoseconds that process `pid` has used with all its threads; OSError when it is gone.

    The kernel's encoding of a process clock (`man 3 clock_getcpuclockid`): the process cannot forge it.
    """
    return time.clock_gettime_ns((~pid << 3) | CPU_CLOCK_OF_PROCESS)


def peak_memory_bytes(pid: int) -> int:
    """The largest resident size that process `pid` has had (VmHWM); OSError when it is gone."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    raise ProcessLookupError(f"process {pid} has no memory left: its first thread has ended")


def open_schedstat(pid: int) -> int | None:
    """A descriptor of what the first thread of process `pid` ran and waited since its start, for `waits_of`; None where
    the kernel does not tell. The kernel's scheduler/sched-stats.rst."""
    try:
        return os.open(f"/proc/{pid}/schedstat", os.O_RDONLY)
    except OSError:
        return None


def waits_of(schedstat: bytes) -> Waits | None:
    """
    >>> waits_of(b"805283 1998177 1\\n")
    Waits(ran_ns=805283, waited_ns=1998177)
    """
    found = re.fullmatch(rb"(\d+) (\d+) \d+\n?", schedstat)
    return Waits(int(found[1]), int(found[2])) if found else None


def since(before: Sequence[Waits | None], now: Sequence[Waits | None]) -> tuple[Waits, ...]:
    """What each of them ran and waited in between, as far as the kernel told both times.

    >>> since([Waits(5, 1), None], [Waits(9, 3), None])
    (Waits(ran_ns=4, waited_ns=2),)
    """
    both = zip(before, now, strict=True)
    return tuple(Waits(b.ran_ns - a.ran_ns, b.waited_ns - a.waited_ns) for a, b in both if a and b)
