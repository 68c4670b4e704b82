"""A contestant under way: its channel, its clocks, its brake, its end. Real processes on every rung."""

from __future__ import annotations

import os
import select
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import pytest
from rungs import make_sandbox
from sandbox_probes import ENV, NO_PYTHON, PYTHON, SAY, contestant, hear, running, soon_gone

from optagent.core import frames
from optagent.errors import SandboxBroken
from optagent.sandbox import live as live_module
from optagent.sandbox import process as process_module
from optagent.sandbox.base import Command, Limits, Sandbox
from optagent.sandbox.live import ChannelClosed, Live, Overdue

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path(PYTHON).exists(), reason=NO_PYTHON)]
HERE = Path(__file__).parent


@pytest.fixture(params=["bwrap", "fork", "landlock", "container", "none"])
def rung(request: pytest.FixtureRequest) -> Sandbox:
    return make_sandbox(request.param)


@pytest.fixture(params=["bwrap", "landlock", "container", "none"])
def fresh(request: pytest.FixtureRequest) -> Sandbox:
    """Rungs whose contestants have a command line of their own."""
    return make_sandbox(request.param)


@pytest.fixture(params=["bwrap", "fork", "container"])
def box(request: pytest.FixtureRequest) -> Sandbox:
    return make_sandbox(request.param)


@pytest.fixture
def mark() -> str:
    return f"mark-{uuid.uuid4().hex}"


def burnt_ns(live: Live, seconds: float = 0.2) -> int:
    before = live.cpu_ns()
    time.sleep(seconds)
    return live.cpu_ns() - before


# the channel


def test_the_greeting_brings_the_process_id_of_the_host_from_the_kernel(rung):
    with contestant(rung, "say(os.getpid())") as live:
        assert live.greet() == {"said": "hello"}
        words = Path(f"/proc/{live.pid}/cmdline").read_bytes().split(b"\0")
        assert words[:2] == [PYTHON.encode(), b"-c"]
        its_own_word = live.receive(10)[0]["said"]
        assert (its_own_word == live.pid) == (rung.rung in ("landlock", "none"))


def test_frames_with_blobs_go_both_ways(rung):
    with contestant(rung, "data = channel.recv(1 << 20, socket.MSG_WAITALL)\nchannel.sendall(data)\n") as live:
        live.greet()
        blobs = [b"", bytes(range(256)), b"x" * ((1 << 20) - 400)]
        frame = frames.pack({"a": ["é", None]}, blobs)
        live.send_raw(frame + bytes((1 << 20) - len(frame)))
        assert live.receive(10) == ({"a": ["é", None]}, blobs)


def test_silence_is_overdue_and_says_so_in_time(rung):
    with contestant(rung) as live:
        live.greet()
        began = time.monotonic()
        with pytest.raises(Overdue):
            live.receive(0.2)
        with pytest.raises(Overdue):
            live.receive_byte(0.2)
        assert time.monotonic() - began < 1.5


def test_a_contestant_that_does_not_listen_is_overdue(rung, monkeypatch):
    with contestant(rung, stay="\ntime.sleep(30)\n") as live:
        live.greet()
        monkeypatch.setattr(live_module, "STARTUP_S", 0.3)
        with pytest.raises(Overdue):
            live.send({}, [bytes(8 << 20)])


ENDS = {
    "exit": "sys.exit(0)",
    "killed": "import signal; os.kill(os.getpid(), signal.SIGKILL)",
    "crash": "import ctypes; ctypes.string_at(0)",
    "channel closed": "channel.close(); time.sleep(30)",
    "channel shut": "channel.shutdown(socket.SHUT_RDWR); time.sleep(30)",
}


@pytest.mark.parametrize("end", ENDS)
def test_a_contestant_that_ends_or_hangs_up_closes_the_channel(rung, end):
    with contestant(rung, stay="\n" + ENDS[end]) as live:
        live.greet()
        with pytest.raises(ChannelClosed):
            live.receive(10)
        with pytest.raises(ChannelClosed):
            live.send_raw(b"x" * 100)
            live.send_raw(b"x" * 100)


