"""Compiles sandboxes/seccomp.toml into the BPF programs of the profiles.

Layout of `struct seccomp_data`: number at 0, architecture at 4, low words of the arguments at 16, 24, 32
(little-endian). Numbers are from the kernel's syscall tables for x86-64 and asm-generic (aarch64).
"""

from __future__ import annotations

import platform
import struct
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from optagent.errors import SandboxUnavailable
from optagent.sandbox.base import REFUSED_ERRNO, Profile

LOAD, AND, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
NUMBER_AT, ARCH_AT, ARG0_AT, ARG1_AT, ARG2_AT, ARG5_AT = 0, 4, 16, 24, 32, 56
EPERM, ENOTTY, ENOSYS, EOPNOTSUPP, EAFNOSUPPORT = 1, 25, 38, 95, 97
ERRNOS = {
    "EPERM": EPERM,
    "ERFKILL": REFUSED_ERRNO,
    "ENOSYS": ENOSYS,
    "EOPNOTSUPP": EOPNOTSUPP,
    "NOTHING": 0,
    "ADVICE": 0,
}
"""What a refused call fails with. NOTHING does nothing and says that it succeeded, to tests: what a contestant's call
left undone must not make two functions look the same, so there it fails with EPERM. ADVICE that is not taken changes no
result: it succeeds."""

CLONE_THREAD = 0x00010000
CLONE_NEW_ANYTHING = 0x7E020000  # NEWNS NEWCGROUP NEWUTS NEWIPC NEWUSER NEWPID NEWNET
X32_BIT = 0x40000000
TIOCSTI, TIOCLINUX = 0x5412, 0x541C  # typing into the terminal of whoever started us
F_SETSIG = 10  # a SIGCONT of the kernel's, sent when a file is ready, would undo our SIGSTOP
F_SETLEASE, F_NOTIFY = 1024, 1026  # who opens a leased file waits for its holder, whom we may have stopped
F_SETOWN, F_SETOWN_EX = 8, 15  # who gets a signal when a file is ready
FIOSETOWN, SIOCSPGRP = 0x8901, 0x8902  # the same by ioctl
HARMLESS_IOCTLS = (
    0x5401, 0x802C542A, 0x5413, 0x540F, 0x541B, 0x5421, 0x5451, 0x5450, 0x80086601, 0x40049409, 0x4020940D,
)  # fmt: skip
"""TCGETS, TCGETS2, TIOCGWINSZ, TIOCGPGRP, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, FS_IOC_GETFLAGS, FICLONE, FICLONERANGE:
the others change files that are open for reading, which no rule of Landlock's is asked about."""

NEITHER = 3  # an access mode for neither reading nor writing, which needs no right of Landlock's, nor a mount's
F_SET_RW_HINT, F_SET_FILE_RW_HINT = 1036, 1038  # kept with the file, for whoever reads it next
WITH_A_FILE = (F_SETSIG, F_SETLEASE, F_NOTIFY, F_SET_RW_HINT, F_SET_FILE_RW_HINT)
RWF_NOWAIT, RWF_DONTCACHE = 0x8, 0x80  # reads only what is in memory of a file, or throws out what it has read
MADV_PAGEOUT = 21  # throws out what is in memory of one's own files
OTHER_THAN_STREAM = 0xE  # bits of a socket's type, of which SOCK_STREAM (1) has none
OWN_PROCESS = 0x7FFFFFF7
"""Stands for the number of the process that the filter is for: a fork puts in its own (optagent_nursery.py)."""

TEST_SOCKET_FAMILIES = (1, 2, 10, 16)  # unix, inet, inet6, netlink: all inside an empty network namespace

