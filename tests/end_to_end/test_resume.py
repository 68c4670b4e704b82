"""kill -9 at some moment, then resume: nothing decided is lost, nothing is left running, no folder stays."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from small_project import FAST, run, small_project

from optagent.cli.run.progress import Progress
from optagent.cli.run.session import Session, resume
from optagent.core.outcome import Outcome
from optagent.ledger.history import replay
from optagent.ledger.store import Ledger

pytestmark = pytest.mark.slow

# several places for the rules, so that there are several trials to be killed in
SLOW = '''import random


def score(values, limit):
    """The digits of what is kept, and of what is asked for twice."""
    kept = []
    text = b""
    for value in values:
        if value < limit and value not in kept:
            kept.append(value)
        text += str(value).encode() + b","
    twice = 0
    for value in kept:
        if value + 1 in values:
            twice += 1
    line = b""
    for value in kept:
        line += str(value).encode()
    return len(kept) + twice + len(text) + len(line)


def other():
    return random.random()
'''


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "optagent", *map(str, words)]


def processes_of(state: Path) -> list[psutil.Process]:
    """Whatever runs with the state folder on its command line: every sandbox of a run does."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(str(state) in word for word in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_until_gone(state: Path) -> list[psutil.Process]:
    for _ in range(50):
        left = processes_of(state)
        if not left:
            return []
        time.sleep(0.1)
    return left


def only_ledger(state: Path) -> Ledger:
    (place,) = [folder for folder in state.iterdir() if folder.is_dir()]
    return Ledger.open(place, create=False)


def decided(state: Path) -> dict[int, object]:
    with only_ledger(state) as ledger:
        (run,) = ledger.runs()
        return {trial.number: trial.verdict for trial in replay(ledger.events(run)).trials}


def event_count(state: Path) -> int:
    try:
        with only_ledger(state) as ledger:
            return sum(1 for run in ledger.runs() for _ in ledger.events(run))
    except Exception:  # not there yet
        return 0


def wait_for_events(process: subprocess.Popen[object], state: Path, events: int) -> None:
    while event_count(state) < events:
        assert process.poll() is None, "the run ended before it had written that much"
        time.sleep(0.02)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.sweep) for seed in (2, 3))])
