"""Limits and waiting of the control group, from texts as kernels write them, and once from this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from optagent.measure.cgroup import Allowance, Throttling, allowance, place, throttled

MOUNT_V2 = "29 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
MOUNTS_V1 = (
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "36 31 0:33 /docker/ab /sys/fs/cgroup/memory ro,relatime - cgroup cgroup rw,memory\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
)
OWN_V1 = "9:name=systemd:/\n5:memory:/docker/ab/inner\n2:cpu,cpuacct:/docker/ab\n0::/\n"


@pytest.fixture
def machine(tmp_path):
    """A machine's files, each given by its path and text."""

    def make(own: str, mounts: str, **files: str) -> Path:
        texts = {"proc/self/cgroup": own, "proc/self/mountinfo": mounts}
        texts |= {f"sys/fs/cgroup/{name.replace('__', '/')}": text for name, text in files.items()}
        for name, text in texts.items():
            file = tmp_path / name.replace("_dot_", ".")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return tmp_path

    return make


def test_of_version_2_the_tightest_of_our_group_and_those_around_it_holds(machine):
    root = machine(
        "0::/user.slice/job\n",
        MOUNT_V2,
        **{
            "user.slice__cpu.max": "150000 100000\n",
            "user.slice__job__cpu.max": "max 100000\n",
            "user.slice__memory.max": "max\n",
            "user.slice__job__memory.max": "1073741824\n",
            "user.slice__job__cpu.stat": "usage_usec 5\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n",
            "user.slice__cpu.stat": "usage_usec 9\nnr_periods 40\nnr_throttled 12\nthrottled_usec 2500000\n",
        },
    )
    assert allowance(root) == Allowance(1.5, 1 << 30)
    assert throttled(root) == Throttling(12, 2.5)


def test_of_version_1_each_controller_has_its_own_folders(machine):
    root = machine(
        OWN_V1,
        MOUNTS_V1,
        **{
            "cpu,cpuacct__docker__ab__cpu.cfs_quota_us": "50000\n",
            "cpu,cpuacct__docker__ab__cpu.cfs_period_us": "100000\n",
            "cpu,cpuacct__docker__ab__cpu.stat": "nr_periods 9\nnr_throttled 3\nthrottled_time 300000000\n",
            "memory__inner__memory.limit_in_bytes": "9223372036854771712\n",
            "memory__memory.limit_in_bytes": "2147483648\n",
        },
    )
    assert allowance(root) == Allowance(0.5, 2 << 30)
    assert throttled(root) == Throttling(3, 0.3)


def test_a_group_outside_of_what_is_mounted_is_looked_for_at_the_top():
    found = place("0::/../other\n", MOUNT_V2.replace(" / /sys", " /mine /sys"), "cpu")
    assert found is not None
    assert found.folders == (Path("/sys/fs/cgroup"),)


@pytest.mark.parametrize("mounts", ["", "nonsense\n", "1 2 0:3 / /tmp rw - tmpfs tmpfs rw\n"])
def test_where_nothing_is_shown_nothing_is_known(machine, mounts):
    root = machine("0::/\n", mounts)
    assert allowance(root) == Allowance(None, None)
    assert throttled(root) is None


def test_this_machine_can_be_read():
    found = allowance()
    assert found.cores is None or found.cores > 0
    assert found.memory_bytes is None or found.memory_bytes > 0
    stopped = throttled()
    assert stopped is None or (stopped.times >= 0 and stopped.seconds >= 0)
