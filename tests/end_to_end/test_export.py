"""What a run measured, in pyperf's own files, read by pyperf's own tools."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from small_project import FAST, run, small_project

from optagent.cli.exporting import TIMERS
from optagent.core.strain import strain_of
from optagent.ledger.history import replay
from optagent.ledger.store import Ledger

pytestmark = pytest.mark.slow


def optagent(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "optagent", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd)


def pyperf(*words: str | Path) -> str:
    done = subprocess.run([sys.executable, "-m", "pyperf", *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A repository, its state, and the run that made its function faster."""
    folder = tmp_path_factory.mktemp("finished")
    folder.chmod(0o755)
    ended = run(small_project(folder / "repo"), folder / "state", FAST)
    return folder / "repo", folder / "state", ended.workshop.run


def test_each_side_is_a_benchmark_with_a_run_for_every_launch(finished, tmp_path):
    repo, state, name = finished
    done = optagent("export", repo, name, "--pyperf", tmp_path / "both.json", "--state", state)
    assert done.returncode == 0, done.stderr
    (place,) = [file.parent for file in state.glob("*/ledger.sqlite")]
    with Ledger.open(place, create=False) as ledger:
        (_, claim), *_ = replay(ledger.events(name)).claims
    shown = pyperf("stats", tmp_path / "both.json")
    assert shown.index("scores:score (old)") < shown.index("scores:score (new)")
    assert shown.count(f"Number of run with values: {len(claim.launches)}") == 2
    pyperf("check", tmp_path / "both.json")  # names only the sides that it finds unstable: that it reads both is enough
    told = pyperf("metadata", tmp_path / "both.json")
    assert f"optagent_run: {name}" in told
    assert "cpu_count" in told
    assert TIMERS[claim.verdict.speedup.clock] in told  # under load, a target may keep its core too little for "cpu"
    assert strain_of(claim.system) is not None


def test_pyperf_compares_one_side_with_the_other(finished, tmp_path):
    repo, state, name = finished
    for side in ("old", "new"):  # a run alone is one of the folder we are in
        done = optagent(
            "export", name, "--pyperf", tmp_path / f"{side}.json", "--side", side, "--state", state, cwd=repo
        )
        assert done.returncode == 0, done.stderr
    said = pyperf("compare_to", tmp_path / "old.json", tmp_path / "new.json")
    assert "[old]" in said
    assert "faster" in said


def test_what_cannot_be_exported_is_a_sentence_and_no_file(finished, tmp_path):
    repo, state, name = finished
    (tmp_path / "there.json").write_text("mine")
    for words, said in [
        (["--pyperf", tmp_path / "there.json"], "there is a file"),
        (["--pyperf", tmp_path / "no" / "folder.json"], "cannot be written"),
        (["--pyperf", tmp_path / "x.json", "--side", "left"], "--side left means nothing"),
        ([], "there has to be a file"),
    ]:
        done = optagent("export", repo, name, "--state", state, *words)
        assert done.returncode == 2, done.stderr
        assert said in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["there.json"]
    assert (tmp_path / "there.json").read_text() == "mine"


def test_a_run_without_a_claim_has_no_times(finished, tmp_path):
    repo, _, _ = finished
    ended = run(repo, tmp_path / "state")
    done = optagent("export", repo, "--pyperf", tmp_path / "x.json", "--state", tmp_path / "state")
    assert done.returncode == 2
    assert f"run {ended.workshop.run} has no times to export: nothing came to a claim" in done.stderr


def test_doctor_shows_the_machine_and_labels_what_pyperf_advises(tmp_path):
    done = optagent("doctor", "--json", cwd=tmp_path)
    (machine,) = [one for one in json.loads(done.stdout) if one["what"] == "the machine"]
    assert "load" in machine["seen"]
    assert all(line.startswith("unproven advice of pyperf: ") for line in machine["details"])
