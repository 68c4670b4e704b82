"""The attacks: programs that try to get out, to stay, to see, to spoil or to deceive, and what stops each on a rung.

A program calls `did(...)` with what it got; nothing is what it should get. `W` holds what there is to get: see world.py.
"""

from __future__ import annotations

from dataclasses import dataclass

NAMESPACE, MOUNTS, FILTER, LIMIT, LANDLOCK, KEEPER = (
    "a namespace of its own", "mounts: it is not there or read-only", "the system-call filter", "a limit on resources",
    "Landlock", "the keeper, which ends all that is left",
)  # fmt: skip
REFEREE, WATCHER, USER = "the referee", "the watcher of memory", "no privileges"

HEAD = """
import ctypes, glob, json, os, resource, signal, socket, struct, subprocess, sys, threading, time
W = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
def did(*what): print("DID", *what, flush=True)
def attempt(action):
    try: result = action()
    except (OSError, ValueError, struct.error, subprocess.SubprocessError): return None
    if result not in (None, -1, False, b"", "", []): did(repr(result)[:120])
def read(path):
    with open(path, "rb") as file: return file.read(4096)
def write(path, how="wb"):
    with open(path, how) as file: return file.write(b"optagent was here") or 1
def call(number, *arguments): return libc.syscall(ctypes.c_long(number), *(ctypes.c_long(a) for a in arguments))
def reached(family, kind, address):
    with socket.socket(family, kind) as one:
        one.settimeout(1); one.connect(address); return one.send(b"x")
"""


@dataclass(frozen=True)
class Attack:
    """What it tries, how, and what stops it under bwrap (and in a container, by the same means) and under landlock. `ending` is the limit at which it has to be
    stopped, if it does not end by itself."""

    name: str
    program: str
    bwrap: str
    landlock: str
    ending: str = ""
    contestant: bool = False

    def stopped_by(self, rung: str) -> str:
        return self.landlock if rung == "landlock" else self.bwrap


