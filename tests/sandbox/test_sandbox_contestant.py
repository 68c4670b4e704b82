"""The profile `contestant`: one process on its core, with threads, without children, sockets or shared memory."""

from __future__ import annotations

import errno
import os
import platform
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from rungs import make_sandbox, open_to_all
from sandbox_probes import NO_PYTHON, PYTHON, hear

from optagent.errors import SandboxUnavailable
from optagent.sandbox import seccomp
from optagent.sandbox.base import REFUSED_ERRNO, Mount, Profile, Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path(PYTHON).exists(), reason=NO_PYTHON)]
EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97
LISTS = tomllib.loads((seccomp.data_folder() / "seccomp.toml").read_text("utf-8"))


REFUSED = {"clone3": ENOSYS, "socket": EAFNOSUPPORT}


def denied(*sections: str) -> dict[str, int]:
    found = {name: seccomp.ERRNOS[error] for one in sections for error, names in LISTS[one].items() for name in names}
    return found | REFUSED


DENIED = {
    "bwrap": denied("always", "contestant"),
    "container": denied("always", "contestant"),
    "fork": denied("always", "contestant", "fork"),
    "landlock": {**denied("always", "contestant", "shared"), **dict.fromkeys(denied("files"), EPERM), **REFUSED},
}


def number(name: str) -> int | None:
    return seccomp.NUMBERS[name][list(seccomp.ARCHES).index(platform.machine())]


@pytest.fixture(scope="module", params=["bwrap", "fork", "landlock", "container"])
def box(request) -> Sandbox:
    """A contestant in a fresh sandbox, one that is a fork of a program that has started, and one without namespaces."""
    return make_sandbox(request.param)


STARTS = {
    "fork": "os.fork()",
    "forkpty": "os.forkpty()",
    "vfork": "libc.syscall(ctypes.c_long(VFORK)) == -1 and fail()",
    "clone": "libc.syscall(ctypes.c_long(CLONE), 17, 0, 0, 0, 0) == -1 and fail()",
    "posix_spawn": "os.posix_spawn('/bin/true', ['true'], {})",
    "subprocess": "import subprocess; subprocess.run(['/bin/true'])",
    "subprocess in a session": "import subprocess; subprocess.Popen(['/bin/true'], start_new_session=True)",
    "popen": "os.popen('true').read()",
    "multiprocessing by fork": "import multiprocessing as m; m.get_context('fork').Process(target=print).start()",
    "multiprocessing by spawn": "import multiprocessing as m; m.get_context('spawn').Process(target=print).start()",
    "process pool": "import concurrent.futures as c; c.ProcessPoolExecutor(1).submit(print)",
}


NEEDS_MORE = ("forkpty", "process pool")
"""A terminal, or /dev/shm: closed where there are no mounts."""


@pytest.mark.parametrize("way", STARTS)
def test_no_process_can_be_started_and_the_refusal_has_the_reserved_errno(box, way):
    if way == "vfork" and number("vfork") is None:
        pytest.skip("this machine has no vfork call")
    script = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
CLONE, VFORK = {number("clone")}, {number("vfork")}
def fail(): raise OSError(ctypes.get_errno(), 'refused')
def start(): {STARTS[way]}
say(attempt(start))
os._exit(0)
"""
    is_refused_earlier = box.rung == "landlock" and way in NEEDS_MORE
    assert hear(box, script) == (errno.EACCES if is_refused_earlier else REFUSED_ERRNO)


def test_os_system_starts_nothing(box):
    script = "code = os.system('touch /tmp/made'); say([code != 0, os.path.exists('/tmp/made')])"
    assert hear(box, script) == [True, False]


def test_threads_and_pools_of_threads_work(box):
    script = """
import threading, concurrent.futures as c
got = []
for n in range(5):
    t = threading.Thread(target=got.append, args=(n,)); t.start(); t.join()
with c.ThreadPoolExecutor(4) as pool: got.extend(pool.map(abs, [-7, -8]))
say(got)
"""
    assert hear(box, script) == [0, 1, 2, 3, 4, 7, 8]


def test_sockets_of_every_family_are_refused_while_socketpairs_work(box):
    script = """
