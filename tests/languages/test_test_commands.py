"""Test commands that are not pytest's: what they tell, and that leaving early tells nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pythons import home_of, python, targets_of  # noqa: F401 - a fixture

from optagent.cli.run.adapters import command_of
from optagent.errors import ToolMissing
from optagent.languages.python.testing.pytest_run import Wish, run_tests

pytestmark = pytest.mark.slow

MODULE = "def double(x):\n    return 2 * x\n"
UNITTEST = """import unittest

import m


class Doubles(unittest.TestCase):
    def test_good(self):
        self.assertEqual([m.double(k) for k in (1, 2, 3)], [2, 4, 6])

    def test_of_nothing(self):
        self.assertTrue(True)

    def test_bad(self):
        self.fail("as it was")

    @unittest.skip("not today")
    def test_later(self):
        m.double(9)
"""
DISCOVER = ("python", "-m", "unittest", "discover", "-s", "tests", "-t", ".")
SCRIPT = "import m\nassert m.double(m.double(3)) == 12\n"
FILES = {"m.py": MODULE, "tests/__init__.py": "", "tests/test_m.py": UNITTEST, "check.py": SCRIPT}


def report_of(tmp_path, interpreter, command, files=FILES, keep=True):
    home, tree = home_of(tmp_path, files, interpreter)
    home = type(home)(home.sandbox, home.interpreter, home.toolbox, test_command=command)
    return run_tests(home, tree, Wish(None, targets_of(tree, ["double"]), keep=keep, seconds=60.0))


def test_tests_of_unittest_are_told_one_by_one_with_what_they_reach(tmp_path, python):  # noqa: F811
    report = report_of(tmp_path, python, DISCOVER)
    assert not report.broken
    told = {test.name.rpartition(".")[2]: (test.outcome, sorted(test.reached)) for test in report.tests}
    assert told == {
        "test_good": ("passed", [0]), "test_of_nothing": ("passed", []), "test_bad": ("failed", []),
        "test_later": ("skipped", []),
    }  # fmt: skip
    assert len(report.captured[0].inputs) == 3


def test_any_other_command_is_one_test_of_its_name(tmp_path, ours):
    report = report_of(tmp_path, ours, ("sh", "-c", "python check.py && python check.py"))
    (test,) = report.tests
    assert (test.name, test.outcome, test.reached) == ("sh -c python check.py && python check.py", "passed", {0})
    assert len(report.captured[0].inputs) == 4  # two processes of two calls each


def test_a_command_that_fails_has_failed(tmp_path, ours):
    report = report_of(tmp_path, ours, ("python", "-c", "import m; m.double(1); raise SystemExit(3)"))
    assert report.names("failed") == {"python -c import m; m.double(1); raise SystemExit(3)"}


def test_a_process_that_leaves_early_with_success_has_passed_nothing(tmp_path, ours):
    early = {**FILES, "m.py": "import os\ndef double(x):\n    os._exit(0)\n"}
    report = report_of(tmp_path, ours, ("python", "check.py"), early)
    assert report.names("passed") == set()
    assert report.names("failed") == {"python check.py"}


WARNS = "import os\nos.write(2, b\"ModuleNotFoundError: No module named 'pytest'\\\\n\")\n"


def test_a_command_that_warns_of_a_missing_pytest_passes_all_the_same(tmp_path, ours):
    report = report_of(tmp_path, ours, ("python", "check.py"), {**FILES, "check.py": SCRIPT + WARNS})
    assert report.names("passed") == {"python check.py"}


def test_a_candidate_that_says_there_is_no_pytest_has_passed_nothing_and_ends_no_run(tmp_path, ours):
    leaves = WARNS + "os._exit(1)\n"
    test = "from m import double\ndef test_double():\n    assert double(1) == 2\n"
    files = {"m.py": leaves + MODULE, "test_m.py": test, "pytest.ini": "[pytest]\naddopts = -s\n"}
    home, tree = home_of(tmp_path, files, ours)
    report = run_tests(home, tree, Wish(("test_m.py::test_double",), seconds=60.0))
    assert report.names("passed") == set()
    assert "No module named 'pytest'" in report.broken


def test_an_environment_in_which_pytest_cannot_be_started_is_told(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    home, tree = home_of(tmp_path, {"m.py": MODULE}, tmp_path / "bare" / "bin" / "python")
    with pytest.raises(ToolMissing, match="has no pytest"):
        run_tests(home, tree, Wish())


def test_the_environments_own_sitecustomize_still_runs(tmp_path, ours):
    own = {**FILES, "sitecustomize.py": "import builtins\nbuiltins.OWN = 1\n", "check.py": "import m\nm.double(OWN)\n"}
    assert report_of(tmp_path, ours, ("python", "check.py"), own).names("passed")


@pytest.mark.parametrize(
    ("typed", "arguments", "command"),
    [
        (None, (), ()),
        ("pytest -k fast", ("-k", "fast"), ()),
        ("python -m pytest tests/unit", ("tests/unit",), ()),
        ("uv run pytest -q", ("-q",), ()),
        ("python -m unittest", (), ("python", "-m", "unittest")),
        ("make test", (), ("make", "test")),
    ],
)
def test_a_command_as_typed_is_pytests_arguments_or_a_command_of_its_own(typed, arguments, command):
    assert command_of(typed) == (arguments, command)
