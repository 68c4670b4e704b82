"""Time by line of the target, from a tracer of ours (docs/decisions/0006-line-timings.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optagent.core.profile import Fact, HotLine
from optagent.profile import python_only
from optagent.profile.base import Here, Missing, Seen
from optagent.profile.scene import Scene

Row = tuple[int, int, int]
"""Line, hits, nanoseconds."""


def rows_of(scene: Scene) -> list[Row]:
    return [(line, hits, nanoseconds) for line, hits, nanoseconds in scene.rows("lines")]


def hot_lines(rows: Sequence[Row]) -> tuple[HotLine, ...]:
    """The hottest first."""
    total = sum(nanoseconds for _, _, nanoseconds in rows) or 1
    lines = [HotLine(line, hits, nanoseconds / total) for line, hits, nanoseconds in rows]
    return tuple(sorted(lines, key=lambda one: -one.share))


@dataclass(frozen=True)
class Lines:
    name: str = "lines"
    says: str = "seconds in each line of the target, with every line slowed down"
    units: tuple[str, ...] = ("s",)
    on_request: bool = False
    unproven: str = ""

    def missing(self, here: Here) -> Missing | None:
        return python_only.missing(here)

    def profile(self, scene: Scene, here: Here) -> Seen:
        target, rows = scene.project.target, rows_of(scene)
        if not rows:
            return Seen((), (f"{target.qualname} has no lines of Python that could be traced",))
        return Seen(
            tuple(
                Fact(target.name, f"{target.path}:{line}", nanoseconds / 1e9, "s", hits)
                for line, hits, nanoseconds in rows
            )
        )
