"""Time by function, from the standard library's cProfile."""

from __future__ import annotations

from dataclasses import dataclass

from optagent.core.profile import Fact, HotFunction
from optagent.profile import python_only
from optagent.profile.base import Here, Missing, Seen
from optagent.profile.scene import Scene


def hot_functions(scene: Scene) -> tuple[HotFunction, ...]:
    """The functions with the most time of their own, the hottest first."""
    return tuple(
        HotFunction(name, f"{file}:{line}" if line else "", calls, own, total)
        for file, line, name, calls, own, total in scene.rows("functions")
    )


@dataclass(frozen=True)
class CProfile:
    name: str = "cprofile"
    says: str = "seconds in each function itself, with every call slowed down"
    units: tuple[str, ...] = ("s",)
    on_request: bool = False
    unproven: str = ""

    def missing(self, here: Here) -> Missing | None:
        return python_only.missing(here)

    def profile(self, scene: Scene, here: Here) -> Seen:
        return Seen(
            tuple(Fact(one.name, one.place, one.own_s, "s", one.calls, one.total_s) for one in hot_functions(scene))
        )
