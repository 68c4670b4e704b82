"""A run whose settings all come from the project's file, and the verbs that find it again."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from rungs import make_sandbox
from small_project import small_project

SETTINGS = """[tool.optagent]
target = "score"
max_trials = 1
speedup = 1.01
state = ".optagent"
"""


@pytest.mark.slow
def test_a_run_takes_its_settings_from_the_project_and_later_verbs_find_its_record(tmp_path):
    make_sandbox("bwrap")  # the state folder lies inside the project: a known gap of `landlock`
    repo = small_project(tmp_path / "repo")
    (repo / "pyproject.toml").write_text(SETTINGS)
    env = {name: value for name, value in os.environ.items() if not name.startswith("OPTAGENT_")}

    def optagent(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "optagent", *map(str, words)]
        return subprocess.run(command, env=env, capture_output=True, text=True)

    done = optagent("run", repo, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["outcome"], len(result["trials"])) == ("faster", 1)
    assert result["run"] in optagent("runs", repo).stdout
    assert optagent("apply", repo).stdout.endswith("scores.py\n")
    assert sorted(path.name for path in repo.iterdir()) == [".optagent", "pyproject.toml", "scores.py", "tests"]
