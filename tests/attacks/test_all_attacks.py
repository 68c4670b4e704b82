"""Every attack on every rung that isolates, as whoever runs the tests and as an ordinary user: none gets anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from catalog import ATTACKS
from rungs import make_sandbox

PLAY = Path(__file__).with_name("play.py")
ROOT = PLAY.parents[2]
SYSTEM_PYTHON, NOBODY = "/usr/bin/python3", 65534
OF_ORDINARY_USERS = ("bwrap", "landlock")
RUNGS = (*OF_ORDINARY_USERS, "container")  # podman for ordinary users is unproven: decision 0038
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(SYSTEM_PYTHON).exists(), reason="there is no system Python to run inside"),
]


@cache
def came_of(rung: str, is_ordinary: bool) -> dict[str, list[str]]:
    """What came of each attack, all played by one process, which holds a key."""
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if is_ordinary else {}
    python = SYSTEM_PYTHON if is_ordinary else sys.executable
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([python, str(PLAY), rung], cwd="/", env=env, capture_output=True, text=True, **who)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.name)
@pytest.mark.parametrize("rung", RUNGS)
def test_an_attack_gets_nothing_and_spoils_nothing(rung, attack):
    make_sandbox(rung)  # or there is nothing to test here
    assert came_of(rung, is_ordinary=False)[attack.name] == []


@pytest.mark.sweep
@pytest.mark.skipif(os.geteuid() != 0, reason="we are an ordinary user ourselves")
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.name)
@pytest.mark.parametrize("rung", OF_ORDINARY_USERS)
def test_nor_in_the_hands_of_an_ordinary_user(rung, attack):
    make_sandbox(rung)
    look = [SYSTEM_PYTHON, "-c", f"import sys; sys.path[:0] = [{str(ROOT)!r}]; import optagent.sandbox.choose"]
    if subprocess.run(look, cwd="/", capture_output=True, user=NOBODY, group=NOBODY, extra_groups=[]).returncode:
        pytest.skip(f"an ordinary user cannot read {ROOT}")
    assert came_of(rung, is_ordinary=True)[attack.name] == []


def test_there_are_many_and_each_has_a_name_of_its_own():
    assert len({one.name for one in ATTACKS}) == len(ATTACKS) >= 40
