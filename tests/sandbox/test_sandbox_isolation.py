"""What the rung `bwrap` keeps from sandboxed code, under the profile `tests`, with real processes."""

from __future__ import annotations

import os
import platform
import socket
import uuid
from pathlib import Path

import pytest
from rungs import make_sandbox
from sandbox_probes import NO_PYTHON, PYTHON, shell, tell

from optagent.errors import SandboxUnavailable
from optagent.sandbox import landlock, seccomp
from optagent.sandbox.base import Mount, Sandbox
from optagent.sandbox.bwrap import USER_IDS, Bwrap
from optagent.sandbox.choose import choose
from optagent.sandbox.container import Container
from optagent.sandbox.landlock import Landlock
from optagent.sandbox.unprotected import Unprotected

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path(PYTHON).exists(), reason=NO_PYTHON)]
EPERM, EROFS, ENOSYS, EAFNOSUPPORT = 1, 30, 38, 97
SYSCALL = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(a) for a in arguments))
    return [result, ctypes.get_errno()]
"""


def number(name: str) -> int:
    found = seccomp.NUMBERS[name][list(seccomp.ARCHES).index(platform.machine())]
    assert found is not None
    return found


PODMANS_OWN = ("/run", "/sys", "/etc/hostname")


@pytest.fixture(params=["bwrap", "container"])
def box(request: pytest.FixtureRequest) -> Sandbox:
    return make_sandbox(request.param)


# files


def test_the_home_of_the_user_and_private_places_cannot_be_seen(box, tmp_path):
    (tmp_path / "secret").write_text("SECRET")
    places = [
        str(Path.home()),
        "/root",
        "/home",
        "/var",
        "/run",
        "/srv",
        "/opt",
        "/boot",
        "/sys",
        "/mnt",
        "/etc/shadow",
    ]
    places += ["/etc/ssh", "/etc/environment", "/etc/hostname", str(tmp_path), str(tmp_path / "secret"), os.getcwd()]
    seen = tell(box, f"tell([p for p in {places!r} if os.path.lexists(p)])")
    assert seen == ([*PODMANS_OWN] if box.rung == "container" else [])


def test_what_podman_adds_tells_nothing_of_the_machine():
    script = "tell([sorted(os.listdir('/run')), os.walk('/sys').__next__()[1:], os.listdir('/sys/fs/cgroup'), open('/etc/hostname').read()])"
    assert tell(make_sandbox("container"), script) == [[".containerenv"], [["fs"], []], [], "sandbox"]


def test_only_what_the_system_needs_is_at_the_top(box):
    top = set(tell(box, "tell(os.listdir('/'))"))
    more = {"run", "sys", "optagent"} if box.rung == "container" else set()
    assert top <= {"bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc", "proc", "dev", "tmp"} | more


def test_the_system_is_read_only(box):
    places = ["/", "/usr", "/usr/bin", "/usr/lib", "/etc", "/etc/alternatives", "/proc/sys/kernel", "/bin", "/lib"]
    found = tell(
        box,
        f"tell([p for p in {places!r} if attempt(os.open, p + '/optagent-probe', os.O_CREAT | os.O_WRONLY) and os.path.exists(p + '/optagent-probe')])",
    )
    assert found == []
    for file in (
        "/etc/passwd",
        "/etc/ld.so.cache",
        "/usr/bin/env",
        "/proc/sysrq-trigger",
        "/proc/sys/kernel/core_pattern",
    ):
        assert isinstance(tell(box, f"tell(attempt(os.open, {file!r}, os.O_WRONLY))"), int), file


@pytest.fixture
def tree(make_repo) -> Path:
    """A working tree that everybody may write to, as far as its modes go."""
    root = make_repo({".git/hooks/pre-commit": "#", ".git/config": "#", "tests/test_a.py": "#", "pkg/a.py": "#"})
    for place in (root, *root.rglob("*")):
        place.chmod(0o777)
    return root


WRITES = {
    "overwrite": "os.open('/tree/pkg/a.py', os.O_WRONLY)",
    "overwrite a test": "os.open('/tree/tests/test_a.py', os.O_WRONLY | os.O_TRUNC)",
    "new test": "os.open('/tree/tests/conftest.py', os.O_CREAT | os.O_WRONLY)",
    "overwrite a hook": "os.open('/tree/.git/hooks/pre-commit', os.O_WRONLY)",
    "new hook": "os.open('/tree/.git/hooks/post-checkout', os.O_CREAT | os.O_WRONLY)",
    "git config": "os.open('/tree/.git/config', os.O_WRONLY)",
    "unlink": "os.unlink('/tree/pkg/a.py')",
    "rename": "os.rename('/tree/pkg', '/tree/gone')",
    "link in": "os.symlink('/tmp', '/tree/link')",
    "hard link out": "os.link('/tree/pkg/a.py', '/tmp/a.py')",
    "mode": "os.chmod('/tree/pkg/a.py', 0)",
    "owner": "os.chown('/tree/pkg/a.py', 0, 0)",
    "times": "os.utime('/tree/pkg/a.py')",
    "truncate": "os.truncate('/tree/pkg/a.py', 0)",
    "attribute": "os.setxattr('/tree/pkg/a.py', 'user.x', b'x')",
    "through /proc": "os.open('/proc/self/root/tree/pkg/a.py', os.O_WRONLY)",
    "through a descriptor": "os.open('/proc/self/fd/%d' % os.open('/tree/pkg/a.py', os.O_RDONLY), os.O_WRONLY)",
}


@pytest.mark.parametrize("name", WRITES)
def test_a_mounted_tree_cannot_be_changed(box, tree, name):
    before = sorted((str(p), p.stat().st_mode, p.stat().st_mtime_ns) for p in tree.rglob("*"))
    refused = tell(box, f"tell(attempt(lambda: {WRITES[name]}))", (Mount(tree, "/tree"),))
    assert isinstance(refused, int), refused
    assert sorted((str(p), p.stat().st_mode, p.stat().st_mtime_ns) for p in tree.rglob("*")) == before


def test_a_link_in_a_mounted_tree_leads_nowhere_outside(box, tree, tmp_path):
    (tmp_path / "secret").write_text("SECRET")
    (tree / "link").symlink_to(tmp_path / "secret")
    assert tell(box, "tell(attempt(os.open, '/tree/link', os.O_RDONLY))", (Mount(tree, "/tree"),)) == 2


def test_tmp_and_shm_are_private_and_not_shared_between_runs(box):
    name = f"left-{uuid.uuid4().hex}"
    assert shell(box, f"touch /tmp/{name} /dev/shm/{name}").ok
    assert tell(box, "tell([os.listdir('/tmp'), os.listdir('/dev/shm')])") == [[], []]
    assert not Path("/tmp", name).exists()
    assert not Path("/dev/shm", name).exists()


FILL = """
def fill(folder):
    written = 0
    try:
        for n in range(40):
            with open(f'{folder}/{n}', 'wb', 0) as file: written += file.write(bytes(1 << 20))
    except OSError: pass
    return written
