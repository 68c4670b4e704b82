"""The project's own tests, before and after."""

from __future__ import annotations

from dataclasses import dataclass

from optagent.core.target import Tree
from optagent.errors import BaselineBroken
from optagent.languages.base import Project
from optagent.languages.tests import TestReport

PATIENCE_FACTOR = 5.0
PATIENCE_EXTRA_S = 20.0


@dataclass(frozen=True)
class Suite:
    """Tests that passed twice on the untouched code. `reaching` ones call the target, fastest first."""

    passing: tuple[str, ...]
    reaching: tuple[str, ...]
    set_aside: tuple[str, ...]
    seconds: float

    @property
    def patience_s(self) -> float:
        """How long the same tests may take on a candidate."""
        return PATIENCE_EXTRA_S + PATIENCE_FACTOR * self.seconds


@dataclass(frozen=True)
class TestsBroken:
    """A test that passed before and does not pass now, or a suite that could not be run."""

    __test__ = False
    name: str
    said: str


def baseline_suite(project: Project, tree: Tree) -> tuple[Suite, TestReport]:
    """The suite run twice; what fails or flakes is set aside by name. The report holds the captured inputs."""
    first = project.run_tests(tree, None, keep=True)
    if first.broken:
        raise BaselineBroken(
            f"the tests cannot be run before any change: {first.broken}", "Make them run, then try again."
        )
    if not first.tests:
        return Suite((), (), (), first.seconds), first
    second = project.run_tests(tree, None, keep=False)
    passing = first.names("passed") & second.names("passed")
    ordered = sorted((test for test in first.tests if test.name in passing), key=lambda test: test.seconds)
    failing = sorted((first.names("failed") | second.names("failed") | first.names("unfinished")) - passing)
    reaching = tuple(test.name for test in ordered if test.reached)
    return Suite(tuple(test.name for test in ordered), reaching, tuple(failing), first.seconds), first


def broken_test(project: Project, tree: Tree, suite: Suite, names: tuple[str, ...]) -> TestsBroken | None:
    """The first of the named tests that no longer passes on this tree, or None."""
    if not names:
        return None
    report = project.run_tests(tree, names, keep=False, seconds=suite.patience_s)
    if report.broken:
        return TestsBroken("the test run", report.broken)
    passed = report.names("passed")
    lost = [name for name in names if name not in passed]
    return TestsBroken(lost[0], report.said) if lost else None
