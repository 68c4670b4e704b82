"""Two revisions or two files judged through the program itself: outcomes, documents, exit codes, the record."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from repositories import commit, everything, git, write
from small_project import FAST, SLOW, TESTS, body

pytestmark = pytest.mark.slow

SLEEPY = body(
    "kept = []\nfor value in values:\n    if value < limit and value not in kept:\n        kept.append(value)\n"
    "busy = sum(range(2 * len(values) ** 2))\ntotal = busy - busy\nfor value in kept:\n    total += value * value\nreturn total"
)
WRONG = FAST.replace("return sum(", "return (len(values) > 420) + sum(")
RAISES = FAST.replace("return sum(", "return sum(1 // (len(values) != 430) * ")
PIECES = '''"""Lines of text."""


def lines(values):
    text = ""
    for value in values:
        text += str(value) + "\\n"
    return text


def unreached(values):
    return values


def toy():
    return 1
'''
PIECES_TESTS = """import pytest

from pieces import lines, toy


@pytest.mark.parametrize("n", range(100, 400, 20))
def test_lines(n):
    assert lines(list(range(n))).count("\\n") == n


def test_toy():
    assert toy() == 1
"""
WORKLOAD = """def make_inputs(size, rng):
    return [([rng.randrange(99 * size) for _ in range(20 * size)], 90 * size) for _ in range(8)]
