"""The machine's fingerprint: what it holds, and when two of them are the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from optagent.cli.run.machine import fingerprint
from optagent.core.fingerprint import differences, is_same
from optagent.languages.python.environment.environment import Editable, Environment
from optagent.languages.python.environment.identity import identity
from optagent.languages.python.environment.interpreter import Interpreter

CPUINFO = """processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz
microcode\t: 0xf0
flags\t\t: fpu vme de hypervisor lahf_lm

processor\t: 1
model name\t: another
"""
PYTHON = Interpreter(
    Path("/usr/bin/python3"),
    (3, 12, 3),
    (),
    "test",
    tag="cp312-x",
    build="3.12.3 (main) [GCC 13]",
    options=("--with-lto",),
)
INSTALLED = {"numpy": "2.1.0", "mine": "0.1.dev7", "idna": "3.1"}
ENVIRONMENT = Environment(PYTHON, (Editable("Mine", Path("/repo"), inside=True),), (), INSTALLED, (), ())


@pytest.fixture
def laptop(tmp_path):
    """The files of a machine."""
    files = {
        "proc/cpuinfo": CPUINFO,
        "sys/devices/system/cpu/cpu3/cpufreq/scaling_governor": "powersave\n",
        ".dockerenv": "",
        "proc/self/cgroup": "0::/\n",
        "proc/self/mountinfo": "29 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
        "sys/fs/cgroup/cpu.max": "150000 100000\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_processor_governor_container_and_limits_are_in_it(laptop):
    made = fingerprint({"python": {"version": "3.12.3"}}, 3, laptop)
    named = {"processor": "Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz", "microcode": "0xf0", "virtual": True}
    limits = {"governor": "powersave", "container": "docker", "cpu_limit": 1.5, "memory_limit": "none"}
    assert made.items() >= {**named, **limits}.items()
    assert made["python"] == {"version": "3.12.3"}


def test_what_a_machine_does_not_show_is_said_to_be_not_shown(tmp_path):
    made = fingerprint({}, 0, tmp_path)
    assert (made["governor"], made["microcode"], made["container"]) == ("not shown", "not shown", "none")


def test_it_is_the_same_again_and_another_when_one_part_is(laptop):
    before = fingerprint({}, 3, laptop)
    assert is_same(before, json.loads(json.dumps(fingerprint({}, 3, laptop))))
    (laptop / "sys/devices/system/cpu/cpu3/cpufreq/scaling_governor").write_text("performance\n")
    after = fingerprint({}, 3, laptop)
    assert not is_same(before, after)
    assert differences(before, after) == "governor was powersave, is performance"


def test_without_a_digest_nobody_knows_whether_it_is_the_same():
    assert not is_same({"cores": 2}, {"cores": 2})


def test_of_many_differences_the_first_are_told():
    said = differences({"a": 1}, {"a": 2, "b": {"c": 1, "d": 2}, "e": 3})
    assert said == "a was 1, is 2; b c was not noted, is 1; b d was not noted, is 2; and 1 more"


def test_of_the_packages_all_count_and_those_that_do_the_work_are_named():
    told = identity(ENVIRONMENT)
    assert told["python"] == {
        "version": "3.12.3", "abi": "cp312-x", "build": "3.12.3 (main) [GCC 13]", "options": "--with-lto",
    }  # fmt: skip
    assert (told["packages"]["count"], told["packages"]["numpy"]) == (2, "2.1.0")
    newer = replace(ENVIRONMENT, installed={**INSTALLED, "idna": "3.2"})
    assert identity(newer)["packages"]["digest"] != told["packages"]["digest"]


def test_the_version_of_the_project_itself_does_not_count_its_code_is_what_is_compared():
    later = replace(ENVIRONMENT, installed={**INSTALLED, "mine": "0.1.dev8"})
    assert identity(later) == identity(ENVIRONMENT)


def test_this_machine_has_one():
    made = fingerprint({}, 0)
    assert made["cores"] >= 1
    assert made["kernel"]
    assert len(made["fingerprint"]) == 16