"""


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm", "/dev"])
def test_scratch_is_limited(box, folder):
    assert tell(box, f"{FILL}\ntell(fill({folder!r}))", scratch_bytes=8 << 20) <= 8 << 20


def test_a_single_file_is_limited_too(box):
    script = """
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
file = os.open('/tmp/large', os.O_CREAT | os.O_RDWR)
tell([attempt(os.ftruncate, file, 1 << 40), attempt(os.posix_fallocate, file, 0, 1 << 34)])
"""
    assert tell(box, script, scratch_bytes=8 << 20) == [27, 27]


# the network


CONNECT = """
import socket
def connect(family, kind, address):
    def go():
        with socket.socket(family, kind) as s:
            s.settimeout(1); s.connect(address); s.send(b'x')
    return attempt(go)
"""


def test_a_tcp_listener_of_the_host_on_loopback_cannot_be_reached(box):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        socket.create_connection(("127.0.0.1", port)).close()
        listener.accept()[0].close()
        listener.settimeout(0.2)
        assert isinstance(tell(box, f"{CONNECT}\ntell(connect(2, 1, ('127.0.0.1', {port})))"), int)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_udp_from_inside_does_not_arrive(box):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(0.2)
        tell(box, f"{CONNECT}\ntell(connect(2, 2, ('127.0.0.1', {listener.getsockname()[1]})))")
        with pytest.raises(TimeoutError):
            listener.recv(1)


def test_nothing_leads_to_the_outer_world(box):
    said = tell(
        box,
        f"{CONNECT}\ntell([connect(2, 1, ('192.0.2.1', 80)), connect(2, 2, ('192.0.2.1', 53)), connect(10, 2, ('2001:db8::1', 53))])",
    )
    assert all(isinstance(one, int) for one in said), said
    assert tell(box, "import socket; tell([name for _, name in socket.if_nameindex()])") == ["lo"]


def test_an_abstract_unix_socket_of_the_host_cannot_be_reached(box):
    name = f"\0optagent-{uuid.uuid4().hex}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(name)
        listener.listen()
        assert tell(box, f"{CONNECT}\ntell(connect(1, 1, {name!r}))") == 111


def test_a_unix_socket_by_path_cannot_be_reached(box, tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        (tmp_path / "s").chmod(0o777)
        listener.listen()
        assert tell(box, f"{CONNECT}\ntell(connect(1, 1, {str(tmp_path / 's')!r}))") == 2


FAMILIES = {"AF_PACKET": 17, "AF_VSOCK": 40, "AF_ALG": 38, "AF_CAN": 29, "AF_BLUETOOTH": 31}  # some Pythons lack some


@pytest.mark.parametrize("family", FAMILIES)
def test_families_of_sockets_that_reach_past_the_namespace_do_not_exist(box, family):
    assert tell(box, f"import socket\ntell(attempt(socket.socket, {FAMILIES[family]}, 3))") == EAFNOSUPPORT


def test_tests_may_fork_and_talk_over_loopback(box):
    script = """
