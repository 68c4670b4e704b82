"""What `doctor` says of profilers: each by name, what to type where one is missing, what is unproven; none is needed."""

import json
import os

import pytest
from typed import typed

from optagent.profile.registry import PROFILERS


@pytest.fixture
def doctor(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*words, **env):
        return typed(["doctor", *words], {**os.environ, **env})

    return run


def test_every_profiler_is_told_and_none_is_needed(doctor):
    done = doctor("--json")
    found = {one["what"]: one for one in json.loads(done.stdout)}
    for one in PROFILERS:
        told = found[f"profiler {one.name}"]
        assert not told["needed"]
        assert told["works"] or "missing" in told["seen"]
        assert any("unproven" in line for line in told["details"]) == bool(one.unproven)
    assert found["sandbox"]["needed"]


def test_a_missing_one_comes_with_what_to_type_and_the_exit_code_does_not_know_it(doctor, tmp_path):
    for tool in ("bwrap", "prlimit", "setpriv", "git", "sh"):  # a machine with nothing but what a run needs
        for folder in ("/usr/bin", "/bin", "/usr/local/bin"):
            if os.path.exists(f"{folder}/{tool}") and not (tmp_path / tool).exists():
                (tmp_path / tool).symlink_to(f"{folder}/{tool}")
    done = doctor(PATH=str(tmp_path))
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("--   profiler callgrind: missing"))
    assert "apt-get install valgrind" in lines[at + 1]
    assert "ok   profiler cprofile: seconds" in done.stdout
