"""What every rung promises, and what only the isolating ones do. Real processes throughout."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from rungs import make_sandbox, open_to_all

from optagent.core import frames
from optagent.errors import SandboxBroken, SandboxUnavailable
from optagent.sandbox import seccomp
from optagent.sandbox.base import REFUSED_ERRNO, Command, Exited, Limits, Mount, Profile, Stopped
from optagent.sandbox.choose import choose
from optagent.sandbox.live import ChannelClosed, Live, Overdue

PYTHON = "/usr/bin/python3"
ENV = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "PLANNED": "yes"}
pytestmark = [
    pytest.mark.skipif(not Path(PYTHON).exists(), reason="no system Python to run inside"),
    pytest.mark.slow,
    pytest.mark.sweep,  # the quick tier has the contract, the isolation and the attacks
]


@pytest.fixture(params=["bwrap", "landlock", "container", "none"])
def rung(request):
    """Every rung. Known gap of `none`: isolation, all of it (tested below for bwrap only)."""
    return make_sandbox(request.param)


def shell(box, script: str, mounts: tuple[Mount, ...] = (), **limits: object):
    command = Command(("/bin/sh", "-c", script), "/tmp", mounts, ENV)
    return box.run(command, Limits(**{"seconds": 20, **limits}))


def python(box, script: str, mounts: tuple[Mount, ...] = (), **limits: object) -> str:
    result = box.run(Command((PYTHON, "-c", script), "/tmp", mounts, ENV), Limits(**{"seconds": 20, **limits}))
    return (result.stdout + result.stderr).decode().strip()


# what every rung promises


def test_the_exit_code_and_all_three_streams_come_back(rung):
    script = "echo out; echo err >&2; echo told >&$OPTAGENT_FD; exit 7"  # bash: dash knows descriptors up to 9 only
    result = rung.run(Command(("/bin/bash", "-c", script), "/tmp", (), ENV), Limits())
    assert (result.ending, result.stdout, result.stderr, result.report) == (Exited(7), b"out\n", b"err\n", b"told\n")


def test_the_environment_is_the_allow_list(rung, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-SECRET")
    said = shell(rung, "env").stdout.decode()
    names = {line.partition("=")[0] for line in said.splitlines()}
    assert names - {"PWD", "SHLVL", "_", "OPTAGENT_FD"} == set(ENV)
    assert "SECRET" not in said


def test_a_deadline_ends_grandchildren_that_ignore_signals(rung, tmp_path):
    mark = f"sleeper-{os.getpid()}-{rung.rung}"
    script = f"trap '' TERM INT HUP; (trap '' TERM; exec -a {mark} sleep 60) & sleep 60"
    command = Command(("/bin/bash", "-c", script), "/tmp", (), ENV)
    result = rung.run(command, Limits(seconds=0.5))
    assert result.ending == Stopped("seconds")
    assert result.seconds < 3
    assert no_process_named(mark)


def no_process_named(mark: str) -> bool:
    for _ in range(30):
        if subprocess.run(["pgrep", "-f", mark], capture_output=True).returncode == 1:
            return True
        time.sleep(0.1)
    return False


def test_a_flood_of_output_is_stopped_at_the_cap(rung):
    result = shell(rung, "yes", output_bytes=1 << 20)
    assert result.ending == Stopped("output")
    assert len(result.stdout) == 1 << 20


def test_a_child_that_keeps_the_pipes_open_does_not_stall_the_run(rung):
    result = shell(rung, "sleep 30 & echo done")
    assert (result.ending, result.stdout) == (Exited(0), b"done\n")
    assert result.seconds < 5


def test_a_command_that_does_not_exist_is_a_result_and_not_a_broken_sandbox(rung):
    result = rung.run(Command(("/no/such/program",), "/tmp", (), ENV), Limits())
    assert isinstance(result.ending, Exited)
    assert result.ending.code != 0


def test_memory_is_limited(rung):
    assert "MemoryError" in python(rung, "b'x' * (1 << 30)", memory_bytes=1 << 29)


# what isolation promises


@pytest.fixture(params=["bwrap", "container"])
def box(request):
    return make_sandbox(request.param)


def test_a_working_folder_that_is_not_there_is_a_broken_sandbox(box):
    with pytest.raises(SandboxBroken):
        box.run(Command(("/bin/true",), "/no/such/folder", (), ENV), Limits())


def test_the_rung_passes_its_own_self_test(box):
    assert choose("auto", Path.home()).rung == "bwrap"


def test_neither_home_nor_the_host_can_be_seen(box, tmp_path):
    (tmp_path / "secret").write_text("SECRET")
    run = "" if box.rung == "container" else "/run"  # there podman says that this is a container
    said = shell(
        box, f"cat {tmp_path}/secret; ls {Path.home()}/.bashrc; cat /etc/shadow; ls /root /home /var {run} /work"
    ).stdout
    assert said == b""


def test_no_process_of_the_host_is_in_sight(box):
    said = python(box, "import os; print(sorted(int(p) for p in os.listdir('/proc') if p.isdigit()))")
    assert len(said.split(",")) < 6


def test_there_is_no_network_and_no_socket_of_the_host(box, tmp_path):
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as path,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        path.bind(str(tmp_path / "s"))
        path.listen()
        abstract.bind("\0optagent-test")
        abstract.listen()
        port = tcp.getsockname()[1]
        said = python(
            box,
            f"""
