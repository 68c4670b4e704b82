"""Warm starts: what a fork is given, what it sees of the others, and what becomes of all of them."""

from __future__ import annotations

import errno
import gc
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from rungs import make_sandbox
from sandbox_probes import ENV, NO_PYTHON, PYTHON, contestant, hear
from warm_sandbox import Forks

from optagent.sandbox.base import Command, Limits, Mount
from optagent.sandbox.keeper import MOST_NAMES
from optagent.sandbox.live import Live

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path(PYTHON).exists(), reason=NO_PYTHON)]
HERE = Path(__file__).parent


@pytest.fixture
def box() -> Forks:
    made = make_sandbox("fork")
    assert isinstance(made, Forks)
    return made


GREETING = "import os, time; os.write(int(os.environ['OPTAGENT_FD']), b'\\0\\0\\0\\2\\0\\0\\0\\0{}'); time.sleep(9)"


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def nursery(box: Forks) -> Live:
    (only,) = box.nurseries._ready.values()
    return only.live


def test_contestants_are_forks_of_one_program_that_started_once(box):
    parents = "say(int(open('/proc/self/stat').read().rpartition(')')[2].split()[1]))"
    assert len({hear(box, parents) for _ in range(4)}) == 1
    assert nursery(box).process is not None


def test_a_fork_sees_its_own_tree_and_nothing_of_the_others(box):
    look = "say([os.listdir('/optagent/tree'), os.listdir('/optagent/ground'), sorted(os.listdir('/optagent'))])"
    for _ in range(2):
        assert hear(box, look) == [["main.py"], [], ["ground", "toolbox", "tree"]]


def test_what_is_shown_below_tmp_is_seen_by_every_fork_and_stays_as_it_is(box, tmp_path):
    """An environment in /tmp, say, over which each fork has a /tmp of its own."""
    (tmp_path / "environment").mkdir()
    (tmp_path / "environment/pyvenv.cfg").write_text("home")
    (tmp_path / "alone").write_text("a file")
    for one in (tmp_path, *tmp_path.parents[:2]):
        one.chmod(one.stat().st_mode | 0o755)
    shown = tuple(Mount(tmp_path / name, f"/tmp/in/here/{name}") for name in ("environment", "alone"))
    script = """
listed = sorted(os.listdir('/tmp/in/here'))
read = [open('/tmp/in/here/' + name).read() for name in ('environment/pyvenv.cfg', 'alone')]
tries = [attempt(os.open, '/tmp/in/here/' + name, os.O_CREAT | os.O_WRONLY) for name in ('environment/x', 'alone')]
open('/tmp/own', 'w').close()
say([listed, read, tries, sorted(os.listdir('/tmp'))])
"""
    for _ in range(2):
        said = hear(box, script, mounts=shown)
        assert [*said[:2], said[3]] == [["alone", "environment"], ["home", "a file"], ["in", "own"]]
        assert {*said[2]} <= {errno.EACCES, errno.EROFS}


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm"])
def test_names_of_files_that_a_fork_makes_are_limited_as_their_bytes_are(box, place):
    """An empty file takes a kilobyte of the kernel's memory."""
    script = f"""
import errno
try:
    for made in range(60_000): os.mknod(f'{place}/{{made}}')
    say([made, 'no limit'])
except OSError as refusal: say([made, errno.errorcode[refusal.errno]])
"""
    assert hear(box, script) == [MOST_NAMES - 1, "ENOSPC"]  # the folder itself is one


def test_nothing_of_a_fork_can_be_written_but_its_scratch(box):
    places = ("/", "/optagent", "/optagent/tree", "/optagent/ground", "/optagent/toolbox", "/usr", "/etc", "/dev")
    tries = [f"{folder}/x" for folder in places] + ["/optagent/tree/main.py", "/optagent/toolbox/optagent_worker.py"]
    assert {*hear(box, f"say([attempt(os.open, p, os.O_CREAT | os.O_WRONLY) for p in {tries}])")} <= {13, 30}


def test_a_fork_has_no_privileges_and_cannot_get_at_the_mounts_below_its_own(box):
    script = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
