"""What the system counts meanwhile, from texts as kernels write them, and once from this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from optagent.core.strain import Strain
from optagent.measure.cgroup import Throttling
from optagent.measure.system_state import Sample, Ticks, Watch, core_ticks, load_average, sample, strain, waiting_us
from optagent.sandbox.clocks import Waits, open_schedstat, waits_of

STAT = """cpu  89722 0 6566 38380 631 0 182 211 0 0
cpu0 40296 0 2814 24501 60 0 90 103 50 0
cpu1 49426 0 3752 13879 570 0 92 108 0 0
cpu10 1 0 0 0 0 0 0 0 0 0
intr 490764 0 0
btime 1795729454
"""
PRESSURE = """some avg10=91.31 avg60=93.05 avg300=61.58 total=294569865
full avg10=0.00 avg60=0.00 avg300=0.00 total=17
"""


def test_a_core_is_found_by_its_whole_number_and_time_of_guests_counts_once():
    assert core_ticks(STAT, 1) == Ticks(49426 + 3752 + 13879 + 570 + 92 + 108, 108)
    assert core_ticks(STAT, 0) == Ticks(40296 + 2814 + 24501 + 60 + 90 + 103, 103)
    assert core_ticks(STAT, 2) is None


@pytest.mark.parametrize("text", ["", "nonsense\n", "some avg10=0.00\n", "cpu0 1 2\n", "-1"])
def test_what_the_system_does_not_show_is_unknown(text):
    assert (load_average(text), core_ticks(text, 0), waiting_us(text), waits_of(text.encode())) == (
        None,
        None,
        None,
        None,
    )


@pytest.fixture
def laptop(tmp_path):
    """A machine at two moments: `at(second)` writes its files as they are then."""

    def at(second: int) -> Path:
        files = {
            "proc/loadavg": "3.00 2.00 1.00 3/115 9203\n",
            "proc/stat": f"cpu1 {1000 + 80 * second} 0 0 0 0 0 0 {20 * second} 0 0\n",
            "proc/pressure/cpu": f"some avg10=0.00 avg60=0.00 avg300=0.00 total={500_000 * second}\n",
            "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": f"{4_000_000 - 1_000_000 * second}\n",
            "proc/self/cgroup": "0::/\n",
            "proc/self/mountinfo": "29 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
            "sys/fs/cgroup/cpu.stat": f"nr_periods 9\nnr_throttled {second}\nthrottled_usec {100_000 * second}\n",
        }
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return at


def test_a_sample_holds_what_the_files_say(laptop):
    seen = sample(1, laptop(2))
    assert seen == Sample(seen.wall_ns, 3.0, Ticks(1200, 40), 1_000_000, Throttling(2, 0.2), 2_000_000)


def test_from_two_samples_come_shares_of_the_time_between_them():
    first = Sample(0, 3.0, Ticks(1000, 0), 0, Throttling(0, 0.0), 4_000_000)
    last = Sample(2_000_000_000, 3.0, Ticks(1200, 40), 1_000_000, Throttling(2, 0.2), 3_000_000)
    waited = [Waits(300, 100), Waits(300, 100)]
    assert strain([first, last], waited, cores=2) == Strain(2.0, 1.5, 0.2, 0.5, 0.25, 0.1, 0.25)


def test_counters_that_a_system_does_not_have_stay_unknown():
    nothing = [Sample(0, None, None, None, None, None), Sample(10**9, None, None, None, None, None)]
    assert strain(nothing, [], cores=2) == Strain(1.0)


def test_this_machine_can_be_watched():
    watch = Watch(max(os.sched_getaffinity(0)))
    sum(range(300_000))
    with open(open_schedstat(os.getpid()), "rb") as file:
        mine = waits_of(file.read())
    assert mine is None or mine.ran_ns > 0
    seen = watch.strain([mine] if mine else [])
    assert seen.seconds > 0
    shares = [one for one in (seen.steal, seen.delay, seen.throttled, seen.drift) if one is not None]
    assert all(0 <= one <= 1 for one in shares)
    assert seen.load is None or seen.load >= 0
