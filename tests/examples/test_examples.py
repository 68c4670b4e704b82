"""Each example is a small project that stands on its own: its tests pass, and its README says what to expect."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted(path.parent for path in Path(__file__).parents[2].glob("examples/*/pyproject.toml"))
pytestmark = pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)


def python(example, *arguments):
    """Runs our interpreter in the example's folder and leaves nothing behind there."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *arguments], cwd=example, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_own_tests_pass(example):
    python(example, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error")


def test_its_readme_states_the_outcome_in_one_line_and_the_command(example):
    text = (example / "README.md").read_text()
    assert len(re.findall(r"^Expected outcome: .+\.$", text, re.MULTILINE)) == 1
    assert re.search(rf"^    optagent run examples/{example.name} --target \w+$", text, re.MULTILINE)


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