import socket, subprocess, multiprocessing, threading
with socket.create_server(('127.0.0.1', 0)) as server:
    pid = os.fork()
    if not pid:
        socket.create_connection(server.getsockname()).sendall(b'hello'); os._exit(5)
    with server.accept()[0] as peer: heard = peer.recv(5).decode()
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
with socket.socket(socket.AF_UNIX) as unix: unix.bind('/tmp/s'); unix.listen()
with multiprocessing.get_context('fork').Pool(2) as pool: squares = pool.map(abs, [-1, -2])
tell([heard, code, subprocess.run(['true']).returncode, os.system('exit 3') >> 8, squares])
"""
    assert tell(box, script) == ["hello", 5, 0, 3, [1, 2]]


# rights and limits


def test_the_user_inside_is_unprivileged_without_capabilities_and_can_gain_none(box):
    status = tell(box, "tell(dict(line.rstrip('\\n').split(':\\t', 1) for line in open('/proc/self/status')))")
    assert [status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")] == ["0" * 16] * 5
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    mine = int(status["Uid"].split()[0])
    assert mine in USER_IDS if os.geteuid() == 0 else mine == os.getuid()
    assert status["Uid"].split() == [str(mine)] * 4
    if os.geteuid() == 0:
        assert status["Groups"].split() == ([str(mine)] if box.rung == "container" else [])
        assert status["Gid"].split() == [str(mine)] * 4


def test_the_user_inside_cannot_become_another(box):
    said = tell(
        box,
        "tell([attempt(os.setuid, 0), attempt(os.setgid, 0), attempt(os.setgroups, [0]), attempt(os.chroot, '/tmp'), attempt(os.nice, -5)])",
    )
    assert all(isinstance(one, int) for one in said), said


def test_no_process_of_the_host_is_in_sight_or_in_reach(box):
    script = f"""
tell([len([p for p in os.listdir('/proc') if p.isdigit()]), attempt(os.kill, {os.getpid()}, 0) if {os.getpid()} > 50 else 3])
"""
    seen, killed = tell(box, script)
    assert seen < 8
    assert killed == 3


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("NEWNS", 0x20000), ("NEWCGROUP", 0x2000000), ("NEWUTS", 0x4000000), ("NEWIPC", 0x8000000),
        ("NEWUSER", 0x10000000), ("NEWPID", 0x20000000), ("NEWNET", 0x40000000),
    ],
)  # fmt: skip
def test_no_new_namespace_by_unshare_or_clone(box, name, flag):
    script = f"{SYSCALL}\ntell([call({number('unshare')}, {flag}), call({number('clone')}, {flag | 17}, 0, 0, 0, 0), call({number('clone')}, {flag | 17 | 1 << 40}, 0, 0, 0, 0)])"
    assert tell(box, script) == [[-1, EPERM]] * 3


def test_clone3_does_not_exist(box):
    assert (
        tell(box, f"{SYSCALL}\ntell([call({number('clone3')}, 0, 0), call({number('clone3')}, 0, 88)])")
        == [[-1, ENOSYS]] * 2
    )


@pytest.mark.parametrize("request_number", [0x5412, 0x541C, 0x5412 | 1 << 32, 0x541C | 1 << 63])
def test_nobody_types_into_a_terminal(box, request_number):
    """On /dev/null the kernel itself would answer ENOTTY: EPERM is the filter's."""
    signed = request_number - (1 << 64) if request_number >> 63 else request_number
    script = f"{SYSCALL}\nnull = os.open('/dev/null', os.O_RDWR)\ntell([call({number('ioctl')}, null, {signed}, 0), call({number('ioctl')}, null, 0x5413, 0)])"
    assert tell(box, script) == [[-1, EPERM], [-1, 25]]


