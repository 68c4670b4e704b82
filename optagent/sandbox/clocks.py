"""Both clocks of the referee: wall time, and the CPU time of another process read from the kernel."""

from __future__ import annotations

import time

CPU_CLOCK_OF_PROCESS = 2  # CPUCLOCK_SCHED: all threads of the process, not its children


def wall_ns() -> int:
    return time.perf_counter_ns()


def cpu_ns(pid: int) -> int:
    """CPU nanoseconds that process `pid` has used with all its threads; OSError when it is gone.

    The kernel's encoding of a process clock (`man 3 clock_getcpuclockid`): the process cannot forge it.
    """
    return time.clock_gettime_ns((~pid << 3) | CPU_CLOCK_OF_PROCESS)


def delay_ns(pid: int) -> int:
    """Nanoseconds that the first thread of process `pid` was ready to run and had to wait for a core (run delay,
    Documentation/scheduler/sched-stats.rst); 0 where the kernel does not say or the process is gone."""
    try:
        with open(f"/proc/{pid}/schedstat", "rb", buffering=0) as file:
            return int(file.read(100).split()[1])
    except (OSError, IndexError):
        return 0


def peak_memory_bytes(pid: int) -> int:
    """The largest resident size that process `pid` has had (VmHWM); OSError when it is gone."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    raise ProcessLookupError(f"process {pid} has no memory left: its first thread has ended")
