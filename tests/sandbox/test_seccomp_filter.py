"""The compiled system-call filters, run instruction by instruction here: the only way to see the one for ARM at work."""

from __future__ import annotations

import errno
import re
import struct
import tomllib
from pathlib import Path

import pytest

from optagent.sandbox import seccomp
from optagent.sandbox.base import REFUSED_ERRNO, Profile

MACHINES = ("x86_64", "aarch64")
ALLOWED = "allowed"
KILLED = "killed"
LISTS = tomllib.loads((seccomp.data_folder() / "seccomp.toml").read_text())
THREAD = 0x003D0F00  # what pthread_create asks clone for
FORK = 0x01200011  # what fork asks clone for


def verdict(
    profile: Profile, machine: str, number: int, *args: int, arch: int | None = None, is_shared: bool = False
) -> str | int:
    """What the filter says to one call: ALLOWED, KILLED, or the errno."""
    program = list(struct.iter_unpack("HBBI", seccomp.compile_filter(profile, machine, is_shared)))
    arch = seccomp.ARCHES[machine] if arch is None else arch
    padded = [one & (1 << 64) - 1 for one in (*args, *(0,) * (6 - len(args)))]
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, arch, 0, *padded)
    at = accumulator = 0
    while True:
        code, if_true, if_false, value = program[at]
        at += 1
        if code == seccomp.LOAD:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif code == seccomp.AND:
            accumulator &= value
        elif code == seccomp.RETURN:
            return ALLOWED if value == seccomp.ALLOW else KILLED if value == seccomp.KILL else value & 0xFFFF
        else:
            holds = {
                seccomp.JUMP_EQUAL: accumulator == value,
                seccomp.JUMP_AT_LEAST: accumulator >= value,
                seccomp.JUMP_ANY_BIT: accumulator & value,
            }[code]
            at += if_true if holds else if_false


def number(name: str, machine: str) -> int | None:
    return seccomp.NUMBERS[name][MACHINES.index(machine)]


def listed(section: str) -> list[tuple[str, int]]:
    return [(name, seccomp.ERRNOS[error]) for error, names in LISTS[section].items() for name in names]


def listing(name: str) -> list[Profile]:
    """The profiles with a section that lists a call: a fork has its own and that of a contestant."""
    found = [profile for profile in Profile if profile in LISTS and name in dict(listed(profile))]
    return [*found, *([Profile.FORK] if Profile.CONTESTANT in found else [])]


def always(name: str) -> list[Profile]:
    """All, but for what a nursery needs to make a fork alone."""
    return [profile for profile in Profile if name not in seccomp.NEEDED.get(profile, ())]


def test_a_command_is_refused_what_a_contestant_is_but_for_processes_timers_and_watches():
    assert {name for name, _ in listed("contestant")} - dict(listed("command")).keys() <= {
        "fork",
        "vfork",
        "timer_create",
        "timerfd_create",
        "timerfd_settime",
        "setsid",  # every program gets a session of its own from the launcher
        "inotify_add_watch",
        "fanotify_init",
        "fanotify_mark",
    }
    assert dict(listed("command")).items() <= dict(listed("contestant")).items()


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("name", "error", "profiles"),
    [
        *[(name, error, tuple(always(name))) for name, error in listed("always")],
        *[(name, error, tuple(listing(name))) for name, error in (*listed("contestant"), *listed("fork"))],
        ("clone3", errno.ENOSYS, tuple(Profile)),
    ],
)
def test_a_listed_call_gets_its_errno(machine, name, error, profiles):
    if number(name, machine) is None:
        assert (machine, name) in (("aarch64", "fork"), ("aarch64", "vfork"))  # ARM never had them
        return
    told = {profile: verdict(profile, machine, number(name, machine)) for profile in Profile}
    assert told == {profile: error if profile in profiles else ALLOWED for profile in Profile}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_contestant_may_clone_threads_only_and_the_others_anything_but_namespaces(machine):
    clone = number("clone", machine)
    for profile in (Profile.CONTESTANT, Profile.FORK):
        assert verdict(profile, machine, clone, THREAD) == ALLOWED
        assert verdict(profile, machine, clone, FORK) == REFUSED_ERRNO
    for profile in (Profile.TESTS, Profile.COMMAND, Profile.NURSERY):
        assert verdict(profile, machine, clone, THREAD) == ALLOWED
        assert verdict(profile, machine, clone, FORK) == ALLOWED
        for bit in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
            assert verdict(profile, machine, clone, FORK | bit) == errno.EPERM


