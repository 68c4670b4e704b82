"""The tests of the untouched code: what passes, what reaches which target, and with which arguments."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from optagent.errors import BaselineBroken
from optagent.languages.tests import Captured, TestReport, TestResult
from optagent.verify.suite import Suite

PATIENCE_EXTRA_S = 20.0
TIMEOUT_FACTOR = 5.0


@dataclass(frozen=True)
class Survey:
    """One test session of the untouched code, for all targets asked about; rows are in their order.

    `seconds` is how long the plain run took, `capture_seconds` the one that kept arguments; `note` says why that one
    gave nothing.
    """

    passing: tuple[str, ...]
    reaching: tuple[tuple[str, ...], ...]
    set_aside: tuple[str, ...]
    seconds: float
    capture_seconds: float
    captured: tuple[Captured, ...]
    folders: tuple[str, ...]
    note: str = ""
    took: Mapping[str, float] = field(default_factory=dict)
    """Seconds of each test."""

    def suite(self, number: int, timeout_factor: float = TIMEOUT_FACTOR) -> Suite:
        """The tests as they concern one target."""
        patience = PATIENCE_EXTRA_S + timeout_factor * self.seconds
        reaching = self.reaching[number]
        took = sum(self.took.get(name, math.inf) for name in reaching)
        return Suite(self.passing, reaching, self.set_aside, self.seconds, patience, took)


RunTests = Callable[[tuple[str, ...] | None, bool, float | None], TestReport]
"""Tests named (None: all), whether arguments are kept, and how long they may take (None: nobody knows yet)."""


def take_survey(run: RunTests, targets: int, timeout_factor: float = TIMEOUT_FACTOR) -> Survey:
    """The suite run plainly, then once more with arguments kept; what fails or flakes is set aside by name.

    A test that fails only while arguments are kept is given a third, plain run: handing on what an iterator gave is
    not quite what the test did. Raises BaselineBroken when the tests cannot be run at all.
    """
    first = run(None, False, None)
    if first.broken:
        raise BaselineBroken(
            f"the tests cannot be run before any change: {first.broken}", "Make them run, then try again."
        )
    limit = PATIENCE_EXTRA_S + timeout_factor * first.seconds
    kept = run(None, True, limit) if first.tests else first
    second = run(None, False, limit) if kept.broken else kept
    passed = first.names("passed")
    doubtful = passed - second.names("passed")
    if doubtful and not kept.broken:
        doubtful -= run(tuple(sorted(doubtful)), False, limit).names("passed")
    return _survey(first, kept, passed - doubtful, targets)


def _survey(first: TestReport, kept: TestReport, passing: set[str], targets: int) -> Survey:
    ordered = sorted((test for test in first.tests if test.name in passing), key=lambda test: test.seconds)
    failing = {test.name for test in first.tests if test.outcome in ("failed", "unfinished")}
    aside = failing | (first.names("passed") - passing)
    return Survey(
        passing=tuple(test.name for test in ordered),
        reaching=tuple(_reaching(ordered, number) for number in range(targets)),
        set_aside=tuple(sorted(aside)),
        seconds=first.seconds,
        capture_seconds=kept.seconds,
        captured=kept.captured or (Captured(),) * targets,
        folders=kept.folders or first.folders,
        note=f"no arguments could be kept: {kept.broken}" if kept.broken else "",
        took={test.name: test.seconds for test in ordered},
    )


def _reaching(ordered: list[TestResult], number: int) -> tuple[str, ...]:
    return tuple(test.name for test in ordered if number in test.reached)