caps = [line.split()[1] for line in open('/proc/self/status') if line.startswith(('Cap', 'NoNewPrivs', 'Seccomp:'))]
done = [libc.umount2(b'/optagent/ground', 2), libc.unshare(0x20000), libc.mount(b'/', b'/tmp', None, 4096, None)]
say([os.getuid() != 0, caps, done, attempt(os.setuid, 0), attempt(os.chroot, '/tmp')])
"""
    is_plain, caps, done, *refusals = hear(box, script)
    assert is_plain
    assert [*map(int, caps[:3]), *map(int, caps[4:])] == [0, 0, 0, 0, 1, 2]  # the bounding set gives nothing by itself
    assert (done, refusals) == ([-1, -1, -1], [22, 1])  # there is no such user, and no such call


OTHERS = """
import ctypes, fcntl, resource, signal, threading
libc = ctypes.CDLL(None, use_errno=True)
others = [int(p) for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()]
got = []
def tried(name, function, *arguments):
    try:
        result = function(*arguments)
    except (OSError, ValueError):
        return
    if result != -1: got.append([p, name])
for p in others:
    for number in (signal.SIGSTOP, signal.SIGKILL, 0): tried(f'kill {number}', os.kill, p, number)
    for number, words in CALLS: tried(f'call {number}', libc.syscall, number, *[p if w == 'P' else w for w in words])
    tried('limit', resource.prlimit, p, resource.RLIMIT_NOFILE)
    for name in ('mem', 'environ', 'maps', 'fd', 'fdinfo', 'root', 'cwd', 'exe', 'io', 'auxv', 'stack', 'syscall'):
        look = os.readlink if name in ('root', 'cwd', 'exe') else os.listdir if 'fd' in name else open
        tried(name, look, f'/proc/{p}/{name}')
    for name in ('mem', 'oom_score_adj', 'comm', 'clear_refs', 'timerslack_ns', 'coredump_filter', 'uid_map'):
        tried('write ' + name, lambda: os.write(os.open(f'/proc/{p}/{name}', os.O_WRONLY), b'1'))
    tried('pidfd', lambda: signal.pidfd_send_signal(os.pidfd_open(p), 9))
    tried('own', fcntl.fcntl, channel, fcntl.F_SETOWN, p)
    tried('own ex', fcntl.fcntl, channel, 15, bytes(8))
    tried('own by ioctl', fcntl.ioctl, channel, 0x8901, p.to_bytes(4, 'little'))
p = 0
for target in (0, -1, -os.getpgrp()): tried(f'kill {target}', os.kill, target, signal.SIGKILL)
tried('group', os.killpg, os.getpgrp(), signal.SIGKILL)
say([len(others), got])
"""
CALLS = [  # x86-64 and aarch64 differ in numbers; a wrong one fails like the rest
    (62, ("P", 9)), (200, ("P", 9)), (234, ("P", "P", 9)), (129, ("P", 9, 0)), (297, ("P", "P", 9, 0)),
    (101, (16, "P", 0, 0)), (310, ("P", 0, 0, 0, 0, 0)), (311, ("P", 0, 0, 0, 0, 0)), (312, ("P", "P", 0, 0, 0)),
    (203, ("P", 8, 0)), (144, ("P", 3, 0)), (141, (0, "P", 19)), (251, (1, "P", 0)), (256, ("P", 8, 0, 0)),
]  # fmt: skip
OF_THE_FIRST = () if os.geteuid() == 0 else ((1, "fd"), (1, "io"), (1, "stack"), (1, "syscall"))
"""What an ordinary user's fork can look at of bwrap's own process inside, which is the same user's and only waits: an
empty folder, and numbers that do not change."""


def test_a_fork_reaches_neither_another_nor_the_one_that_they_are_forks_of(box):
    script = f"CALLS = {CALLS!r}\n" + OTHERS
    with contestant(box, "channel.recv(1); say('alive')") as victim, contestant(box, script) as villain:
        victim.greet()
        villain.greet()
        others, got = villain.receive(20)[0]["said"]
        assert others >= 3  # the first process inside, the program, the victim
        assert [one for one in got if tuple(one) not in OF_THE_FIRST] == []
        victim.send_raw(b"x")
        assert victim.receive(10)[0]["said"] == "alive"
    assert hear(box, "say(1)") == 1


def test_a_fork_may_signal_itself(box):
    script = """