def test_a_worker_that_dies_before_it_greets_is_a_broken_sandbox_with_its_last_words(fresh):
    live = fresh.open(Command((PYTHON, "-c", "raise SystemExit('no luck')"), "/tmp", (), ENV), Limits())
    with pytest.raises(SandboxBroken, match="no luck"):
        live.greet()


def test_one_that_ends_with_its_first_word_has_started(fresh, monkeypatch):
    """However late we are to look who it was."""
    opened = os.pidfd_open

    def late(process: int) -> int:
        for _ in range(40):
            if not os.path.exists(f"/proc/{process}"):
                break
            time.sleep(0.05)
        return opened(process)

    with fresh.open(Command((PYTHON, "-c", SAY + "say(1)"), "/tmp", (), ENV), Limits()) as live:
        monkeypatch.setattr(os, "pidfd_open", late)
        assert live.greet() == {"said": 1}
        with pytest.raises(ChannelClosed):
            live.receive(10)


def test_a_worker_that_never_greets_is_a_broken_sandbox_and_is_ended(fresh, monkeypatch, mark):
    monkeypatch.setattr(live_module, "STARTUP_S", 0.5)
    live = fresh.open(Command((PYTHON, "-c", "import time; time.sleep(30)", mark), "/tmp", (), ENV), Limits())
    with pytest.raises(SandboxBroken, match="did not start"):
        live.greet()
    assert soon_gone(mark)


