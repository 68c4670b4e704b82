"""Memory by line, from the standard library's tracemalloc."""

from __future__ import annotations

from dataclasses import dataclass

from optagent.core.profile import Fact
from optagent.profile import python_only
from optagent.profile.base import Here, Missing, Seen
from optagent.profile.scene import Scene

PEAK, HELD = "peak of one call", "held when the calls are done"


@dataclass(frozen=True)
class TraceMalloc:
    name: str = "tracemalloc"
    says: str = "bytes that the largest call held at once, and by line what stays while the results live"
    units: tuple[str, ...] = ("bytes",)
    on_request: bool = False
    unproven: str = ""

    def missing(self, here: Here) -> Missing | None:
        return python_only.missing(here)

    def profile(self, scene: Scene, here: Here) -> Seen:
        return Seen(tuple(_fact(*row) for row in scene.rows("allocations")))


def _fact(file: str, line: int, size: int, blocks: int) -> Fact:
    return Fact(HELD, f"{file}:{line}", size, "bytes", blocks) if file else Fact(PEAK, "", size, "bytes")
