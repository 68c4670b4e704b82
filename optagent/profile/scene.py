"""What is profiled: one target on given inputs, in workers that last as long as they behave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

from optagent.core.target import Tree
from optagent.core.workload import Input
from optagent.languages.base import Project
from optagent.languages.contestant import REFERENCE, Contestant, Misconduct


@dataclass
class Scene:
    """A context: afterwards nothing of it runs. Profilers that share a worker cost one start in all."""

    project: Project
    tree: Tree
    inputs: Sequence[Input]
    patience_s: float
    _worker: Contestant | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def worker(self) -> Contestant:
        """One that has loaded the target and holds the inputs. Raises Misconduct."""
        if self._worker is None:
            self._worker = self.project.contestant(self.tree, 0, self.patience_s, REFERENCE)
            try:
                self.prepare(self._worker)
            except Misconduct:
                self.close()
                raise
        return self._worker

    def prepare(self, worker: Contestant) -> None:
        worker.greet()
        self.project.load(worker, self.tree, 1)
        worker.keep([one.data for one in self.inputs])

    def rows(self, kind: str) -> list[list[Any]]:
        """What the worker's own profiler of that kind saw. After Misconduct the next is asked of a new worker."""
        worker = self.worker()
        try:
            return worker.profile(kind)
        except Misconduct:
            self.close()
            raise

    def under(self, words: tuple[str, ...]) -> Scene:
        """The same scene, with its own workers started by that command."""
        return replace(self, project=self.project.under(words), _worker=None)

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None
