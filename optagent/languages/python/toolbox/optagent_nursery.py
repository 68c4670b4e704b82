"""Where warm contestants come from: a worker that has started, and forks for whoever asks.

Runs in the target's interpreter inside the sandbox: standard library only. It has imported what every worker needs and
nothing of any tree, so that nothing of a baseline is under a candidate's names. It is root of a user namespace of its
own; a fork gets mounts and a scratch of its own, and has lost every privilege before anything of a tree runs.
"""

from __future__ import annotations

import _socket
import ctypes
import os
import signal
import struct
import sys
from typing import TYPE_CHECKING, Any

import optagent_frames

if TYPE_CHECKING:
    from typing import NoReturn

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER = 0x20000, 0x08000000, 0x10000000  # linux/sched.h
MS_REC, MS_PRIVATE, MS_BIND = 0x4000, 0x40000, 0x1000  # linux/mount.h
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 4, 22, 38, 2  # linux/prctl.h
CAPABILITY_VERSION = 0x20080522  # linux/capability.h: two words of each set
OWN_PROCESS = struct.pack("I", 0x7FFFFFF7)
"""What stands for a fork's own number in the filter (optagent/sandbox/seccomp.py)."""

MOST_DESCRIPTORS = 8
libc = ctypes.CDLL(None, use_errno=True)


def serve(channel: _socket.socket) -> _socket.socket:
    """Returns in every fork, with the fork's own channel."""
    alone()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a fork ended
    channel.sendall(optagent_frames.pack({"version": optagent_frames.VERSION}))
    while True:
        order, blobs, descriptors = receive(channel)
        if os.fork() == 0:
            return begin(channel, order, blobs[0], descriptors)
        for one in descriptors:
            os.close(one)


def alone() -> None:
    """In a user namespace of our own, where no process of another can look into us."""
    user, group = os.getuid(), os.getgid()
    checked(libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))  # else our own files below /proc are not ours
    checked(libc.unshare(CLONE_NEWUSER))
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    checked(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))


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
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.sched_setaffinity(0, order["cores"])
        mount(order)
        os.chdir(order["cwd"])
        give_up(rules)
    except OSError as error:
        give_in(error)
    return _socket.socket(fileno=kept)


def mount(order: dict[str, Any]) -> None:
    """Its own tree where it is told to be, its own scratch, and nothing of the others' trees."""
    checked(libc.unshare(CLONE_NEWNS | CLONE_NEWIPC))
    checked(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
    for source, inside in order["mounts"]:
        checked(libc.mount(os.fsencode(source), os.fsencode(inside), None, MS_BIND, None))
    for folder, flags, options in order["fresh"]:
        checked(libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", flags, options.encode()))


def give_up(rules: bytes) -> None:
    """No capabilities, and from here on only the system calls that a contestant may make."""
    checked(libc.capset(struct.pack("Ii", CAPABILITY_VERSION, 0), bytes(24)))
    checked(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
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
