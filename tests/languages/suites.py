"""The suite of an untouched tree, whatever the language."""

from __future__ import annotations

from optagent.core.target import Tree
from optagent.languages.base import Project
from optagent.languages.python.project import PythonProject
from optagent.languages.python.testing.pytest_run import Wish, run_tests
from optagent.languages.tests import TestReport
from optagent.verify.suite import Suite
from optagent.verify.survey import take_survey


def suite_of(project: Project, tree: Tree) -> Suite:
    """Its tests as two plain runs and one that keeps arguments see them, for the project's target."""

    def run(only: tuple[str, ...] | None, keep: bool, seconds: float | None) -> TestReport:
        if isinstance(project, PythonProject):
            return run_tests(project.home, tree, Wish(only, (project.target,), keep, seconds or 60.0))
        return project.run_tests(tree, only, seconds or 60.0)

    return take_survey(run, 1).suite(0)