import socket
for family, kind, address in ((2, 1, ('127.0.0.1', {port})), (2, 1, ('192.0.2.1', 53)), (1, 1, {str(tmp_path / "s")!r}), (1, 1, '\\0optagent-test')):
    try:
        s = socket.socket(family, kind); s.settimeout(1); s.connect(address); print('CONNECTED', address)
    except OSError as e: print(e.errno)
try: socket.socket(2, 2).sendto(b'x', ('192.0.2.1', 53)); print('SENT')
except OSError as e: print(e.errno)
for family in (17, 40, 38):
    try: socket.socket(family, 3); print('OPENED', family)
    except OSError as e: print(e.errno)
""",
        )
    assert "CONNECTED" not in said
    assert "SENT" not in said
    assert "OPENED" not in said


def test_tests_may_use_loopback_and_processes(box):
    said = python(
        box,
        """
import os, socket
with socket.create_server(('127.0.0.1', 0)) as server: socket.create_connection(server.getsockname()).close()
pid = os.fork()
if not pid: os._exit(5)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
""",
    )
    assert said == "5"


def test_the_system_and_the_tree_are_read_only(box, tmp_path):
    tree = tmp_path / "tree"
    (tree / ".git" / "hooks").mkdir(parents=True)
    (tree / "tests").mkdir()
    (tree / "tests" / "conftest.py").write_text("#")
    open_to_all(tmp_path, *tmp_path.parents[:3])
    for folder in (tree, tree / ".git" / "hooks", tree / "tests"):
        folder.chmod(0o777)
    said = shell(
        box,
        """
for f in /seen/x /seen/.git/hooks/pre-commit /seen/tests/conftest.py /usr/x /usr/lib/python3/dist-packages/x.pth /x /etc/x; do
  touch $f 2>/dev/null && echo "WROTE $f"; done; mount -o remount,rw /seen 2>/dev/null && echo REMOUNTED""",
        (Mount(tree, "/seen"),),
    )
    assert said.stdout == b""
    assert (tree / "tests" / "conftest.py").read_text() == "#"


def test_scratch_is_private_to_a_run_and_small(box):
    shell(box, "touch /tmp/left /dev/shm/left")
    assert shell(box, "ls /tmp /dev/shm").stdout == b"/dev/shm:\n\n/tmp:\n"
    result = shell(
        box,
        "head -c 30000000 /dev/zero > /tmp/a; head -c 30000000 /dev/zero > /tmp/b; du -c /tmp | tail -1",
        scratch_bytes=40 << 20,
    )
    assert int(result.stdout.split()[0]) <= 40 << 10


def test_a_fork_bomb_stops_at_the_limit(box):
    said = python(
        box,
        """
import os, time
made = 0
try:
    while made < 500:
        if not os.fork(): time.sleep(20); os._exit(0)
        made += 1
