"""What hostile code tries from inside the default sandbox. Each attempt prints what it achieved: nothing."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace

import pytest
from rungs import make_sandbox
from test_conformance import ENV, PYTHON, answer, contestant, no_process_named, python, shell

from optagent.errors import SandboxBroken
from optagent.sandbox import process
from optagent.sandbox.base import Command, Exited, Limits, Mount, Stopped
from optagent.sandbox.live import ChannelClosed, Live, Overdue
from optagent.sandbox.process import Launch

pytestmark = pytest.mark.slow


@pytest.fixture(params=["bwrap", "container"])
def box(request):
    return make_sandbox(request.param)


@pytest.fixture(params=["bwrap", "landlock", "container", "none"])
def rung(request):
    """Known gaps of `none`: isolation, processes that leave their process group, limits on processes and files."""
    return make_sandbox(request.param)


HEAD = """
import ctypes, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def attempt(name, action):
    try: result = action()
    except Exception as e: return
    if result is not None and result != -1: print('DID', name, result)
"""
ATTEMPTS = {
    "the memory of every process in sight": """
for p in os.listdir('/proc'):
    if p.isdigit() and int(p) != os.getpid():
        attempt(p, lambda: open(f'/proc/{p}/mem', 'r+b', 0))
        attempt(p, lambda: open(f'/proc/{p}/environ', 'rb').read().decode() or None if int(p) == 1 else None)
""",
    "the files behind the descriptors of others": """
for p in ('1', '2', str(os.getppid())):
    attempt(p, lambda: [open(f'/proc/{p}/fd/{n}', 'rb') for n in os.listdir(f'/proc/{p}/fd')] or None if int(p) != os.getpid() else None)
    attempt(p, lambda: os.listdir(f'/proc/{p}/root/root'))
""",
    "a debugger on the parent": "attempt('ptrace', lambda: libc.ptrace(16, os.getppid(), 0, 0))",
    "the end of the first process": "attempt('kill', lambda: os.kill(1, 9))",  # allowed, for some, and in vain
    "settings of the kernel": """
for name in ('kernel/core_pattern', 'kernel/randomize_va_space', 'vm/overcommit_memory'):
    attempt(name, lambda: open('/proc/sys/' + name, 'w').write('1'))
attempt('sysrq', lambda: open('/proc/sysrq-trigger', 'w').write('h'))
""",
    "a device": "import stat\nattempt('mknod', lambda: os.mknod('/tmp/sda', 0o600 | stat.S_IFBLK, os.makedev(8, 0)) or 'MADE')",
    "devices that are there": "attempt('dev', lambda: sorted(set(os.listdir('/dev')) & {'sda', 'vda', 'mem', 'kmsg', 'kvm'}) or None)",
    "root by a setuid program": """
import glob, subprocess
os.umask(0)
attempt('setuid', lambda: os.setuid(0) or 'ROOT')
for program in glob.glob('/usr/bin/su*') + ['/usr/bin/mount', '/usr/bin/newgrp']:
    attempt(program, lambda: 'ROOT' if b'uid=0' in subprocess.run([program, '-c', 'id'], capture_output=True, stdin=-3).stdout else None)
""",
    "a way out by chroot": "attempt('chroot', lambda: os.chroot('/tmp') or 'CHROOTED')",
    "a mount": "attempt('mount', lambda: libc.mount(b'/usr', b'/tmp', None, 4096, None))",
    "its own cgroup": "attempt('cgroup', lambda: open('/sys/fs/cgroup/cgroup.procs', 'w').write('0'))",
    "a better place in the queue": """
attempt('nice', lambda: os.nice(-5))
attempt('fifo', lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)) or 'FIFO')
""",
    "more than its limits": """
import resource
for name in (resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE):
    attempt(name, lambda: resource.setrlimit(name, (resource.RLIM_INFINITY,) * 2) or 'RAISED')
""",
    "the terminal of whoever started us": """
import fcntl
attempt('tty', lambda: os.open('/dev/tty', os.O_RDWR))
for n in range(3): attempt(n, lambda: fcntl.ioctl(n, 0x5412, b'x'))
""",
    "a descriptor that we forgot": """
for n in range(3, 64):
    attempt(n, lambda: os.fstat(n) if n != int(os.environ['OPTAGENT_FD']) and os.readlink(f'/proc/self/fd/{n}') != '/proc/%d/fd' % os.getpid() else None)
""",
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_hostile_code_gets_nowhere(box, name):
    assert python(box, HEAD + ATTEMPTS[name] + "\nprint('still here')") == "still here"


def test_a_key_of_the_referees_is_nowhere_to_be_read(box):
    """The referee here is a process of its own, whose environment really holds the key, as /proc would show it."""
    here = Path(__file__).parent
    script = f"""
