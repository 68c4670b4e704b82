"""What a run of the project's tests said, whatever the language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from optagent.core.workload import Input


@dataclass(frozen=True)
class TestResult:
    """One test: "passed", "failed", "skipped" or "unfinished"; `reached` are the targets it called, by their number
    in the list that was watched; `said` is the error of one that failed, in one line."""

    __test__ = False
    name: str
    outcome: str
    reached: frozenset[int]
    seconds: float
    said: str = ""


@dataclass(frozen=True)
class Captured:
    """Calls of one target: how many there were, a sample of their arguments, and how many could not be kept, by
    reason."""

    calls: int = 0
    inputs: tuple[Input, ...] = ()
    lost: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class TestReport:
    """`captured` has one entry per watched target; `folders` are those that the tests' import path had inside the
    tree, relative to it; `broken` tells why there is no verdict on the tests at all (empty when there is one)."""

    __test__ = False
    tests: tuple[TestResult, ...]
    captured: tuple[Captured, ...]
    broken: str
    seconds: float
    said: str = ""
    folders: tuple[str, ...] = ()

    def names(self, outcome: str) -> set[str]:
        return {test.name for test in self.tests if test.outcome == outcome}
