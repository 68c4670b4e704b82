"""What the system counts while launches run: load, steal, pressure, quota, frequency. Looks on, changes nothing.

Sources: `man 5 proc_stat`, `man 5 proc_loadavg`, the kernel's accounting/psi.rst, scheduler/sched-stats.rst and
admin-guide/pm/cpufreq.rst. Frequencies are *unproven*: no machine of ours shows any.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from optagent.core.strain import Strain
from optagent.measure import cgroup
from optagent.measure.cgroup import Throttling, read
from optagent.sandbox import clocks
from optagent.sandbox.clocks import Waits

STEAL, GUEST = 7, 8
"""Columns of a line of /proc/stat; time of guests is in the first columns already."""


@dataclass(frozen=True)
class Ticks:
    """Clock ticks of one core since boot, and those of them that the host took."""

    all: int
    steal: int


@dataclass(frozen=True)
class Sample:
    """Counters at one moment; None where the system does not show one."""

    wall_ns: int
    load: float | None
    ticks: Ticks | None
    waiting_us: int | None
    throttling: Throttling | None
    khz: int | None


def load_average(loadavg: str) -> float | None:
    """
    >>> load_average("6.32 4.60 2.17 6/115 9203\\n")
    6.32
    """
    found = re.match(r"\d+\.\d+", loadavg)
    return float(found[0]) if found else None


def core_ticks(stat: str, core: int) -> Ticks | None:
    """
    >>> core_ticks("cpu  9 9\\ncpu1 40 0 30 100 5 0 5 20 7 0\\n", 1)
    Ticks(all=200, steal=20)
    """
    found = re.search(rf"^cpu{core} ([\d ]+)$", stat, re.MULTILINE)
    columns = [int(word) for word in found[1].split()] if found else []
    return Ticks(sum(columns[:GUEST]), columns[STEAL]) if len(columns) > STEAL else None


def waiting_us(pressure: str) -> int | None:
    """Microseconds in which some task waited, from a file below /proc/pressure.

    >>> waiting_us("some avg10=91.31 avg60=93.05 avg300=61.58 total=294569865\\nfull avg10=0.00 total=0\\n")
    294569865
    """
    found = re.search(r"^some .*\btotal=(\d+)$", pressure, re.MULTILINE)
    return int(found[1]) if found else None


def sample(core: int, root: Path = Path("/")) -> Sample:
    """Now."""
    khz = read(root / f"sys/devices/system/cpu/cpu{core}/cpufreq/scaling_cur_freq").strip()
    return Sample(
        clocks.wall_ns(),
        load_average(read(root / "proc/loadavg")),
        core_ticks(read(root / "proc/stat"), core),
        waiting_us(read(root / "proc/pressure/cpu")),
        cgroup.throttled(root),
        int(khz) if khz.isdigit() else None,
    )


class Watch:
    """Looks at the system when made, whenever told to, and at the end."""

    def __init__(self, core: int, root: Path = Path("/")) -> None:
        self._core, self._root = core, root
        self._samples = [sample(core, root)]

    def look(self) -> None:
        self._samples.append(sample(self._core, self._root))

    def strain(self, waits: Iterable[Waits]) -> Strain:
        """Since it was made; `waits` are those of every process that was measured."""
        self.look()
        return strain(self._samples, waits, os.cpu_count() or 1)


def strain(samples: list[Sample], waits: Iterable[Waits], cores: int) -> Strain:
    """What happened from the first sample to the last."""
    first, last = samples[0], samples[-1]
    seconds = max(1, last.wall_ns - first.wall_ns) / 1e9
    known = list(waits)
    ran, waited = sum(one.ran_ns for one in known), sum(one.waited_ns for one in known)
    return Strain(
        seconds,
        None if last.load is None else last.load / cores,
        _steal(first.ticks, last.ticks),
        _since(first.waiting_us, last.waiting_us, 1e6 * seconds),
        waited / (ran + waited) if ran + waited else None,
        _since(_seconds(first.throttling), _seconds(last.throttling), seconds),
        _drift([one.khz for one in samples if one.khz]),
    )


def _steal(first: Ticks | None, last: Ticks | None) -> float | None:
    if first is None or last is None or last.all <= first.all:
        return None
    return max(0, last.steal - first.steal) / (last.all - first.all)


def _since(first: float | None, last: float | None, whole: float) -> float | None:
    return None if first is None or last is None else max(0.0, last - first) / whole


def _seconds(one: Throttling | None) -> float | None:
    return None if one is None else one.seconds


def _drift(khz: list[int]) -> float | None:
    return 1 - min(khz) / max(khz) if khz else None