def test_a_run_killed_at_a_random_moment_goes_on_where_it_was(tmp_path, seed):
    repo, state = small_project(tmp_path / "repo", SLOW), tmp_path / "state"
    rng = random.Random(seed * 7919 + os.getpid())
    events = rng.randrange(1, 12)
    process = subprocess.Popen(
        command("run", repo, "--target", "score", "--state", state),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    while process.poll() is None and event_count(state) < events:
        time.sleep(0.02)
    time.sleep(rng.random() * 0.3)
    process.send_signal(signal.SIGKILL)
    killed = process.wait() == -signal.SIGKILL
    assert wait_until_gone(state) == []
    before = decided(state)
    done = subprocess.run(command("resume", repo, "--state", state, "--json"), capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr  # on a busy machine "inconclusive" is an honest end
    document = json.loads(done.stdout)
    assert document["outcome"] in ("faster", "inconclusive")
    after = decided(state)
    assert {number: after[number] for number in before} == before
    assert killed or events > 11, "the run ended before it was killed"
    numbers = [trial["number"] for trial in document["trials"]]
    assert len(numbers) == len(set(numbers)) > 0
    assert wait_until_gone(state) == []
    (place,) = [folder for folder in state.iterdir() if folder.is_dir()]
    assert list((place / "runs").iterdir()) == []


def test_a_run_killed_before_its_baseline_can_be_resumed_too(tmp_path):
    repo, state = small_project(tmp_path / "repo", SLOW), tmp_path / "state"
    process = subprocess.Popen(
        command("run", repo, "--target", "score", "--state", state),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    wait_for_events(process, state, 1)
    process.kill()
    process.wait()
    done = subprocess.run(command("resume", repo, "--state", state, "--json"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "asked",
    [signal.SIGINT, *(pytest.param(one, marks=pytest.mark.sweep) for one in (signal.SIGTERM, signal.SIGHUP))],
    ids=["ctrl-c", "terminate", "hang up"],
)
def test_who_is_asked_to_end_ends_with_130_and_leaves_a_run_that_can_be_resumed(tmp_path, asked):
    repo, state = small_project(tmp_path / "repo", SLOW), tmp_path / "state"
    process = subprocess.Popen(
        command("run", repo, "--target", "score", "--state", state),
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(asked, signal.SIG_DFL),  # a shell's background jobs ignore some
    )  # fmt: skip
    wait_for_events(process, state, 3)
    process.send_signal(asked)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert wait_until_gone(state) == []
    _, _, typed = err.splitlines()[-1].partition("interrupted; go on with: optagent ")
    done = subprocess.run(command(*shlex.split(typed)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_run_that_is_going_on_is_not_gone_on_with(tmp_path):
    repo, state = small_project(tmp_path / "repo", SLOW), tmp_path / "state"
    words = command("run", repo, "--target", "score", "--state", state)
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    wait_for_events(process, state, 3)
    done = subprocess.run(command("resume", repo, "--state", state), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "going on in another process" in done.stderr
    assert process.wait() in (0, 1)


def test_a_run_that_has_met_its_goal_is_not_searched_further(tmp_path, monkeypatch):
    repo, state = small_project(tmp_path / "repo"), tmp_path / "state"

    def killed(session: object, fault: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Session, "_end", killed)
        with pytest.raises(KeyboardInterrupt):
            run(repo, state, FAST, speedup=1.1)
    (place,) = [folder for folder in state.iterdir() if folder.is_dir()]
    ledger = Ledger.open(place, create=False)
    asked: list[object] = []
    with Progress(10, quiet=True) as progress:
        ended = resume(ledger.runs()[0], ledger, place, progress, lambda counter: lambda parent: asked.append(1) or [])
    assert (ended.outcome, ended.goal_met, asked) == (Outcome.FASTER, True, [])
    ledger.close()


def interrupted(*words: str | Path, events: int = 1) -> subprocess.CompletedProcess[str]:
    """The verb, asked to end when there is that much of it in the ledger."""
    process = subprocess.Popen(command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for_events(process, Path(words[-1]), events)
    process.terminate()
    return subprocess.CompletedProcess(words, 0, *process.communicate(timeout=30))


def test_an_interrupted_run_is_a_document_too_and_one_for_each_target(tmp_path):
    repo, state = small_project(tmp_path / "repo", SLOW), tmp_path / "state"
    targets = ("--target", "score", "--target", "other")
    said = json.loads(interrupted("run", repo, *targets, "--json", "--state", state, events=2).stdout)
    assert (said["verb"], said["outcome"]) == ("run", "interrupted")
    assert [one["target"] for one in said["results"]] == ["scores:score", "scores:other"]
    with only_ledger(state) as ledger:
        runs = ledger.runs()
    assert [one["run"] for one in said["results"]] == runs[::-1]
    assert {one["outcome"] for one in said["results"]} == {"interrupted"}


def test_what_cannot_be_resumed_has_no_command_for_it_when_it_is_interrupted(tmp_path):
    repo, state = small_project(tmp_path / "repo", SLOW), tmp_path / "state"
    patch = tmp_path / "patch.diff"
    patch.write_text(
        "--- a/scores.py\n+++ b/scores.py\n@@ -3,4 +3,5 @@\n \n def score(values, limit):\n"
        '     """The digits of what is kept, and of what is asked for twice."""\n+    assert limit\n     kept = []\n'
    )
    words = ("verify", repo, "--target", "score", "--patch", patch)
    assert interrupted(*words, "--state", state).stderr.splitlines()[-1] == "interrupted"
    said = json.loads(interrupted(*words, "--json", "--state", tmp_path / "other").stdout)
    assert (said["verb"], said["outcome"], said["error"]) == ("verify", "interrupted", None)


def test_a_run_that_has_ended_is_shown_again_and_costs_nothing(tmp_path):
    repo, state = small_project(tmp_path / "repo"), tmp_path / "state"
    first = subprocess.run(command("run", repo, "--target", "score", "--state", state), capture_output=True, text=True)
    again = subprocess.run(command("resume", repo, "--state", state), capture_output=True, text=True)
    assert (again.returncode, again.stdout) == (first.returncode, first.stdout)
