"""Test suites as projects have them: options and plugins of their own, folders, servers, no network."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pythons import environment, home_of, targets_of
from rungs import make_sandbox

from optagent.core.target import Tree
from optagent.languages.python.environment.home import PythonHome
from optagent.languages.python.testing.pytest_run import Wish, run_tests
from optagent.languages.tests import TestReport
from optagent.verify.survey import Survey, take_survey

pytestmark = pytest.mark.slow

MODULE = "def double(x):\n    return 2 * x\n\n\ndef firsts(pairs):\n    return [next(pairs), next(pairs)]\n"
TEST = "from m import double\n\n\ndef test_double():\n    assert double(2) == 4\n"


@pytest.fixture
def make(tmp_path, ours):
    def project(files: dict[str, str], python: Path = ours, rung: str = "default") -> tuple[PythonHome, Tree]:
        return home_of(tmp_path, {"m.py": MODULE, **files}, python, rung)

    return project


def watched(home: PythonHome, tree: Tree) -> TestReport:
    return run_tests(home, tree, Wish(None, targets_of(tree, ["double"]), keep=True))


SETTINGS = {
    "coverage and processes": 'addopts = ["--cov=m", "--cov-report", "term-missing", "-n", "4"]',
    "coverage in one line": 'addopts = "--cov=m --cov-report=xml -n auto --dist loadfile"',
    "a plugin that is required": 'required_plugins = ["pytest-no-such-plugin"]',
    "a plugin that is asked for with an option of its own": 'addopts = ["--no-such-flag", "--strict-markers"]',
    "options of ours and of nobody": 'addopts = "-q --randomly-seed=1 -ra"',
    "an order of its own": 'addopts = "--random-order"',
}  # fmt: skip


@pytest.mark.parametrize("what", SETTINGS)
def test_options_of_plugins_that_are_not_here_keep_no_test_from_running(make, what):
    home, tree = make({"pyproject.toml": f"[tool.pytest.ini_options]\n{SETTINGS[what]}\n", "test_m.py": TEST})
    report = watched(home, tree)
    assert not report.broken
    assert report.names("passed") == {"test_m.py::test_double"}
    assert report.captured[0].calls == 1


def test_an_option_that_pytest_itself_refuses_is_told(make):
    home, tree = make({"pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--maxfail=many'\n", "test_m.py": TEST})
    assert "maxfail" in watched(home, tree).broken


PLUGINS = ("pytest", "pytest-xdist", "pytest-cov", "pytest-randomly", "pytest-rerunfailures")
MANY = """
import os
import random

import pytest

from m import double

SEEN = []


@pytest.mark.parametrize("k", range(12))
def test_in_order_and_in_one_process(k):
    SEEN.append(k)
    assert SEEN == list(range(k + 1))
    assert "PYTEST_XDIST_WORKER" not in os.environ
    assert double(k) == 2 * k


def test_fails():
    double(100)
    raise AssertionError
"""


def test_plugins_that_spread_trace_shuffle_or_repeat_tests_are_kept_out(make, tmp_path_factory):
    python = environment(Path(sys.executable), tmp_path_factory, PLUGINS)
    settings = '[tool.pytest.ini_options]\naddopts = "-n 2 --cov=m --cov-fail-under=100 --reruns 3"\n'
    home, tree = make(
        {"pyproject.toml": settings, "test_m.py": MANY}, python, "bwrap"
    )  # one opens a socket at its start
    report = watched(home, tree)
    assert not report.broken
    assert (len(report.names("passed")), report.names("failed")) == (12, {"test_m.py::test_fails"})
    assert report.captured[0].calls == 13
    assert all(0 in one.reached for one in report.tests)
    assert not list(tree.root.glob(".coverage*"))


STYLES = """
import http.server
import pathlib
import socket
import tempfile
import threading
import unittest
import urllib.request

from m import double


class TestOldStyle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = double(1)

    def setUp(self):
        self.value = double(self.base)

    def test_value(self):
        self.assertEqual(self.value, 4)

    def test_sub(self):
        for k in range(3):
            with self.subTest(k=k):
                self.assertEqual(double(k), 2 * k)

    @unittest.skip("not now")
    def test_skipped(self):
        double(5)


def test_temporary_folders(tmp_path):
    (tmp_path / "a").write_text("ab")
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "b").write_text(double((tmp_path / "a").read_text()))
        assert pathlib.Path(folder, "b").read_text() == "abab"


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(double(21)).encode())

    def log_message(self, *words):
        pass


