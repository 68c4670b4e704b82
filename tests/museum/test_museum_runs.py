"""The command line on every exhibit: a run to its verdict or a refusal in one sentence, the user's files untouched."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from exhibits import Exhibit
from git_states import GIT_STATES
from layouts import ALL_FILES, EDITABLE, LAYOUTS
from oddities import ODDITIES
from repositories import everything

from optagent.workspace.worktree import root_of

pytestmark = [pytest.mark.slow, pytest.mark.sweep, pytest.mark.timeout(300)]
EXHIBITS = [*GIT_STATES, *LAYOUTS, *ODDITIES]
ENDED = {"faster", "equivalent", "slower", "inconclusive", "nothing_found", "budget_exhausted"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder that the sandbox's user can look into: an environment in it is shown where it lies."""
    for folder in (tmp_path, *tmp_path.parents[:2]):  # pytest keeps its folders to itself
        folder.chmod(folder.stat().st_mode | 0o755)
    return tmp_path / "place"


def optagent(exhibit: Exhibit, repo: Path, place: Path, *more: str) -> tuple[int, dict[str, Any], str]:
    """The exit code, the document and what was said of a run; the user's files are as they were."""
    python = ["--python", str(exhibit.python(place))] if exhibit.python else []
    words = ["run", str(repo), "--target", exhibit.target, "--max-trials", "1", "--json", *python, *more]
    before = everything(root_of(repo))
    state = ["--state", str(place.parent / "state of some length")]
    done = subprocess.run([sys.executable, "-m", "optagent", *words, *state], capture_output=True, text=True)
    assert everything(root_of(repo)) == before
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def check_ended(exhibit: Exhibit, code: int, document: dict[str, Any], said: str) -> None:
    assert code in (0, 1), (document["error"], said)
    assert document["outcome"] in ENDED
    tried = [trial["verdict"] for trial in document["trials"]]
    if exhibit.name == "target by a link":  # a patch would put a file in the link's place: out of scope
        assert tried == ["rejected"]
        return
    assert tried in ([["faster"], ["inconclusive"]] if exhibit.target.endswith("score") else [[]])


def check_refused(exhibit: Exhibit, code: int, document: dict[str, Any]) -> None:
    assert (code, document["outcome"]) == (exhibit.code, "baseline_broken" if exhibit.python else "failed")
    assert exhibit.refusal in document["error"]["message"]
    assert len(document["error"]["message"].splitlines()) == 1


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=str)
def test_a_run_ends_with_a_verdict_or_is_refused_in_a_sentence(exhibit: Exhibit, place: Path):
    code, document, said = optagent(exhibit, exhibit.build(place), place)
    if exhibit.refusal:
        check_refused(exhibit, code, document)
    else:
        check_ended(exhibit, code, document, said)


@pytest.mark.parametrize("rung", ["bwrap", "none"])
@pytest.mark.parametrize("exhibit", EDITABLE, ids=str)
def test_an_editable_install_gives_a_run_the_copy_or_nothing(exhibit: Exhibit, rung: str, place: Path):
    code, document, said = optagent(exhibit, exhibit.build(place), place, "--sandbox", rung)
    if exhibit.refusal:
        check_refused(exhibit, code, document)
    else:
        check_ended(exhibit, code, document, said)


@pytest.mark.timeout(900)  # some file systems take a minute for 50,000 new files, and there are three copies
def test_fifty_thousand_files_are_no_obstacle(place: Path):
    code, document, said = optagent(ALL_FILES, ALL_FILES.build(place), place)
    check_ended(ALL_FILES, code, document, said)
