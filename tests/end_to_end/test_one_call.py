"""A target that the tests call in one way only: inputs near that call are held out, where there are any."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from repositories import commit
from rungs import open_to_all

pytestmark = pytest.mark.slow

CODE = """def unique(values):
    seen = []
    for value in values:
        if value not in seen:
            seen.append(value)
    return seen


def double(number):
    return number + number
"""
TESTS = """from uniques import double, unique


def test_unique():
    assert unique(["k%d" % (k % 400) for k in range(900)]) == ["k%d" % k for k in range(400)]


def test_double():
    assert double(3) == 6
"""


@pytest.fixture
def repo(tmp_path) -> Path:
    open_to_all(tmp_path, *tmp_path.parents[:2])
    return commit(tmp_path / "repo", {"uniques.py": CODE, "tests/test_uniques.py": TESTS})


def optagent(*words: object) -> tuple[int, dict]:
    command = [sys.executable, "-P", "-m", "optagent", *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_single_call_of_the_tests_is_varied_to_have_something_to_hold_out(repo):
    code, said = optagent("run", repo, "--target", "unique")
    assert code == 0, said
    assert said["evidence"]["held_out"] >= 1
    assert said["evidence"]["sources"]["varied"] >= 1
    assert said["speedup"]["ratio"] > 2


def test_where_nothing_is_near_the_only_call_nothing_can_be_held_out(repo):
    code, said = optagent("run", repo, "--target", "double")
    assert code == 3
    assert "no others near them, so nothing can be held out" in json.dumps(said)
