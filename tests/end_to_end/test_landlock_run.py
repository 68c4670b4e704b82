"""A whole run without namespaces: behind Landlock, when that is asked for and when bubblewrap is not there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from keeper_folders import scratch_left
from repositories import commit, git
from rungs import make_sandbox, open_to_all, shut_out
from small_project import SLOW, TESTS

pytestmark = [pytest.mark.slow, pytest.mark.sweep]
PYTHON = "/usr/bin/python3"  # root's code runs there as somebody else, who may not be able to reach ours


@pytest.fixture
def repo(tmp_path) -> Path:
    make_sandbox("landlock")
    if not Path(PYTHON).exists():
        pytest.skip("there is no system Python that everybody can reach")
    if shut_out(sys.prefix):
        pytest.skip("root's code runs as somebody else, who cannot reach our own packages here")
    open_to_all(tmp_path, *tmp_path.parents[:2])
    return commit(tmp_path / "repo", {"scores.py": SLOW, "tests/test_scores.py": TESTS})


def run(repo: Path, *words: str, path: str = os.environ["PATH"]) -> dict[str, object]:
    command = [sys.executable, "-P", "-m", "optagent", "run", str(repo), "--target", "score", "--python", PYTHON]
    env = {**os.environ, "PATH": path, "OPENAI_API_KEY": "sk-PLANTED"}
    state = ("--state", str(repo.parent / "state"), "--json")
    done = subprocess.run([*command, *state, *words], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout))


def test_a_gain_is_confirmed_behind_landlock_and_nothing_is_left(repo):
    said = run(repo, "--sandbox", "landlock")
    assert (said["outcome"], said["sandbox"]) == ("faster", "landlock")
    assert git(repo, "status", "--porcelain") == b""
    assert scratch_left() == set()


def test_without_bubblewrap_the_run_says_what_it_ran_behind_and_why(repo, tmp_path):
    folder = tmp_path / "programs"
    folder.mkdir()
    for program in Path("/usr/bin").iterdir():
        if program.name != "bwrap":
            (folder / program.name).symlink_to(program)
    said = run(repo, path=str(folder))
    assert (said["outcome"], said["sandbox"]) == ("faster", "landlock")
    assert any("`landlock`, which keeps less apart: the sandbox needs bwrap" in one for one in said["warnings"])