except OSError: pass
print(made)
""",
        processes=40,
    )
    assert int(said) < 40


def test_nothing_inside_is_privileged(box):
    said = python(
        box,
        "import os; print(os.getuid()); print([l for l in open('/proc/self/status') if l.startswith(('Cap', 'NoNewPrivs'))])",
    )
    uid, caps = said.splitlines()
    assert uid != "0"
    assert caps.count("0000000000000000") == 5
    assert "NoNewPrivs:\\t1" in caps


# contestants


def contestant(box, script: str, seconds: float = 20.0) -> Live:
    """A worker that greets, runs the script with `say(value)` at hand, then waits for the end of the channel."""
    head = f"""
import json, os, socket, struct, sys, time
channel = socket.socket(fileno=int(os.environ['OPTAGENT_FD']))
def say(value):
    text = json.dumps({{'said': value}}).encode()
    channel.sendall(struct.pack('!II', len(text), 0) + text)
say('hello')
{script}
channel.recv(1)
"""
    return box.open(Command((PYTHON, "-c", head), "/tmp", (), ENV), Limits(seconds=seconds))


def answer(box, script: str) -> object:
    with contestant(box, script) as live:
        live.greet()
        return live.receive(20)[0]["said"]


ATTEMPTS = {
    "fork": "os.fork()",
    "forkpty": "os.forkpty()",
    "spawn": "os.posix_spawn('/bin/true', ['true'], {})",
    "subprocess": "import subprocess; subprocess.run(['/bin/true'])",
    "multiprocessing": "import multiprocessing as m; m.get_context('fork').Process(target=print).start()",
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_contestant_is_refused_every_new_process_with_the_reserved_errno(box, attempt):
    script = f"""
try: {"; ".join(["pass"])}
except: pass
def attempt():
    {ATTEMPTS[attempt]}
try: attempt(); say('STARTED')
except OSError as e: say(e.errno)
"""
    assert answer(box, script) == REFUSED_ERRNO


def test_a_contestant_may_have_threads_and_socketpairs_but_no_sockets(box):
    script = """
import threading
got = []
t = threading.Thread(target=got.append, args=(1,)); t.start(); t.join()
a, b = socket.socketpair(); a.sendall(b'x'); got.append(b.recv(1).decode())
for family in (1, 2, 10, 16):
    try: socket.socket(family); got.append('OPENED')
    except OSError as e: got.append(e.errno)
say(got)
"""
    assert answer(box, script) == [1, "x", 97, 97, 97, 97]


def denied_calls() -> list[tuple[str, int]]:
    lists = tomllib.loads((seccomp.data_folder() / "seccomp.toml").read_text())
    sections = [part for name, part in lists.items() if name not in ("fork", "shared", "files")]
    found = [(name, seccomp.ERRNOS[error]) for part in sections for error, names in part.items() for name in names]
    return [*found, ("clone3", 38), ("unshare", 1)]


def test_every_denied_call_is_denied_with_its_errno(box):
    """All of them from one contestant: none may end the process."""
    calls = [(name, seccomp.NUMBERS[name][0], error) for name, error in denied_calls()]
    script = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
got = {{}}
for name, number, error in {calls!r}:
    ctypes.set_errno(0)
    result = libc.syscall(number, 0, 0, 0, 0, 0, 0)
    got[name] = [result, ctypes.get_errno()]
for name, flags in (('clone user', 0x10000011), ('clone child', 17)):
    ctypes.set_errno(0)
    got[name] = [libc.syscall(56, flags, 0, 0, 0, 0), ctypes.get_errno()]
say(got)
"""
    got = answer(box, script)
    expected = {name: [-1 if error else 0, error] for name, error in denied_calls()}
    assert got == {**expected, "clone user": [-1, REFUSED_ERRNO], "clone child": [-1, REFUSED_ERRNO]}


def test_namespaces_are_denied_to_tests_too(box):
    said = python(
        box,
        """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for number, flags in ((56, 0x10000011), (56, 0x20011), (272, 0x10000000), (435, 0)):
    print(libc.syscall(number, flags, 0, 0, 0, 0), ctypes.get_errno())
""",
    )
    assert said.splitlines() == ["-1 1", "-1 1", "-1 1", "-1 38"]


def test_the_filter_compiles_for_arm_and_refuses_a_machine_it_does_not_know():
    assert len(seccomp.compile_filter(Profile.CONTESTANT, "aarch64")) % 8 == 0
    with pytest.raises(SandboxUnavailable, match="riscv64"):
        seccomp.compile_filter(Profile.TESTS, "riscv64")