import signal
got = []
signal.signal(signal.SIGUSR1, lambda *_: got.append('told'))
os.kill(os.getpid(), signal.SIGUSR1)
signal.raise_signal(signal.SIGUSR1)
say([got, signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL])
"""
    assert hear(box, script) == [["told", "told"], True]


def test_a_fork_runs_where_the_thread_that_asked_for_it_may_run(box):
    before = os.sched_getaffinity(0)
    core = min(before)
    os.sched_setaffinity(0, {core})
    try:
        with contestant(box, "say(sorted(os.sched_getaffinity(0)))") as live:
            live.greet()
            assert live.receive(10)[0]["said"] == [core]
    finally:
        os.sched_setaffinity(0, before)


def test_the_clock_of_a_fork_starts_with_it(box):
    hear(box, "say(sum(range(10_000_000)))")
    with contestant(box) as live:
        live.greet()
        assert live.cpu_ns() < 50_000_000


@pytest.mark.parametrize("halted", [False, True], ids=["running", "halted"])
def test_close_leaves_nothing_of_a_fork_running(box, halted):
    with contestant(box, "import threading\nthreading.Thread(target=time.sleep, args=(60,)).start()") as live:
        live.greet()
        if halted:
            live.halt()
        assert is_running(live.pid)
    assert not is_running(live.pid)
    assert is_running(nursery(box).pid)


def test_a_referee_that_is_killed_leaves_no_fork_behind():
    make_sandbox("bwrap")
    script = f"""
