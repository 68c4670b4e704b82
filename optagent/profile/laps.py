"""Passes over the inputs without any profiler inside, for what is read from outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from optagent.languages.contestant import Contestant
from optagent.profile.scene import Scene

LONG_ENOUGH_S = 0.3
"""Long against what the reading itself takes; energy counters move once a millisecond."""
MOST_PASSES = 200


@dataclass(frozen=True)
class Laps:
    """`run` runs that many passes, once; arguments are made and the worker is warm. `pid` is the worker's."""

    worker: Contestant
    passes: int

    @property
    def pid(self) -> int:
        return self.worker.live.pid

    def run(self) -> None:
        self.worker.lap()


@contextmanager
def timed_laps(scene: Scene) -> Iterator[Laps]:
    """Laps of some length, ready to be run once. The worker is not used again: it may still wait for that."""
    try:
        worker = scene.worker()
        numbers = range(len(scene.inputs))
        worker.prepare(numbers, 1)
        first = worker.lap()
        passes = max(1, min(MOST_PASSES, round(LONG_ENOUGH_S * 1e9 / max(1, first.wall_ns))))
        worker.prepare(numbers, passes)
        yield Laps(worker, passes)
    finally:
        scene.close()
