"""The project's own tests in the sandbox, the calls they make, and the worker, on every Python that is here."""

from __future__ import annotations

import pickle
import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pythons import VERSIONS, home_of, python, targets_of  # noqa: F401
from rungs import OLD_PYTHON, has_old_python, make_sandbox, open_to_all

from optagent.core.canonical import read
from optagent.core.target import Tree
from optagent.errors import BadWorkload, InterpreterUnusable
from optagent.languages.contestant import Contestant, Misconduct, Uncomparable
from optagent.languages.python import toolbox_folder
from optagent.languages.python.environment import interpreter
from optagent.languages.python.environment.home import PythonHome
from optagent.languages.python.project import PythonProject
from optagent.languages.python.targets.locate import locate
from optagent.languages.python.testing.pytest_run import Wish, run_tests
from optagent.languages.python.workload_file import workload_from_file
from optagent.languages.tests import TestReport

pytestmark = pytest.mark.slow


@pytest.fixture
def make_project(python, make_repo):  # noqa: F811
    def make(files: dict[str, str], target: str) -> tuple[PythonProject, Tree]:
        tree = Tree(make_repo({"src/" + name: text for name, text in files.items()}) / "src")
        tree.root.chmod(0o755)
        box = make_sandbox("default")
        toolbox = toolbox_folder.install(tree.root.parent / "toolbox")
        home = PythonHome(box, interpreter.probe(python, "test", box), toolbox)
        return PythonProject(home, locate(tree, target)), tree

    return make


MODULE = """
import sys


class Box:
    @staticmethod
    def weigh(a, /, b, *rest, c=3, **more):
        return a


def drain(xs):
    total = 0
    while xs:
        total += xs.pop()
    return total


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


def odd(kind, value=None):
    if kind == "print":
        print("text"); print("error", file=sys.stderr)
    if kind == "raise":
        raise KeyError("gone", 3)
    if kind == "change":
        value.append(9)
    if kind == "exit":
        import os
        os._exit(3)
    if kind == "quit":
        sys.exit(4)
    if kind == "hang":
        while True: pass
    if kind == "lock":
        import threading
        return threading.Lock()
    return value
"""

TESTS = """
import os
import pytest
from m import Box, depth, drain

def test_drain():
    xs = [1, 2]
    assert drain(xs) == 3 and xs == []

@pytest.mark.parametrize("n", [3, 4], ids=["a b/[c]::d", "\u00e9"])
def test_depth(n):
    assert depth(n) == n

def test_box():
    Box.weigh(1, 2); Box.weigh(1, 2, 9, c=4, d=5); Box.weigh(a := 1, b=2)

def test_fails():
    assert depth(1) == 2

@pytest.fixture
def bad():
    yield
    raise ValueError("teardown")

def test_bad_teardown(bad):
    depth(1)

@pytest.mark.skip
def test_skipped(): pass

@pytest.mark.xfail
def test_expected(): assert False

def test_elsewhere(): pass
"""

FILES = {"m.py": MODULE, "tests/test_m.py": TESTS}


def watched(project: PythonProject, tree: Tree, seconds: float = 60) -> TestReport:
    """All tests run with the target watched and its arguments kept."""
    return run_tests(project.home, tree, Wish(None, (project.target,), keep=True, seconds=seconds))


@pytest.fixture(scope="module")
def shared(python, tmp_path_factory):  # noqa: F811
    """The files as a project, made once for the tests that only look."""
    return home_of(tmp_path_factory.mktemp("shared"), FILES, python)


@pytest.fixture(scope="module")
def session(shared):
    """One run of all tests with three functions watched; a report of its own for each."""
    home, tree = shared
    targets = targets_of(tree, ("depth", "drain", "Box.weigh"))
    report = run_tests(home, tree, Wish(None, targets, keep=True, seconds=60))
    return {one.qualname: replace(report, captured=(report.captured[k],)) for k, one in enumerate(targets)}


def captured(report: TestReport) -> list[object]:
    (of_target,) = report.captured
    return [pickle.loads(one.data) for one in of_target.inputs]


def test_outcomes_and_reach_are_told_test_by_test(session):
    report = session["depth"]
    name = "tests/test_m.py::test_"
    assert not report.broken
    assert report.names("failed") == {name + "fails", name + "bad_teardown"}
    assert report.names("skipped") == {name + "skipped", name + "expected"}
    reached = {test.name for test in report.tests if 0 in test.reached}
    assert reached == {
        name + "depth[a b/[c]::d]",
        *(one for one in reached if "depth[" in one),
        name + "fails",
        name + "bad_teardown",
    }
    assert len(reached) == 4


