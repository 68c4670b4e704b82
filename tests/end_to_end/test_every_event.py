"""The parent killed right after every event of a run that asks a model, then resumed: the same patch and verdicts,
nothing paid twice, nothing left running, no folder left.

Measurements are real once and replayed afterwards, so that verdicts can be compared: all else is real each time.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from model_project import FASTEST, TESTS, WRONG, coder, environment, judge, model_project
from scripted_server import ScriptedServer
from test_resume import wait_until_gone

from optagent.ledger.history import replay
from optagent.ledger.store import Ledger

pytestmark = [pytest.mark.slow, pytest.mark.sweep]

PROGRAM = """
import hashlib, os, pickle, signal
from pathlib import Path
from optagent.cli.run import shop
from optagent.cli.app import main
from optagent.ledger.store import Ledger
from optagent.measure import speed
from optagent.verify import oracle

measured, left = Path(os.environ["MEASURED"]), int(os.environ["KILLED_AFTER"])
append = Ledger.append

def appended(self, *given, **named):
    global left
    number = append(self, *given, **named)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return number

def replay(module, name, key):
    take = getattr(module, name)
    def replayed(*given):
        place = measured / hashlib.sha256(repr((name, key(*given))).encode()).hexdigest()
        if not place.exists():
            place.write_bytes(pickle.dumps(take(*given)))
        return pickle.loads(place.read_bytes())
    setattr(module, name, replayed)

def sides(race):
    files = [(tree.root / race.project.target.path).read_bytes() for tree in (race.old, race.new)]
    return files, [one.digest for one in race.inputs], race.collecting, race.seconds, race.screen

replay(speed, "launch", lambda race, seed: (sides(race), seed))
replay(speed, "costs", lambda race, seed, *rest: (sides(race), seed, rest))  # which inputs there is time for
replay(shop, "weigh", lambda workshop, problem, race, *rest: sides(race)[:2])
replay(oracle, "strength", lambda faults, *rest: [str(one) for one in faults])
Ledger.append = appended
main()
"""
TRIALS = 2


class Scene:
    """One repository, one folder of measurements, and a state of its own for each run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repo = model_project(folder / "repo")
        (self.repo / "tests" / "test_gaps.py").write_text(TESTS.replace("range(30, 130, 5)", "range(30, 60, 5)"))
        self.scratch = folder / "scratch"
        for one in (folder / "measured", self.scratch):
            one.mkdir()

    def optagent(self, server: ScriptedServer, killed_after: int, *words: object) -> subprocess.CompletedProcess[str]:
        more = {
            "MEASURED": str(self.folder / "measured"),
            "KILLED_AFTER": str(killed_after),
            "TMPDIR": str(self.scratch),
        }
        command = [sys.executable, "-c", PROGRAM, *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, env=environment(server.base, **more))

    def run(self, server: ScriptedServer, state: Path, killed_after: int) -> subprocess.CompletedProcess[str]:
        words = ("run", self.repo, "--target", "closest", "--state", state, "--json", "--max-trials", TRIALS)
        return self.optagent(server, killed_after, *words)

    def resume(self, server: ScriptedServer, state: Path) -> dict[str, Any]:
        done = self.optagent(server, 0, "resume", self.repo, "--state", state, "--json")
        assert done.stdout, done.stderr
        return dict(json.loads(done.stdout))


def script() -> ScriptedServer:
    return ScriptedServer([*judge(TRIALS), *coder(WRONG, FASTEST)])


def told(document: dict[str, Any], state: Path) -> dict[str, Any]:
    """What has to be the same whenever the run was killed."""
    (place,) = [one for one in state.iterdir() if one.is_dir() and not one.name.startswith("tools")]
    with Ledger.open(place, create=False) as ledger:
        (run,) = ledger.runs()
        record = replay(ledger.events(run))
    verdicts = {one.number: type(one.verdict).__name__ for one in record.trials}
    cost = {name: document["cost"][name] for name in ("usd", "tokens_in", "tokens_out", "calls")}
    return {"outcome": document["outcome"], "patch": document["patch"], "verdicts": verdicts, "cost": cost}


def kinds_in(state: Path) -> list[str]:
    (place,) = [one for one in state.iterdir() if one.is_dir() and not one.name.startswith("tools")]
    with Ledger.open(place, create=False) as ledger:
        return [event.kind for run in ledger.runs() for event in ledger.events(run)]


def test_a_run_killed_after_any_event_ends_as_if_it_had_not_been(tmp_path):
    scene = Scene(tmp_path)
    with script() as server:
        done = scene.run(server, tmp_path / "whole", 0)
        whole, asked = told(json.loads(done.stdout), tmp_path / "whole"), len(server.seen)
    assert (whole["outcome"], asked) == ("faster", 2 * TRIALS), done.stderr
    kinds = kinds_in(tmp_path / "whole")
    assert len(kinds) > 20
    wrong = {}
    for number, kind in enumerate(kinds[:-1], 1):
        state = tmp_path / f"killed-{number}"
        with script() as server:
            done = scene.run(server, state, number)
            assert done.returncode == -signal.SIGKILL, (number, done.stderr)
            running = wait_until_gone(state)
            resumed = told(scene.resume(server, state), state)
            found = {"resumed": resumed, "asked": len(server.seen), "running": running, "left": left_in(scene.scratch)}
        if kind == "called":  # whether it was sent nobody knows any more, so it counts as if it had cost the most
            assert resumed["cost"]["usd"] > whole["cost"]["usd"]
            resumed["cost"] = whole["cost"]
        if found != {"resumed": whole, "asked": asked, "running": [], "left": []}:
            wrong[number, kind] = found
    assert wrong == {}


def left_in(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))
