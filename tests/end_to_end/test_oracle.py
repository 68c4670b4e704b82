"""How much the evidence is worth: faults planted in the original code, through the program itself."""

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


def over(values, limit):
    found = 0
    for value in values:
        if value > limit:
            found += 1
        elif value == -limit:
            found -= 5
    return found
'''
PATCHED = CODE.replace("found = 0\n", "found: int = 0\n")
EASY = "[float(k) for k in range(300, 600, {step})], 9.5"
HARD = "[float(k % 40) - 20 for k in range(300 * {step})], 9.0"
TESTS = "from counting import over\n\n\ndef test_over():\n    for step in range(2, 9):\n        over({call})\n"


def judged(tmp_path: Path, call: str, new: str, *words: str) -> tuple[int, dict]:
    """What `verify` says of a patch, with a test suite that calls the target like that and checks nothing."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        if os.stat(folder).st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o755)
    tests = TESTS.replace("{call}", call.replace("{step}", "step"))
    repo = commit(tmp_path / "repo", {"counting.py": CODE, "tests/test_counting.py": tests})
    patch = tmp_path / "patch.diff"
    patch.write_text(edit_of("counting.py", CODE, new).diff())
    command = [
        sys.executable,
        "-P",
        "-m",
        "optagent",
        "verify",
        repo,
        "--target",
        "over",
        "--patch",
        patch,
        "--json",
        *words,
    ]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_inputs_that_never_come_near_a_bound_are_weak_evidence_and_the_report_says_what_they_miss(tmp_path):
    code, said = judged(tmp_path, EASY, CODE.replace("found -= 5", "found = found - 5"), "--min-oracle", "99")
    assert (code, said["outcome"]) == (7, "inconclusive")
    assert said["evidence"]["oracle_strength"]["value"] < 0.8
    missed = {one["words"] for one in said["evidence"]["survivors"]}
    assert "`value > limit` becomes `(value >= limit)`" in missed
    assert all("found -= 5" not in words for words in missed), "a line that no input reaches is not planted in"
    assert said["evidence"]["unexecuted_lines"] == [10]
    told = "\n".join(said["warnings"])
    for words in (
        "weak evidence: ",
        "planted faults are noticed",
        "in line 10: nothing was seen",
        "99 % are asked for",
    ):
        assert words in told
    assert "cannot tell" not in told, "the machine is blamed"


def test_a_patch_that_is_wrong_only_where_no_test_looks_is_found_out(tmp_path):
    """The tests never give an empty list; one near theirs is."""
    code, said = judged(tmp_path, HARD, CODE.replace("found = 0\n", "found = 0 if values else None\n"))
    assert (code, said["outcome"]) == (6, "incorrect")
    assert "an input of the tests, changed a little" in said["trials"][0]["reason"]
    assert "[[], " in said["failing_test"]


def test_inputs_on_both_sides_of_every_bound_notice_what_is_planted(tmp_path):
    code, said = judged(tmp_path, HARD, PATCHED)
    assert code in (0, 7)
    assert said["evidence"]["oracle_strength"]["value"] > 0.8
    assert not [one for one in said["warnings"] if one.startswith("weak evidence")]