def test_there_is_no_controlling_terminal(box):
    assert tell(box, "tell(attempt(os.open, '/dev/tty', os.O_RDWR))") == 6


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x32 numbers are of x86-64 only")
def test_the_x32_numbers_do_not_bypass_the_filter(box):
    x32 = 0x40000000
    assert (
        tell(box, f"{SYSCALL}\ntell([call({x32} | 272, 0x10000000), call({x32} | 521, 0), call({x32} | 39)])")
        == [[-1, EPERM]] * 3
    )


@pytest.mark.skipif(platform.machine() != "x86_64", reason="int 0x80 is of x86 only")
def test_the_calls_of_another_architecture_kill(box):
    """mov eax, 20 (getpid of i386); int 0x80; ret"""
    script = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=7)
page.write(bytes.fromhex('b814000000cd80c3'))
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
print('ALIVE')
"""
    result = shell(box, f'{PYTHON} -c "$0"; echo ended $?'.replace("$0", script.replace('"', '\\"')))
    assert b"ALIVE" not in result.stdout
    assert b"ended 159" in result.stdout  # 128 + SIGSYS


BOMB = """
import time
made = 0
try:
    while made < 2000:
        if not os.fork():
            time.sleep(30); os._exit(0)
        made += 1
except OSError as refusal: tell([made, refusal.errno])
"""


def test_a_fork_bomb_stops_at_the_limit_and_is_gone_afterwards(box):
    made, errno = tell(box, BOMB, processes=40)
    assert made < 40
    assert errno == 11
    assert shell(box, "true", processes=40).ok


def test_a_fork_bomb_that_never_ends_is_stopped_by_the_deadline(box):
    result = shell(box, ":(){ :|:& };:; sleep 30", seconds=1, processes=30)
    assert result.seconds < 4


def test_limits_cannot_be_raised_from_inside(box):
    script = """
import resource
names = ('RLIMIT_AS', 'RLIMIT_NPROC', 'RLIMIT_NOFILE', 'RLIMIT_FSIZE')
def lift(name):
    try: resource.setrlimit(getattr(resource, name), (resource.RLIM_INFINITY, resource.RLIM_INFINITY)); return name
    except (OSError, ValueError): return None
tell([name for name in names if lift(name)])
"""
    assert tell(box, script) == []


# the rung itself


def test_the_strongest_rung_is_chosen_after_a_test_of_itself():
    make_sandbox("bwrap")
    assert choose("auto", Path.home()).rung == "bwrap"
    assert choose("none", Path.home()).rung == "none"


def test_a_rung_that_does_not_hold_is_unavailable_and_says_why(monkeypatch):
    make_sandbox("bwrap")
    monkeypatch.setattr(Bwrap, "faults", lambda self, home: "the home folder is visible")
    with pytest.raises(SandboxUnavailable, match="`bwrap` does not hold here: the home folder is visible"):
        choose("bwrap", Path.home())


def test_a_weaker_rung_says_why_it_was_taken(monkeypatch):
    make_sandbox("bwrap")
    make_sandbox("landlock")
    monkeypatch.setattr(Bwrap, "faults", lambda self, home: "the home folder is visible")
    chosen = choose("auto", Path.home())
    assert chosen.rung == "landlock"
    assert "`landlock`, which keeps less apart: the sandbox `bwrap` does not hold" in chosen.passed_over
    assert chosen.gaps


def test_a_container_is_taken_where_neither_of_the_others_holds(monkeypatch):
    make_sandbox("container")
    for rung in (Bwrap, Landlock):
        monkeypatch.setattr(rung, "faults", lambda self, home: f"{self.rung} is open")
    chosen = choose("auto", Path.home())
    assert chosen.rung == "container"
    assert chosen.passed_over.startswith("the sandbox is `container`, which keeps less apart: ")


def test_where_no_rung_holds_all_reasons_are_given(monkeypatch):
    make_sandbox("bwrap")
    make_sandbox("landlock")
    for rung in (Bwrap, Landlock, Container):
        monkeypatch.setattr(rung, "faults", lambda self, home: f"{self.rung} is open")
    with pytest.raises(SandboxUnavailable, match=r"bwrap is open; .*landlock is open"):
        choose("auto", Path.home())


def test_a_kernel_without_landlock_says_which_version_it_takes(monkeypatch):
    monkeypatch.setattr(landlock, "abi", lambda: 3)
    with pytest.raises(SandboxUnavailable, match="needs version 6 of Landlock, and this kernel has 3"):
        choose("landlock", Path.home())


def test_a_machine_without_the_tools_is_told_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match="bwrap and prlimit and setpriv"):
        Bwrap()
    with pytest.raises(SandboxUnavailable, match="prlimit and setpriv"):
        Unprotected()