@pytest.mark.parametrize("machine", MACHINES)
def test_sockets_are_for_tests_and_of_families_that_stay_inside(machine):
    families = range(46)
    told = [verdict(Profile.TESTS, machine, number("socket", machine), family) for family in families]
    assert [family for family in families if told[family] == ALLOWED] == sorted(seccomp.TEST_SOCKET_FAMILIES)
    assert {one for one in told if one != ALLOWED} == {errno.EAFNOSUPPORT}
    for family in families:
        for profile in (Profile.CONTESTANT, Profile.FORK, Profile.NURSERY, Profile.COMMAND):
            assert verdict(profile, machine, number("socket", machine), family) == errno.EAFNOSUPPORT


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", Profile)
def test_no_one_types_into_a_terminal(machine, profile):
    ioctl = number("ioctl", machine)
    for request in (seccomp.TIOCSTI, seccomp.TIOCLINUX, seccomp.TIOCSTI | 1 << 32):  # the kernel reads 32 bits
        assert verdict(profile, machine, ioctl, 0, request) == errno.EPERM
    assert verdict(profile, machine, ioctl, 0, 0x5401) == ALLOWED


@pytest.mark.parametrize("machine", MACHINES)
def test_a_contestant_may_ask_fcntl_anything_but_for_signals_and_leases_and_a_fork_owns_no_signals(machine):
    fcntl = number("fcntl", machine)
    commands = [*range(48), *range(1024, 1048)]
    both = [*seccomp.WITH_A_FILE]
    owners = [seccomp.F_SETOWN, seccomp.F_SETOWN_EX]
    for profile, refused in ((Profile.CONTESTANT, both), (Profile.FORK, sorted([*both, *owners]))):
        told = {one: verdict(profile, machine, fcntl, 3, one) for one in commands}
        assert [one for one in commands if told[one] != ALLOWED] == refused
        assert {told[one] for one in refused} == {errno.EPERM}
    assert verdict(Profile.CONTESTANT, machine, fcntl, 3, seccomp.F_SETSIG | 1 << 32) == errno.EPERM
    assert verdict(Profile.TESTS, machine, fcntl, 3, seccomp.F_SETSIG) == ALLOWED


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_judged_reads_files_as_one_that_waits_and_throws_nothing_out_of_memory(machine):
    preadv2, madvise = number("preadv2", machine), number("madvise", machine)
    for profile in Profile:
        is_judged = profile in (Profile.CONTESTANT, Profile.FORK, Profile.COMMAND)
        told = {bit: verdict(profile, machine, preadv2, 3, 0, 0, 0, 0, 1 << bit) for bit in range(9)}
        refused = {3: errno.EOPNOTSUPP, 7: errno.EOPNOTSUPP} if is_judged else {}
        assert told == dict.fromkeys(range(9), ALLOWED) | refused
        said = {advice: verdict(profile, machine, madvise, 0, 4096, advice) for advice in range(26)}
        assert said == dict.fromkeys(range(26), ALLOWED) | ({21: 0} if is_judged else {})  # done nothing, and well


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", [*seccomp.SIGNALS, "prlimit64"])
def test_a_fork_signals_and_limits_nobody_but_itself(machine, name):
    own = seccomp.OWN_PROCESS  # what a fork puts its own number in the place of
    call = number(name, machine)
    for process in (own, own | 1 << 32):  # the kernel reads 32 bits
        assert verdict(Profile.FORK, machine, call, process, 9) == ALLOWED
    for process in (1, 2, own - 1, -1, -own, 1 << 31):
        assert verdict(Profile.FORK, machine, call, process, 9) == errno.EPERM
    assert verdict(Profile.FORK, machine, call, 0, 9) == (ALLOWED if name == "prlimit64" else errno.EPERM)
    assert verdict(Profile.CONTESTANT, machine, call, 1, 9) == ALLOWED


@pytest.mark.parametrize("machine", MACHINES)
def test_a_forks_own_number_stands_in_the_filter_as_often_as_there_are_calls_for_it(machine):
    program = [value for *_, value in struct.iter_unpack("HBBI", seccomp.compile_filter(Profile.FORK, machine))]
    assert program.count(seccomp.OWN_PROCESS) == len(seccomp.SIGNALS) + 1
    whole = seccomp.compile_filter(Profile.FORK, machine)
    assert whole.count(struct.pack("I", seccomp.OWN_PROCESS)) == len(seccomp.SIGNALS) + 1  # nor across two of them


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", Profile)
def test_every_other_call_goes_through(machine, profile):
    special = {number(name, machine) for name in seccomp.NUMBERS}
    assert all(verdict(profile, machine, one) == ALLOWED for one in range(470) if one not in special)


