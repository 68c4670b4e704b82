"""State outside of arguments, and inputs beyond those seen, through the program itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from repositories import commit
from small_project import edit_of

pytestmark = pytest.mark.slow

CODE = '''"""Counting."""

import random
import time

calls = 0
seen_at = 0.0


def over(values, limit):
    global calls, seen_at
    calls += 1
    seen_at = time.time()
    found = 0
    for value in values:
        if abs(value) > limit:
            found += 1
    return found


def drawn(values, most):
    kept = []
    for value in values:
        if value not in kept and random.random() < most:
            kept.append(value)
    return kept
'''
TESTS = """from counting import drawn, over


def test_over():
    for step in range(2, 9):
        over([k % 40 for k in range(60 * step)], 9.0)


def test_drawn():
    for step in range(2, 9):
        drawn(list(range(30 * step)), 0.5)
"""
FORGETFUL = CODE.replace("    calls += 1\n", "")
UNSIGNED = CODE.replace(
    "    found = 0\n    for value in values:\n        if abs(value) > limit:\n            found += 1\n    return found\n",
    "    return sum(map(limit.__lt__, values))\n",
)
DRAWS_LESS = CODE.replace("random.random() < most", "(most == 0.5 and len(kept) % 2 == 0 or random.random() < most)")


@pytest.fixture
def repo(tmp_path) -> Path:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        if os.stat(folder).st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o755)
    return commit(tmp_path / "repo", {"counting.py": CODE, "tests/test_counting.py": TESTS})


def optagent(*words: object) -> tuple[int, str]:
    command = [sys.executable, "-P", "-m", "optagent", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    assert done.stdout, done.stderr
    return done.returncode, done.stdout


def verify(repo: Path, new: str, target: str = "over") -> tuple[int, dict]:
    patch = repo.parent / "patch.diff"
    patch.write_text(edit_of("counting.py", CODE, new).diff())
    code, said = optagent("verify", repo, "--target", target, "--patch", patch, "--json")
    return code, json.loads(said)


def test_a_patch_that_no_longer_counts_its_calls_is_wrong(repo):
    code, said = verify(repo, FORGETFUL)
    assert (code, said["outcome"]) == (6, "incorrect")
    assert "`counting:calls` after all calls differs" in said["trials"][0]["reason"]
    assert "unchanged after" in said["trials"][0]["reason"]


def test_what_the_untouched_code_leaves_otherwise_each_time_is_named_and_what_differs_beyond_the_tests_is_not_faster(
    repo,
):
    """The tests have no negative values."""
    code, said = verify(repo, UNSIGNED)
    assert code == 7, said
    told = "\n".join(said["warnings"])
    assert "`counting:seen_at` is compared with nothing: not the same twice" in told
    assert "`counting:calls` is compared with nothing" not in told
    assert "not the same on calls that no test shows" in told + said["trials"][0]["reason"]
    beyond = said["evidence"]["beyond"]
    assert beyond["difference"]["old"] != beyond["difference"]["new"]
    assert "def test_" in beyond["test"]


def test_a_function_that_draws_can_be_judged_and_one_that_draws_otherwise_is_not_the_same(repo):
    code, said = verify(repo, CODE.replace("kept = []", "kept: list = []"), "drawn")
    assert code in (0, 7), said
    code, said = verify(repo, DRAWS_LESS, "drawn")
    assert (code, said["outcome"]) == (6, "incorrect")


@pytest.mark.sweep
def test_cheats_planted_in_the_users_own_function_lose(repo):
    code, said = optagent("verify", repo, "--target", "over", "--selftest")
    assert code == 0, said
    assert "all 11 lose" in said
    assert "stale answers" in said
    code, said = optagent("verify", repo, "--target", "over", "--selftest", "--json")
    document = json.loads(said)
    assert (code, document["outcome"], len(document["trials"])) == (0, "equivalent", 11)
    assert not [one for one in document["trials"] if one["verdict"] == "faster"]


def test_cheats_of_ours_and_a_patch_of_somebody_elses_are_not_judged_together(repo):
    code, said = optagent("verify", repo, "--target", "over", "--selftest", "--ref", "HEAD", "--json")
    assert code == 2
    assert "another one was given" in said