ARCHES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# name: (x86_64, aarch64); None where the architecture has no such call
NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "acct": (163, 89), "add_key": (248, 217), "adjtimex": (159, 171), "bind": (49, 200), "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266), "clock_settime": (227, 112), "clone": (56, 220), "clone3": (435, 435),
    "connect": (42, 203),
    "delete_module": (176, 106), "fanotify_init": (300, 262), "fanotify_mark": (301, 263), "fcntl": (72, 25),
    "finit_module": (313, 273), "fork": (57, None),
    "fsopen": (430, 430),
    "init_module": (175, 105), "inotify_add_watch": (254, 27), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425), "ioctl": (16, 29), "ioprio_set": (251, 30), "kcmp": (312, 272),
    "kexec_load": (246, 104), "keyctl": (250, 219), "kill": (62, 129), "listen": (50, 201),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "mount": (165, 40), "mount_setattr": (442, 442),
    "move_mount": (429, 429), "mq_open": (240, 180), "msgget": (68, 186), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "open_tree": (428, 428), "perf_event_open": (298, 241),
    "personality": (135, 92), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "pivot_root": (155, 41),
    "prlimit64": (302, 261),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "ptrace": (101, 117), "quotactl": (179, 60),
    "reboot": (169, 142), "request_key": (249, 218), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274), "sched_setparam": (142, 118), "sched_setscheduler": (144, 119),
    "semget": (64, 190), "setns": (308, 268), "setpriority": (141, 140), "setsid": (112, 157),
    "settimeofday": (164, 170),
    "shmget": (29, 194), "socket": (41, 198), "socketpair": (53, 199), "swapon": (167, 224), "syslog": (103, 116),
    "tgkill": (234, 131), "timer_create": (222, 107), "tkill": (200, 130),
    "umount2": (166, 39), "unshare": (272, 97), "userfaultfd": (323, 282), "vfork": (58, None),
    "vmsplice": (278, 75),
    "chmod": (90, None), "chown": (92, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "fchown": (93, 55), "fchownat": (260, 54), "file_setattr": (469, 469), "fremovexattr": (199, 16),
    "fsetxattr": (190, 7), "futimesat": (261, None), "lchown": (94, None), "lremovexattr": (198, 15),
    "lsetxattr": (189, 6), "mq_unlink": (241, 181), "msgctl": (71, 187), "msgrcv": (70, 188), "msgsnd": (69, 189),
    "removexattr": (197, 14), "removexattrat": (466, 466), "semctl": (66, 191), "semop": (65, 193),
    "semtimedop": (220, 192), "setxattr": (188, 5), "setxattrat": (463, 463), "shmat": (30, 196), "shmctl": (31, 195),
    "fallocate": (285, 47), "fgetxattr": (193, 10), "flistxattr": (196, 13), "getxattr": (191, 8),
    "getxattrat": (464, 464), "lgetxattr": (192, 9), "listxattr": (194, 11), "listxattrat": (465, 465),
    "llistxattr": (195, 12), "open": (2, None), "openat": (257, 56), "openat2": (437, 437),
    "cachestat": (451, 451), "fadvise64": (221, 223), "io_setup": (206, 0), "madvise": (28, 233), "mincore": (27, 232),
    "preadv2": (327, 286), "process_madvise": (440, 440), "timerfd_create": (283, 85), "timerfd_settime": (286, 86),
    "utime": (132, None), "utimensat": (280, 88), "utimes": (235, None),
}  # fmt: skip


ALONE = (Profile.CONTESTANT, Profile.FORK)
JUDGED = (*ALONE, Profile.COMMAND)
SIGNALS = ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")
OF_OTHERS = ("prlimit64", "sched_setaffinity")
"""What changes another process of the same user, by its number."""

RULES_AT_ONCE = 12
OP = struct.Struct("HBBI")
SHARED = ("shared", "files")
SECTIONS = {Profile.FORK: ("always", "contestant", "fork")}
NEEDED = {Profile.NURSERY: ("mount", "unshare")}