ATTACKS = (
    # secrets
    Attack("reads a key in the home folder", "attempt(lambda: read(W['home'] + '/.ssh/id_ed25519'))", MOUNTS, LANDLOCK),
    Attack("lists the home folder", "attempt(lambda: os.listdir(W['home']))", MOUNTS, LANDLOCK),
    Attack(
        "reads a key in its own environment",
        "attempt(lambda: [k for k, v in os.environ.items() if W['key'] in v])",
        REFEREE, REFEREE,
    ),
    Attack(
        "reads a key in the environment of any process",
        "for p in glob.glob('/proc/*/environ') + [f'/proc/{W[\"victim\"]}/environ', f'/proc/{W[\"parent\"]}/environ']:\n"
        "    attempt(lambda: W['key'].encode() in read(p))",
        NAMESPACE, LANDLOCK,
    ),
    Attack(
        "reads the command line of any process",
        "for p in (W['victim'], W['parent']): attempt(lambda: W['mark'].encode() in read(f'/proc/{p}/cmdline'))",
        NAMESPACE, LANDLOCK,
    ),
    Attack(
        "reads where the host's folders lie, in the words of what started it",
        "for p in glob.glob('/proc/*/cmdline'):\n"
        "    attempt(lambda: b'optagent-' + b'world' in open(p, 'rb').read().replace(sys.argv[1].encode(), b''))",
        REFEREE, LANDLOCK,
    ),
    Attack(
        "opens the memory of a process outside",
        "for p in (W['victim'], W['parent']): attempt(lambda: open(f'/proc/{p}/mem', 'rb', 0) and 'OPEN')",
        NAMESPACE, LANDLOCK,
    ),
    Attack(
        "takes what a process outside has open",
        "for p in (W['victim'], W['parent']): attempt(lambda: os.listdir(f'/proc/{p}/fd'))\n"
        "attempt(lambda: call(438, call(434, W['victim'], 0), 0, 0))",
        NAMESPACE, FILTER,
    ),
    Attack("goes home through /proc", "attempt(lambda: os.listdir('/proc/self/root' + W['home']))", MOUNTS, LANDLOCK),
    Attack("reads what is attached to a file at home", "attempt(lambda: os.listxattr(W['home'] + '/.ssh/id_ed25519'))", MOUNTS, FILTER),
    Attack("opens a file for neither reading nor writing", "for f in ('home', 'repo'): attempt(lambda: os.open(W[f] + {'home': '/.ssh/id_ed25519', 'repo': '/pkg/a.py'}[f], 3))", MOUNTS, FILTER),
    Attack("reads the passwords", "for f in ('/etc/shadow', '/etc/gshadow'): attempt(lambda: read(f))", MOUNTS, LANDLOCK),
    Attack("finds a descriptor that was forgotten", """
for n in range(3, 256):
    if n != int(os.environ['OPTAGENT_FD']): attempt(lambda: os.fstat(n) and n)
""", REFEREE, REFEREE),
    # network
    Attack("connects to a server of this machine", "attempt(lambda: reached(2, 1, ('127.0.0.1', W['tcp'])))", NAMESPACE, FILTER),
    Attack("sends a datagram to this machine", "attempt(lambda: reached(2, 2, ('127.0.0.1', W['udp'])) and None)", "a namespace of its own (sent, and never arrives)", FILTER),
    Attack("connects to the outer world", "attempt(lambda: reached(2, 1, ('192.0.2.1', 80)))\nattempt(lambda: reached(10, 2, ('2001:db8::1', 53)))", NAMESPACE, FILTER),
    Attack("asks for a name", "attempt(lambda: socket.getaddrinfo('example.org', 80))", NAMESPACE, FILTER),
    Attack("connects to an abstract socket", "attempt(lambda: reached(1, 1, W['abstract']))", NAMESPACE, FILTER),
    Attack("connects to a socket with a path (docker's, an agent's)", "attempt(lambda: reached(1, 1, W['path']))", MOUNTS, FILTER),
    Attack("sends to a log through a pair of its own", "for k in (socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET): attempt(lambda: socket.socketpair(socket.AF_UNIX, k)[0].sendto(b'x', W['log']) and None)", MOUNTS, FILTER),
    Attack("reads who is connected to this machine", "for f in ('tcp', 'unix'): attempt(lambda: (b'%04X' % W['tcp'] in read('/proc/self/net/' + f)) or W['abstract'][1:].encode() in open('/proc/self/net/' + f, 'rb').read())", NAMESPACE, LANDLOCK),
    Attack("opens raw, packet and machine sockets", "for f in (17, 38, 40, 31): attempt(lambda: socket.socket(f, 3) and f)\nattempt(lambda: socket.socket(2, 3, 1) and 'RAW')", FILTER, FILTER),
    # files
    Attack("changes a file of the project", "attempt(lambda: write(W['repo'] + '/pkg/a.py'))\nattempt(lambda: os.truncate(W['repo'] + '/pkg/a.py', 0) or 1)", MOUNTS, LANDLOCK),
    Attack("removes a file of the project", "attempt(lambda: os.unlink(W['repo'] + '/pkg/a.py') or 1)", MOUNTS, LANDLOCK),
    Attack("renames a folder of the project", "attempt(lambda: os.rename(W['repo'] + '/pkg', W['repo'] + '/gone') or 1)", MOUNTS, LANDLOCK),
    Attack("plants a hook", "attempt(lambda: write(W['repo'] + '/.git/hooks/post-checkout'))", MOUNTS, LANDLOCK),
    Attack("changes git's settings", "attempt(lambda: write(W['repo'] + '/.git/config', 'ab'))", MOUNTS, LANDLOCK),
    Attack("plants tests and a conftest", "attempt(lambda: write(W['repo'] + '/tests/conftest.py'))\nattempt(lambda: write(W['repo'] + '/tests/test_b.py'))", MOUNTS, LANDLOCK),
    Attack("makes a file of the project another's or executable", "for f in (lambda p: os.chmod(p, 0o4777), lambda p: os.chown(p, os.getuid(), os.getgid()), os.utime): f_ = f; attempt(lambda: f_(W['repo'] + '/pkg/a.py'))", MOUNTS, "the system-call filter, by doing nothing"),
    Attack("marks a file of the project", "attempt(lambda: os.setxattr(W['repo'] + '/pkg/a.py', 'user.mark', b'x') or None)\nattempt(lambda: os.setxattr(W['home'], 'user.mark', b'x') or None)", MOUNTS, "the system-call filter, by doing nothing"),
    Attack("follows a link out of its folder", "os.symlink(W['home'] + '/.ssh/id_ed25519', 'link')\nattempt(lambda: read('link'))\nattempt(lambda: write('link'))", MOUNTS, LANDLOCK),
    Attack("takes a hard link of a file into its folder", "attempt(lambda: os.link(W['repo'] + '/pkg/a.py', 'a.py') or write('a.py'))", MOUNTS, LANDLOCK),
    Attack("reaches a file through a descriptor for reading", "one = os.open(W['repo'] + '/pkg/a.py', os.O_RDONLY)\nattempt(lambda: os.open(f'/proc/self/fd/{one}', os.O_WRONLY))\nattempt(lambda: os.ftruncate(one, 0) or 1)", MOUNTS, LANDLOCK),
    Attack("plants a start-up file for every Python", """
import site, sysconfig
for folder in {*site.getsitepackages(), sysconfig.get_paths()['stdlib'], '/usr/lib/python3/dist-packages'}:
    for name in (W['mark'] + '.pth', 'sitecustomize.py', 'usercustomize.py'):
        if not os.path.exists(f'{folder}/{name}'): attempt(lambda: write(f'{folder}/{name}'))
""", MOUNTS, LANDLOCK),
    Attack("writes into the system", "for f in ('/', '/usr', '/usr/bin', '/etc', '/dev', '/var', '/var/tmp', '/home', '/root', '/run', '/opt'): attempt(lambda: write(f'{f}/{W[\"mark\"]}'))", MOUNTS, LANDLOCK),
    # staying
    Attack("leaves a file for the next one", "for f in ('/tmp', '/dev/shm', '/var/tmp', '/run/lock', '.'): attempt(lambda: write(f'{f}/{W[\"mark\"]}') and None)\nattempt(lambda: [p for p in glob.glob('/tmp/*' + W['other'] + '*')])", "mounts: its own, and gone with it", "Landlock; its folder is removed"),
    Attack("leaves shared memory, semaphores and queues", "for n in (29, 64): attempt(lambda: call(n, 4711, 4096, 0o1666) and None)\nattempt(lambda: call(68, 4711, 0o1666) and None)\nattempt(lambda: libc.mq_open(('/' + W['mark']).encode(), os.O_CREAT | os.O_RDWR, 0o666, None) and None)", NAMESPACE, FILTER),
    Attack("leaves a key in the kernel's keyring", "attempt(lambda: call(248, ctypes.addressof(ctypes.create_string_buffer(b'user')), ctypes.addressof(ctypes.create_string_buffer(b'mark')), 0, 0, -3))", FILTER, FILTER),
    Attack("leaves a daemon", """
if not os.fork():
    os.setsid()
    if os.fork(): os._exit(0)
    for n in range(3): os.close(n)
    os.execv('/usr/bin/python3', ['python3', '-c', 'import time; time.sleep(60)', W['stays']])
time.sleep(0.2)
""", NAMESPACE, KEEPER),
    Attack("leaves daemons that breed faster than they are killed", """
def breed():
    while True:
        try:
            if os.fork(): os._exit(0)
            os.setsid()
        except OSError: pass
for _ in range(20):
    if not os.fork(): breed()
time.sleep(0.3)
""", NAMESPACE, KEEPER),
    Attack("hides in a family that is gone before it is looked for", """
if not os.fork():
    libc.prctl(36, 1, 0, 0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    def hop():
        os.setpgid(0, 0)
        while True:
            try: child = os.fork()
            except OSError: continue
            if child: os._exit(0)
            if os.getppid() == 1 or time.monotonic() > end: os.execv('/usr/bin/python3', ['python3', '-c', 'import time; time.sleep(60)', W['stays']])
    end = time.monotonic() + 1.5
    if not os.fork(): hop()
    time.sleep(60)
time.sleep(0.3)
""", NAMESPACE, KEEPER),
    Attack("stops itself and waits for the deadline to pass", "os.kill(os.getpid(), signal.SIGSTOP); time.sleep(60)", REFEREE, REFEREE, "seconds"),
    Attack("ignores every signal", "for n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nif not os.fork(): os.setsid()\ntime.sleep(60)", REFEREE, KEEPER, "seconds"),
    # other processes
    Attack("kills whoever started it", "for p in (W['parent'], W['victim']):\n    for n in (9, 15, 19): attempt(lambda: os.kill(p, n) or 'SENT')", NAMESPACE, LANDLOCK),
    Attack("kills all there is", "attempt(lambda: os.kill(-1, 0) and None)\ntry: os.kill(-1, 9)\nexcept OSError: pass", NAMESPACE, LANDLOCK),
    Attack("kills its group and its session", "signal.signal(15, signal.SIG_IGN)\nos.kill(0, 15)\nattempt(lambda: os.killpg(os.getpgid(os.getppid()), 15) if os.getppid() else None)", NAMESPACE, LANDLOCK),
    Attack("debugs a process outside", "for p in (W['parent'], W['victim'], os.getppid()): attempt(lambda: libc.ptrace(16, p, 0, 0) == 0)", FILTER, FILTER),
    Attack("writes into the memory of a process outside", "b = ctypes.create_string_buffer(16)\nfor p in (W['parent'], W['victim']):\n    for n in (310, 311): attempt(lambda: call(n, p, ctypes.addressof(b), 1, ctypes.addressof(b), 1, 0))", FILTER, FILTER),
    Attack("lowers the limits of a process outside", "for p in (W['parent'], W['victim']): attempt(lambda: resource.prlimit(p, resource.RLIMIT_NOFILE, (8, 8)))", NAMESPACE, FILTER),
    Attack("moves a process outside to another core or priority", "for p in (W['parent'], W['victim']):\n    attempt(lambda: os.sched_setaffinity(p, {0}) or 'MOVED')\n    attempt(lambda: os.setpriority(os.PRIO_PROCESS, p, 19) or 'NICED')\nattempt(lambda: os.setpriority(os.PRIO_USER, os.getuid(), 19) and None)", NAMESPACE, FILTER),
    # taking all there is
    Attack("bombs with processes", """
made = 0
try:
    while made < 3000:
        if not os.fork(): time.sleep(30); os._exit(0)
        made += 1
except OSError: pass
if made >= 3000: did(made)
""", LIMIT, LIMIT),
    Attack("takes memory in one process", "try: did(len(bytearray(64 << 30)))\nexcept MemoryError: pass", LIMIT, LIMIT),
    Attack("takes memory in many processes", """
for _ in range(30):
    if not os.fork():
        held = bytearray(os.urandom(1 << 20) * 60)
        time.sleep(30); os._exit(0)
time.sleep(30)
""", WATCHER, WATCHER, "memory"),
    Attack("takes memory in many processes whose first thread has ended", """
def hold():
    held = bytearray(os.urandom(1 << 20) * 60)
    time.sleep(30)
for _ in range(30):
    if not os.fork():
        threading.Thread(target=hold).start()
        call(60, 0)
time.sleep(30)
""", WATCHER, WATCHER, "memory"),
    Attack("takes memory that is no process's", """
held = []
for n in range(200):
    try:
        held.append(os.memfd_create('m'))
        for _ in range(8): os.write(held[-1], bytes(1 << 20))
    except (OSError, AttributeError): break
if len(held) > 190: did(len(held))
""", FILTER, FILTER),
    Attack("takes memory in buffers of sockets", """
def hold():
    held, sent = [], 0
    while sent < 60 << 20:
        try: pair = socket.socketpair()
        except OSError: break
        held += pair
        for one in pair:
            one.setblocking(False)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
            try:
                while sent < 60 << 20: sent += one.send(bytes(1 << 15))
            except BlockingIOError: pass
    time.sleep(30)
for _ in range(24):
    if not os.fork(): hold()
time.sleep(30)
""", WATCHER, WATCHER, "memory"),
    Attack("takes memory in shared segments that nobody has mapped", """
libc.shmat.restype = ctypes.c_void_p
for n in range(14):
    one = libc.shmget(0, 64 << 20, 0o1600)
    if one == -1: break
    place = libc.shmat(one, None, 0)
    ctypes.memset(place, 1, 64 << 20)
    libc.shmdt(ctypes.c_void_p(place))
else: did('HELD', n)
""", WATCHER, FILTER, "memory or none"),
    Attack("fills the disk with one file", "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\none = os.open('large', os.O_CREAT | os.O_RDWR)\nattempt(lambda: os.posix_fallocate(one, 0, 4 << 30) or 1)", LIMIT, LIMIT),
    Attack("fills the disk with many files", """
try:
    for n in range(4000):
        with open(f'{n}', 'wb', 0) as file: file.write(bytes(4 << 20))
    did('FULL')
except OSError: pass
""", "mounts: a small file system of its own", KEEPER, "scratch or none"),
    Attack("fills the kernel's memory with names of empty files", """
try:
    for n in range(300_000): os.mknod(f'{n}')
    did('NAMED', n)
except OSError: pass
""", WATCHER, KEEPER, "scratch or seconds"),
    Attack("floods its output", "while True: os.write(1, b'x' * 65536)", REFEREE, REFEREE, "output"),
    Attack("floods its report", "while True: os.write(int(os.environ['OPTAGENT_FD']), b'x' * 65536)", REFEREE, REFEREE, "output"),
    Attack("runs for ever", "while True: pass", REFEREE, REFEREE, "seconds"),
    Attack("raises its limits", "for n in (resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE): attempt(lambda: resource.setrlimit(n, (resource.RLIM_INFINITY,) * 2) or 'RAISED')", LIMIT, LIMIT),
    # the kernel
    Attack("makes namespaces", "for n, a in ((272, (0x10000000,)), (272, (0x20000,)), (56, (0x10000011, 0, 0, 0, 0)), (435, (0, 88))): attempt(lambda: call(n, *a))", FILTER, FILTER),
    Attack("mounts and changes its root", "attempt(lambda: libc.mount(b'/usr', b'/tmp', None, 4096, None) == 0)\nattempt(lambda: libc.umount2(b'/proc', 2) == 0)\nattempt(lambda: os.chroot('.') or 'ROOT')\nattempt(lambda: call(428, -100, 0, 1))", FILTER, FILTER),
    Attack("loads programs into the kernel", "for n in (321, 298, 323, 425, 175, 246): attempt(lambda: call(n, 0, 0, 0, 0, 0))", FILTER, FILTER),
    Attack("opens a file by its number", "attempt(lambda: call(303, -100, 0, 0, 0, 0))\nattempt(lambda: call(304, -100, 0, 0))", FILTER, FILTER),
    Attack("takes all events there are for reading beside", "room = ctypes.c_long(0)\nattempt(lambda: call(206, 64, ctypes.addressof(room)) == 0)", FILTER, FILTER),
    Attack("makes a device", "import stat\nattempt(lambda: os.mknod('sda', 0o600 | stat.S_IFBLK, os.makedev(8, 0)) or 'MADE')\nfor f in ('sda', 'vda', 'mem', 'kmsg', 'kvm'): attempt(lambda: os.open('/dev/' + f, os.O_RDONLY))", USER, LANDLOCK),
    Attack("becomes root", "attempt(lambda: os.setuid(0) or 'ROOT') if os.getuid() else did('IS ROOT')\nfor p in glob.glob('/usr/bin/su*') + ['/usr/bin/mount', '/usr/bin/newgrp']: attempt(lambda: b'uid=0' in subprocess.run([p, '-c', 'id'], capture_output=True, stdin=-3).stdout)", USER, USER),
    Attack("changes the kernel's settings", "for f in ('kernel/core_pattern', 'vm/overcommit_memory'): attempt(lambda: write('/proc/sys/' + f))\nattempt(lambda: write('/proc/sysrq-trigger'))\nattempt(lambda: write('/sys/fs/cgroup/cgroup.procs'))", MOUNTS, LANDLOCK),
    Attack("sets the clock", "attempt(lambda: time.clock_settime(time.CLOCK_REALTIME, 0) or 'SET')", FILTER, FILTER),
    Attack("types into a terminal", "import fcntl\nattempt(lambda: os.open('/dev/tty', os.O_RDWR))\nfor n in range(3): attempt(lambda: fcntl.ioctl(n, 0x5412, b'x'))", FILTER, FILTER),
    Attack("uses the calls of another architecture", """
import mmap
if not os.fork():
    page = mmap.mmap(-1, 4096, prot=7)
    page.write(bytes.fromhex('b814000000cd80c3'))  # mov eax, 20; int 0x80; ret
    ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    did('ALIVE')
os.wait()
attempt(lambda: call(0x40000000 | 39))
""", FILTER, FILTER),
    # deceiving the referee
    Attack("says that all is well and leaves", "os._exit(0)", REFEREE, REFEREE),
    Attack("sends control characters to the terminal", "sys.stderr.write('\\x1b]0;owned\\x07\\x1b[2J\\x9b31m')", REFEREE, REFEREE),
    # contestants, whose clock is running
    Attack("starts a process beside its clock", "attempt(lambda: os.fork() and 'FORKED')\nattempt(lambda: os.posix_spawn('/bin/true', ['true'], {}))", FILTER, FILTER, contestant=True),
    Attack("moves to another core or priority", "attempt(lambda: os.sched_setaffinity(0, {0}) or 'MOVED')\nattempt(lambda: os.setpriority(os.PRIO_PROCESS, 0, 5) or 'NICED')\nattempt(lambda: os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)) or 'BATCH')", FILTER, FILTER, contestant=True),
    Attack("has a timer continue it", "attempt(lambda: call(222, 0, 0, 0))\nimport fcntl\nattempt(lambda: fcntl.fcntl(0, 10, signal.SIGCONT) or 'SET')\nattempt(lambda: os.setsid() or 'SESSION')", FILTER, FILTER, contestant=True),
    Attack("has timers interrupt the one beside it", "attempt(lambda: libc.timerfd_create(1, 0) + 1)\nattempt(lambda: call(286, 0, 0, 0, 0) + 1 or ctypes.get_errno() != 1)", FILTER, FILTER, contestant=True),
    Attack("asks what is in memory of a file, where another one may have left it", """
one, room = os.open(W['repo'] + '/pkg/a.py', os.O_RDONLY), ctypes.create_string_buffer(4096)
def at_once():
    try: return os.preadv(one, [bytearray(1)], 0, os.RWF_NOWAIT)
    except BlockingIOError: return 'not in memory'
attempt(at_once)
attempt(lambda: call(27, ctypes.addressof(room) & ~4095, 1, ctypes.addressof(room)) == 0)
attempt(lambda: call(451, one, ctypes.addressof(room), ctypes.addressof(room) + 64, 0) == 0)
""", FILTER, FILTER, contestant=True),
    Attack("finds what the contestant before it has left", "places = ('/tmp', '/dev/shm', os.environ['TMPDIR'])\nfor f in places: attempt(lambda: glob.glob(f'{f}/left*'))\nfor f in places: attempt(lambda: write(f'{f}/left') and None)", "mounts: its own, and gone with it", "Landlock; its folder is removed", contestant=True),
    Attack("leaves a hint with a file for the contestant after it", "import fcntl\none = os.open(W['repo'] + '/pkg/a.py', os.O_RDONLY)\nattempt(lambda: any(fcntl.fcntl(one, 1035, bytes(8))))\nattempt(lambda: fcntl.fcntl(one, 1036, struct.pack('Q', 3)) and None)", FILTER, FILTER, contestant=True),
    Attack("reads the contestant beside it", "for p in glob.glob('/proc/[0-9]*/environ') + [f'/proc/{W[\"victim\"]}/environ']: attempt(lambda: W['key'].encode() in read(p))", NAMESPACE, LANDLOCK, contestant=True),
)  # fmt: skip