a, b = socket.socketpair(); a.sendall(b'x')
say([b.recv(1).decode(), sorted({attempt(socket.socket, family, kind) for family in range(1, 46) for kind in (1, 2, 3)})])
"""
    assert hear(box, script) == ["x", [EAFNOSUPPORT]]


RESCHEDULES = {
    "affinity": "os.sched_setaffinity(0, {0})",
    "scheduler": "os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))",
    "parameters": "os.sched_setparam(0, os.sched_param(0))",
    "priority": "os.setpriority(os.PRIO_PROCESS, 0, 5)",
    "nice": "os.nice(1)",
    "clock": "time.clock_settime(time.CLOCK_REALTIME, 0)",
}


@pytest.mark.parametrize("what", RESCHEDULES)
def test_a_contestant_cannot_reschedule_itself(box, what):
    assert hear(box, f"say(attempt(lambda: {RESCHEDULES[what]}))") == EPERM


@pytest.mark.parametrize("place", ["/tmp/optagent-known", "/dev/shm/optagent-known"])
def test_what_one_contestant_leaves_no_other_finds(box, place):
    if box.rung == "landlock":
        pytest.skip("there it may not be written: see tests/attacks")
    script = f"say(attempt(os.open, {place!r}, os.O_CREAT | os.O_EXCL | os.O_WRONLY)[0])"
    assert [hear(box, script), hear(box, script)] == ["got through"] * 2  # made anew both times
    assert not Path(place).exists()


def test_advice_about_a_shown_file_succeeds_and_throws_nothing_out_of_memory(box):
    """What is in memory of it would be a memory of a contestant's own, for a later one to find."""
    advise = "say(attempt(os.posix_fadvise, os.open(PATH, os.O_RDONLY), 0, 0, os.POSIX_FADV_DONTNEED))"
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder) / "data"
        shown.write_bytes(bytes(1 << 16))
        open_to_all(Path(folder))
        with shown.open("rb") as file:
            os.fsync(file.fileno())
            path = box.inside(Mount(shown, "/seen"))
            assert hear(box, advise.replace("PATH", repr(path)), mounts=(Mount(shown, "/seen"),)) == [
                "got through",
                "None",
            ]
            assert os.preadv(file.fileno(), [bytearray(1)], 1 << 15, os.RWF_NOWAIT) == 1


@pytest.fixture(scope="module", params=[*DENIED])
def told(request) -> dict[str, Any]:
    """What one contestant got from every denied call, each with all arguments zero, over what it should get."""
    calls = {name: number(name) for name in DENIED[request.param] if number(name) is not None}
    script = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
got = {{}}
for name, number in {calls!r}.items():
    ctypes.set_errno(0)
    got[name] = [libc.syscall(ctypes.c_long(number), *[ctypes.c_long(0)] * 6), ctypes.get_errno()]
say(got)
"""
    found = hear(make_sandbox(request.param), script)
    assert isinstance(found, dict)
    return {
        name: (found[name], [-1 if error else 0, error])
        for name, error in DENIED[request.param].items()
        if name in calls
    }


@pytest.mark.parametrize("name", {**DENIED["fork"], **DENIED["landlock"]})
def test_a_denied_call_fails_with_the_errno_of_its_list(told, name):
    if name not in told:
        pytest.skip(f"this machine has no call {name}, or the profile allows it")
    got, wanted = told[name]
    assert got == wanted


def test_every_listed_call_has_a_number_on_every_known_machine_or_none_at_all():
    assert set(DENIED["fork"]) | set(denied(*LISTS)) <= set(seccomp.NUMBERS)
    assert all(len(numbers) == len(seccomp.ARCHES) for numbers in seccomp.NUMBERS.values())


@pytest.mark.parametrize("profile", list(Profile))
def test_the_filter_compiles_for_arm_and_refuses_a_machine_it_does_not_know(profile):
    assert len(seccomp.compile_filter(profile, "aarch64")) % 8 == 0
    assert seccomp.compile_filter(profile, "aarch64") != seccomp.compile_filter(profile, "x86_64")
    with pytest.raises(SandboxUnavailable, match="riscv64"):
        seccomp.compile_filter(profile, "riscv64")
