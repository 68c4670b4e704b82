"""Writes a benchmark's page with machine and date. Not a benchmark itself."""

from __future__ import annotations

import os
import platform
import sys
import time
from pathlib import Path

from optagent.cli.run.machine import fingerprint

FOLDER = Path(__file__).parent / "results"


def table(head: list[str], body: list[list[str]]) -> list[str]:
    """Lines of a table, with an empty one after it."""
    return [*(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body)), ""]


def write(name: str, title: str, what: str, table: str, partial: bool = False) -> None:
    """The page printed and, when it is about everything, kept under benchmarks/results/."""
    machine = fingerprint({}, max(os.sched_getaffinity(0)))
    system = f"Linux {platform.release()}, Python {platform.python_version()}"
    load = f"load {os.getloadavg()[0]:.1f} at the end"
    where = f"{time.strftime('%Y-%m-%d')}, {machine['processor']}, {machine['cores']} cores, {system}, {load}"
    text = f"# {title}\n\n{what.strip()}\n\n{where}\n\n{table}\n"
    sys.stdout.write(text)
    if not partial:
        (FOLDER / f"{name}.md").write_text(text, "utf-8")