import sys
sys.path[:0] = [{str(here)!r}, {str(here.parent)!r}]
from rungs import make_sandbox
from test_conformance import python, answer
look = '''
import glob
seen = b''
for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/task/*/environ"):
    try: seen += open(path, "rb").read()
    except OSError: pass
print("KEY" if b"sk-PLANTED" in seen else "nothing")
'''
box = make_sandbox({box.rung!r})
print(python(box, look), answer(box, "import builtins\\ndef print(x): say(x)\\n" + look))
"""
    env = {**os.environ, "OPENAI_API_KEY": "sk-PLANTED"}
    said = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True).stdout
    assert said == "nothing nothing\n"


def test_sysv_memory_does_not_outlive_a_run(box):
    script = "import ctypes; libc = ctypes.CDLL(None); print(libc.shmget(4242, 4096, 0o1600) >= 0)"
    assert (python(box, script), python(box, script)) == ("True", "True")  # 0o1600: made here, or shared
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.shmget(4242, 4096, 0) == -1


def test_a_daemon_in_a_session_of_its_own_ends_with_the_run(box):
    mark = f"daemon-{os.getpid()}"
    script = f"(setsid setsid bash -c \"trap '' TERM HUP INT; exec -a {mark} sleep 60\" &) ; sleep 0.2"
    assert box.run(Command(("/bin/bash", "-c", script), "/tmp", (), ENV), Limits(seconds=10)).ok
    assert no_process_named(mark)
    assert shell(box, script + "; sleep 60", seconds=0.7).ending == Stopped("seconds")
    assert no_process_named(mark)


def test_output_beyond_the_cap_is_told_even_when_the_command_has_ended(rung):
    """Both within one turn of the referee: the output waits in the pipe when the exit is noticed."""
    result = shell(rung, "head -c 60000 /dev/zero", output_bytes=1000)
    assert (result.ending, len(result.stdout)) == (Stopped("output"), 1000)


def test_a_report_beyond_its_cap_is_stopped(rung):
    command = Command(("/bin/bash", "-c", "cat /dev/zero >&$OPTAGENT_FD"), "/tmp", (), ENV)
    result = rung.run(command, Limits(seconds=10, report_bytes=1 << 20))
    assert (result.ending, len(result.report)) == (Stopped("output"), 1 << 20)


@pytest.mark.parametrize(
    "command",
    [
        Command(("/bin/true",), "/no/such/folder", (), ENV),
        Command(("/bin/true", "x" * (4 << 20)), "/tmp", (), ENV),
        Command(("/bin/true", "\0"), "/tmp", (), ENV),
        Command(("/bin/true",), "/tmp", (), {**ENV, "A": "b\0--bind\0/\0/"}),
        Command(("/bin/true",), "/tmp", (), {**ENV, "A": "\ud800"}),
    ],
    ids=["no such folder", "too many arguments", "a zero byte", "a zero byte in a value", "a value of no bytes"],
)
def test_what_cannot_even_be_asked_is_a_broken_sandbox_and_leaks_nothing(rung, command):
    before = descriptors()
    with pytest.raises(SandboxBroken):
        rung.run(command, Limits())
    with pytest.raises(SandboxBroken):
        rung.open(command, Limits()).greet()
    assert descriptors() == before


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_mount_that_is_not_there_is_a_broken_sandbox(box):
    with pytest.raises(SandboxBroken, match="no-such-source"):
        shell(box, "true", (Mount(Path("/no-such-source"), "/seen"),))


def test_a_command_killed_by_a_signal_is_a_result(rung):
    assert shell(rung, "kill -SEGV $$").ending in (Exited(-11), Exited(128 + 11))


def test_exit_code_zero_of_a_command_is_believed_only_for_what_it_is(rung):
    """An early exit says nothing: no report is an empty report."""
    assert shell(rung, "exit 0").report == b""


# contestants


def test_a_contestant_is_refused_what_would_bend_its_clock(box):
    script = """
got = []
def attempt(action):
    try: action(); got.append('DID')
    except OSError as e: got.append(e.errno)
