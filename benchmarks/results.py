"""Writes a benchmark's page with machine and date. Not a benchmark itself."""

from __future__ import annotations

import platform
import sys
import time
from pathlib import Path

from optagent.cli.machine import fingerprint

FOLDER = Path(__file__).parent / "results"


def write(name: str, title: str, what: str, table: str, partial: bool = False) -> None:
    """The page printed and, when it is about everything, kept under benchmarks/results/."""
    machine = fingerprint()
    system = f"Linux {platform.release()}, Python {platform.python_version()}"
    where = f"{time.strftime('%Y-%m-%d')}, {machine['processor']}, {machine['cores']} cores, {system}"
    text = f"# {title}\n\n{what.strip()}\n\n{where}\n\n{table}\n"
    sys.stdout.write(text)
    if not partial:
        (FOLDER / f"{name}.md").write_text(text, "utf-8")
