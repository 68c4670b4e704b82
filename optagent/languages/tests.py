"""What a run of the project's tests said, whatever the language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TestResult:
    """One test: "passed", "failed", "skipped" or "unfinished"; `reached` says that it called the target."""

    __test__ = False
    name: str
    outcome: str
    reached: bool
    seconds: float


@dataclass(frozen=True)
class TestReport:
    """`inputs` are pairs of canonical form and opaque input; `lost` counts calls that could not be kept, by
    reason; `broken` tells why there is no verdict on the tests at all (empty when there is one)."""

    __test__ = False
    tests: tuple[TestResult, ...]
    inputs: tuple[tuple[bytes, bytes], ...]
    calls: int
    lost: Mapping[str, int]
    broken: str
    seconds: float
    said: str = ""

    def names(self, outcome: str) -> set[str]:
        return {test.name for test in self.tests if test.outcome == outcome}
