"""The verb `export`: what a run measured, in files of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from optagent.core.fingerprint import SEAL
from optagent.core.verdict import Speedup
from optagent.errors import BadSetting, RunNotFound
from optagent.ledger.events import Claimed, LaunchTimes
from optagent.ledger.history import Record
from optagent.measure import pyperf_file
from optagent.measure.pyperf_file import Metadata, Side

Clock = Literal["cpu", "wall"]
SIDES = ("old", "new")
TIMERS = {"cpu": "CPU clock of the process, read from outside", "wall": "perf_counter of the referee"}


def to_pyperf(run: str, record: Record, file: Path, side: str | None) -> str:
    """The launches of the run's best claim, else of its last, written on the clock that decided: both sides, or one
    under the target's plain name. Says what was written."""
    if side not in (None, *SIDES):
        raise BadSetting(f"--side {side} means nothing", "Give `old` or `new`, or leave it out for both.")
    claim, speedup = _claim(run, record)
    told = _metadata(run, record, claim, speedup.clock)
    name = str(record.started.target)
    sides = [
        Side(
            name if side else f"{name} ({one})", [_seconds(one, speedup.clock, times) for times in claim.launches], told
        )
        for one in SIDES
        if side in (None, one)
    ]
    pyperf_file.write(file, sides)
    which = f"{side} side" if side else "old and new side"
    return f"{file}: {which} of {name}, {len(claim.launches)} launches, {speedup.clock} clock\n"


def _claim(run: str, record: Record) -> tuple[Claimed, Speedup]:
    """The claim that counts, with its speedup. RunNotFound when it has no launches."""
    claims = [record.confirmed or row for row in record.claims[-1:]]
    speedup: Speedup | None = getattr(claims[0][1].verdict, "speedup", None) if claims else None
    if not claims or speedup is None or not claims[0][1].launches:
        why = "nothing came to a claim that was measured" if speedup is None else "its version kept no launches"
        raise RunNotFound(f"run {run} has no times to export: {why}", "See what it found with `optagent show`.")
    return claims[0][1], speedup


def _metadata(run: str, record: Record, claim: Claimed, clock: Clock) -> Metadata:
    """pyperf's own of the time of the claim, with what ran the target in place of what ran us."""
    machine = record.machine
    told: Metadata = {name: value for name, value in claim.metadata.items() if isinstance(value, str | int | float)}
    python = machine.get("python", {})
    if python:
        told |= {"python_implementation": "cpython", "python_version": python["version"]}
    sealed = str(machine.get(SEAL, ""))
    return told | {
        "timer": TIMERS[clock], "optagent_run": run, "optagent_version": record.started.version,
        **({"optagent_fingerprint": sealed} if sealed else {}),
    }  # fmt: skip


def _seconds(side: str, clock: Clock, times: LaunchTimes) -> float:
    value: float = getattr(times, f"{side}_{clock}_ns")
    return value / 1e9
