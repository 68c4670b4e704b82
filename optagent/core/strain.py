"""What the system did while something was measured, and which of it most likely kept it from being told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Strain:
    """Over `seconds` of measuring, as shares of that time (0.25 is a quarter) unless said otherwise; None where the
    system does not tell.

    `load` is runnable tasks per core, over the last minute; `steal` what the host took of our core; `pressure` the time
    in which some task of the machine waited for a core; `delay` what the contestants waited for theirs, as a share of
    their running and waiting; `throttled` the time the container was stopped for its quota; `drift` by how much the
    core's frequency fell below its highest, as a share of that.
    """

    seconds: float
    load: float | None = None
    steal: float | None = None
    pressure: float | None = None
    delay: float | None = None
    throttled: float | None = None
    drift: float | None = None


@dataclass(frozen=True)
class Cause:
    """Why a machine cannot tell, with the number that says so, and what a person can do about it."""

    what: str
    remedy: str


@dataclass(frozen=True)
class Sign:
    """One number of a Strain: from `least` on it is worth telling, in these words."""

    name: str
    least: float
    words: str
    remedy: str


MAKE_ROOM = "Close other programs, or start optagent on a core that they leave alone: `taskset -c N optagent ...`."
SIGNS = (
    Sign("throttled", 0.01, "the container was stopped {:.0%} of the time for having used up its CPU quota",
         "Give the container a larger CPU quota (cpu.max), or none."),
    Sign("steal", 0.02, "the host took {:.0%} of the core's time away (steal)",
         "Measure when the host has less to do, or on a machine that shares its cores with nobody."),
    Sign("delay", 0.05, "what was measured waited {:.0%} of its time for the core, on which something else ran",
         MAKE_ROOM),
    Sign("drift", 0.05, "the core's frequency fell by {:.0%} meanwhile",
         "Fix it: plug the machine in, let it cool down, or type `sudo python -m pyperf system tune`."),
    Sign("pressure", 0.25, "programs waited for a core {:.0%} of the time", MAKE_ROOM),
    Sign("load", 1.5, "{:.1f} programs wanted each core", MAKE_ROOM),
)  # fmt: skip
"""The direct ones first. `least` was set by eye, above what launches of ours alone should cause: one side runs at a
time, so that it waits for nobody but the referee, which sleeps meanwhile."""

UNKNOWN = Cause(
    "nothing that the system tells of itself explains it",
    "Try again when the machine has less to do, or take more launches: `--thorough`.",
)


def likeliest(strain: Strain | None) -> Cause | None:
    """The sign that is furthest above what is worth telling; None when none is.

    >>> likeliest(Strain(2.0, load=1.6, steal=0.3)).what
    "the host took 30% of the core's time away (steal)"
    """
    if strain is None:
        return None
    seen = [(value / one.least, one, value) for one in SIGNS if (value := getattr(strain, one.name)) is not None]
    degree, sign, value = max(seen, key=lambda row: row[0], default=(0.0, SIGNS[0], 0.0))
    return Cause(sign.words.format(value), sign.remedy) if degree >= 1 else None


def strain_of(told: Mapping[str, Any]) -> Strain | None:
    """From plain JSON as `dataclasses.asdict` makes it; None where nothing was noted."""
    if "seconds" not in told:
        return None
    return Strain(**{one.name: told[one.name] for one in fields(Strain) if one.name in told})