def test_only_outermost_calls_are_kept_and_each_once(session):
    assert sorted(captured(session["depth"])) == [((1,), {}), ((3,), {}), ((4,), {})]


def test_arguments_are_kept_as_they_were_before_the_call(session):
    assert captured(session["drain"]) == [(([1, 2],), {})]


def test_every_kind_of_argument_can_be_called_with_again(shared, session):
    home, tree = shared
    project, report = PythonProject(home, locate(tree, "Box.weigh")), session["Box.weigh"]
    inputs = report.captured[0].inputs
    assert report.captured[0].calls == 3
    assert ((1, 2, 9), {"c": 4, "d": 5}) in captured(report)
    with project.contestant(tree, 1, 20) as worker:
        project.load(worker, tree, 1)
        worker.keep([one.data for one in inputs])
        assert all(b'"returned",1,' in one for one in worker.call(range(len(inputs))))


def test_only_the_named_tests_run(shared, session):
    home, tree = shared
    project = PythonProject(home, locate(tree, "depth"))
    names = [one.name for one in session["depth"].tests if "depth[" in one.name]
    assert len(names) == 2
    assert [one.name for one in project.run_tests(tree, names).tests] == names


def test_a_test_that_ends_the_process_leaves_no_report_and_no_pass(make_project):
    project, tree = make_project({**FILES, "tests/test_m.py": "import os\n\ndef test_x():\n    os._exit(0)\n"}, "depth")
    report = watched(project, tree)
    assert report.broken
    assert report.tests == ()


def test_tests_that_never_end_are_stopped(make_project):
    project, tree = make_project({**FILES, "tests/test_m.py": "def test_x():\n    while True: pass\n"}, "depth")
    assert "seconds" in watched(project, tree, seconds=1.5).broken


# the worker


@pytest.fixture
def odd(shared):
    home, tree = shared
    return PythonProject(home, locate(tree, "odd")), tree


def called(odd, *args: object, seconds: float = 20) -> object:
    project, tree = odd
    with project.contestant(tree, 1, seconds) as worker:
        project.load(worker, tree, 1)
        worker.keep([pickle.dumps((args, {}))])
        return read(worker.call([0])[0])


def test_what_is_printed_belongs_to_the_result(odd):
    assert called(odd, "print")[-1] == ["l", "text\n", "error\n", ["l"]]


def test_an_exception_is_a_result_and_sys_exit_is_one_too(odd):
    assert called(odd, "raise")[1:3] == ["raised", ["x", "builtins.KeyError", ["t", "gone", 3], "('gone', 3)"]]
    assert called(odd, "quit")[1:3] == ["raised", ["x", "builtins.SystemExit", ["t", 4], "4"]]


def test_a_changed_argument_belongs_to_the_result(odd):
    assert called(odd, "change", [1])[2:4] == [["l", 1, 9], ["t", "change", ["r", 1]]]


def test_a_process_that_ends_or_hangs_is_misconduct(odd):
    with pytest.raises(Misconduct, match="ended"):
        called(odd, "exit")
    with pytest.raises(Misconduct, match="no answer"):
        called(odd, "hang", seconds=1)


def test_a_result_without_a_form_cannot_be_compared(odd):
    with pytest.raises(Uncomparable, match=r"_thread\.lock"):
        called(odd, "lock")


def test_the_cpu_of_a_whole_life_is_booked_to_its_phases(odd):
    project, tree = odd
    with project.contestant(tree, 1, 20) as worker:
        project.load(worker, tree, 1)
        worker.keep([pickle.dumps((("x", list(range(1000))), {}))])
        worker.halt()
        worker.proceed()
        worker.prepare([0], 50)
        lap = worker.lap()
        assert len(worker.collect()) == 50 + 1  # the last one is what they printed
        life = worker.life
        spent = worker.live.cpu_ns()
    assert min(life.start, life.imported, life.prepared, life.timed, life.encoded) > 0
    assert life.turns == 1
    assert lap.cpu_ns <= lap.wall_ns * 1.5
    booked = (
        life.start + life.imported + life.prepared + life.called + life.timed + life.encoded + life.settled + life.idle
    )
    assert booked <= spent


# workload files


def workload(odd, tmp_path, text: str):
    project, tree = odd
    file = tmp_path / "w.py"
    file.write_text(text)
    open_to_all(tmp_path, *tmp_path.parents[:3])
    return workload_from_file(project, tree, file, 1, 20)


