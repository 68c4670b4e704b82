"""The user's tree is bit-identical before and after a run, and changes by `apply` only."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from repositories import everything, git
from small_project import SLOW, small_project

pytestmark = pytest.mark.slow


@pytest.fixture
def repo(tmp_path):
    """A repository with a stash, staged, unstaged and untracked changes, an ignored file and a link."""
    folder = small_project(tmp_path / "repo")
    git(folder, "init", "-q")
    (folder / ".gitignore").write_text("ignored.txt\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    (folder / "stashed.txt").write_text("for later")
    git(folder, "add", "stashed.txt")
    git(folder, "stash")
    (folder / "staged.txt").write_text("staged")
    git(folder, "add", "staged.txt")
    (folder / "staged.txt").write_text("staged, then changed")
    (folder / "untracked.txt").write_text("untracked")
    (folder / "ignored.txt").write_text("ignored")
    (folder / "link").symlink_to("scores.py")
    (folder / "scores.py").write_text(SLOW + "\nUNCOMMITTED = True\n")
    return folder


def optagent(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "optagent", *map(str, words)], capture_output=True, text=True)


def test_a_run_leaves_every_bit_where_it_was(repo, tmp_path):
    before = everything(repo)
    done = optagent("run", repo, "--target", "score", "--state", tmp_path / "state")
    assert done.returncode == 0, done.stderr
    assert everything(repo) == before
    status = git(repo, "status", "--porcelain"), git(repo, "stash", "list"), git(repo, "config", "--list", "--local")
    assert b"AM staged.txt" in status[0]
    assert b"stash@{0}" in status[1]


def test_the_patch_is_applied_to_the_uncommitted_text_and_then_refuses_a_second_time(repo, tmp_path):
    state = ("--state", tmp_path / "state")
    assert optagent("run", repo, "--target", "score", *state).returncode == 0
    before = everything(repo)
    applied = optagent("apply", repo, *state)
    assert applied.returncode == 0, applied.stderr
    changed = {name for name, facts in everything(repo).items() if before.get(name, (None,) * 4)[3] != facts[3]}
    assert changed == {"scores.py"}
    assert "UNCOMMITTED = True" in (repo / "scores.py").read_text()
    again = optagent("apply", repo, *state)
    assert again.returncode == 2
    assert "scores.py" in again.stderr


def test_apply_refuses_when_the_target_has_changed_since(repo, tmp_path):
    state = ("--state", tmp_path / "state")
    assert optagent("run", repo, "--target", "score", *state).returncode == 0
    (repo / "scores.py").write_text((repo / "scores.py").read_text() + "# a new line\n")
    before = everything(repo)
    assert optagent("apply", repo, *state).returncode == 2
    assert everything(repo) == before


def test_the_diff_shown_is_one_that_git_applies(repo, tmp_path):
    state = ("--state", tmp_path / "state")
    done = optagent("run", repo, "--target", "score", *state)
    shown = done.stdout[done.stdout.index("diff --git") :]
    diff = re.split(r"\n\n(?=run |warning: )", shown)[0] + "\n"
    subprocess.run(["git", "apply", "--check", "-"], cwd=repo, input=diff, text=True, check=True)
