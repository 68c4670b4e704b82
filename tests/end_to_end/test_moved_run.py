"""A run that goes on where something is not as it was: what was measured before is measured anew, and it says so."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_project import small_project

from optagent.ledger.store import Ledger

pytestmark = pytest.mark.slow


def kinds(state: Path) -> list[tuple[int, str]]:
    """Trial and kind of every event of the only run."""
    for place in {file.parent for file in state.glob("*/ledger.sqlite")}:
        with Ledger.open(place, create=False) as ledger:
            return [(event.trial, event.kind) for run in ledger.runs() for event in ledger.events(run)]
    return []


def test_a_package_that_is_installed_before_the_run_goes_on_makes_it_measure_anew(tmp_path, monkeypatch):
    monkeypatch.delenv("VIRTUAL_ENV")  # the environment is the one in the repository
    repo, state = small_project(tmp_path / "repo"), tmp_path / "state"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", repo / ".venv"], check=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "optagent", "run", str(repo), "--target", "score", "--state", str(state)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while (1, "decided") not in kinds(state):
        assert process.poll() is None, "the run ended before anything was decided"
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert "run_ended" not in [kind for _, kind in kinds(state)]
    (site,) = (repo / ".venv/lib").glob("python3*/site-packages")
    (site / "quick-1.0.dist-info").mkdir()

    done = subprocess.run(
        [sys.executable, "-m", "optagent", "resume", str(repo), "--state", str(state), "--json"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    document = json.loads(done.stdout)
    said = [warning for warning in document["warnings"] if "packages count was 0, is 1" in warning]
    assert len(said) == 1
    assert said[0] in done.stderr
    assert document["machine"]["packages"]["count"] == 1
    seen = kinds(state)
    assert [kind for _, kind in seen].count("baseline_taken") == 2
    assert seen.count((1, "decided")) == 2
    assert seen.count((1, "asked")) == 1
