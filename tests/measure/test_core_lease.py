"""Runs on one machine measure on cores of their own, and one at a time where they share one."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from optagent.measure import cores

HOLDS = """
import sys, time
from optagent.measure.cores import measuring, own_core
print(own_core(), flush=True)
with measuring(own_core()):
    print("measuring", flush=True)
    sys.stdin.readline()
print("done", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def names_of_our_own(monkeypatch):
    """Leases that no run on this machine holds but those of this test."""
    monkeypatch.setattr(cores, "NAMES", f"optagent-test-{os.getpid()}")


class Other:
    """Another process that measures."""

    def __init__(self) -> None:
        script = f"from optagent.measure import cores\ncores.NAMES = {cores.NAMES!r}\n{HOLDS}"
        self.process = subprocess.Popen([sys.executable, "-c", script], stdin=-1, stdout=-1, text=True)
        self.core = int(self.said())

    def said(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def goes_on(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


def test_each_run_has_a_core_of_its_own_while_there_are_any(names_of_our_own):
    allowed = sorted(os.sched_getaffinity(0))
    with Other() as one:
        assert one.core == allowed[-1]
        if len(allowed) > 1:
            with Other() as other:
                assert other.core == allowed[-2]
    with Other() as again:
        assert again.core == allowed[-1]  # it went with the process


def test_who_shares_a_core_measures_when_the_other_does_not(names_of_our_own, monkeypatch):
    with Other() as one:
        assert one.said() == "measuring"
        monkeypatch.setattr(cores, "MOST_WAIT_S", 0.2)
        began = time.monotonic()
        with cores.measuring(one.core):  # goes on beside one that does not end
            assert time.monotonic() - began >= 0.2
        monkeypatch.setattr(cores, "MOST_WAIT_S", 600.0)
        one.goes_on()
        assert one.said() == "done"
        with cores.measuring(one.core), cores.measuring(one.core + 1):
            pass


def test_where_all_cores_are_taken_the_last_one_is_shared(names_of_our_own, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    with Other() as one:
        taken = {one.core}
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: taken)
        cores._own.cache_clear()
        assert cores.own_core() == one.core
    cores._own.cache_clear()
