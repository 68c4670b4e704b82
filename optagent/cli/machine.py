"""The machine fingerprint: results of different fingerprints are never compared."""

from __future__ import annotations

import os
import platform
from typing import Any


def fingerprint() -> dict[str, Any]:
    """Processor, cores we may use, kernel, architecture."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.system(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or "unknown"