MALFORMED = {
    "a giant header": "b'\\xff\\xff\\xff\\xff\\0\\0\\0\\0'",
    "too many blobs": "struct.pack('!II', 2, 0xffffffff)",
    "a giant blob": "struct.pack('!IIQ', 2, 1, 1 << 63) + b'{}'",
    "blobs giant in sum": "struct.pack('!II', 2, 3) + struct.pack('!3Q', *[100 << 20] * 3) + b'{}'",
    "sum past 64 bits": "struct.pack('!II', 2, 2) + struct.pack('!2Q', *[(1 << 64) - 1] * 2) + b'{}'",
    "no JSON": "struct.pack('!II', 2, 0) + b'{]'",
    "no text": "struct.pack('!II', 4, 0) + b'\\xff\\xfe\\xfd\\xfc'",
    "an empty header": "struct.pack('!II', 0, 0)",
    "a list": "struct.pack('!II', 2, 0) + b'[]'",
    "null": "struct.pack('!II', 4, 0) + b'null'",
    "deep JSON": "struct.pack('!II', 100000, 0) + b'[' * 100000",
    "an endless number": "struct.pack('!II', 100005, 0) + b'{\"a\":' + b'9' * 99999 + b'}'",
    "noise": "bytes(range(255, -1, -1)) * 100",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_frame_closes_the_channel_and_does_not_crash_or_hang_the_referee(rung, name):
    with contestant(rung, f"channel.sendall({MALFORMED[name]})") as live:
        live.greet()
        with pytest.raises(ChannelClosed):
            live.receive(10)


HALVES = {
    "half the sizes": "b'\\0\\0\\0'",
    "half a header": "struct.pack('!II', 1000, 0) + b'{'",
    "half a blob": "struct.pack('!IIQ', 2, 1, 1000) + b'{}x'",
    "half the sizes of blobs": "struct.pack('!II', 2, 1000) + bytes(100)",
}


@pytest.mark.parametrize("name", HALVES)
def test_half_a_frame_and_then_silence_is_overdue(rung, name):
    with contestant(rung, f"channel.sendall({HALVES[name]})") as live:
        live.greet()
        with pytest.raises(Overdue):
            live.receive(0.3)


def test_a_frame_in_drops_does_not_move_the_deadline(rung):
    stay = "\nchannel.sendall(struct.pack('!II', 1000, 0))\nwhile True: channel.sendall(b'x'); time.sleep(0.03)"
    with contestant(rung, stay=stay) as live:
        live.greet()
        began = time.monotonic()
        with pytest.raises(Overdue):
            live.receive(0.4)
        assert time.monotonic() - began < 1.5


def test_a_million_blobs_of_nothing_are_read_in_time_or_overdue(box):
    with contestant(
        box, "channel.sendall(struct.pack('!II', 2, 1 << 20) + struct.pack('!Q', 1) * (1 << 20) + b'{}')"
    ) as live:
        live.greet()
        began = time.monotonic()
        with pytest.raises(Overdue):
            live.receive(0.5)
        assert time.monotonic() - began < 2


def test_descriptors_and_urgent_bytes_sent_along_reach_nobody(box):
    script = (
        "socket.send_fds(channel, [struct.pack('!II', 2, 0) + b'{}'], [0, 1, 2]); channel.send(b'!', socket.MSG_OOB)"
    )
    with contestant(box, script) as live:
        live.greet()
        before = sorted(Path("/proc/self/fd").iterdir())
        assert live.receive(10) == ({}, [])
        with pytest.raises(Overdue):
            live.receive(0.2)
        assert len(list(Path("/proc/self/fd").iterdir())) == len(before)


# the brake and the clocks

BURN = """
import threading
def burn():
    while True: sum(range(1000))
for _ in range(3): threading.Thread(target=burn, daemon=True).start()
"""


def test_halt_stops_all_threads_and_proceed_lets_them_go_on(rung):
    with contestant(rung, BURN) as live:
        live.greet()
        assert burnt_ns(live) > 0
        for _ in range(3):
            live.halt()
            time.sleep(0.05)
            assert burnt_ns(live, 0.1) == 0
            live.proceed()
            assert burnt_ns(live, 0.1) > 0


TIMER = """
import ctypes, signal
libc = ctypes.CDLL(None, use_errno=True)
signal.signal(signal.SIGCONT, lambda *_: None)
class Event(ctypes.Structure): _fields_ = [('value', ctypes.c_void_p), ('signal', ctypes.c_int), ('notify', ctypes.c_int), ('rest', ctypes.c_int * 12)]
timer = ctypes.c_void_p()
if libc.timer_create(1, ctypes.byref(Event(None, signal.SIGCONT, 0)), ctypes.byref(timer)) == 0:
    libc.timer_settime(timer, 0, ctypes.byref((ctypes.c_long * 4)(0, 5000000, 0, 200000000)), None)
"""


def test_no_timer_of_the_contestants_own_releases_the_brake(box):
    """A SIGCONT continues a stopped process, also one that the kernel sends for a timer."""
    with contestant(box, TIMER + BURN + "say('set')\n") as live:
        live.greet()
        live.receive(10)
        live.halt()
        time.sleep(0.05)
        assert burnt_ns(live, 0.5) == 0


SIGNALLED = """
import fcntl, signal
signal.signal(signal.SIGCONT, lambda *_: None)
signal.signal(signal.SIGIO, lambda *_: None)
attempt(fcntl.fcntl, channel, fcntl.F_SETOWN, os.getpid())
fcntl.fcntl(channel, fcntl.F_SETFL, fcntl.fcntl(channel, fcntl.F_GETFL) | os.O_ASYNC)
refusal = attempt(fcntl.fcntl, channel, 10, signal.SIGCONT)
"""


def test_no_signal_for_a_file_releases_the_brake(box):
    """What the referee writes makes the kernel send a signal; F_SETSIG would make that a SIGCONT."""
    with contestant(box, SIGNALLED + BURN + "say(refusal)\n") as live:
        live.greet()
        said, _ = live.receive(10)
        live.halt()
        time.sleep(0.05)
        live.send_raw(b"x")
        assert burnt_ns(live, 0.5) == 0
        assert said == {"said": 1}


TERMINAL = """
import fcntl, signal
for one in (signal.SIGHUP, signal.SIGCONT): signal.signal(one, lambda *_: None)
refusal = attempt(os.setsid)
master = os.open('/dev/ptmx', os.O_RDWR | os.O_NOCTTY)
fcntl.ioctl(master, 0x40045431, bytes(4))  # TIOCSPTLCK: unlock it
number, = struct.unpack('i', fcntl.ioctl(master, 0x80045430, bytes(4)))  # TIOCGPTN
slave = os.open('/dev/pts/%d' % number, os.O_RDWR)  # a session's leader now has a terminal
say([refusal, attempt(os.open, '/dev/tty', os.O_RDWR)])
socket.send_fds(channel, [struct.pack('!II', 2, 0) + b'{}'], [master])
os.close(master)
"""


def test_no_terminal_that_hangs_up_releases_the_brake(box):
    """A terminal's end continues its session's leader; the last descriptor of it ends when the referee reads on."""
    with contestant(box, TERMINAL + BURN) as live:
        live.greet()
        said, _ = live.receive(10)
        select.select([live.channel], [], [], 10)  # the descriptor is under way
        live.halt()
        time.sleep(0.05)
        assert live.receive(10) == ({}, [])
        assert burnt_ns(live, 0.5) == 0
        assert said == {"said": [1, 6]}


def test_a_handler_or_a_block_for_the_stop_signal_changes_nothing(rung):
    script = "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\n" + BURN
    with contestant(rung, script + "say(attempt(signal.signal, signal.SIGSTOP, signal.SIG_IGN))\n") as live:
        live.greet()
        assert live.receive(10)[0]["said"] == 22
        live.halt()
        time.sleep(0.05)
        assert burnt_ns(live, 0.2) == 0


def test_the_work_of_all_threads_is_clocked_also_when_the_first_thread_has_ended(box):
    """Then the kernel no longer tells the memory; a memory of 0 would be a lie."""
    with contestant(box, BURN + "say(1)\nimport ctypes; ctypes.CDLL(None).pthread_exit(None)\n") as live:
        live.greet()
        live.receive(10)
        time.sleep(0.2)
        assert burnt_ns(live, 0.3) > 0
        with pytest.raises(ChannelClosed):
            live.peak_memory_bytes()
        live.halt()
        time.sleep(0.05)
        assert burnt_ns(live, 0.1) == 0


def test_the_peak_of_memory_is_told_after_it_was_given_back(rung):
    with contestant(rung, "x = b'x' * (100 << 20); del x; say(1)") as live:
        live.greet()
        live.receive(10)
        assert live.peak_memory_bytes() > 100 << 20


def test_a_process_name_that_looks_like_a_peak_is_not_believed(rung):
    script = "import ctypes; ctypes.CDLL(None).prctl(15, b'a\\nVmHWM: 1 kB'); say(1)"
    with contestant(rung, script) as live:
        live.greet()
        live.receive(10)
        assert live.peak_memory_bytes() > 1 << 20


def test_pinning_holds_for_the_threads_that_are_there_and_those_to_come(rung):
    core = max(os.sched_getaffinity(0))
    script = """
import threading
threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
say(1); channel.recv(1)
got = []
t = threading.Thread(target=lambda: got.append(sorted(os.sched_getaffinity(0)))); t.start(); t.join()
say(got + [sorted(os.sched_getaffinity(int(t))) for t in os.listdir('/proc/self/task')])
"""
    with contestant(rung, script) as live:
        live.greet()
        live.receive(10)
        live.pin(core)
        live.send_raw(b"g")
        said = live.receive(10)[0]["said"]
        assert len(said) >= 3
        assert all(cores == [core] for cores in said)


# the first process inside, which is bwrap's own


def test_the_memory_of_the_first_process_inside_cannot_be_opened(box):
    """Code written there would run unclocked and unhalted. Ordinary users share its user id."""
    script = "say([attempt(os.open, p, f) for p in ('/proc/1/mem', '/proc/1/task/1/mem') for f in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR)])"
    assert hear(box, script) == [13] * 6


# the end


@pytest.mark.parametrize("halted", [False, True], ids=["running", "halted"])
def test_close_leaves_nothing_running(fresh, mark, halted):
    with contestant(fresh, BURN + f"{mark!r}\n") as live:
        live.greet()
        if halted:
            live.halt()
        assert running(mark)
    assert running(mark) == []


class Stuck(subprocess.Popen):
    """What the kernel does not let end: no test can make one."""

    def wait(self, timeout=None):
        raise subprocess.TimeoutExpired(self.args, timeout or 0.0)


def stuck(*argv: str, **pipes) -> Stuck:
    return Stuck(argv, start_new_session=True, stdin=subprocess.DEVNULL, **pipes)


def reap(process: Stuck) -> None:
    subprocess.Popen.wait(process, 10)


def test_a_process_that_does_not_end_is_a_broken_sandbox_and_holds_no_files_of_ours():
    ours, theirs = socket.socketpair()
    process = stuck("sleep", "600")
    stderr = tempfile.TemporaryFile()  # noqa: SIM115 - Live closes it
    live = Live(process, ours, stderr)
    live.pid = process.pid
    live.handle = os.pidfd_open(process.pid)
    assert live.waits() is not None
    held = live.handle, live._schedstat
    with theirs, pytest.raises(SandboxBroken, match=f"process {process.pid} .* does not end although it was killed"):
        live.close()
    reap(process)
    assert stderr.closed
    for one in held:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(one)


def test_a_command_that_does_not_end_is_a_broken_sandbox_and_holds_no_files_of_ours(monkeypatch):
    made = []

    def spawn(launch, descriptors, stdout, stderr):
        made.append(stuck(*launch.argv, stdout=stdout, stderr=stderr))
        return made[0]

    monkeypatch.setattr(process_module, "_spawn", spawn)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(SandboxBroken, match="does not end although it was killed"):
        process_module.run(process_module.Launch(("sleep", "600"), {}), Limits(seconds=0.2), os.pipe())
    reap(made[0])
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_look_that_waited_for_a_core_does_not_put_off_the_next_one():
    """As on a machine that is busy with what has to be looked at."""
    looks = []

    def has_passed() -> str:
        looks.append(time.sleep(0.3))
        return "memory" if len(looks) == 2 else ""

    with selectors.DefaultSelector() as selector:
        limit = process_module._pump_until_exit(selector, [], time.monotonic() + 5, has_passed)
    assert limit == "memory"


def test_the_guard_is_started_from_where_it_was_found(tmp_path, monkeypatch):
    """Where util-linux is not in /usr/bin, as on NixOS: what a sandbox is started with has no PATH."""
    real, own = shutil.which("setpriv"), tmp_path / "setpriv"
    own.write_text(f'#!/bin/sh\ntouch {tmp_path}/used\nexec {real} "$@"\n')
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    done = process_module.run(process_module.Launch(("true",), {}), Limits(seconds=10), os.pipe())
    assert done.ok
    assert (tmp_path / "used").exists()


def test_closing_twice_is_closing_once(rung):
    live = contestant(rung)
    live.greet()
    live.close()
    live.close()


@pytest.mark.parametrize("halted", [False, True], ids=["running", "halted"])
def test_a_referee_that_is_killed_leaves_no_orphan(fresh, mark, halted):
    script = f"""
import sys, time
sys.path[:0] = [{str(HERE)!r}, {str(HERE.parent)!r}, {str(HERE.parents[1])!r}]
from rungs import make_sandbox
from sandbox_probes import contestant
live = contestant(make_sandbox({fresh.rung!r}), "# {mark}\\n")
live.greet()
if {halted}: live.halt()
print("ready", flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as referee:
        assert referee.stdout is not None
        try:
            assert referee.stdout.readline() == b"ready\n"
            assert len(running(mark)) > 1
        finally:
            referee.kill()
    assert soon_gone(mark)