SUM = {"m.py": "def slow(xs):\n    return sum(x * x for x in xs)\n"}
NUMBERS = "def make_inputs(size, rng):\n    return [([rng.random() for _ in range(size)],) for _ in range(3)]\n"


def length(one) -> int:
    return len(pickle.loads(one.data)[0][0])


def test_sizes_grow_until_a_call_is_long_enough_and_seeds_are_kept_apart(make_project, tmp_path):
    made = workload(make_project(SUM, "slow"), tmp_path, NUMBERS)
    everything = [*made.search, *(one for held in made.held_out for one in held)]
    assert len(made.search) == 3
    assert [len(held) for held in made.held_out] == [3, 3]
    assert len({one.digest for one in everything}) == 9
    assert length(made.search[0]) >= 500


def test_a_core_that_wakes_slowly_makes_no_call_long_enough(make_project, tmp_path, monkeypatch):
    lap = Contestant.lap
    monkeypatch.setattr(Contestant, "lap", lambda self: replace(seen := lap(self), wall_ns=seen.wall_ns + 1_000_000))
    assert length(workload(make_project(SUM, "slow"), tmp_path, NUMBERS).search[0]) >= 500


def test_a_call_that_only_had_to_wait_is_not_long_enough(make_project, tmp_path, monkeypatch):
    lap, chance = Contestant.lap, random.Random(1)
    monkeypatch.setattr(
        Contestant, "lap", lambda self: replace(seen := lap(self), wall_ns=seen.wall_ns + chance.choice((0, 1_000_000)))
    )
    assert length(workload(make_project(SUM, "slow"), tmp_path, NUMBERS).search[0]) >= 500


def test_a_file_may_use_the_package_and_keywords_and_ignore_its_seed(odd, tmp_path):
    made = workload(
        odd,
        tmp_path,
        "import m\nSIZE = 4\ndef make_inputs(size, rng):\n    return [{'args': ('x',), 'kwargs': {'value': k}} for k in range(size)]\n",
    )
    assert 4 <= len(made.search) + sum(map(len, made.held_out)) < 5_000  # a size that only gives more calls ends there
    assert made.held_out


@pytest.mark.parametrize(
    "text", ["raise KeyError(1)", "return 3", "return []", "return [object()]", "return [(open(__file__),)]"]
)
def test_a_bad_file_is_told_in_a_sentence(odd, tmp_path, text):
    with pytest.raises(BadWorkload, match="the workload file"):
        workload(odd, tmp_path, f"def make_inputs(size, rng):\n    {text}\n")


# interpreters


OLD = pytest.param(OLD_PYTHON, marks=pytest.mark.skipif(not has_old_python(), reason="no Python 3.10 here"))


@pytest.mark.parametrize("path", ["/bin/true", "/no/such/python", OLD])
def test_an_interpreter_that_cannot_serve_is_refused(path, tmp_path):
    def look() -> None:
        executable, origin = interpreter.find(Path(path), tmp_path, {}, Path(sys.executable))
        interpreter.probe(executable, origin, make_sandbox("default"))

    with pytest.raises(InterpreterUnusable):
        look()


def test_the_flag_comes_before_the_environment_before_the_project_before_ours(tmp_path):
    for name in ("flag", "active", "repo/.venv"):
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / name / "bin" / "python").symlink_to(sys.executable)
    repo, ours, active = tmp_path / "repo", Path(sys.executable), {"VIRTUAL_ENV": str(tmp_path / "active")}
    assert interpreter.find(tmp_path / "flag", repo, active, ours)[1] == "--python"
    assert interpreter.find(None, repo, active, ours)[1] == "VIRTUAL_ENV"
    assert interpreter.find(None, repo, {}, ours)[1] == ".venv"
    assert interpreter.find(None, tmp_path, {}, ours)[1] == "optagent's own"


SEEN_TESTS = """
import inspect, threading
from m import depth

def test_its_signature_is_what_it_was():
    assert list(inspect.signature(depth).parameters) == ["n"]
    assert depth(1) == 1

def test_in_a_thread_of_its_own():
    threads = [threading.Thread(target=depth, args=(k,)) for k in (5, 6)]
    for one in threads: one.start()
    for one in threads: one.join()
"""


def test_who_looks_at_the_target_sees_what_was_there_and_threads_count_apart(make_project):
    project, tree = make_project({**FILES, "tests/test_m.py": SEEN_TESTS}, "depth")
    report = watched(project, tree)
    assert report.names("failed") == set()
    assert sorted(captured(report)) == [((1,), {}), ((5,), {}), ((6,), {})]
