"""Each example is a small project that stands on its own: its tests pass, and its README says what to expect."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(path.parent for path in FOLDER.glob("*/pyproject.toml"))
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
PATCHES = [path / name for path in EXAMPLES for name in ("faster.patch", "wrong.patch") if (path / name).exists()]


def python(example, *arguments):
    """Runs our interpreter in the example's folder and leaves nothing behind there."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run([sys.executable, *arguments], cwd=example, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@each_example
def test_its_own_tests_pass(example):
    python(example, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error")


def test_the_list_of_examples_names_each_of_them():
    listed = re.findall(r"^- \[(\w+)\]\((\w+)/README\.md\): .+\.$", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert all(name == folder for name, folder in listed)
    assert sorted(name for name, _ in listed) == sorted(path.parent.name for path in FOLDER.glob("*/README.md"))


@each_example
def test_its_readme_states_the_outcome_in_one_line_and_the_command(example):
    text = (example / "README.md").read_text()
    assert len(re.findall(r"^Expected outcome: .+\.$", text, re.MULTILINE)) == 1
    assert re.search(rf"^    optagent run examples/{example.name} --target \w+$", text, re.MULTILINE)


@each_example
def test_its_workload_makes_calls_that_its_target_takes(example):
    target = re.search(r"--target (\w+)", (example / "README.md").read_text()).group(1)
    (package,) = (path.parent.name for path in example.glob("*/__init__.py"))
    code = (
        "import random, workload\n"
        f"from {package} import {target} as target\n"
        "calls = workload.make_inputs(4, random.Random(1))\n"
        "assert calls == workload.make_inputs(4, random.Random(1)) != workload.make_inputs(4, random.Random(2))\n"
        "for call in calls: target(*call)\n"
        "assert workload.SIZE > 0\n"
    )
    python(example, "-c", code)


@pytest.fixture
def outcome_of(tmp_path):
    """Runs optagent on a copy of an example and the target of its README: its exit code and its JSON document."""

    def run(name, verb="run", *options):
        example = next(path for path in EXAMPLES if path.name == name)
        target = re.search(r"--target (\w+)", (example / "README.md").read_text()).group(1)
        copy = shutil.copytree(example, tmp_path / name)
        command = [sys.executable, "-m", "optagent", verb, str(copy), "--target", target, *options, "--json"]
        done = subprocess.run([*command, "--state", str(tmp_path / "state")], capture_output=True, text=True)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    return run


RIGHT_FOR_PIXELS = FOLDER / "image_extrema" / "faster.patch"
"""It stops at the first row after which both 0 and 255 were seen."""


def test_checkpoint_serialise_becomes_at_least_five_times_faster(outcome_of):
    code, result = outcome_of("checkpoint_serialise")
    assert (code, result["outcome"]) == (0, "faster")
    assert result["speedup"]["ratio"] >= 5  # the low end may dip under it on a busy machine
    assert "join" in result["patch"]


def test_channel_scaling_ends_without_a_claim(outcome_of):
    code, result = outcome_of("channel_scaling")
    assert code == 1
    assert result["outcome"] in ("nothing_found", "inconclusive")
    assert not result["patch"]


@pytest.mark.sweep
def test_expert_placement_becomes_at_least_three_times_faster(outcome_of):
    code, result = outcome_of("expert_placement")
    assert (code, result["outcome"]) == (0, "faster")
    assert result["speedup"]["ratio"] >= 3
    assert "heapq" in result["patch"]


@pytest.mark.sweep
@pytest.mark.parametrize("patch", PATCHES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_its_faster_patch_is_confirmed_and_its_wrong_one_refused(outcome_of, patch):
    options = ["--scope", "module", "--patch", str(patch)]
    if patch == RIGHT_FOR_PIXELS:
        options += ["--workload", str(patch.parent / "workload.py")]
    code, result = outcome_of(patch.parent.name, "verify", *options)
    assert (code, result["outcome"]) == ((0, "faster") if patch.stem == "faster" else (6, "incorrect"))


@pytest.mark.sweep
def test_a_patch_that_is_right_for_pixels_only_needs_a_workload_file_that_says_so(outcome_of):
    options = ["--scope", "module", "--patch", str(RIGHT_FOR_PIXELS)]
    code, result = outcome_of("image_extrema", "verify", *options)
    assert (code, result["outcome"]) == (7, "inconclusive")
    assert "on calls that no test shows" in result["trials"][0]["reason"]
    assert result["evidence"]["beyond"]["odd"] is False
