"""What a change costs beside time, seen in real workers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_measure_launch import FAST, OLD, make_race  # noqa: F401 - a fixture

from optagent.core.effort import EFFORTS
from optagent.languages.contestant import Misconduct
from optagent.measure.growth import take_growth
from optagent.measure.guards import take_guards
from optagent.measure.launch import launch
from optagent.measure.speed import Noise, claim

pytestmark = pytest.mark.slow

START = "    total = 0\n"
HOLDS = OLD.replace(START, START + "    held = [bytearray(1000) for _ in range(1000)]\n")
PRINTS = OLD.replace(START, START + "    print('x' * 50)\n")
THREADS = OLD.replace(
    START, START + "    import threading\n    one = threading.Thread(target=int)\n    one.start(); one.join()\n"
)
IMPORTS = OLD + "table = [k * k for k in range(400_000)]\n"
ONCE = OLD.replace(START, START + "    if not ready: ready.extend(range(900_000))\n") + "ready = []\n"


@pytest.fixture
def costs(make_race):  # noqa: F811
    return lambda new: take_guards(make_race(new), "cpu", 1)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "inputs.py"


def test_identical_code_costs_the_same(costs):
    found = costs(OLD)
    assert found.old.held_bytes == found.new.held_bytes
    assert (found.old.printed, found.old.threads) == (found.new.printed, found.new.threads) == (0, 0)
    assert found.old.import_s > 0
    assert found.new.resident_bytes > 1 << 20


def test_memory_that_a_call_holds_for_a_while_is_seen(costs):
    found = costs(HOLDS)
    assert found.new.held_bytes - found.old.held_bytes == pytest.approx(1_060_000, rel=0.1)


def test_text_that_is_written_and_threads_that_are_started_are_counted(costs):
    assert costs(PRINTS).new.printed == 2 * 51
    assert costs(THREADS).new.threads == 2


def test_work_at_import_and_in_the_first_call_is_seen(costs):
    imports = costs(IMPORTS)
    assert imports.new.import_s > 2 * imports.old.import_s
    once = costs(ONCE)
    assert once.new.first_s > once.old.first_s
    assert once.new.resident_bytes > once.old.resident_bytes + (4 << 20)


def test_growth_is_measured_at_sizes_that_the_workload_file_makes(make_race, file):  # noqa: F811
    file.write_text("SIZE = 64\ndef make_inputs(size, rng):\n    return [(list(range(size)),)]\n")
    old = "def work(xs):\n    return sum(1 for x in xs if x in xs[: len(xs)])\n"
    new = "def work(xs):\n    return len(xs)\n"
    growth = take_growth(make_race(new, old=old), file, "cpu", 1)
    assert len(growth.sizes) == 5
    assert growth.sizes[-1] == 16 * growth.sizes[0]
    assert growth.old_exponent > 1.4
    assert growth.new_exponent < 0.6
    assert growth.ratios[-1] > growth.ratios[0]


def test_sizes_that_are_all_alike_show_no_growth(make_race, file):  # noqa: F811
    file.write_text("def make_inputs(size, rng):\n    return [([1] * 5000,)]\nSIZE = 0\n")
    assert take_growth(make_race(OLD), file, "cpu", 1) is None


def test_a_side_that_cannot_take_larger_inputs_is_named(make_race, file):  # noqa: F811
    file.write_text("SIZE = 5000\ndef make_inputs(size, rng):\n    return [(list(range(size)),)]\n")
    dies = OLD.replace(START, START + "    if len(xs) > 6000:\n        import os; os._exit(3)\n")
    with pytest.raises(Misconduct, match="the process ended") as caught:
        take_growth(make_race(dies), file, "cpu", 1)
    assert caught.value.name == "candidate"


def test_timed_calls_run_with_the_collector_on_where_that_is_asked_for(make_race):  # noqa: F811
    look = OLD.replace("    xs.append(total)\n", "    import gc\n    xs.append('on' if gc.isenabled() else 'off')\n")
    race = make_race(look, old=look)
    with race.project.contestant(race.new, 1, 20) as one:
        race.project.load(one, race.new, 1)
        one.keep([given.data for given in race.inputs])
        for collecting, word in ((False, b"off"), (True, b"on"), (False, b"off")):
            one.collecting = collecting
            one.prepare((0,), 1)
            one.lap()
            assert one.collect()[0].endswith(word)
    assert launch(replace(race, collecting=True), 1).difference is None


@pytest.mark.slow
def test_a_gain_is_measured_again_with_the_collector_on(make_race):  # noqa: F811
    found = claim(make_race(FAST), Noise(0.01, "cpu", 0.1), 1, EFFORTS["normal"])
    assert found.is_faster
    assert found.collecting > 2
