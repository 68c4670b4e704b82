"""A whole run in podman containers, when that is asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from keeper_folders import scratch_left
from repositories import commit, git
from rungs import make_sandbox
from small_project import SLOW, TESTS

pytestmark = [pytest.mark.slow, pytest.mark.sweep]


@pytest.fixture
def repo(tmp_path) -> Path:
    make_sandbox("container")
    return commit(tmp_path / "repo", {"scores.py": SLOW, "tests/test_scores.py": TESTS})


def test_a_gain_is_confirmed_in_containers_and_nothing_is_left(repo):
    command = [sys.executable, "-P", "-m", "optagent", "run", str(repo), "--target", "score", "--sandbox", "container"]
    env = {**os.environ, "OPENAI_API_KEY": "sk-PLANTED"}
    state = ("--state", str(repo.parent / "state"), "--json")
    done = subprocess.run([*command, *state], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    assert (said["outcome"], said["sandbox"]) == ("faster", "container")
    assert git(repo, "status", "--porcelain") == b""
    assert scratch_left() == set()