import sys, time
sys.path[:0] = [{str(HERE)!r}, {str(HERE.parent)!r}, {str(HERE.parents[1])!r}]
from rungs import make_sandbox
from sandbox_probes import contestant
box = make_sandbox("fork")
live = contestant(box)
live.greet()
print(live.pid, *[one.live.pid for one in box.nurseries._ready.values()], flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as referee:
        assert referee.stdout is not None
        try:
            pids = [int(word) for word in referee.stdout.readline().split()]
            assert len(pids) == 2
        finally:
            referee.kill()
    assert soon(lambda: not any(map(is_running, pids)))


def soon(question: object, seconds: float = 3.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if question():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


def test_with_the_sandbox_its_programs_end():
    box = make_sandbox("fork")
    hear(box, "say(1)")
    pid = nursery(box).pid
    assert is_running(pid)
    del box
    gc.collect()
    assert soon(lambda: not is_running(pid))


def test_other_limits_or_another_environment_are_another_program(box):
    for limits in (Limits(), Limits(seconds=5), Limits(open_files=100)):
        for env in (ENV, {**ENV, "PYTHONHASHSEED": "7"}):
            box.open(Command((PYTHON, "-c", GREETING), "/tmp", (), env), limits).close()
    assert len(box.nurseries._ready) == 4


def test_only_so_many_programs_are_kept(box, monkeypatch):
    monkeypatch.setattr("optagent.sandbox.nursery.MOST", 2)
    pids = []
    for number in range(3):
        with ExitStack() as stack:
            env = {**ENV, "NUMBER": str(number)}
            stack.enter_context(box.open(Command((PYTHON, "-c", GREETING), "/tmp", (), env), Limits())).greet()
            pids = [one.live.pid for one in box.nurseries._ready.values()]
    assert len(pids) == 3  # the one that is at work, and two
    hear(box, "say(1)")
    assert len(box.nurseries._ready) + len(box.nurseries._retired) <= 3


def plain(ground: Path | None) -> Command:
    mounts = (Mount(ground / "tree", "/seen", ground),) if ground else ()
    return Command((PYTHON, "-c", GREETING), "/tmp", mounts, ENV, forks=True)


def test_a_program_that_does_not_fork_is_started_afresh_each_time(tmp_path):
    """It answers as a contestant and never reads an order: the trial ends the attempt, for good."""
    box = make_sandbox("bwrap")
    (tmp_path / "tree").mkdir()
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if os.stat(folder).st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("optagent.sandbox.live.STARTUP_S", 0.5)
        with box.open(plain(tmp_path), Limits()) as live:
            assert live.process is not None
    assert box.nurseries.refusal == "the program that was to fork has ended"
    with box.open(plain(tmp_path), Limits()) as live:
        live.greet()


def test_a_command_of_no_ground_is_started_afresh():
    box = make_sandbox("bwrap")
    with box.open(plain(None), Limits()) as live:
        live.greet()
        assert live.process is not None
    assert box.nurseries.refusal == ""


def test_a_program_that_has_ended_is_no_fault_of_the_next_contestant(box):
    hear(box, "say(1)")
    ended = nursery(box).pid
    os.kill(ended, 9)
    assert soon(lambda: not is_running(ended))
    with contestant(box) as live:
        live.greet()
        assert live.is_fork
    assert nursery(box).pid != ended


# nothing passes from one fork to the next

LOCK = "import fcntl, struct\nregion = struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 7, 1, 0)\n"


def test_a_lock_that_one_fork_leaves_no_other_sees(box):
    """Open file description locks belong to what is open, and last as long as anybody has it open."""
    take = LOCK + "say([attempt(fcntl.fcntl, n, 37, region)[0] for n in (0, 1)])"
    look = (
        LOCK + "null = os.open('/dev/null', os.O_RDWR)\nsay(struct.unpack('hhqqi4x', fcntl.fcntl(null, 36, region))[0])"
    )
    hear(box, take)
    assert hear(box, look) == 2  # F_UNLCK: nobody holds it


def test_nothing_that_forks_have_in_common_can_be_marked(box):
    script = """
places = [f'/proc/{os.getppid()}', f'/proc/{os.getppid()}/task', f'/proc/{os.getppid()}/net', '/proc/1', '/proc/self']
places += [f'/dev/{name}' for name in ('null', 'zero', 'full', 'random', 'urandom', 'tty')] + ['/dev', '/optagent/tree', '/optagent/toolbox', '/']
say([[attempt(os.utime, p, *at) for p in places for at in ((), ((1, 1),))], attempt(os.open, '/proc/self/autogroup', os.O_WRONLY)])
"""
    times, group = hear(box, script)
    assert set(times) <= {1, 13, 30}
    assert group in (13, 30)


def test_threads_of_one_fork_do_not_tell_the_next_how_many_there_were(box):
    hear(box, "say(1)")
    first = nursery(box).pid
    hear(box, "say(1)")
    assert nursery(box).pid == first
    hear(box, "import threading\nfor _ in range(5): threading.Thread(target=int).start()\nsay(1)")
    assert hear(box, "say(1)") == 1
    assert nursery(box).pid != first


def test_threads_of_one_fork_are_not_taken_from_another(box):
    many = """
import threading
got = 0
try:
    for _ in range(300):
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start(); got += 1
except RuntimeError: pass
say(got)
"""
    with contestant(box, "channel.recv(1)\n" + many) as one, contestant(box, "channel.recv(1)\n" + many) as other:
        got = []
        for live in (one, other):
            live.greet()
        for live in (one, other):
            live.send_raw(b"x")
            got.append(live.receive(20)[0]["said"])
    assert got[0] == got[1]
    assert 50 < got[0] < 64


def test_ends_of_socket_pairs_have_no_names_by_which_others_find_them(box):
    script = """
a, b = socket.socketpair()
kinds = [attempt(socket.socketpair, socket.AF_UNIX, kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_SEQPACKET)]
say([attempt(a.bind, '\\0known'), attempt(a.connect, '\\0known'), attempt(a.listen, 1), *kinds])
"""
    assert hear(box, script) == [1, 1, 1, 1, 1]


def test_terminals_of_one_fork_are_not_those_of_another(box):
    use = """
master, slave = os.openpty()
os.write(master, b'x')
say([os.ttyname(slave), os.listdir('/dev/pts'), os.stat('/dev/pts/ptmx').st_mtime < time.time() - 3600])
"""
    first, second = hear(box, use), hear(box, use)
    assert first[:2] == second[:2]


def test_a_fork_has_no_module_loaded_that_only_forking_needs(box):
    assert hear(box, "say([name in sys.modules for name in ('ctypes', 'resource', 'random')])") == [False] * 3


def test_a_pair_of_which_one_cannot_be_a_fork_is_none(monkeypatch):
    from types import SimpleNamespace

    from optagent.measure import launch

    asked = []

    def contestant(tree, hash_seed, seconds, name, warm):
        made = SimpleNamespace(is_fork=warm and name == "candidate", close=lambda: None, greet=lambda: None)
        asked.append((name, warm))
        return made

    race = SimpleNamespace(
        project=SimpleNamespace(contestant=contestant),
        old=None,
        new=None,
        patience_s=1.0,
        collecting=False,
        salt=0,
        drains=(),
    )
    with ExitStack() as stack:
        pair = launch._start(race, launch.random.Random(1), stack)  # type: ignore[arg-type]
    assert not pair.old.is_fork
    assert not pair.new.is_fork
    assert sorted(asked) == [("candidate", False), ("candidate", True), ("reference", False), ("reference", True)]


def test_programs_that_are_ready_take_nothing_from_what_others_may_start(box):
    for number in range(6):
        env = {**ENV, "NUMBER": str(number)}
        with box.open(Command((PYTHON, "-c", GREETING), "/tmp", (), env), Limits()) as live:
            live.greet()
    assert len(box.nurseries._ready) == 6
    assert box.run(Command(("/bin/sh", "-c", "true & true & wait"), "/tmp", (), ENV), Limits(processes=4)).ok
