"""What the control group that we are in allows, and how long it made us wait. Texts of the kernel, read plainly.

Sources: `man 7 cgroups`, `man 5 proc_pid_mountinfo`, the kernel's admin-guide/cgroup-v2.rst and cgroup-v1/.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

NO_LIMIT_BYTES = 1 << 60
"""Version 1 writes "no limit" as the largest multiple of a page."""


@dataclass(frozen=True)
class Place:
    """Where a controller's files of our group lie: `folders` is ours first, then those around it up to the mount."""

    folders: tuple[Path, ...]
    is_v2: bool


@dataclass(frozen=True)
class Allowance:
    """The tightest of our group and those around it; None: no limit. `cores` is quota over period."""

    cores: float | None
    memory_bytes: int | None


@dataclass(frozen=True)
class Throttling:
    """How often, and for how many seconds in all, a group was stopped for having used up its quota."""

    times: int
    seconds: float


def place(groups: str, mounts: str, controller: str, root: Path = Path("/")) -> Place | None:
    """From /proc/self/cgroup and /proc/self/mountinfo; None where that controller's files are not shown."""
    rows = [line.split(":", 2) for line in groups.splitlines() if line.count(":") >= 2]
    own = next((path for _, names, path in rows if controller in names.split(",")), None)
    is_v2 = own is None
    if own is None:
        own = next((path for number, names, path in rows if number == "0" and not names), None)
    if own is None:
        return None
    for within, top, kind, options in _mounts(mounts):
        if kind == ("cgroup2" if is_v2 else "cgroup") and (is_v2 or controller in options):
            inside = PurePosixPath(own)
            parts = inside.relative_to(within).parts if inside.is_relative_to(within) else ()
            folder = root / top.relative_to("/")
            folders = [folder := folder / part for part in ("", *parts)]
            return Place(tuple(reversed(folders)), is_v2)
    return None


def _mounts(mounts: str) -> Iterator[tuple[str, PurePosixPath, str, list[str]]]:
    """The folder of the file system that is mounted, where, the file system's kind, and its own options."""
    for line in mounts.splitlines():
        before, dash, after = line.partition(" - ")
        fields, told = before.split(), after.split()
        if dash and len(fields) >= 5 and len(told) >= 3:
            yield fields[3], PurePosixPath(fields[4]), told[0], told[2].split(",")


def cores_v2(cpu_max: str) -> float | None:
    """
    >>> cores_v2("150000 100000\\n"), cores_v2("max 100000\\n")
    (1.5, None)
    """
    quota, _, period = cpu_max.strip().partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None


def cores_v1(quota_us: str, period_us: str) -> float | None:
    """
    >>> cores_v1("50000\\n", "100000\\n"), cores_v1("-1\\n", "100000\\n")
    (0.5, None)
    """
    return cores_v2(f"{quota_us.strip()} {period_us.strip()}")


def limit_bytes(text: str) -> int | None:
    """
    >>> limit_bytes("1048576\\n"), limit_bytes("max\\n"), limit_bytes("9223372036854771712\\n")
    (1048576, None, None)
    """
    value = int(text) if text.strip().isdigit() else NO_LIMIT_BYTES
    return value if value < NO_LIMIT_BYTES else None


def throttling(cpu_stat: str) -> Throttling:
    """From cpu.stat of either version; one without a quota counts nothing.

    >>> throttling("nr_periods 9\\nnr_throttled 2\\nthrottled_usec 150000\\n")
    Throttling(times=2, seconds=0.15)
    >>> throttling("nr_periods 9\\nnr_throttled 2\\nthrottled_time 150000000\\n")
    Throttling(times=2, seconds=0.15)
    """
    rows = [line.split() for line in cpu_stat.splitlines()]
    told = {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}
    seconds = told["throttled_usec"] / 1e6 if "throttled_usec" in told else told.get("throttled_time", 0) / 1e9
    return Throttling(told.get("nr_throttled", 0), seconds)


def allowance(root: Path = Path("/")) -> Allowance:
    """What our group and those around it allow, as far as their files are shown."""
    cpu, memory = _place("cpu", root), _place("memory", root)
    name = "memory.max" if memory and memory.is_v2 else "memory.limit_in_bytes"
    sizes = [limit_bytes(read(folder / name)) for folder in (memory.folders if memory else ())]
    cores = [_cores(folder, cpu.is_v2) for folder in cpu.folders] if cpu else []
    return Allowance(
        min((one for one in cores if one is not None), default=None),
        min((one for one in sizes if one is not None), default=None),
    )


def throttled(root: Path = Path("/")) -> Throttling | None:
    """Of our group and those around it the one that was stopped longest; None where no such file is shown."""
    cpu = _place("cpu", root)
    told = [text for folder in (cpu.folders if cpu else ()) if (text := read(folder / "cpu.stat"))]
    return max(map(throttling, told), key=lambda one: one.seconds, default=None)


@cache  # two of the kernel's longer texts, and nobody moves a process at work
def _place(controller: str, root: Path) -> Place | None:
    return place(read(root / "proc/self/cgroup"), read(root / "proc/self/mountinfo"), controller, root)


def _cores(folder: Path, is_v2: bool) -> float | None:
    if is_v2:
        return cores_v2(read(folder / "cpu.max"))
    return cores_v1(read(folder / "cpu.cfs_quota_us"), read(folder / "cpu.cfs_period_us"))


def read(file: Path) -> str:
    """A file of the kernel's; what is not there, or not shown, is empty."""
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""