@cache
def compile_filter(profile: Profile, machine: str = platform.machine(), is_shared: bool = False) -> bytes:
    """The BPF program of a profile for a machine. `is_shared` is for what has no namespaces of its own and shares the
    kernel's with everybody. Raises SandboxUnavailable for an unknown machine."""
    if machine not in ARCHES:
        raise SandboxUnavailable(f"the system-call filter knows {' and '.join(ARCHES)}, not {machine}")
    column = list(ARCHES).index(machine)
    rules = [_deny(NUMBERS[name][column], error) for name, error in _denied(profile, is_shared)]
    rules.append(_deny(NUMBERS["clone3"][column], ENOSYS))  # libc then falls back to clone, whose flags can be read
    rules.append(_clone(profile, NUMBERS["clone"][column]))
    owners = (F_SETOWN, F_SETOWN_EX), (FIOSETOWN, SIOCSPGRP)
    to_file, to_device = owners if profile is Profile.FORK else ((), ())
    rules.append(_second(NUMBERS["ioctl"][column], TIOCSTI, TIOCLINUX, *to_device))
    if profile in ALONE or is_shared:
        rules.append(_second(NUMBERS["fcntl"][column], *WITH_A_FILE, *to_file))
    if profile is Profile.FORK:
        rules += [_own(NUMBERS[name][column], OWN_PROCESS) for name in SIGNALS]
        rules.append(_own(NUMBERS["prlimit64"][column], OWN_PROCESS, 0))  # 0 is the caller
        rules.append(_streams(NUMBERS["socketpair"][column]))
    elif is_shared:
        rules += [_own(NUMBERS[name][column], 0) for name in OF_OTHERS]
        rules.append(_streams(NUMBERS["socketpair"][column]))
        rules.append(_only(NUMBERS["ioctl"][column], ARG1_AT, ENOTTY, *HARMLESS_IOCTLS))
    if profile in JUDGED:
        unseen = RWF_NOWAIT | RWF_DONTCACHE
        rules.append(_where(NUMBERS["preadv2"][column], ARG5_AT, JUMP_ANY_BIT, unseen, EOPNOTSUPP))
        rules.append(_where(NUMBERS["madvise"][column], ARG2_AT, JUMP_EQUAL, MADV_PAGEOUT, ERRNOS["ADVICE"]))
    rules += [_with_access(NUMBERS["open"][column], ARG1_AT), _with_access(NUMBERS["openat"][column], ARG2_AT)]
    rules.append(_socket(profile, NUMBERS["socket"][column], () if is_shared else TEST_SOCKET_FAMILIES))
    return b"".join((*_entry(machine), *_by_number([one for one in rules if one])))


def _by_number(rules: list[list[bytes]]) -> Iterator[bytes]:
    """The rules, of which each starts by comparing the number, in the order of numbers and some at a time, so that a
    call is compared with few of them: the kernel goes through the filter for every number there is when it gets it."""
    in_order = sorted(rules, key=_number)  # of two for one call, the first stays the first
    while in_order:
        some, in_order = in_order[:RULES_AT_ONCE], in_order[RULES_AT_ONCE:]
        while in_order and _number(in_order[0]) == _number(some[-1]):
            some.append(in_order.pop(0))
        whole = [op for rule in some for op in rule] + [_op(RETURN, ALLOW)]
        if in_order:
            yield _op(JUMP_AT_LEAST, _number(in_order[0]), len(whole), 0)
        yield from whole


def _number(rule: list[bytes]) -> int:
    """That of the call that a rule is for."""
    return int(OP.unpack(rule[0])[3])


def data_folder() -> Path:
    """Where `sandboxes/` lies: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    shipped = package / "data" / "sandboxes"
    return shipped if shipped.is_dir() else package.parent / "sandboxes"


def _denied(profile: Profile, is_shared: bool) -> list[tuple[str, int]]:
    lists = tomllib.loads((data_folder() / "seccomp.toml").read_text("utf-8"))
    sections = (*SECTIONS.get(profile, ("always", profile.value)), *(SHARED if is_shared else ()))
    told = [lists[name] for name in sections if name in lists]
    needed = NEEDED.get(profile, ())
    errnos = {**ERRNOS, "NOTHING": EPERM} if profile in ALONE else ERRNOS
    listed = [(name, errnos[error]) for part in told for error, names in part.items() for name in names]
    return [(name, error) for name, error in listed if name not in needed]


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return OP.pack(code, if_true, if_false, value)


def _entry(machine: str) -> list[bytes]:
    """Another architecture's numbers kill; the x32 numbers of x86-64 would bypass every comparison below."""
    return [
        _op(LOAD, ARCH_AT),
        _op(JUMP_EQUAL, ARCHES[machine], 1, 0),
        _op(RETURN, KILL),
        _op(LOAD, NUMBER_AT),
        _op(JUMP_AT_LEAST, X32_BIT, 0, 1),
        _op(RETURN, ERRNO | EPERM),
    ]


