"""What is read from outside: perf's rows and energy counters, from what machines wrote and from files made by hand."""

import os
import threading
from pathlib import Path

import pytest
from profile_samples import SOURCE, scene_of

from optagent.languages.contestant import Misconduct
from optagent.profile.base import Here
from optagent.profile.counters import EVENTS, Perf, read
from optagent.profile.energy import Powercap, Zone, joules, zones
from optagent.sandbox import counting

# perf 6.1.187 in this virtual machine, attached as optagent does it
IN_A_VIRTUAL_MACHINE = """Events disabled
Events enabled
Events disabled
<not supported>,,instructions,0,100.00,,
<not supported>,,cycles,0,100.00,,
<not supported>,,branch-misses,0,100.00,,
95.26,msec,task-clock,95255207,100.00,0.155,CPUs utilized
0,,page-faults,95255207,100.00,0.000,/sec
28,,context-switches,95255207,100.00,293.947,/sec
"""
# written by hand after `man perf-stat`, CSV FORMAT: an ordinary user, counters shared in turns
ON_A_PROCESSOR = """2871013,,instructions:u,1226411,100.00,0.86,insn per cycle
3338387,,cycles:u,1226411,74.12,2.722,GHz
<not counted>,,cache-misses:u,0,0.00,,
"""


def test_a_virtual_machine_counts_what_the_kernel_counts_and_the_rest_is_named():
    facts, uncounted = read(IN_A_VIRTUAL_MACHINE, passes=2)
    assert uncounted == ("instructions", "cycles", "branch-misses")
    assert {one.name: (one.value, one.unit) for one in facts} == {
        "task-clock": (pytest.approx(0.04763), "s"),
        "page-faults": (0, "events"),
        "context-switches": (14, "events"),
    }


def test_a_processors_counters_are_read_whoever_may_see_them():
    facts, uncounted = read(ON_A_PROCESSOR)
    assert {one.name: one.value for one in facts} == {"instructions": 2871013, "cycles": 3338387}
    assert uncounted == ("cache-misses",)


def test_lines_that_are_no_rows_are_passed_over():
    assert read("\n,,,\nsomething,else\n1,,unknown-event,1,1\n") == ((), ())


def test_without_perf_it_says_what_to_type(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    missing = Perf().missing(Here({}))
    assert missing is not None
    assert "linux-perf" in missing.remedy


@pytest.fixture
def false_perf(tmp_path, monkeypatch):
    """A perf of that shell script, first on the path."""

    def make(script: str) -> None:
        (tmp_path / "perf").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "perf").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return make


def test_a_perf_that_is_not_allowed_says_so_with_the_setting_to_change(false_perf):
    false_perf("echo 'Access to performance monitoring is limited' >&2; exit 255")
    missing = Perf().missing(Here({}))
    assert missing is not None
    assert "limited" in missing.why
    assert "perf_event_paranoid" in missing.remedy


def test_a_perf_that_ends_at_once_is_a_note_and_nothing_hangs(false_perf, make_repo, ours, sandbox):
    false_perf("echo 'cannot attach' >&2; exit 1")
    with scene_of(make_repo, ours, sandbox) as scene:
        seen = Perf().profile(scene, Here({}))
        assert seen.facts == ()
        assert seen.notes == ("perf gave nothing: cannot attach",)
        assert scene.rows("lines")  # and a worker that answers


def test_a_perf_that_is_no_program_is_told(tmp_path, monkeypatch):
    (tmp_path / "perf").write_bytes(b"\x7fELF no program at all")
    (tmp_path / "perf").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = Perf().missing(Here({}))
    assert missing is not None
    assert "cannot be started" in missing.why


def test_only_the_work_is_counted():
    try:
        counting.try_out(EVENTS)
    except counting.CountingFailed as failed:
        pytest.skip(str(failed))
    said = counting.count(os.getpid(), ("task-clock",), lambda: sum(range(3_000_000)))
    (busy,), _ = read(said)
    (idle,), _ = read(counting.count(os.getpid(), ("task-clock",), lambda: None))
    assert busy.value > 3 * idle.value


def test_a_pass_that_ends_its_worker_leaves_no_perf(make_repo, ours, sandbox):
    with (
        scene_of(
            make_repo, ours, sandbox, SOURCE.replace("    kept.sort()", "    import os\n    os._exit(3)")
        ) as scene,
        pytest.raises(Misconduct),
    ):
        Perf().profile(scene, Here({}))


def zone(folder: Path, number: str, name: str, energy: str, most: str = "999999") -> Path:
    made = folder / number
    made.mkdir(parents=True)
    for file, text in (("name", name), ("energy_uj", energy), ("max_energy_range_uj", most)):
        (made / file).write_text(f"{text}\n")
    return made / "energy_uj"


def test_energy_is_what_the_counter_moved_for_one_pass_also_across_its_end():
    core, dram = Zone("core", Path("a"), 999_999), Zone("dram", Path("b"), 999_999)
    facts = joules({core: 100_000, dram: 900_000}, {core: 600_000, dram: 400_000}, passes=5)
    assert {one.name: (one.value, one.unit) for one in facts} == {"core": (0.1, "J"), "dram": (0.1, "J")}


def test_zones_are_known_by_name_and_place_and_the_control_type_is_none(tmp_path):
    zone(tmp_path, "intel-rapl:0", "package-0", "5")
    zone(tmp_path, "intel-rapl:0:0", "core", "3")
    (tmp_path / "intel-rapl").mkdir()
    assert [one.name for one in zones(tmp_path)] == ["package-0 (intel-rapl:0)", "core (intel-rapl:0:0)"]


def test_no_counters_and_counters_that_are_none_are_told(tmp_path):
    assert "no energy counters" in str(Powercap().missing(Here({}, tmp_path)))
    zone(tmp_path, "intel-rapl:0", "package-0", "much")
    assert "no numbers" in str(Powercap().missing(Here({}, tmp_path)))


def test_a_counter_that_may_not_be_read_comes_with_the_command_that_lets_us(tmp_path):
    counter = zone(tmp_path, "intel-rapl:0", "package-0", "5")
    counter.unlink()
    counter.mkdir()  # root may read any file; no one may read a folder
    missing = Powercap().missing(Here({}, tmp_path))
    assert missing is not None
    assert str(counter) in missing.why
    assert f"chmod a+r {counter}" in missing.remedy


def test_a_pass_takes_what_the_machine_used_meanwhile(tmp_path, make_repo, ours, sandbox):
    moving = zone(tmp_path, "intel-rapl:0", "package-0", "0", str(1 << 40))
    zone(tmp_path, "intel-rapl:1", "dram", "7")
    ended = threading.Event()

    def use() -> None:
        used = 0
        while not ended.wait(0.005):
            used += 1000
            beside = moving.with_name("new")
            beside.write_text(f"{used}\n")
            beside.replace(moving)

    machine = threading.Thread(target=use)
    machine.start()
    try:
        with scene_of(make_repo, ours, sandbox) as scene:
            seen = Powercap().profile(scene, Here({}, tmp_path))
    finally:
        ended.set()
        machine.join()
    (fact,) = seen.facts
    assert (fact.name, fact.unit) == ("package-0 (intel-rapl:0)", "J")
    assert fact.value > 0
    assert seen.notes == ("the counter of dram (intel-rapl:1) did not move",)
