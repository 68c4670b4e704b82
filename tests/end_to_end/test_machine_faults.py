"""What the machine does to a run: it ends in words, nothing is lost, and it can go on."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
from small_project import small_project
from test_resume import SLOW, command, event_count, only_ledger, processes_of, wait_for_events, wait_until_gone

pytestmark = [pytest.mark.slow, pytest.mark.sweep]
HONEST = ("faster", "inconclusive")
"""On a busy machine the latter is an honest end."""


def start(repo: Path, state: Path) -> subprocess.Popen[str]:
    words = command("run", repo, "--target", "score", "--state", state, "--json")
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def resume(repo: Path, state: Path) -> dict[str, object]:
    done = subprocess.run(command("resume", repo, "--state", state, "--json"), capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return dict(json.loads(done.stdout))


def test_two_runs_of_one_repository_at_once_do_not_disturb_each_other(tmp_path):
    repo, state = small_project(tmp_path / "repo", SLOW), tmp_path / "state"
    both = [start(repo, state) for _ in range(2)]
    said = [one.communicate(timeout=600) for one in both]
    assert [one.returncode for one in both if one.returncode not in (0, 1)] == [], said
    documents = [json.loads(out) for out, _ in said]
    assert {one["outcome"] for one in documents} <= {*HONEST}
    assert len({one["run"] for one in documents}) == 2
    with only_ledger(state) as ledger:
        assert len(ledger.runs()) == 2
    assert wait_until_gone(state) == []


@pytest.mark.parametrize("events", [1, 3, 5, 8])
def test_a_sandbox_that_is_killed_ends_in_words_or_in_an_honest_verdict(tmp_path, events):
    """As by the kernel when memory runs out."""
    repo, state = small_project(tmp_path / "repo", SLOW), tmp_path / "state"
    process = start(repo, state)
    wait_for_events(process, state, events)
    killed = 0
    while not killed and process.poll() is None:
        for one in processes_of(state):
            if one.pid != process.pid and "bwrap" in one.name():
                one.send_signal(signal.SIGKILL)
                killed += 1
    out, err = process.communicate(timeout=600)
    assert "Traceback" not in err
    assert process.returncode in (0, 1, 3), (process.returncode, err)
    document = json.loads(out)
    assert document["outcome"] in (*HONEST, "nothing_found", "baseline_broken", "failed"), document
    if process.returncode == 3:
        assert document["error"]["message"]
        if event_count(state):
            assert resume(repo, state)["outcome"] in HONEST
    assert wait_until_gone(state) == []


def out_of_memory(repo: Path, state: Path, events: int) -> tuple[int, str, str]:
    """How a run ends, and what it prints, that gets no more memory after so many events."""
    process = start(repo, state)
    wait_for_events(process, state, events)
    size = psutil.Process(process.pid).memory_info().vms
    resource.prlimit(process.pid, resource.RLIMIT_AS, (size + (1 << 19), resource.RLIM_INFINITY))
    out, err = process.communicate(timeout=600)
    return process.returncode, out, err


@pytest.mark.parametrize("events", [1, 3, 6])
def test_where_memory_runs_out_for_us_that_is_said_and_the_run_goes_on_later(tmp_path, events):
    repo, state = small_project(tmp_path / "repo", SLOW), tmp_path / "state"
    ended, out, err = out_of_memory(repo, state, events)
    assert "Traceback" not in err
    assert "bug in optagent" not in err
    assert ended in (0, 1, 3, 5), (ended, err)
    if ended in (3, 5):
        assert "memory" in json.loads(out)["error"]["message"]
        if event_count(state):
            assert resume(repo, state)["outcome"] in HONEST
    assert wait_until_gone(state) == []


def test_where_memory_runs_out_while_threads_begin_the_run_goes_on_later(tmp_path):
    """While faults are planted. A thread without room to begin prints a traceback of Python's, and may end Python 3.11
    itself ("Cannot recover from stack overflow"): then there is nobody to say anything, and nothing is lost."""
    repo, state = small_project(tmp_path / "repo", SLOW), tmp_path / "state"
    ended, _, err = out_of_memory(repo, state, 9)
    assert "bug in optagent" not in err
    assert ended in (0, 1, 3, 5, -signal.SIGABRT), (ended, err)
    assert wait_until_gone(state) == []
    assert resume(repo, state)["outcome"] in HONEST


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
def test_a_disk_that_is_full_is_told_and_the_run_goes_on_when_there_is_room(tmp_path):
    repo, state = small_project(tmp_path / "repo", SLOW), tmp_path / "state"
    state.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=755", "tmpfs", state], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        process = start(repo, state)
        wait_for_events(process, state, 2)
        fill = state / "fill"
        with fill.open("wb", buffering=0) as file:  # with a buffer, closing it would fail like writing
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError:
                pass
        out, err = process.communicate(timeout=600)
        assert "Traceback" not in err
        assert process.returncode in (3, 5), (process.returncode, err)
        said = json.loads(out)["error"]["message"]
        assert "disk is full" in said or "No space" in said
        fill.unlink()
        assert resume(repo, state)["outcome"] in HONEST
        assert wait_until_gone(state) == []
    finally:
        subprocess.run(["umount", "-l", state], check=True)
