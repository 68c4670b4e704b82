"""Runs one podman container and ends whatever is left of it: the container, podman, its helpers and its folder.

A program for our own interpreter, started by sandbox/container.py with `python -I -S container_keeper.py N`: standard
library only. podman has its helpers outlive it; this one adopts them, and all of podman's own state lies in a folder
that it makes and removes. Reads its order from descriptor N.
"""

from __future__ import annotations

import _socket
import array
import contextlib
import ctypes
import marshal
import os
import select
import shutil
import signal
import sys
from typing import TYPE_CHECKING, Any

sys.path.append(__file__.rsplit("/", 3)[0])

from optagent.sandbox import keeper  # noqa: E402
from optagent.sandbox.watcher import descendants  # noqa: E402

if TYPE_CHECKING:
    from typing import NoReturn

CLONE_NEWNS = 0x00020000  # linux/sched.h
MS_BIND, MS_PRIVATE, MS_REC = 1 << 12, 1 << 18, 1 << 14  # linux/mount.h
HYBRID = "/sys/fs/cgroup/unified"
SCM_RIGHTS = 1  # linux/socket.h


def main(descriptor: int) -> int:
    with open(descriptor, "rb") as file:
        order = marshal.load(file)
    signal.signal(signal.SIGTERM, stop)
    try:
        settle_in(order["parent"])
        lay_out(order)
        if os.geteuid() == 0:
            hide_mounts(f"{order['folder']}/empty")
        return kept(order)
    except keeper.Ended:
        return -signal.SIGKILL
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sweep()
        keeper.remove(order["folder"])


def stop(number: int, frame: object) -> NoReturn:
    raise keeper.Ended


def settle_in(parent: int) -> None:
    """Gets SIGTERM when the parent ends; heir of all that podman starts."""
    libc = keeper.libc
    keeper.checked(libc.prctl(keeper.PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0))
    if os.getppid() != parent:
        raise keeper.Ended
    keeper.checked(libc.prctl(keeper.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def lay_out(order: dict[str, Any]) -> None:
    """The folder with podman's settings and the bare tree that the container has as its root."""
    folder = order["folder"]
    os.umask(0o022)
    os.mkdir(folder, 0o700)
    for name in order["folders"]:
        os.makedirs(f"{folder}/{name}")
    for name, content in order["files"].items():
        with open(f"{folder}/{name}", "wb") as file:
            file.write(content)
    for name, target in order["links"].items():
        os.symlink(target, f"{folder}/{name}")
    for name, source in order["copies"].items():
        shutil.copyfile(source, f"{folder}/{name}")


def hide_mounts(empty: str) -> None:
    """What podman mounts is gone with us, however we end. crun refuses a machine that has both kinds of cgroups in use,
    also where it is to make none: it sees the older kind only."""
    keeper.checked(keeper.libc.unshare(CLONE_NEWNS))
    mount(None, "/", MS_REC | MS_PRIVATE)
    if os.path.isdir(HYBRID):
        mount(empty, HYBRID, MS_BIND)


def mount(source: str | None, target: str, flags: int) -> None:
    from_where = source.encode() if source else None
    keeper.checked(keeper.libc.mount(from_where, target.encode(), None, ctypes.c_ulong(flags), None))


def kept(order: dict[str, Any]) -> int:
    """How the command ended: its exit code, or the signal below zero; podman's own where there was no command."""
    ours, theirs = _socket.socketpair()
    hand_over(ours, order)
    podman = started(order, theirs.fileno())
    theirs.close()
    keeper.close_others([one for one in (order["status"], ours.fileno(), podman) if one >= 0])
    said = b""
    with select.epoll() as waiting:
        for one in (ours.fileno(), podman):
            waiting.register(one, select.EPOLLIN)
        while True:
            ready = {one for one, _ in waiting.poll()}
            more = news(ours) if ours.fileno() in ready else b""
            *lines, said = (said + more).split(b"\n")
            for line in lines:
                code = heard(line, order["status"])
                if code is not None:
                    return code
            if podman in ready and not more:
                return keeper.FAILED


def news(ours: _socket.socket) -> bytes:
    """What the first process says; nothing when nobody is left to say anything."""
    try:
        return ours.recv(4096)
    except ConnectionResetError:  # and nobody has read the order
        return b""


def heard(line: bytes, status: int) -> int | None:
    """How the command ended, once the first process says so."""
    word, _, rest = line.partition(b" ")
    if word == b"ended":
        return int(rest)
    if word == b"refused":
        os.write(2, rest + b"\n")
        return keeper.FAILED
    keeper.tell(status, b"started")
    return None


def hand_over(ours: _socket.socket, order: dict[str, Any]) -> None:
    """The first process of the container will find its order and the channel at the other end."""
    inside = os.memfd_create("optagent")
    user = os.getuid()
    order["inside"]["others"] = keeper.tasks_of(user) if user else 0
    os.write(inside, marshal.dumps(order["inside"]))
    os.lseek(inside, 0, os.SEEK_SET)
    ours.sendmsg([b"x"], [(_socket.SOL_SOCKET, SCM_RIGHTS, array.array("i", (inside, order["channel"])))])
    os.close(inside)
    os.close(order["channel"])


def started(order: dict[str, Any], link: int) -> int:
    """A descriptor of podman's process, which has `link` as its descriptor 3."""
    process = os.fork()
    if process == 0:
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.dup2(link, 3)
            os.closerange(4, 1 << 16)
            os.execve(order["podman"][0], order["podman"], order["env"])
        except OSError as error:
            os.write(2, f"{order['podman'][0]}: {error}\n".encode())
        finally:
            os._exit(keeper.FAILED)
    return os.pidfd_open(process)


def sweep() -> None:
    """Nothing of the container runs any more. The command's own processes cannot outrun this: they end with the first
    process of their space, and those that are not in it are podman's."""
    while True:
        for process in [*descendants(os.getpid())]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        try:
            os.wait()
        except ChildProcessError:
            return


if __name__ == "__main__":
    keeper.finish(main(int(sys.argv[1])))