def test_a_server_of_its_own():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/", timeout=5) as answer:
                assert answer.read() == b"42"
        finally:
            server.shutdown()


def test_the_network():
    double(3)
    socket.create_connection(("192.0.2.1", 80), timeout=3).close()


def test_writes_beside_itself():
    double(4)
    (pathlib.Path(__file__).parent / "left.txt").write_text("x")


def test_plain():
    assert double(6) == 12
"""
NAME = "tests/test_m.py::"


def surveyed(home: PythonHome, tree: Tree, specs: tuple[str, ...] = ("double",)) -> tuple[Survey, list[str]]:
    """The survey of the project, and the names of the tests that each run was for ("all" for all)."""
    targets = targets_of(tree, specs)
    runs: list[str] = []

    def run(only: tuple[str, ...] | None, keep: bool, seconds: float | None) -> TestReport:
        runs.append("all" if only is None else " ".join(only))
        return run_tests(home, tree, Wish(only, targets, keep, seconds or 60.0))

    return take_survey(run, len(targets)), runs


def test_what_the_sandbox_cannot_give_sets_a_test_aside_by_name_and_all_others_count(make):
    home, tree = make({"tests/test_m.py": STYLES})
    before = sorted(tree.root.rglob("*"))
    survey, _ = surveyed(home, tree)
    assert NAME + "test_the_network" in survey.set_aside
    passing = {one.removeprefix(NAME) for one in survey.passing}
    assert passing >= {"TestOldStyle::test_value", "TestOldStyle::test_sub", "test_temporary_folders", "test_plain"}
    assert ("test_a_server_of_its_own" in passing) == (home.sandbox.rung == "bwrap")  # no other has a loopback
    assert set(survey.reaching[0]) == set(survey.passing)
    assert sorted(tree.root.rglob("*")) == before
    values = {one.data for one in survey.captured[0].inputs}
    assert len(values) >= 6


def test_a_test_that_writes_into_its_tree_is_set_aside_and_leaves_nothing(make):
    home, tree = make({"tests/test_m.py": STYLES})
    survey, _ = surveyed(home, tree)
    assert NAME + "test_writes_beside_itself" in survey.set_aside
    assert not (tree.root / "tests" / "left.txt").exists()


LAZY = """
from m import double, firsts


def test_a_stream_is_read_as_far_as_needed():
    read = []

    def source():
        for k in range(5):
            read.append(k)
            yield k

    assert firsts(source()) == [0, 1]
    assert read == [0, 1]


def test_plain():
    assert double(1) == 2 and firsts(iter("ab")) == ["a", "b"]
"""


def test_a_test_that_sees_its_laziness_disturbed_by_the_keeping_of_iterators_is_not_set_aside(make):
    home, tree = make({"tests/test_m.py": LAZY})
    survey, runs = surveyed(home, tree, ("double", "firsts"))
    name = NAME + "test_a_stream_is_read_as_far_as_needed"
    assert runs == ["all", "all", name]
    assert survey.set_aside == ()
    assert name in survey.passing
    assert name in survey.reaching[1]
    assert len(survey.captured[1].inputs) == 2


def test_suites_that_cannot_be_collected_are_told_and_tests_that_fail_are_set_aside(make):
    home, tree = make({"test_m.py": TEST + "\n\ndef test_wrong():\n    assert double(2) == 5\n"})
    survey, _ = surveyed(home, tree)
    assert (survey.passing, survey.set_aside) == (("test_m.py::test_double",), ("test_m.py::test_wrong",))
    (tree.root / "test_m.py").write_text("import nothing_like_it\n")
    assert "nothing_like_it" in run_tests(home, tree, Wish()).broken


def test_a_conftest_that_ends_the_session_leaves_no_report(make):
    home, tree = make({"conftest.py": "import pytest\npytest.exit('not here')\n", "test_m.py": TEST})
    report = run_tests(home, tree, Wish())
    assert report.broken
    assert report.tests == ()


def test_without_a_sandbox_tests_are_seen_alike(make):
    home, tree = make({"test_m.py": TEST}, rung="none")
    assert home.sandbox.rung == make_sandbox("none").rung
    report = watched(home, tree)
    assert (report.broken, report.captured[0].calls) == ("", 1)
