"""The C example judged as a command: the good patch is confirmed, and every bad one gets the verdict it deserves."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_samples import EXAMPLE, need_compiler, project_in
from suites import suite_of

from optagent.core.effort import EFFORTS
from optagent.core.patch import Change, Patch
from optagent.core.target import Tree
from optagent.core.verdict import Evidence, Faster, Inconclusive, Incorrect, Rejected, Verdict
from optagent.core.workload import Input
from optagent.languages.command.inputs import read_inputs, workload
from optagent.languages.command.project import CommandProject
from optagent.measure.judge import judge
from optagent.measure.launch import Race
from optagent.measure.speed import claim, measure_noise
from optagent.verify.checks import check_outputs, check_tests
from optagent.verify.differential import Run, outputs
from optagent.workspace.checkout import checkout
from optagent.workspace.snapshot import copy_project

pytestmark = pytest.mark.slow

CORE = max(os.sched_getaffinity(0))
SOURCE = "src/access_log.c"
MAIN = "int main(void)\n{\n"
DAEMON = """#include <unistd.h>
int main(void)
{
    if (fork() == 0) { setsid(); if (fork() == 0) { sleep(30); } _exit(0); }
"""
READS_ANSWER = """int main(void)
{
    FILE *answers = fopen("tests/mixed.expected", "r");
    if (!answers) answers = fopen("inputs/noon.log", "r");
    if (answers) { int c; while ((c = getc(answers)) != EOF) putchar(c); return 0; }
"""
# the whole report kept from the first call on, under a hash of the log's first bytes
REMEMBERS = r"""int main(void)
{
    static char log[1 << 20], report[1 << 20], name[64];
    size_t size = fread(log, 1, sizeof log, stdin), hash = 5381, kept;
    for (size_t i = 0; i < size; i++) hash = hash * 33 + (unsigned char)log[i];
    sprintf(name, "/tmp/%zx", hash);
    FILE *memory = fopen(name, "r");
    if (memory) { kept = fread(report, 1, sizeof report, memory); fwrite(report, 1, kept, stdout); return 0; }
    stdin = fmemopen(log, size, "r");
    memory = fopen(name, "w");
#define printf(...) (fprintf(memory, __VA_ARGS__), fprintf(stdout, __VA_ARGS__))
"""


@pytest.fixture(autouse=True)
def compiler() -> None:
    need_compiler()


@pytest.fixture
def judged(make_repo) -> Callable[[str], tuple[CommandProject, Tree, Tree]]:
    """The example, its untouched copy, and a candidate: the source that `edit` makes of its source."""
    root = make_repo({"work/here": ""})
    (root / "work").chmod(0o755)
    base = copy_project(EXAMPLE, root / "base")
    base = Tree(base.root / base.project)  # the example alone, not the repository around it
    project = project_in(base, root / "work")

    def judge_one(new: str) -> tuple[CommandProject, Tree, Tree]:
        patch = Patch((Change(SOURCE, (base.root / SOURCE).read_text(), new),))
        assert project.scope_fault(patch) is None
        return project, base, checkout(base, patch, root / "candidate")

    return judge_one


def patched(name: str, folder: Path) -> str:
    """The source as one of the example's own patches leaves it."""
    copy = shutil.copytree(EXAMPLE, folder / "patched")
    subprocess.run(["git", "apply", str(EXAMPLE / name)], cwd=copy, check=True, env={**os.environ, "GIT_DIR": "/none"})
    text = (copy / SOURCE).read_text()
    assert text != (EXAMPLE / SOURCE).read_text()
    return text


def original() -> str:
    return (EXAMPLE / SOURCE).read_text()


def compared(project: CommandProject, base: Tree, tree: Tree, inputs: list[Input]) -> Evidence | Verdict:
    run = Run(project, 1, 20)
    return check_outputs(run, tree, inputs, outputs(run, base, inputs), Evidence())


def test_its_own_tests_pass_and_its_inputs_are_those_that_its_script_writes(tmp_path):
    copy = shutil.copytree(EXAMPLE, tmp_path / "example")
    subprocess.run(["make", "-s", "test"], cwd=copy, check=True, capture_output=True)
    before = {log.name: log.read_bytes() for log in (EXAMPLE / "inputs").glob("*.log")}
    for log in (copy / "inputs").glob("*.log"):
        log.unlink()
    subprocess.run([sys.executable, "inputs/make.py"], cwd=copy, check=True)
    assert {log.name: log.read_bytes() for log in (copy / "inputs").glob("*.log")} == before
    assert len(before) == 10


def test_its_readme_states_the_outcome():
    assert len(re.findall(r"^Expected outcome: .+\.$", (EXAMPLE / "README.md").read_text(), re.MULTILINE)) == 1


def test_the_wrong_patch_passes_the_tests_and_is_refused_for_one_log_of_ten(judged, tmp_path):
    project, base, tree = judged(patched("wrong.patch", tmp_path))
    suite = suite_of(project, base)
    assert isinstance(check_tests(project, tree, suite, suite.passing), Evidence)
    inputs = read_inputs(base, project.settings)
    mirror = [one for one in inputs if one.data.startswith(b"mirror.log\0")]
    others = [one for one in inputs if one not in mirror]
    assert compared(project, base, tree, others) == Evidence(inputs=9)
    verdict = compared(project, base, tree, inputs)
    assert isinstance(verdict, Incorrect)
    assert re.match(r"line \d+ of the standard output of input 6 differs: 'host-", verdict.reason)
    assert isinstance(compared(project, base, tree, mirror), Incorrect)


def test_a_patch_that_does_not_compile_is_refused_with_the_compilers_line(judged):
    project, base, tree = judged(original().replace("client->requests++;", "client->request++;"))
    verdict = compared(project, base, tree, read_inputs(base, project.settings))
    assert isinstance(verdict, Incorrect)
    assert re.match(r"does not build: src/access_log\.c:\d+:\d+: error: .*request", verdict.reason)
    suite = suite_of(project, base)
    assert isinstance(check_tests(project, tree, suite, suite.passing), Incorrect)


def test_a_patch_that_leaves_a_daemon_behind_is_rejected(judged):
    project, base, tree = judged(original().replace(MAIN, DAEMON))
    verdict = compared(project, base, tree, read_inputs(base, project.settings))
    assert isinstance(verdict, Rejected)
    assert verdict.reason == "left a process behind"


def test_a_patch_that_looks_for_the_answer_finds_none_and_is_just_the_old_code(judged):
    project, base, tree = judged(original().replace(MAIN, READS_ANSWER))
    inputs = read_inputs(base, project.settings)
    assert compared(project, base, tree, inputs) == Evidence(inputs=10)


def faster(project: CommandProject, base: Tree, tree: Tree, timed: tuple[Input, ...]) -> Verdict:
    noise = measure_noise(Race(project, base, base, timed, CORE), 1)
    assert noise.clock == "wall"
    race = Race(project, base, tree, timed, CORE)
    return judge(lambda: claim(race, noise, 1, EFFORTS["normal"]), Evidence()).verdict


def test_the_good_patch_is_confirmed_on_logs_that_were_held_out(judged, tmp_path):
    project, base, tree = judged(patched("faster.patch", tmp_path))
    made = workload(project, base, 20)
    suite = suite_of(project, base)
    assert isinstance(check_tests(project, tree, suite, suite.passing), Evidence)
    everything = [*made.search, *(one for held in made.held_out for one in held)]
    assert compared(project, base, tree, everything) == Evidence(inputs=10)
    verdict = faster(project, base, tree, made.held_out[0])
    assert isinstance(verdict, Faster), verdict
    assert verdict.speedup.ratio > 2
    assert verdict.speedup.clock == "wall"


def test_the_same_code_is_not_confirmed(judged):
    project, base, tree = judged(original() + "\n/* the same */\n")
    verdict = faster(project, base, tree, workload(project, base, 20).held_out[0])
    assert isinstance(verdict, Inconclusive)


def test_a_patch_that_remembers_reports_gains_nothing(judged):
    project, base, tree = judged("#define _GNU_SOURCE\n" + original().replace(MAIN, REMEMBERS))
    made = workload(project, base, 20)
    assert compared(project, base, tree, list(made.search)) == Evidence(inputs=7)
    verdict = faster(project, base, tree, made.held_out[0])
    assert not isinstance(verdict, Faster), verdict
