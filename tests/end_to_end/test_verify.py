"""A patch that somebody else wrote, judged through the program itself: exit codes, documents, the C example."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from repositories import commit, git
from rungs import make_sandbox
from small_project import FAST, SLOW, TESTS, body, edit_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SLEEPY = body(
    "import time\n\nkept = []\nfor value in values:\n    if value < limit and value not in kept:\n        kept.append(value)\n"
    "busy = sum(range(2 * len(values) ** 2))\ntotal = busy - busy\nfor value in kept:\n    total += value * value\nreturn total"
)
RENAMED = SLOW.replace("kept", "unique")
WRONG = FAST.replace("return sum(", "return (len(values) > 420) + sum(")


def optagent(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "optagent", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env={**os.environ, "NO_COLOR": "1"})


@pytest.fixture
def repo(tmp_path) -> Path:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        if os.stat(folder).st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o755)
    return commit(tmp_path / "repo", {"scores.py": SLOW, "tests/test_scores.py": TESTS})


def verify(repo: Path, new: str, *words: object) -> tuple[int, dict]:
    patch = repo.parent / "patch.diff"
    patch.write_text(edit_of("scores.py", SLOW, new).diff())
    done = optagent("verify", repo, "--target", "score", "--patch", patch, "--json", *words)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_patch_that_is_faster_and_the_same_passes(repo):
    code, said = verify(repo, FAST)
    assert (code, said["outcome"]) == (0, "faster")
    assert said["speedup"]["low"] > 1.0
    assert said["verb"] == "verify"
    assert "-    kept = []" in said["patch"]
    assert said["evidence"]["held_out"] > 0


def test_the_seconds_of_a_judgement_are_no_more_than_it_took(repo):
    began = time.monotonic()
    _, said = verify(repo, FAST)
    assert 0 < said["cost"]["seconds"] < time.monotonic() - began


def test_a_patch_that_changes_a_result_on_one_input_is_a_regression_with_a_test_to_paste(repo):
    code, said = verify(repo, WRONG)
    assert (code, said["outcome"]) == (6, "incorrect")
    assert said["evidence"]["first_difference"]["input"] > 0
    (repo / "test_pasted.py").write_text(said["failing_test"])
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_pasted.py"]
    assert subprocess.run(run, cwd=repo, capture_output=True, check=False).returncode == 0
    (repo / "scores.py").write_text(WRONG)
    assert subprocess.run(run, cwd=repo, capture_output=True, check=False).returncode == 1


def test_a_patch_that_is_slower_is_a_regression(repo):
    code, said = verify(repo, SLEEPY)
    assert (code, said["outcome"]) == (6, "slower")
    assert said["speedup"]["high"] < 1.0


def test_a_patch_that_does_the_same_in_the_same_time_passes_or_cannot_be_told_apart(repo):
    code, said = verify(repo, RENAMED)
    assert (code, said["outcome"]) in ((0, "equivalent"), (7, "inconclusive"))
    assert said["speedup"]["low"] < 1.05
    assert said["speedup"]["high"] > 0.95


def test_what_is_done_to_the_tests_is_out_of_scope(repo):
    patch = repo.parent / "patch.diff"
    patch.write_text(edit_of("tests/test_scores.py", TESTS, TESTS + "\n").diff())
    done = optagent("verify", repo, "--target", "score", "--patch", patch)
    assert done.returncode == 6
    assert "rejected: out of scope" in done.stdout


def test_a_revision_is_judged_as_what_changes_from_head_to_it(repo):
    (repo / "scores.py").write_text(FAST)
    git(repo, "commit", "-qam", "faster")
    git(repo, "branch", "fast")
    git(repo, "reset", "-q", "--hard", "HEAD~1")
    before = (repo / "scores.py").read_bytes()
    done = optagent("verify", repo, "--target", "score", "--ref", "fast")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "scores:score: faster" in done.stdout
    assert (repo / "scores.py").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "there has to be one patch"),
        (("--patch", "nowhere.diff"), "cannot be read"),
        (("--ref", "no-such-branch"), "is no revision"),
        (("--patch", "bad.diff"), "the patch does not fit"),
    ],
)
def test_what_is_no_patch_is_told_in_one_sentence(repo, words, said):
    (repo.parent / "bad.diff").write_text(edit_of("scores.py", "a\nb\n", "a\nc\n").diff())
    done = optagent("verify", repo, "--target", "score", *words, cwd=repo.parent)
    assert done.returncode == 2
    assert said in done.stderr
    assert not done.stdout


@pytest.mark.parametrize(("patch", "code", "outcome"), [("faster", 0, "faster"), ("wrong", 6, "incorrect")])
def test_the_c_example_is_judged_as_its_readme_says(tmp_path, patch, code, outcome):
    if not (shutil.which("cc") and shutil.which("make")):
        pytest.skip("needs a C compiler and make")
    make_sandbox("bwrap")  # commands run behind no other rung yet
    example = ROOT / "examples" / "c_access_log"
    done = optagent("verify", example, "--patch", example / f"{patch}.patch", "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["outcome"]) == (code, outcome)