"""


def optagent(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "optagent", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})


@pytest.fixture
def repo(tmp_path) -> Path:
    files = {
        "scores.py": SLOW,
        "tests/test_scores.py": TESTS,
        "pieces.py": PIECES,
        "tests/test_pieces.py": PIECES_TESTS,
    }
    return commit(tmp_path / "repo", files)


def second(repo: Path, files: dict[str, str]) -> Path:
    write(repo, files)
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "second")
    return repo


def compare(repo: Path, *words: object) -> tuple[int, dict]:
    done = optagent("compare", repo, "--base", "HEAD~1", "--head", "HEAD", "--json", *words)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_faster_revision_passes_and_the_users_folder_is_untouched(repo):
    second(repo, {"scores.py": FAST, "tests/test_scores.py": TESTS.replace("== 5", "== 6")})
    write(repo, {"scores.py": "uncommitted("})
    before = everything(repo)
    code, said = compare(repo)
    assert (code, said["outcome"], said["target"]) == (0, "faster", "scores:score")
    assert said["speedup"]["low"] > 1.0
    assert said["evidence"]["tests"] == 32
    assert said["evidence"]["held_out"] > 0
    assert "-    kept = []" in said["patch"]
    assert said["trials"][0]["idea"].startswith("HEAD~1 (")
    notes = " ".join(said["warnings"])
    assert "1 uncommitted change is part of neither side (first: scores.py)" in notes
    assert "both sides are judged by those of the base" in notes
    assert everything(repo) == before


def test_a_slower_revision_is_a_regression_and_is_shown_again(repo):
    second(repo, {"scores.py": SLEEPY})
    done = optagent("compare", repo, "--base", "HEAD~1", "--head", "HEAD", "--target", "score")
    assert done.returncode == 6, done.stdout + done.stderr
    assert "scores:score: slower" in done.stdout
    assert "scores:score slower" in optagent("runs", repo).stdout.replace("  ", " ")
    shown = optagent("show", repo).stdout
    assert "scores:score: slower" in shown
    assert "apply it with" not in shown


def test_a_revision_that_does_the_same_in_the_same_time_passes_or_cannot_be_told_apart(repo):
    second(repo, {"scores.py": SLOW.replace("kept", "unique")})
    code, said = compare(repo, "--max-slowdown", "50%")
    assert (code, said["outcome"]) in ((0, "equivalent"), (7, "inconclusive"))
    assert said["speedup"]["low"] < 1.05


@pytest.mark.parametrize(
    ("new", "said"), [(WRONG, "before, "), pytest.param(RAISES, "ZeroDivisionError", marks=pytest.mark.sweep)]
)
def test_another_result_or_a_new_exception_is_a_regression(repo, new, said):
    second(repo, {"scores.py": new, "tests/test_scores.py": TESTS.replace(">= 0", "== score(values, limit)")})
    code, found = compare(repo)
    assert (code, found["outcome"]) == (6, "incorrect")
    assert said in found["trials"][0]["reason"]


def test_several_functions_give_a_result_each_and_the_worst_decides(repo):
    pieces = PIECES.replace("return values", "return [*values]").replace("return 1", "return +1")
    pieces = pieces.replace("return text\n", 'return text.replace("9", "8", len(values) // 380)\n')
    second(repo, {"scores.py": FAST, "pieces.py": pieces + "\n\ndef late():\n    return 1\n"})
    code, said = compare(repo)
    assert (code, said["outcome"]) == (6, "incorrect")
    outcomes = {one["target"]: one["outcome"] for one in said["results"]}
    assert outcomes == {"pieces:lines": "incorrect", "pieces:toy": "cannot_compare", "scores:score": "faster"}
    assert said["warnings"] == [
        "not judged, no passing test reaches it: pieces:unreached",
        "not judged, new: pieces:late",
    ]


def test_what_no_test_reaches_is_told_and_nothing_is_left(repo, tmp_path):
    second(repo, {"pieces.py": PIECES.replace("return values", "return [*values]")})
    done = optagent("compare", repo, "--base", "HEAD~1", "--head", "HEAD", "--state", tmp_path / "state")
    assert done.returncode == 3
    assert "no passing test of the base reaches a function that changed (pieces:unreached)" in done.stderr
    assert not list((tmp_path / "state").rglob("runs/*"))


def test_a_base_whose_tests_fail_judges_nothing(repo):
    git(repo, "rm", "-q", "tests/test_pieces.py")
    write(repo, {"tests/test_scores.py": TESTS.replace("assert score", "assert None is score")})
    second(repo, {})
    second(repo, {"scores.py": FAST, "tests/test_scores.py": TESTS})
    done = optagent("compare", repo, "--base", "HEAD~1", "--head", "HEAD")
    assert done.returncode == 3
    assert "no test of the base passes (16 fail" in done.stderr


@pytest.mark.sweep
def test_a_package_that_moves_into_src_is_followed(tmp_path):
    tests = TESTS.replace("from scores", "from pkg.scores")
    repo = commit(tmp_path / "repo", {"pkg/__init__.py": "", "pkg/scores.py": SLOW, "tests/test_scores.py": tests,
                                       "conftest.py": ""})  # fmt: skip
    (repo / "src").mkdir()
    git(repo, "mv", "pkg", "src/pkg")
    second(repo, {"src/pkg/scores.py": FAST})
    code, said = compare(repo)
    assert (code, said["outcome"], said["target"]) == (0, "faster", "pkg.scores:score"), said


@pytest.mark.sweep
def test_a_src_layout_is_compared(tmp_path):
    tests = TESTS.replace("from scores", "from pkg.scores")
    files = {"src/pkg/__init__.py": "", "src/pkg/scores.py": SLOW, "tests/test_scores.py": tests}
    config = '[tool.pytest.ini_options]\npythonpath = ["src"]\n'
    repo = commit(tmp_path / "repo", {**files, "pyproject.toml": config})
    second(repo, {"src/pkg/scores.py": FAST, "pyproject.toml": "broken ["})
    code, said = compare(repo, "--target", "score")
    assert (code, said["outcome"], said["target"]) == (0, "faster", "pkg.scores:score"), said


def files(tmp_path: Path, new: str, *words: object, old: str = SLOW) -> tuple[int, dict]:
    write(tmp_path, {"old.py": old, "new.py": new, "w.py": WORKLOAD})
    one, other, workload = (tmp_path / name for name in ("old.py", "new.py", "w.py"))
    done = optagent("compare", one, other, "--target", "score", "--workload", workload, "--json", *words)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_two_files_are_compared_on_a_workload(tmp_path):
    code, said = files(tmp_path, FAST)
    assert (code, said["outcome"], said["target"]) == (0, "faster", "old:score")
    assert said["evidence"]["tests"] == 0


@pytest.mark.sweep
def test_a_file_that_crashes_or_hangs_on_one_side_is_a_regression(tmp_path):
    for new, said in ((body("raise OSError(3)"), "OSError"), (body("while True:\n    pass"), "no answer after")):
        code, found = files(tmp_path, new)
        assert (code, found["outcome"]) == (6, "incorrect")
        assert said in found["trials"][0]["reason"]


@pytest.mark.parametrize(
    ("old", "said"),
    [
        ("import no_such_module\n" + SLOW, "the untouched target does not import"),
        ("import sys\nsys.exit('no')\n" + SLOW, "the untouched target does not import"),
        (body("import os\nos._exit(3)"), "the untouched target fails when called"),
    ],
)
def test_an_old_file_that_cannot_be_called_judges_nothing(tmp_path, old, said):
    code, found = files(tmp_path, FAST, old=old)
    assert (code, found["outcome"]) == (3, "baseline_broken")
    assert said in found["error"]["message"]


def test_an_old_file_that_raises_on_every_input_differs_from_one_that_does_not(tmp_path):
    code, found = files(tmp_path, FAST, old=body("raise OSError(3)"))
    assert (code, found["outcome"]) == (6, "incorrect")
    assert "raised builtins.OSError: 3 before, returned" in found["trials"][0]["reason"]


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("old", "workload", "code", "said"),
    [
        (SLOW, "while True:\n        size += 1", 2, "the workload file fails: no answer after"),
        (
            body("while True:\n    pass"),
            "return [([1], size), ([2], size)]",
            3,
            "the untouched target fails when called",
        ),
    ],
)
def test_what_never_returns_before_anything_is_judged_is_told_in_the_end(tmp_path, old, workload, code, said):
    write(tmp_path, {"old.py": old, "new.py": FAST, "w.py": f"def make_inputs(size, rng):\n    {workload}\n"})
    one, other, workload = (tmp_path / name for name in ("old.py", "new.py", "w.py"))
    done = optagent("compare", one, other, "--target", "score", "--workload", workload)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert said in done.stderr


@pytest.mark.sweep
def test_a_file_of_a_package_is_exchanged_in_its_package(tmp_path):
    write(tmp_path, {"pkg/__init__.py": "", "pkg/_limit.py": "MOST = 3\n", "w.py": WORKLOAD})
    write(tmp_path, {"pkg/scores.py": SLOW.replace("import random", "import random\nfrom pkg._limit import MOST")})
    write(tmp_path, {"fast.py": FAST.replace("import random", "import random\nfrom ._limit import MOST")})
    words = ("--target", "score", "--workload", tmp_path / "w.py", "--json")
    done = optagent("compare", tmp_path / "pkg" / "scores.py", tmp_path / "fast.py", *words)
    said = json.loads(done.stdout)
    assert (done.returncode, said["outcome"], said["target"]) == (0, "faster", "pkg.scores:score"), said
    assert "the rest of the package pkg is the one around scores.py on both sides" in said["warnings"]


@pytest.mark.sweep
def test_the_same_exception_on_both_sides_is_the_same(tmp_path):
    raising = body("raise ValueError(len(values), sum(range(9000)))")  # long enough to be timed at a small size
    code, said = files(tmp_path, raising.replace("len(values)", "len(list(values))"), old=raising)
    assert said["outcome"] in ("equivalent", "inconclusive", "slower"), said
    assert said["evidence"]["first_difference"] is None
    assert code in (0, 6, 7)


@pytest.mark.sweep
def test_a_large_module_that_changed_beside_the_target_is_no_work_moved_into_import(tmp_path):
    def table(start: int) -> str:
        return "\n".join(f"def row_{k}(value):\n    return value + {start + k}, value * {k}\n" for k in range(4000))

    start = "import tables\n\n\n"
    files = {"scores.py": start + SLOW, "tables.py": table(1), "tests/test_scores.py": TESTS}
    repo = commit(tmp_path / "repo", files)
    write(repo, {"scores.py": start + FAST, "tables.py": table(2)})
    git(repo, "commit", "-qam", "faster, with other tables")
    done = optagent(
        "compare", repo, "--base", "HEAD~1", "--head", "HEAD", "--target", "score", "--json", "--state", tmp_path / "s"
    )
    found = json.loads(done.stdout)
    assert (found["outcome"], done.returncode) == ("faster", 0), found["trials"]


BROKEN = PIECES.replace("return text\n", 'return text.replace("\\n", "", len(values) // 380)\n').replace(
    "return 1", "return 2"
)


def test_a_broken_test_counts_only_for_the_targets_that_it_calls(repo):
    second(repo, {"scores.py": FAST, "pieces.py": BROKEN})
    code, said = compare(repo, "--target", "lines", "--target", "score", "--target", "toy")
    reasons = {one["target"]: (one["outcome"], one["trials"][0]["reason"]) for one in said["results"][:2]}
    assert (code, said["outcome"]) == (6, "incorrect")
    assert reasons["scores:score"][0] == "faster"
    assert reasons["pieces:lines"][1].startswith("incorrect: tests/test_pieces.py::test_lines[380] no longer passes")


def test_a_broken_test_that_does_not_call_an_unchanged_target_is_a_note(repo):
    second(repo, {"pieces.py": BROKEN})
    code, said = compare(repo, "--target", "score", "--max-slowdown", "50%")
    assert (code, said["outcome"]) in ((0, "equivalent"), (7, "inconclusive"))
    assert "speedup" in said["trials"][0]
    assert said["evidence"]["tests"] == 30
    (note,) = [one for one in said["warnings"] if "no call of the target was seen in it" in one]
    assert "tests/test_pieces.py::test_" in note
    assert note.endswith("more")


def test_of_a_changed_target_and_a_broken_test_that_does_not_call_it_nobody_can_tell(repo):
    second(repo, {"scores.py": FAST, "pieces.py": BROKEN})
    code, said = compare(repo, "--target", "score")
    assert (code, said["outcome"]) == (7, "inconclusive")
    assert "whose own code changed too" in said["trials"][0]["reason"]


def test_tests_that_cannot_be_collected_any_more_count_for_what_they_called(repo):
    second(repo, {"pieces.py": PIECES.replace("def toy", "def no_toy")})
    code, said = compare(repo, "--target", "score", "--max-slowdown", "50%")
    assert (code, said["outcome"]) in ((0, "equivalent"), (7, "inconclusive"))
    assert any("the test run no longer passes" in one for one in said["warnings"])


def test_where_no_target_is_named_a_broken_test_that_calls_none_counts_against_all(repo):
    limit = "import scores\n\n\ndef test_limit():\n    assert not hasattr(scores, 'LIMIT')\n"
    second(repo, {"tests/test_limit.py": limit})
    second(repo, {"scores.py": FAST + "\nLIMIT = 1\n"})
    code, said = compare(repo)
    assert (code, said["outcome"]) == (6, "incorrect")
    assert said["trials"][0]["reason"].startswith("incorrect: tests/test_limit.py::test_limit no longer passes")
