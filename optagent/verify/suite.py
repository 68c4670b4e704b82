"""The project's own tests, before and after."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
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
    all that were not seen to pass, those that failed first, and `errors` what is said of each."""

    __test__ = False
    name: str
    said: str
    lost: tuple[str, ...]
    errors: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the suite could not be run, so that nothing is known of any single test."""
        return not self.errors

    def among(self, names: Collection[str]) -> TestsBroken | None:
        """The same of these tests alone. Not to be asked of a suite that could not be run."""
        return _of_all([(name, said) for name, said in zip(self.lost, self.errors, strict=True) if name in names])


def broken_test(project: Project, tree: Tree, suite: Suite, names: tuple[str, ...]) -> TestsBroken | None:
    """The first of the named tests that fails on this tree, else the first that does not pass; None when all pass."""
    if not names:
        return None
    report = project.run_tests(tree, names, seconds=suite.patience_s)
    if report.broken:
        return TestsBroken("the test run", report.broken, names)
    passed = report.names("passed")
    lost = tuple(name for name in names if name not in passed)
    found = {test.name: test for test in report.tests}
    failed = report.names("failed")
    ordered = sorted(lost, key=lambda name: name not in failed)
    return _of_all([(name, _said(found.get(name))) for name in ordered])


def _of_all(lost: Sequence[tuple[str, str]]) -> TestsBroken | None:
    """Of rows of a name and what is said of it, the first to be told."""
    names, errors = tuple(name for name, _ in lost), tuple(said for _, said in lost)
    return TestsBroken(names[0], errors[0], names, errors) if lost else None


def _said(test: TestResult | None) -> str:
    if test is None:
        return "it was not run"
    return test.said or f"it is {test.outcome}"