attempt(lambda: os.sched_setaffinity(0, {0}))
attempt(lambda: os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)))
attempt(lambda: os.nice(1))
attempt(lambda: time.clock_settime(time.CLOCK_REALTIME, 0))
attempt(lambda: os.setpriority(os.PRIO_PROCESS, 0, 5))
attempt(lambda: os.mkfifo('/usr/x'))
say(got)
"""
    assert answer(box, script) == [1, 1, 1, 1, 1, 30]


def test_os_system_starts_nothing_in_a_contestant(box):
    assert answer(box, "code = os.system('touch /tmp/made'); say([code != 0, os.path.exists('/tmp/made')])") == [
        True,
        False,
    ]


def test_scratch_of_two_contestants_is_not_shared(box):
    with (
        contestant(box, "open('/tmp/x', 'w').close(); say(1)") as one,
        contestant(box, "channel.recv(1); say(os.listdir('/tmp') + os.listdir('/dev/shm'))") as other,
    ):
        for live in (one, other):
            live.greet()
        one.receive(10)
        other.send_raw(b"g")
        assert other.receive(10)[0] == {"said": []}


def test_a_contestants_words_are_kept_short_however_much_it_said(rung):
    with contestant(
        rung, "print('x' * (30 << 20), file=sys.stderr); print('the end', file=sys.stderr); say(1)"
    ) as live:
        live.greet()
        live.receive(20)
        assert live.last_words() == "the end"


@pytest.mark.parametrize("way", ["os._exit(0)", "os.kill(os.getpid(), 9)", "import ctypes; ctypes.string_at(0)"])
def test_every_question_to_a_dead_contestant_says_that_it_is_gone(rung, way):
    with contestant(rung, f"channel.recv(1)\n{way}") as live:
        live.greet()
        live.send_raw(b"g")
        with pytest.raises(ChannelClosed):
            live.receive(10)
        wait_for_end(live)
        for question in (live.halt, live.proceed):
            with pytest.raises(ChannelClosed):
                question()
        with pytest.raises(ChannelClosed):
            live.send_raw(b"g")


def wait_for_end(live: Live) -> None:
    for _ in range(100):
        try:
            if Path(f"/proc/{live.pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                live.process.poll()  # under `none` it is our own child, and waits to be reaped
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.02)


def test_closing_twice_is_closing_once_and_leaks_nothing(rung):
    before = descriptors()
    for _ in range(3):
        live = contestant(rung, "")
        live.greet()
        live.close()
        live.close()
    assert descriptors() == before


def test_a_greeting_is_the_kernels_word_also_when_the_worker_passes_descriptors(box):
    """A worker that sends a descriptor with its first bytes is either understood or refused, never a crash."""
    script = """
import os, socket, struct
channel = socket.socket(fileno=int(os.environ['OPTAGENT_FD']))
socket.send_fds(channel, [struct.pack('!II', 2, 0) + b'{}'], [0, 0, 0, 0])
channel.recv(1)
"""
    before = descriptors()
    live = box.open(Command((PYTHON, "-c", script), "/tmp", (), ENV), Limits())
    try:
        live.greet()
        assert live.pid
    except SandboxBroken:
        pass
    finally:
        live.close()
    assert descriptors() == before


def test_drops_of_a_frame_do_not_extend_the_deadline(rung):
    script = """
channel.sendall(struct.pack('!II', 1000, 0))
while True:
    channel.sendall(b'x'); time.sleep(0.05)
"""
    with contestant(rung, script) as live:
        live.greet()
        began = time.monotonic()
        with pytest.raises(Overdue):
            live.receive(0.4)
        assert time.monotonic() - began < 1


def test_a_contestant_opened_in_a_thread_outlives_the_thread(rung):
    """The kernel's parent-death signal means the thread that started the process, not the process."""
    opened: list[Live] = []

    def open_one() -> None:
        opened.append(contestant(rung, "say(channel.recv(1).decode())"))
        opened[0].greet()

    thread = threading.Thread(target=open_one)
    thread.start()
    thread.join()
    time.sleep(0.2)
    with opened[0] as live:
        live.send_raw(b"x")
        assert live.receive(10)[0] == {"said": "x"}


def test_a_lasting_thread_that_ended_without_a_word_is_not_waited_for(monkeypatch):
    """As where there was no memory left to keep its error in."""
    monkeypatch.setattr(process, "_lasting_thread", lambda _: SimpleNamespace(submit=lambda _: Future()))
    monkeypatch.setattr(process, "LASTING", "a name that no thread has")
    launch, raised = Launch(("true",), {}, "/"), []

    def start() -> None:
        try:
            process.start(launch, socket.socketpair())
        except MemoryError as error:
            raised.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join(10)
    assert [str(one) for one in raised] == ["the thread that starts sandboxes has ended"]


def test_udp_and_names_lead_nowhere(box):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.2)
        port = server.getsockname()[1]
        said = python(
            box,
            f"""
import socket
s = socket.socket(2, 2)
try: s.sendto(b'x', ('127.0.0.1', {port}))
except OSError: pass
try: print('FOUND', socket.getaddrinfo('example.org', 80))
except OSError: pass
""",
        )
        assert said == ""
        with pytest.raises(TimeoutError):
            server.recv(1)