def _deny(number: int | None, error: int) -> list[bytes]:
    if number is None:
        return []
    return [_op(JUMP_EQUAL, number, 0, 1), _op(RETURN, ERRNO | error)]


def _clone(profile: Profile, number: int | None) -> list[bytes]:
    """Threads may be made; a contestant may make nothing else, the others may make processes but no namespaces."""
    assert number is not None
    if profile in ALONE:
        verdict = [_op(JUMP_ANY_BIT, CLONE_THREAD, 1, 0), _op(RETURN, ERRNO | REFUSED_ERRNO)]
    else:
        verdict = [_op(JUMP_ANY_BIT, CLONE_NEW_ANYTHING, 0, 1), _op(RETURN, ERRNO | EPERM)]
    return [_op(JUMP_EQUAL, number, 0, 4), _op(LOAD, ARG0_AT), *verdict, _op(LOAD, NUMBER_AT)]


def _own(number: int | None, *allowed: int) -> list[bytes]:
    """The call's first argument, of which the kernel reads 32 bits, has to be one of these."""
    return _only(number, ARG0_AT, EPERM, *allowed)


def _only(number: int | None, at: int, error: int, *allowed: int) -> list[bytes]:
    """The argument there, of which the kernel reads 32 bits, has to be one of these."""
    assert number is not None
    return [
        _op(JUMP_EQUAL, number, 0, len(allowed) + 3),
        _op(LOAD, at),
        *(_op(JUMP_EQUAL, one, len(allowed) - k, 0) for k, one in enumerate(allowed)),
        _op(RETURN, ERRNO | error),
        _op(LOAD, NUMBER_AT),
    ]


def _with_access(number: int | None, at: int) -> list[bytes]:
    """The flags there have to ask for reading or for writing."""
    if number is None:
        return []
    return [
        _op(JUMP_EQUAL, number, 0, 5),
        _op(LOAD, at),
        _op(AND, NEITHER),
        _op(JUMP_EQUAL, NEITHER, 0, 1),
        _op(RETURN, ERRNO | EPERM),
        _op(LOAD, NUMBER_AT),
    ]


def _streams(number: int | None) -> list[bytes]:
    """Pairs of streams only: ends that send datagrams get names, by which others find them."""
    return _where(number, ARG1_AT, JUMP_ANY_BIT, OTHER_THAN_STREAM, EPERM)


def _where(number: int | None, at: int, test: int, value: int, error: int) -> list[bytes]:
    """The call is refused where the argument there, of which the kernel reads 32 bits, passes the test."""
    assert number is not None
    return [
        _op(JUMP_EQUAL, number, 0, 4),
        _op(LOAD, at),
        _op(test, value, 0, 1),
        _op(RETURN, ERRNO | error),
        _op(LOAD, NUMBER_AT),
    ]


def _second(number: int | None, *refused: int) -> list[bytes]:
    """The call is refused when its second argument, of which the kernel reads 32 bits, is one of these."""
    assert number is not None
    last = len(refused) - 1
    return [
        _op(JUMP_EQUAL, number, 0, len(refused) + 3),
        _op(LOAD, ARG1_AT),
        *(_op(JUMP_EQUAL, one, last - k, 1 if k == last else 0) for k, one in enumerate(refused)),
        _op(RETURN, ERRNO | EPERM),
        _op(LOAD, NUMBER_AT),
    ]


def _socket(profile: Profile, number: int | None, families: tuple[int, ...]) -> list[bytes]:
    assert number is not None
    if profile is not Profile.TESTS or not families:
        return _deny(number, EAFNOSUPPORT)
    allowed = [_op(JUMP_EQUAL, family, len(families) - k, 0) for k, family in enumerate(families)]
    return [
        _op(JUMP_EQUAL, number, 0, len(allowed) + 3),
        _op(LOAD, ARG0_AT),
        *allowed,
        _op(RETURN, ERRNO | EAFNOSUPPORT),
        _op(LOAD, NUMBER_AT),
    ]
