"""Random programs: what is equal by construction is never told apart, and planted differences are found."""

from __future__ import annotations

import random
import sys

import pytest
import toolbox_path  # noqa: F401
from hypothesis import given
from hypothesis import strategies as st
from random_programs import arguments, program, rewritten
from rungs import make_sandbox

from optagent.core.target import Tree
from optagent.core.verdict import Evidence, Incorrect
from optagent.core.workload import Input
from optagent.languages.python import toolbox_folder
from optagent.languages.python.environment import interpreter
from optagent.languages.python.environment.home import PythonHome
from optagent.languages.python.faults import faults
from optagent.languages.python.project import PythonProject
from optagent.languages.python.targets.locate import locate
from optagent.verify.checks import check_outputs, check_varied
from optagent.verify.differential import Run, outputs
from optagent.verify.vary import MORE, NEAR, vary

# isort: split
from optagent_codec import pack, unpack
from optagent_encode import encode
from optagent_target import run_checked
from optagent_vary import varied

TESTED = 14
"""Calls that stand for those of a project's tests."""

MANY = 400
"""Calls that show whether two programs differ at all."""

SEEDS = range(150)
LEAST_FOUND = 0.98


def function_of(source):
    scope = {}
    exec(compile(source, "work.py", "exec"), scope)
    return scope["work"]


def left_by(function, data):
    """What one call leaves, in the canonical encoding that candidates are compared by."""
    call = unpack(data)
    return encode([*run_checked(function, call), *call])


def calls(seed, count):
    rng = random.Random(seed)
    return [pack(arguments(rng), {}, lambda module: False)[1] for _ in range(count)]


def workload(seed):
    """Calls as tests would make them, and as many near them as a claim compares."""
    tested = calls(seed, TESTED)
    return tested, [data for _, data in varied(tested, len(tested), seed, NEAR.most + MORE.most)]


def lines_reached(source, inputs):
    """Lines of the program that one of the inputs executes."""
    function, seen = function_of(source), set()

    def tracer(frame, event, arg):
        if frame.f_code is function.__code__:
            seen.add(frame.f_lineno)
        return tracer

    before = sys.gettrace()
    for data in inputs:
        args, _ = unpack(data)
        sys.settrace(tracer)
        try:
            function(*args)
        except ArithmeticError:
            pass
        finally:
            sys.settrace(before)
    return seen


@pytest.mark.slow
@given(st.integers(0, 10**9))
def test_a_program_that_is_equal_by_construction_leaves_the_same(seed):
    rng = random.Random(seed)
    source = program(rng)
    other = rewritten(source, rng)
    tested, near = workload(seed)
    first, second = function_of(source), function_of(other)
    for data in (*tested, *near):
        assert left_by(first, data) == left_by(second, data), (source, other, unpack(data))


def planted(seed, target):
    """A program and one with a fault on a line that its workload reaches, which some call of many shows; or None."""
    rng = random.Random(seed)
    source = program(rng)
    tested, near = workload(seed)
    lines = lines_reached(source, tested)
    chosen = [one for one in faults(source, target) if one.is_reached(lines)]
    many = calls(-seed - 1, MANY)
    function = function_of(source)
    for fault in rng.sample(chosen, min(4, len(chosen))):
        (change,) = fault.patch(source).changes
        faulty = function_of(change.new)
        if any(left_by(function, data) != left_by(faulty, data) for data in many):
            return source, change.new, tested, near
    return None


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    root = tmp_path_factory.mktemp("programs")
    (root / "work.py").write_text("def work(xs, n):\n    return 1\n")
    return locate(Tree(root), "work")


@pytest.mark.slow
def test_nearly_all_planted_differences_on_reached_paths_are_found(target):
    found, missed = 0, []
    for seed in SEEDS:
        pair = planted(seed, target)
        if pair is None:
            continue
        source, wrong, tested, near = pair
        old, new = function_of(source), function_of(wrong)
        if any(left_by(old, data) != left_by(new, data) for data in (*tested, *near)):
            found += 1
        else:
            missed.append(seed)
    assert found + len(missed) > 0.7 * len(SEEDS)
    assert found / (found + len(missed)) >= LEAST_FOUND, missed


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_the_referee_says_the_same_of_both_kinds_in_its_sandbox(seed, make_repo, ours, target):
    source, wrong, tested, _ = next(pair for k in range(9) if (pair := planted(9 * seed + k, target)) is not None)
    texts = {"old": source, "equal": rewritten(source, random.Random(seed)), "wrong": wrong}
    root = make_repo({f"{name}/work.py": text for name, text in texts.items()})
    trees = {name: Tree(root / name) for name in texts}
    for tree in trees.values():
        tree.root.chmod(0o755)
    box = make_sandbox("default")
    home = PythonHome(box, interpreter.probe(ours, "test", box), toolbox_folder.install(root / "toolbox"))
    run = Run(PythonProject(home, locate(trees["old"], "work")), 1, 10.0)
    inputs = [Input(data, "test") for data in dict.fromkeys(tested)]
    near = vary(run, trees["old"], inputs, [], seed, MORE)
    expected = outputs(run, trees["old"], inputs), outputs(run, trees["old"], near)
    said = {}
    for name in ("equal", "wrong"):
        said[name] = check_outputs(run, trees[name], inputs, expected[0], Evidence())
        if isinstance(said[name], Evidence):
            said[name] = check_varied(run, trees[name], near, expected[1], said[name], len(inputs))
    assert said["equal"] == Evidence(inputs=len(inputs), varied=len(near))
    assert isinstance(said["wrong"], Incorrect)
