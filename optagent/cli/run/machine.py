"""The machine fingerprint: results of different fingerprints are never compared."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optagent.core.fingerprint import sealed
from optagent.measure import cgroup
from optagent.measure.cgroup import read

NONE, UNSEEN = "none", "not shown"
MARKS = {"/.dockerenv": "docker", "/run/.containerenv": "podman"}
"""Files that engines put into their containers."""


def fingerprint(runtime: Mapping[str, Any], core: int, root: Path = Path("/")) -> dict[str, Any]:
    """Everything that times on this machine depend on and that stays the same from one moment to the next: processor,
    kernel, limits, how `core` is governed, and what runs the target; with its digest."""
    allowed = cgroup.allowance(root)
    cpuinfo = read(root / "proc/cpuinfo")
    return sealed(
        {
            "processor": cpu_field(cpuinfo, "model name") or platform.processor() or UNSEEN,
            "microcode": cpu_field(cpuinfo, "microcode") or UNSEEN,
            "cores": len(os.sched_getaffinity(0)),
            "system": platform.system(),
            "kernel": platform.release(),
            "architecture": platform.machine(),
            "virtual": "hypervisor" in cpu_field(cpuinfo, "flags").split(),
            "governor": read(root / f"sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor").strip() or UNSEEN,
            "container": container(root),
            "cpu_limit": NONE if allowed.cores is None else allowed.cores,
            "memory_limit": NONE if allowed.memory_bytes is None else allowed.memory_bytes,
            **runtime,
        }
    )


def cpu_field(cpuinfo: str, name: str) -> str:
    """What /proc/cpuinfo says of the first processor.

    >>> cpu_field("processor : 0\\nmodel name\\t: Xeon @ 2.50GHz\\n", "model name")
    'Xeon @ 2.50GHz'
    """
    found = re.search(rf"^{re.escape(name)}\s*:[ \t]*(.*)$", cpuinfo, re.MULTILINE)
    return found[1].strip() if found else ""


def container(root: Path) -> str:
    """Which engine's container we are in, as far as it leaves a mark."""
    return next((name for mark, name in MARKS.items() if (root / mark[1:]).exists()), NONE)
