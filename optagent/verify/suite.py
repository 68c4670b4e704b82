"""The project's own tests, before and after."""

from __future__ import annotations

import math
from dataclasses import dataclass

from optagent.core.target import Tree
from optagent.languages.base import Project
from optagent.languages.tests import TestResult


@dataclass(frozen=True)
class Suite:
    """Tests that passed twice on the untouched code. `reaching` ones call the target, fastest first; `patience_s` is
    how long the same tests may take on a candidate, `reaching_s` what the reaching ones took themselves."""

    passing: tuple[str, ...]
    reaching: tuple[str, ...]
    set_aside: tuple[str, ...]
    seconds: float
    patience_s: float
    reaching_s: float = math.inf


@dataclass(frozen=True)
class TestsBroken:
    """A test that passed before and does not pass now, with its own error, or a suite that could not be run; `lost` are
    all that were not seen to pass."""

    __test__ = False
    name: str
    said: str
    lost: tuple[str, ...]

    @property
    def others(self) -> int:
        """How many more tests were run and do not pass."""
        return len(self.lost) - 1 if self.name in self.lost else 0


def broken_test(project: Project, tree: Tree, suite: Suite, names: tuple[str, ...]) -> TestsBroken | None:
    """The first of the named tests that fails on this tree, else the first that does not pass; None when all pass."""
    if not names:
        return None
    report = project.run_tests(tree, names, seconds=suite.patience_s)
    if report.broken:
        return TestsBroken("the test run", report.broken, names)
    passed = report.names("passed")
    lost = tuple(name for name in names if name not in passed)
    if not lost:
        return None
    found = {test.name: test for test in report.tests if test.name in lost}
    failed = [name for name in lost if name in found and found[name].outcome == "failed"]
    name = (failed or lost)[0]
    return TestsBroken(name, _said(found.get(name)), lost)


def _said(test: TestResult | None) -> str:
    if test is None:
        return "it was not run"
    return test.said or f"it is {test.outcome}"
