"""Time by function from samples, by pyinstrument, where the target's environment has it."""

from __future__ import annotations

from dataclasses import dataclass

from optagent.core.profile import Fact
from optagent.profile import python_only
from optagent.profile.base import Here, Missing, Seen
from optagent.profile.scene import Scene

PACKAGE = "pyinstrument"


@dataclass(frozen=True)
class PyInstrument:
    name: str = "pyinstrument"
    says: str = "seconds in each function itself, from a sample every half millisecond; it slows few calls down"
    units: tuple[str, ...] = ("s",)
    on_request: bool = False
    unproven: str = ""

    def missing(self, here: Here) -> Missing | None:
        if here.installed is not None and PACKAGE not in here.installed:
            return Missing(
                "the environment that runs the target has no pyinstrument",
                "Install it there: `python -m pip install pyinstrument` (into optagent's own: `optagent[sampling]`).",
            )
        return python_only.missing(here)

    def profile(self, scene: Scene, here: Here) -> Seen:
        rows = scene.rows("samples")
        facts = (
            Fact(name, f"{file}:{line}" if line else "", own, "s", samples, total)
            for file, line, name, samples, own, total in rows
        )
        return Seen(tuple(facts), () if rows else ("the pass was over before the first sample",))
