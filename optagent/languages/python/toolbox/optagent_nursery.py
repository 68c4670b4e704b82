"""Where warm contestants come from: a worker that has started, and forks for whoever asks.

Runs in the target's interpreter inside the sandbox: standard library only. It has imported what every worker needs and
nothing of any tree, so that nothing of a baseline is under a candidate's names. A fork gets namespaces of its own for
users, mounts and System V objects, and has lost every privilege in them before anything of a tree runs. What else it
shares with forks that come later must not change by what it does: it has terminals and an open `/dev/null` of its own,
cannot touch what is in `/proc` or the devices, and once threads have used up process numbers there are no more forks.
"""

from __future__ import annotations

import _socket
import ctypes
import gc
import os
import resource
import signal
import struct
import sys
from typing import TYPE_CHECKING, Any

import optagent_frames

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import NoReturn

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER = 0x20000, 0x08000000, 0x10000000  # linux/sched.h
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 0x20, 0x1000, 0x4000, 0x40000  # linux/mount.h
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 4, 22, 38, 2  # linux/prctl.h
CAPABILITY_VERSION = 0x20080522  # linux/capability.h: two words of each set
OWN_PROCESS = struct.pack("I", 0x7FFFFFF7)
"""What stands for a fork's own number in the filter (optagent/sandbox/seccomp.py)."""

MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8  # linux/mount.h
DEVICES = (b"null", b"zero", b"full", b"random", b"urandom", b"tty")
READ_ONLY = ((b"/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC), *((b"/dev/" + name, MS_NOSUID) for name in DEVICES))
"""Where times could be set for the next one to read, with the flags that each has already, which cannot be changed.
Devices stay as they are for whoever reads or writes them."""

MOST_DESCRIPTORS = 8
libc = ctypes.CDLL(None, use_errno=True)


def serve(channel: _socket.socket, known: Collection[str]) -> _socket.socket:
    """Returns in every fork, with the fork's own channel, and with no more modules loaded than those `known`."""
    forget(known)
    compile("", "", "exec")  # the first one makes all types of syntax trees, which takes longer than a small module
    checked(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a fork ended
    channel.sendall(optagent_frames.pack({"version": optagent_frames.VERSION}))
    number = last_number()
    gc.collect()
    gc.freeze()  # a fork that looked through what all have in common would have to copy it
    while True:
        order, blobs, descriptors = receive(channel)
        if last_number() != number:
            channel.sendall(optagent_frames.pack({"refused": "threads of a fork have used up process numbers"}))
        else:
            try:
                number = os.fork()
            except OSError as error:
                channel.sendall(optagent_frames.pack({"refused": f"no fork: {error.strerror}"}))
            else:
                if number == 0:
                    return begin(channel, order, blobs[0], descriptors)
                tell(channel, number)
        for one in descriptors:
            os.close(one)


def last_number() -> int:
    """The number that the latest process or thread in sight was given."""
    with open("/proc/loadavg") as file:
        return int(file.read().split()[-1])


def tell(channel: _socket.socket, number: int) -> None:
    """The fork is there: with a descriptor of it, by which the referee can end it at any moment."""
    handle = os.pidfd_open(number)
    text = optagent_frames.pack({"forked": True})
    rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("i", handle))]
    channel.sendmsg([text[:1]], rights)
    channel.sendall(text[1:])
    os.close(handle)


def forget(known: Collection[str]) -> None:
    """A module of the tree may have the name of one that only this file needs."""
    for name in [*sys.modules]:
        if name not in known and not name.startswith("optagent_"):
            del sys.modules[name]


def receive(channel: _socket.socket) -> tuple[dict[str, Any], list[bytes], list[int]]:
    """The next order with the descriptors that came with it. When the referee is gone, so are we."""
    descriptors: list[int] = []

    def take(size: int) -> bytes:
        chunks = bytearray()
        while len(chunks) < size:
            chunk, ancillary, _, _ = channel.recvmsg(size - len(chunks), _socket.CMSG_SPACE(4 * MOST_DESCRIPTORS))
            if not chunk:
                os._exit(0)
            for _, kind, data in ancillary:
                if kind == _socket.SCM_RIGHTS:
                    descriptors.extend(struct.unpack(f"{len(data) // 4}i", data))
            chunks += chunk
        return bytes(chunks)

    order, blobs = optagent_frames.read(take)
    return order, blobs, descriptors


def begin(channel: _socket.socket, order: dict[str, Any], rules: bytes, descriptors: list[int]) -> _socket.socket:
    """A fork becomes a contestant."""
    channel.detach()
    own, stderr = descriptors
    os.dup2(stderr, 2)
    try:
        kept = os.dup(own) if own <= 2 else own
        os.closerange(3, kept)
        os.closerange(kept + 1, 1 << 16)
        nothing = os.open("/dev/null", os.O_RDWR)  # a lock on a file that is open in all forks would outlive this one
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        os.close(nothing)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.sched_setaffinity(0, order["cores"])
        part(order)
        resource.setrlimit(resource.RLIMIT_NPROC, (order["processes"],) * 2)  # counted by user namespace
        os.chdir(order["cwd"])
        give_up(rules)
    except OSError as error:
        give_in(error)
    return _socket.socket(fileno=kept)


def part(order: dict[str, Any]) -> None:
    """Namespaces of its own: its own tree where it is told to be, its own scratch, and nothing of the others' trees.

    No other fork can look into it, whatever user they have in common: they have no capabilities in its namespace.
    """
    user, group = os.getuid(), os.getgid()
    checked(libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))  # else its own files below /proc are not its own
    checked(libc.unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC))
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    checked(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))  # and not its siblings', who are the same user
    checked(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
    for source, inside in order["mounts"]:
        checked(libc.mount(os.fsencode(source), os.fsencode(inside), None, MS_BIND, None))
    kept = [(os.open(place, os.O_PATH), place) for place in order["kept"]]
    for folder, flags, options in order["fresh"]:
        checked(libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", flags, options.encode()))
    for handle, place in kept:
        show_again(handle, place)
    terminals = b"newinstance,ptmxmode=0666,mode=620"  # those that forks have in common keep the time of the last one
    checked(libc.mount(b"devpts", b"/dev/pts", b"devpts", MS_NOSUID | MS_NOEXEC, terminals))
    for place, locked in READ_ONLY:
        checked(libc.mount(None, place, None, MS_REMOUNT | MS_BIND | MS_RDONLY | locked, None))


def show_again(handle: int, place: str) -> None:
    """What was there before something fresh was mounted over it, read-only as it was."""
    source = f"/proc/self/fd/{handle}"
    if not os.path.lexists(place):
        os.makedirs(place if os.path.isdir(source) else os.path.dirname(place), 0o755, exist_ok=True)
    if not os.path.lexists(place):
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o644))
    checked(libc.mount(source.encode(), os.fsencode(place), None, MS_BIND, None))
    os.close(handle)


def give_up(rules: bytes) -> None:
    """No capabilities, and from here on only the system calls that a contestant may make."""
    checked(libc.capset(struct.pack("Ii", CAPABILITY_VERSION, 0), bytes(24)))
    checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    program = ctypes.create_string_buffer(rules.replace(OWN_PROCESS, struct.pack("I", os.getpid())), len(rules))
    table = struct.pack("HxxxxxxP", len(rules) // 8, ctypes.addressof(program))
    checked(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, table, 0, 0))


def checked(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def give_in(error: OSError) -> NoReturn:
    """The last words of a fork that could not begin; its channel closes with it."""
    sys.stderr.write(f"a warm start is refused here: {error.strerror}\n")
    sys.stderr.flush()
    os._exit(1)
