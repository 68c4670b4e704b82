"""Several targets in one run, the hottest functions, and what happens when none is named: through the program itself."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from small_project import SLOW, small_project

from optagent.cli.run.progress import Progress
from optagent.cli.run.reports import REHEARSAL
from optagent.cli.run.session import Prepared, prepared
from optagent.cli.settings.run_settings import RunSettings

pytestmark = pytest.mark.slow

PIECES = '''"""Lines of text."""

import random


def lines(values):
    """One line for each value."""
    text = ""
    for value in values:
        text += str(value) + "\\n"
    return text


def lucky(values):
    """Never the same twice."""
    return [value + random.SystemRandom().random() for value in values]


def unreached(values):
    return values
'''
MORE_TESTS = """import pytest

from pieces import lines, lucky


@pytest.mark.parametrize("n", range(100, 400, 20))
def test_lines(n):
    assert lines(list(range(n))).count("\\n") == n
    assert len(lucky(list(range(9)))) == 9
"""


@pytest.fixture
def repo(tmp_path):
    folder = small_project(tmp_path / "repo")
    (folder / "pieces.py").write_text(PIECES)
    (folder / "tests" / "test_pieces.py").write_text(MORE_TESTS)
    return folder


def optagent(*words: object, **changes: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **changes}
    command = [sys.executable, "-m", "optagent", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL)


def leftovers(state: Path) -> list[Path]:
    return [one for name in ("runs", "looks") for folder in state.glob(f"*/{name}") for one in folder.iterdir()]


def test_two_targets_give_two_documents_in_the_order_asked(repo, tmp_path):
    state = tmp_path / "state"
    done = optagent("run", repo, "--target", "lines", "--target", "score", "--state", state, "--json")
    document = json.loads(done.stdout)
    assert [one["target"] for one in document["results"]] == ["pieces:lines", "scores:score"]
    assert document["verb"] == "run"
    for result in document["results"]:
        assert result["outcome"] in ("faster", "inconclusive", "nothing_found"), done.stderr
        assert result["error"] is None
    assert document["results"][1]["outcome"] == document["outcome"] == "faster"
    assert done.returncode == 0
    assert len({one["run"] for one in document["results"]}) == 2
    assert leftovers(state) == []


def test_a_target_that_cannot_be_judged_does_not_end_the_others(repo, tmp_path):
    state = tmp_path / "state"
    words = [word for one in ("lucky", "unreached", "score") for word in ("--target", one)]
    done = optagent("run", repo, *words, "--state", state, "--json")
    results = json.loads(done.stdout)["results"]
    assert [one["outcome"] for one in results] == ["baseline_broken", "baseline_broken", "faster"]
    assert (
        "not deterministic" in results[0]["error"]["message"] or "not the same twice" in results[0]["error"]["message"]
    )
    assert "calls the target" in results[1]["error"]["message"]
    assert done.returncode == 0
    assert len(json.loads(optagent("runs", repo, "--state", state, "--json").stdout)) == 1
    assert leftovers(state) == []


def test_people_get_each_result_and_a_table_below(repo, tmp_path):
    done = optagent("run", repo, "--target", "unreached", "--target", "score", "--state", tmp_path / "state")
    table = done.stdout.splitlines()[-2:]
    assert table[0].startswith("pieces:unreached baseline_broken")
    assert table[1].startswith("scores:score faster")
    assert "scores:score: " in done.stdout
    assert done.returncode == 0


def test_one_wrong_name_among_several_ends_the_run_before_anything_is_written(repo, tmp_path):
    state = tmp_path / "state"
    done = optagent("run", repo, "--target", "score", "--target", "nothing_like_it", "--state", state)
    assert done.returncode == 2
    assert "'nothing_like_it'" in done.stderr
    assert done.stdout == ""
    assert not state.exists()


def test_nothing_is_left_of_a_rehearsal_that_is_interrupted_and_nobody_goes_on_with_one(repo, tmp_path):
    state = tmp_path / "state"
    wanted = [RunSettings(str(repo), "score"), RunSettings(str(repo), "lines")]
    with Progress(10, quiet=True) as progress:
        targets = prepared(wanted, state, progress, REHEARSAL)
        found = next(targets)
        assert isinstance(found, Prepared)
        done = optagent("resume", repo, "--state", state)
        assert (done.returncode, "cannot go on" in done.stderr) == (2, True)
        targets.close()
        found.workshop.abandon()
    assert optagent("runs", repo, "--state", state).stdout == "no runs yet\n"


def test_the_two_hottest_functions_are_taken(repo, tmp_path):
    done = optagent("run", repo, "--top", "2", "--state", tmp_path / "state", "--json")
    document = json.loads(done.stdout)
    targets = [one["target"] for one in document["results"]]
    assert targets[0] == "scores:score"
    assert len(set(targets)) == 2
    assert document["results"][0]["outcome"] == "faster"


def test_hotspots_are_told_to_people_and_to_programs_and_leave_nothing(repo, tmp_path):
    state = tmp_path / "state"
    for _ in range(2):  # the second time with an index that is there
        told = json.loads(optagent("hotspots", repo, "--state", state, "--json").stdout)
    rows = told["functions"]
    assert (told["schema"], told["verb"], rows[0]["target"]) == (1, "hotspots", "scores:score")
    assert (rows[0]["path"], rows[0]["qualname"], rows[0]["line"]) == ("scores.py", "score", 6)
    assert rows[0]["calls"] == 17
    assert 0 < sum(row["share"] for row in rows) <= 1
    assert 0 < rows[0]["own_seconds"] <= rows[0]["total_seconds"]
    assert [row["own_seconds"] for row in rows] == sorted((row["own_seconds"] for row in rows), reverse=True)
    assert not any("test" in row["path"] for row in rows)
    text = optagent("hotspots", repo, "--state", state, "--top", "1")
    assert text.returncode == 0
    head, row = text.stdout.splitlines()
    assert "the tests" in head
    assert row.endswith("scores.py::score")
    assert leftovers(state) == []


def test_hotspots_of_a_command_are_those_of_the_command(repo, tmp_path):
    (repo / "main.py").write_text(
        "import sys\nfrom pieces import lines\n\nprint(len(lines(range(int(sys.argv[1])))))\n"
    )
    done = optagent("hotspots", repo, "--command", "python main.py 20000", "--state", tmp_path / "state", "--json")
    (row,) = json.loads(done.stdout)["functions"]
    assert (row["target"], row["calls"]) == ("pieces:lines", 1)
    wrong = optagent("hotspots", repo, "--command", "make all", "--state", tmp_path / "state")
    assert wrong.returncode == 2
    assert "no Python command" in wrong.stderr


def test_what_stands_inside_a_function_is_part_of_its_time(repo, tmp_path):
    (repo / "main.py").write_text("from sums import slow, light\n\nlight(9)\nprint(slow(300))\n")
    (repo / "sums.py").write_text(
        "def light(n):\n    return [k * k for k in range(n * 200)]\n\n\n"
        "def slow(n):\n    return [sum(1 for k in range(n) if k % 7 == j) for j in range(n)]\n"
    )
    done = optagent("hotspots", repo, "--command", "python main.py", "--state", tmp_path / "state", "--json")
    first, second = json.loads(done.stdout)["functions"]
    assert (first["target"], first["calls"], second["target"]) == ("sums:slow", 1, "sums:light")
    assert 0 < first["share"] + second["share"] <= 1
    assert first["total_seconds"] / 2 < first["own_seconds"] <= first["total_seconds"]


def test_without_a_target_and_a_terminal_the_hottest_are_listed_and_nothing_is_run(repo, tmp_path):
    state = tmp_path / "state"
    done = optagent("run", repo, "--state", state)
    assert done.returncode == 2
    assert "scores.py::score" in done.stderr
    assert "--top" in done.stderr
    assert done.stdout == ""
    assert leftovers(state) == []
    assert optagent("runs", repo, "--state", state).stdout == "no runs yet\n"


def test_a_project_whose_tests_spend_no_time_in_it_has_no_hottest_function(tmp_path):
    folder = small_project(tmp_path / "repo", SLOW, "def test_nothing():\n    pass\n")
    done = optagent("run", folder, "--top", "1", "--state", tmp_path / "state")
    assert done.returncode == 3
    assert "--target" in done.stderr


def test_a_fault_after_a_result_is_told_beside_it(repo, tmp_path):
    state = tmp_path / "state"
    words = ["run", repo, "--target", "score", "--target", "lines", "--state", state]
    command = [sys.executable, "-m", "optagent", *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line.startswith("target 2 of 2"):
            (file,) = state.glob("*/ledger.sqlite")
            with closing(sqlite3.connect(file)) as ledger:
                ledger.execute("DROP TABLE event")
            break
    out, err = process.communicate(timeout=300)
    table = out.splitlines()[-2:]
    assert table[0].startswith("scores:score faster"), (out, err)
    assert table[1].startswith("lines failed: ")
    assert process.returncode == 0
