"""What every kind of project owes the referee: one suite over all that implement languages/base.py."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from command_samples import need_compiler, project_in
from rungs import make_sandbox
from suites import suite_of

from optagent.core.patch import Change, Patch
from optagent.core.target import Tree
from optagent.core.verdict import Evidence, Incorrect
from optagent.core.workload import Input
from optagent.errors import BaselineBroken
from optagent.languages.base import Project
from optagent.languages.contestant import REFERENCE, Misconduct
from optagent.languages.python import toolbox_folder
from optagent.languages.python.environment import interpreter
from optagent.languages.python.environment.home import PythonHome
from optagent.languages.python.project import PythonProject
from optagent.languages.python.targets.locate import locate
from optagent.measure.launch import Race, launch
from optagent.measure.speed import affordable, measure_noise
from optagent.verify.checks import check_outputs
from optagent.verify.differential import Run, compare, outputs
from optagent.verify.reference import ask_reference
from optagent.verify.suite import broken_test

pytestmark = pytest.mark.slow

CORE = max(os.sched_getaffinity(0))
NUMBERS = ([3, 1, 2], [9, 9, 4, 1])


@dataclass(frozen=True)
class Kind:
    """One kind of project: how its target reads when it sorts, and when something is wrong with it."""

    file: str
    sorts: str
    wrong: str
    dies: str
    hangs: str
    broken: str
    data: Callable[[list[int]], bytes]


PYTHON = Kind(
    file="m.py",
    sorts="def work(xs):\n    return sorted(xs)\n",
    wrong="def work(xs):\n    return sorted(xs)[:3]\n",
    dies="import os\ndef work(xs):\n    os.kill(os.getpid(), 9)\n",
    hangs="def work(xs):\n    while True: pass\n",
    broken="def work(xs:\n",
    data=lambda numbers: pickle.dumps(((numbers,), {}), 5),
)
COMMAND = Kind(
    file="tool.c",
    sorts='#include <stdlib.h>\nint main(void) { return system("sort -n"); }\n',
    wrong='#include <stdlib.h>\nint main(void) { return system("sort -n | head -3"); }\n',
    dies="#include <signal.h>\n#include <unistd.h>\nint main(void) { kill(getppid(), SIGKILL); for (;;) pause(); }\n",
    hangs="#include <unistd.h>\nint main(void) { for (;;) pause(); }\n",
    broken="int main(void { }\n",
    data=lambda numbers: b"numbers.txt\0" + "".join(f"{one}\n" for one in numbers).encode(),
)
KINDS = {"python": PYTHON, "command": COMMAND}
TOML = '[command]\nbuild = "cc -o tool tool.c"\nrun = "./tool"\ninputs = "in/*"\nscope = "*.c"\n'
TOML += 'tests = ["sh", "-c", "test $(seq 5 | ./tool | wc -l) = 5"]\n'
TEST = "from m import work\ndef test_work():\n    assert len(work([5, 4, 3, 2, 1])) == 5\n"


@pytest.fixture(params=KINDS)
def kind(request) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def make(make_repo, ours, kind):
    """Makes the project of a tree whose target has that source; more trees of it with `other`."""

    def make_one(source: str) -> tuple[Project, Tree]:
        files = {f"tree/{kind.file}": source, "tree/in/a": "1\n", "tree/in/b": "2\n"}
        if kind is COMMAND:
            need_compiler()
        files |= {"tree/optagent.toml": TOML} if kind is COMMAND else {"tree/test_m.py": TEST}
        root: Path = make_repo(files)
        (root / "tree").chmod(0o755)
        tree = Tree(root / "tree")
        if kind is COMMAND:
            return project_in(tree, root / "work"), tree
        box = make_sandbox("default")
        toolbox = toolbox_folder.install(root / "toolbox")
        return PythonProject(PythonHome(box, interpreter.probe(ours, "test", box), toolbox), locate(tree, "work")), tree

    return make_one


def other(tree: Tree, kind: Kind, source: str) -> Tree:
    """The same tree with another source of the target."""
    root = Path(shutil.copytree(tree.root, tree.root.with_name(f"other{abs(hash(source))}")))
    (root / kind.file).write_text(source)
    root.chmod(0o755)
    return Tree(root, tree.project)


def inputs(kind: Kind) -> tuple[Input, ...]:
    return tuple(Input(kind.data(list(numbers)), "test") for numbers in NUMBERS)


def test_loading_checks_that_it_is_this_tree(make, kind):
    project, tree = make(kind.sorts)
    elsewhere = other(tree, kind, kind.wrong)
    with project.contestant(elsewhere, 1, 20) as one:
        project.load(one, elsewhere, 1)
    if kind is PYTHON:  # its trees are all seen at one place: that a sandbox holds one of them only is what it checks
        return
    with project.contestant(elsewhere, 1, 20) as one, pytest.raises(Misconduct, match="not those of this tree"):
        project.load(one, tree, 1)


def test_calls_give_one_encoding_each_and_the_same_bytes_twice(make, kind):
    project, tree = make(kind.sorts)
    one, two = (outputs(Run(project, 1, 20), tree, inputs(kind)) for _ in range(2))
    assert one == two
    assert len(one) == len(NUMBERS)
    assert one[0] != one[1]


def test_another_result_is_a_difference_told_in_words(make, kind):
    project, tree = make(kind.sorts)
    wrong = other(tree, kind, kind.wrong)
    run = Run(project, 1, 20)
    found = compare(outputs(run, tree, inputs(kind)), outputs(run, wrong, inputs(kind)))
    assert found is not None
    assert found.where.endswith("of input 2")
    assert found.old != found.new


def test_timed_calls_give_what_checked_calls_give(make, kind):
    project, tree = make(kind.sorts)
    with project.contestant(tree, 1, 20) as one:
        project.load(one, tree, 1)
        one.keep([each.data for each in inputs(kind)])
        one.prepare([0, 1], 2)
        lap = one.lap()
        timed = one.collect()
        assert lap.wall_ns > 0
        assert len(timed) == 5
        assert timed[0] == timed[2] != timed[1]


def test_a_lap_is_on_both_clocks_or_the_contestant_says_that_ours_is_the_wall(make, kind):
    project, tree = make(kind.sorts)
    race = Race(project, tree, tree, inputs(kind), CORE, 0.02, 20)
    found = launch(race, 1)
    assert found.sees_cpu == (kind is PYTHON)
    assert min(found.wall.old_ns, found.cpu.old_ns, found.wall.new_ns, found.cpu.new_ns) > 0
    assert found.difference is None
    if not found.sees_cpu:
        assert measure_noise(race, 1, launches=1).clock == "wall"


def test_no_calls_cost_less_than_some(make, kind):
    project, tree = make(kind.sorts)
    with project.contestant(tree, 1, 20) as one:
        project.load(one, tree, 1)
        one.keep([each.data for each in inputs(kind)])
        one.prepare([], 0)
        empty = one.lap()
        one.prepare([0, 1], 500 if kind is PYTHON else 3)
        assert one.lap().wall_ns > empty.wall_ns


def test_a_side_that_is_not_running_stands_still(make, kind):
    project, tree = make(kind.sorts)
    with project.contestant(tree, 1, 20) as one:
        project.load(one, tree, 1)
        one.halt()
        one.proceed()
        one.keep([each.data for each in inputs(kind)])
        assert len(one.call([1])) == 1
        assert one.life.turns == 1
        assert one.life.idle < 2_000_000


@pytest.mark.parametrize("how", ["dies", "hangs"])
def test_a_target_that_ends_or_blocks_its_worker_is_misconduct_of_that_side(make, kind, how):
    project, tree = make(getattr(kind, how))
    for name in (REFERENCE, "candidate"):
        with project.contestant(tree, 1, 0.5, name) as one:
            project.load(one, tree, 1)
            one.keep([inputs(kind)[0].data])
            with pytest.raises(Misconduct) as caught:
                one.call([0])
        assert caught.value.name == name


@pytest.mark.parametrize("how", ["dies", "hangs"])
def test_a_reference_that_fails_on_its_own_inputs_is_a_fault_of_the_environment(make, kind, how):
    project, tree = make(getattr(kind, how))
    with pytest.raises(BaselineBroken, match=r"untouched target fails in the sandbox \(.*nothing can be judged"):
        ask_reference(Run(project, 1, 0.25), tree, inputs(kind))


def test_a_candidate_may_take_ten_times_what_the_reference_takes_for_all_inputs(make, kind):
    slow = kind.sorts.replace("return sorted", "__import__('time').sleep(1.2)\n    return sorted")
    project, tree = make(slow.replace("sort -n", "sleep 1.2; sort -n"))
    answers = ask_reference(Run(project, 1, 20), tree, inputs(kind))
    assert len(answers.outputs) == len(NUMBERS)
    assert 34 <= answers.patience_s < 120


def test_source_that_is_none_is_an_incorrect_candidate(make, kind):
    project, tree = make(kind.sorts)
    run = Run(project, 1, 20)
    expected = outputs(run, tree, inputs(kind))
    verdict = check_outputs(run, other(tree, kind, kind.broken), inputs(kind), expected, Evidence())
    assert isinstance(verdict, Incorrect)
    assert "does not" in verdict.reason


@pytest.mark.slow
def test_its_tests_pass_before_and_tell_a_wrong_tree(make, kind):
    project, tree = make(kind.sorts)
    suite = suite_of(project, tree)
    assert suite.reaching
    assert broken_test(project, tree, suite, suite.passing) is None
    assert broken_test(project, other(tree, kind, kind.wrong), suite, suite.passing) is not None


def test_it_can_say_how_many_inputs_a_pass_affords(make, kind):
    project, tree = make(kind.sorts)
    assert affordable(Race(project, tree, tree, inputs(kind), CORE, patience_s=20.0), 1) == inputs(kind)


def test_a_patch_of_nothing_or_of_another_file_is_out_of_scope(make, kind):
    project, tree = make(kind.sorts)
    path = project.target.path
    assert (tree.root / path).is_file()
    assert project.scope_fault(Patch(())) is not None
    assert project.scope_fault(Patch((Change("README", "a", "b"),))) is not None
    patch = Patch((Change(path, kind.sorts, kind.wrong),))
    assert project.scope_fault(patch) is None
    assert project.normal_form(patch) == project.normal_form(Patch((Change(path, kind.sorts, kind.wrong),)))


def test_the_target_reads_as_one_line_and_a_closed_contestant_leaves_no_process(make, kind):
    project, tree = make(kind.hangs)
    assert str(project.target).isprintable()
    assert ":" in str(project.target)
    with project.contestant(tree, 1, 0.3) as one:
        project.load(one, tree, 1)
        one.keep([inputs(kind)[0].data])
        with pytest.raises(Misconduct):
            one.call([0])
        assert running()
    assert not running()


def running() -> list[psutil.Process]:
    ours = psutil.Process().children(recursive=True)
    return [one for one in ours if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
