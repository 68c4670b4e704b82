"""What is said of the first test that a candidate breaks: its own error, and how many more there are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pythons import home_of
from suites import suite_of

from optagent.core.target import Tree
from optagent.core.verdict import Evidence
from optagent.languages.python.project import PythonProject
from optagent.languages.python.targets.locate import locate
from optagent.verify.checks import check_tests

pytestmark = pytest.mark.slow

MODULE = "def halved(x):\n    return x / 2\n"
TESTS = """import time

from m import halved


def test_slow_but_first_in_its_file():
    time.sleep(0.2)
    assert halved(4) == 2, "of the slow one"


def test_quick():
    assert halved(6) == 3, "of the quick one"


def test_other():
    assert halved(0) == 0
"""
UNITTEST = """import unittest

from m import halved


class Halves(unittest.TestCase):
    def test_first(self):
        self.assertEqual(halved(6), 3, "of the first")
"""
WRONG = MODULE.replace("/ 2", "/ 2 + (x > 0)")


def said_of(tmp_path: Path, python: Path, files: dict[str, str], command: tuple[str, ...] = ()) -> str:
    """What is said of the wrong code by tests that pass on the right one."""
    home, tree = home_of(tmp_path, {"m.py": MODULE, **files}, python)
    home = type(home)(home.sandbox, home.interpreter, home.toolbox, test_command=command)
    project = PythonProject(home, locate(tree, "halved"))
    suite = suite_of(project, tree)
    wrong = Tree(Path(shutil.copytree(tree.root, tmp_path / "wrong")))
    (wrong.root / "m.py").write_text(WRONG)
    verdict = check_tests(project, wrong, suite, suite.passing)
    return "" if isinstance(verdict, Evidence) else verdict.reason


def test_a_broken_test_is_named_with_its_own_error_and_the_others_are_counted(tmp_path, ours):
    said = said_of(tmp_path, ours, {"test_m.py": TESTS})
    assert said.startswith("test_m.py::test_quick no longer passes: AssertionError: of the quick one")
    assert said.endswith(", and 1 more")


def test_a_test_that_was_never_run_is_not_the_one_that_is_named(tmp_path, ours):
    said = said_of(tmp_path, ours, {"test_m.py": TESTS, "pytest.ini": "[pytest]\naddopts = --exitfirst\n"})
    assert "slow_but_first_in_its_file no longer passes: AssertionError: of the slow one" in said


def test_a_test_that_is_skipped_now_is_said_to_be(tmp_path, ours):
    tests = "import pytest\nfrom m import halved\ndef test_it():\n    if halved(2) != 1: pytest.skip('odd')\n"
    assert said_of(tmp_path, ours, {"test_m.py": tests}) == "test_m.py::test_it no longer passes: it is skipped"


def test_a_test_of_unittest_has_its_own_error(tmp_path, ours):
    said = said_of(tmp_path, ours, {"test_m.py": UNITTEST}, ("python", "-m", "unittest", "test_m"))
    assert said == "test_m.Halves.test_first no longer passes: AssertionError: 4.0 != 3 : of the first"


def test_a_command_is_told_by_what_it_said_last(tmp_path, ours):
    command = ("python", "-c", "import m; assert m.halved(6) == 3, 'of the command'")
    assert said_of(tmp_path, ours, {}, command).endswith("no longer passes: AssertionError: of the command")
