"""Bad input gets one sentence and the right exit code, and nothing is written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rungs import OLD_PYTHON, has_old_python
from small_project import SLOW, TESTS, small_project


@pytest.fixture
def repo(tmp_path):
    return small_project(tmp_path / "repo")


def files_below(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


pytestmark = pytest.mark.slow


def refused(tmp_path: Path, *words: object, code: int) -> str:
    """Runs the verb, checks the code, that it said one sentence (and at most one hint), and that nothing is left."""
    state = tmp_path / "state"
    before = files_below(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "optagent", *map(str, words), "--state", state], capture_output=True, text=True
    )
    said = [line for line in done.stderr.splitlines() if not line.endswith("min left)")]
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert 1 <= len(said) <= 3, said
    assert files_below(tmp_path) == before
    return " ".join(said)


def test_a_missing_path(tmp_path):
    assert "no folder" in refused(tmp_path, "run", tmp_path / "nowhere", "--target", "f", code=2)


def test_no_such_function(repo, tmp_path):
    assert "'nothing_like_it'" in refused(tmp_path, "run", repo, "--target", "nothing_like_it", code=2)


def test_an_ambiguous_function_lists_the_candidates(repo, tmp_path):
    (repo / "more.py").write_text(
        "class A:\n    def score(self):\n        pass\n\nclass B:\n    def score(self):\n        pass\n"
    )
    (repo / "scores.py").write_text(SLOW.replace("def score", "def other_score"))
    said = refused(tmp_path, "run", repo, "--target", "score", code=2)
    assert "more.py::A.score" in said
    assert "more.py::B.score" in said


def test_a_syntax_error_in_the_target(repo, tmp_path):
    (repo / "scores.py").write_text(SLOW.replace("total = 0", "total = = 0"))
    assert "scores.py:12" in refused(tmp_path, "run", repo, "--target", "score", code=2)


def test_no_tests_and_no_workload(repo, tmp_path):
    (repo / "tests" / "test_scores.py").unlink()
    assert "--workload" in refused(tmp_path, "run", repo, "--target", "score", code=3)


def test_no_passing_test_that_reaches_the_target(repo, tmp_path):
    (repo / "tests" / "test_scores.py").write_text("def test_nothing():\n    assert True\n")
    said = refused(tmp_path, "run", repo, "--target", "score", code=3)
    assert "none of the 1 passing tests calls the target" in said


def test_tests_that_all_fail_before_any_change(repo, tmp_path):
    (repo / "tests" / "test_scores.py").write_text(TESTS.replace("assert score", "assert not score"))
    assert "fail" in refused(tmp_path, "run", repo, "--target", "score", code=3)


def test_tests_that_cannot_be_collected(repo, tmp_path):
    (repo / "tests" / "test_scores.py").write_text("import no_such_module_anywhere\n")
    assert "no_such_module_anywhere" in refused(tmp_path, "run", repo, "--target", "score", code=3)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"def make_inputs(:", b"x = 1\n"])
def test_an_unreadable_workload(repo, tmp_path, content):
    file = tmp_path / "workload.py"
    if content is not None:
        file.write_bytes(content)
    assert "workload" in refused(tmp_path, "run", repo, "--target", "score", "--workload", file, code=2)


@pytest.mark.parametrize(
    "content",
    [
        "raise ValueError('no')",
        "return 5",
        "return [(1, 2)]",
        "return []",
        "return [(lambda: 1, 5)]",
        "import os; os._exit(3)",
    ],
)
def test_a_workload_that_fails_or_gives_nothing_to_hold_out(repo, tmp_path, content):
    file = tmp_path / "workload.py"
    file.write_text(f"def make_inputs(size, rng):\n    {content}\n")
    refused(tmp_path, "run", repo, "--target", "score", "--workload", file, code=2)


def test_a_state_folder_that_is_read_only(repo, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    done = subprocess.run(
        [sys.executable, "-m", "optagent", "run", repo, "--target", "score", "--state", blocked / "state"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 5
    assert "--state" in done.stderr


@pytest.mark.skipif(not has_old_python(), reason="no Python 3.10 here")
def test_an_interpreter_older_than_3_11(repo, tmp_path):
    assert "3.10.13" in refused(tmp_path, "run", repo, "--target", "score", "--python", OLD_PYTHON, code=3)


def test_an_interpreter_that_is_no_python(repo, tmp_path):
    refused(tmp_path, "run", repo, "--target", "score", "--python", "/bin/true", code=3)
    refused(tmp_path, "run", repo, "--target", "score", "--python", tmp_path / "none", code=3)


def test_a_sandbox_that_does_not_exist(repo, tmp_path):
    refused(tmp_path, "run", repo, "--target", "score", "--sandbox", "jail", code=2)


@pytest.mark.parametrize(
    "flag", [("--speedup", "0.5"), ("--speedup", "nan"), ("--max-trials", "0"), ("--max-minutes", "-1")]
)
def test_a_number_that_means_nothing(repo, tmp_path, flag):
    refused(tmp_path, "run", repo, "--target", "score", *flag, code=2)


def test_where_bubblewrap_is_wanted_and_missing_the_remedy_is_named(repo, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("git", "prlimit", "setpriv"):
        (tools / name).symlink_to(Path("/usr/bin") / name)
    asked = ("run", repo, "--target", "score", "--state", tmp_path / "state", "--sandbox", "bwrap")
    done = subprocess.run(
        [sys.executable, "-m", "optagent", *asked],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": str(tools)},
    )
    assert done.returncode == 3
    assert "apt-get install bubblewrap" in done.stderr
    assert not (tmp_path / "state").exists()


def test_verbs_on_a_repository_without_runs(repo, tmp_path):
    for verb in ("resume", "show", "apply"):
        refused(tmp_path, verb, repo, code=2)


def test_a_run_that_does_not_exist(repo, tmp_path):
    refused(tmp_path, "show", repo, "no-such-run", code=2)


def test_an_unknown_option_is_a_usage_error(repo):
    done = subprocess.run(
        [sys.executable, "-m", "optagent", "run", repo, "--target", "score", "--no-such-flag"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "Error: No such option: --no-such-flag"


def test_a_fault_that_names_what_is_hostile_does_not_move_the_cursor(tmp_path):
    words = ["run", tmp_path / "no\x1b[2Jne\x9b\u202e", "--target", "f", "--state", tmp_path / "state"]
    done = subprocess.run([sys.executable, "-m", "optagent", *words], capture_output=True, text=True)
    assert done.returncode == 2
    assert "none" in done.stderr
    assert all(one.isprintable() or one == "\n" for one in done.stderr)


@pytest.mark.parametrize("verb", ["show", "apply", "resume", "replay"])
def test_with_json_every_verb_tells_a_fault_as_a_document(repo, tmp_path, verb):
    done = subprocess.run(
        [sys.executable, "-m", "optagent", verb, repo, "--state", tmp_path / "state", "--json"],
        capture_output=True, text=True,
    )  # fmt: skip
    document = json.loads(done.stdout)
    assert (done.returncode, document["verb"], document["outcome"]) == (2, verb, "failed")
    assert document["error"]["message"] == f"there are no runs of {repo} yet"
    assert done.stderr == ""


def test_the_runs_of_a_folder_that_is_not_there_are_not_an_empty_list(tmp_path):
    assert "no folder" in refused(tmp_path, "runs", tmp_path / "nowhere", code=2)


def test_with_json_a_fault_is_a_document_on_stdout(repo, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "optagent", "run", repo, "--target", "none", "--state", tmp_path / "state", "--json"],
        capture_output=True, text=True,
    )  # fmt: skip
    document = json.loads(done.stdout)
    assert done.returncode == 2
    assert document["outcome"] == "failed"
    assert document["error"]["slug"] == "target-not-found"
    assert document["schema"] == 1