@pytest.fixture(params=["bwrap", "landlock", "container", "none"])
def any_rung(request):
    return make_sandbox(request.param)


def test_the_process_id_comes_from_the_kernel(any_rung):
    with contestant(any_rung, "") as live:
        live.greet()
        assert Path(f"/proc/{live.pid}/cmdline").read_bytes().startswith(PYTHON.encode())
        assert live.cpu_ns() > 0
        assert live.peak_memory_bytes() > 1 << 20


def test_silence_is_overdue_and_death_closes_the_channel(any_rung):
    with contestant(any_rung, "") as live:
        live.greet()
        with pytest.raises(Overdue):
            live.receive(0.2)
        os.kill(live.pid, 9)
        with pytest.raises(ChannelClosed):
            live.receive(5)


BAD_FRAMES = {
    "a giant header": b"\xff\xff\xff\xff\x00\x00\x00\x00",
    "a million blobs": b"\x00\x00\x00\x02\xff\xff\xff\xff",
    "a giant blob": b"\x00\x00\x00\x02\x00\x00\x00\x01" + b"\xff" * 8,
    "no JSON": b"\x00\x00\x00\x02\x00\x00\x00\x00{]",
    "no object": b"\x00\x00\x00\x02\x00\x00\x00\x00[]",
    "deep JSON": b"\x00\x01\x00\x00\x00\x00\x00\x00" + b"[" * 65536,
}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_a_malformed_frame_closes_the_channel_and_harms_nobody(any_rung, name):
    with contestant(any_rung, f"channel.sendall({BAD_FRAMES[name]!r})") as live:
        live.greet()
        with pytest.raises(ChannelClosed):
            live.receive(10)


def test_half_a_frame_is_overdue(any_rung):
    with contestant(any_rung, "channel.sendall(b'\\0\\0')") as live:
        live.greet()
        with pytest.raises(Overdue):
            live.receive(0.3)


def test_a_worker_that_never_greets_is_a_broken_sandbox(any_rung):
    live = any_rung.open(Command((PYTHON, "-c", "raise SystemExit('gone')"), "/tmp", (), ENV), Limits())
    with pytest.raises(SandboxBroken, match="gone"):
        live.greet()


def test_halt_stops_every_thread_and_proceed_lets_them_go_on(any_rung):
    script = """
import threading
def burn():
    while True: sum(range(1000))
for _ in range(3): threading.Thread(target=burn, daemon=True).start()
"""
    with contestant(any_rung, script) as live:
        live.greet()
        time.sleep(0.3)
        live.halt()
        time.sleep(0.05)
        before = live.cpu_ns()
        time.sleep(0.3)
        assert live.cpu_ns() == before
        live.proceed()
        time.sleep(0.3)
        assert live.cpu_ns() > before


def test_close_leaves_nothing_running_even_when_halted(any_rung):
    mark = f"halted-{os.getpid()}-{any_rung.rung}"
    with contestant(any_rung, f"{mark!r}") as live:
        live.greet()
        live.halt()
    assert no_process_named(mark)


@pytest.mark.parametrize("halted", [True, False])
def test_a_referee_that_is_killed_takes_its_contestants_with_it(any_rung, halted):
    mark = f"orphan-{os.getpid()}-{any_rung.rung}-{halted}"
    here = Path(__file__).parent
    script = f"""
import sys, time
sys.path[:0] = [{str(here)!r}, {str(here.parent)!r}]
from rungs import make_sandbox
from test_conformance import contestant
live = contestant(make_sandbox({any_rung.rung!r}), "# {mark}")
live.greet()
{"live.halt()" if halted else ""}
print("ready", flush=True)
time.sleep(60)
"""
    referee = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert referee.stdout is not None
    assert referee.stdout.readline() == b"ready\n"
    referee.kill()
    referee.wait()
    referee.stdout.close()
    assert no_process_named(mark)


def test_a_frame_survives_the_way_through_the_sandbox(any_rung):
    with contestant(any_rung, "") as live:
        assert live.greet() == {"said": "hello"}
    assert frames.read_bytes(frames.pack({"a": [1]}, [b"", b"xy"])) == ({"a": [1]}, [b"", b"xy"])