@pytest.mark.parametrize("machine", MACHINES)
def test_another_architectures_numbers_are_no_way_round(machine):
    other = seccomp.ARCHES[MACHINES[1 - MACHINES.index(machine)]]
    assert verdict(Profile.TESTS, machine, 0, arch=other) == KILLED
    assert verdict(Profile.TESTS, machine, 0, arch=0x40000003) == KILLED  # i386
    assert verdict(Profile.TESTS, machine, 0x40000000 | 57) == errno.EPERM  # x32
    assert verdict(Profile.TESTS, machine, -1) == errno.EPERM


HEADERS = {
    "x86_64": ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", r"#define __NR_(\w+)\s+(\d+)"),
    "aarch64": ("/usr/include/asm-generic/unistd.h", r"#define __NR(?:3264)?_(\w+)\s+(\d+)"),
}


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_are_the_kernels(machine):
    path, pattern = HEADERS[machine]
    if not Path(path).exists():
        pytest.skip(f"no kernel header {path}")
    numbers = {name: int(value) for name, value in re.findall(pattern, Path(path).read_text())}
    numbers.pop("syscalls", None)  # how many there are
    ours = {name: number(name, machine) for name in seccomp.NUMBERS}
    newer = {name for name, one in ours.items() if one is not None and one > max(numbers.values())}
    assert {name for name in newer if len({*seccomp.NUMBERS[name]}) > 1} == set()  # new ones have one number everywhere
    assert {**ours, **dict.fromkeys(newer)} == {name: numbers.get(name) for name in seccomp.NUMBERS}


SHARED_WORLD = [
    ("chmod", (), 0), ("utimensat", (), 0), ("setxattr", (), 0), ("fchmodat", (), 0),
    ("shmget", (), errno.EPERM), ("mq_unlink", (), errno.EPERM), ("setpriority", (), errno.EPERM),
    ("prlimit64", (77,), errno.EPERM), ("prlimit64", (0,), ALLOWED), ("prlimit64", (1 << 32,), ALLOWED),
    ("sched_setaffinity", (77,), errno.EPERM), ("fcntl", (3, 10), errno.EPERM), ("fcntl", (3, 1), ALLOWED),
    ("ioctl", (3, 0x40086602), errno.ENOTTY), ("ioctl", (3, 0x5401), ALLOWED), ("ioctl", (3, 0x5412), errno.EPERM),
    ("fcntl", (3, 1036), errno.EPERM), ("openat2", (), errno.ENOSYS), ("fallocate", (), errno.EOPNOTSUPP),
    ("getxattr", (), errno.EOPNOTSUPP), ("bind", (), errno.EPERM),
    ("socketpair", (1, 1), ALLOWED), ("socketpair", (1, 1 | 0o2000000), ALLOWED), ("socketpair", (1, 2), errno.EPERM),
    ("open", (0, 3), errno.EPERM), ("open", (0, 0o103), errno.EPERM), ("open", (0, 0o102), ALLOWED), ("open", (0, 0), ALLOWED),
    ("openat", (0, 0, 3), errno.EPERM), ("openat", (0, 0, 0o2000001), ALLOWED), ("openat", (3, 3, 0), ALLOWED),
    *(("socket", (family,), errno.EAFNOSUPPORT) for family in (1, 2, 10, 16, 17)),
]  # fmt: skip


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("name", "args", "said"), SHARED_WORLD)
def test_without_namespaces_what_all_processes_share_is_refused_to_tests_too(machine, name, args, said):
    """The kernel reads 32 bits of a process number: a number that is 0 in those is the caller's own."""
    if number(name, machine) is not None:
        assert verdict(Profile.TESTS, machine, number(name, machine), *args, is_shared=True) == said


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", ["fchmodat", "utimensat", "setxattr"])
def test_what_does_nothing_in_tests_fails_in_what_is_judged(machine, name):
    """Else a function that does it and one that does not would be the same."""
    assert verdict(Profile.CONTESTANT, machine, number(name, machine), is_shared=True) == errno.EPERM
