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
import time
from typing import Any

sys.path.append(__file__.rsplit("/", 3)[0])

from optagent.sandbox import keeper
from optagent.sandbox.watcher import descendants

CLONE_NEWNS = 0x00020000  # linux/sched.h
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 1 << 1, 1 << 2, 1 << 12, 1 << 14, 1 << 18  # linux/mount.h
MNT_DETACH = 2
HYBRID = "/sys/fs/cgroup/unified"
SCM_RIGHTS = 1  # linux/socket.h
LOOK_S = 0.002


def main(descriptor: int) -> int:
    with open(descriptor, "rb") as file:
        order = marshal.load(file)
    told, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGTERM, lambda number, frame: None)  # it only wakes: all that is under way is done first
    try:
        settle_in(order["parent"])
        os.mkdir(order["folder"], 0o700)
        if os.geteuid() == 0:
            hide_mounts(order["folder"])
        lay_out(order)
        return kept(order, told, wake)
    except keeper.Ended:
        return -signal.SIGKILL
    finally:
        sweep()
        keeper.libc.umount2(order["folder"].encode(), MNT_DETACH)  # fails where nothing was mounted
        keeper.remove(order["folder"])


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
    for name in order["folders"]:
        os.makedirs(f"{folder}/{name}")
    for name, content in order["files"].items():
        with open(f"{folder}/{name}", "wb") as file:
            file.write(content)
    for name, target in order["links"].items():
        os.symlink(target, f"{folder}/{name}")
    for name, source in order["copies"].items():
        shutil.copyfile(source, f"{folder}/{name}")


def hide_mounts(folder: str) -> None:
    """What is mounted from here on is gone with us, however we end. The folder is in memory: podman waits for the disk
    at each entry in its books. crun refuses a machine that has both kinds of cgroups in use, also where it is to make
    none: it sees the older kind only."""
    keeper.checked(keeper.libc.unshare(CLONE_NEWNS))
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, b"mode=700,size=64m")
    if os.path.isdir(HYBRID):
        mount(folder, HYBRID, None, MS_BIND)


def mount(source: str | None, target: str, kind: str | None, flags: int, options: bytes | None = None) -> None:
    names = [name.encode() if name else None for name in (source, target, kind)]
    keeper.checked(keeper.libc.mount(*names, ctypes.c_ulong(flags), options))


def kept(order: dict[str, Any], told: int, wake: int) -> int:
    """How the command ended: its exit code, or the signal below zero. Once `told` can be read, it has to end."""
    ours, theirs = _socket.socketpair()
    hand_over(ours, order)
    podman = started(order["podman"], order["env"], theirs.fileno())
    theirs.close()
    keeper.close_others([one for one in (order["status"], ours.fileno(), podman, told, wake) if one >= 0])
    with select.epoll() as waiting:
        for one in (ours.fileno(), podman, told):
            waiting.register(one, select.EPOLLIN)
        said = b""
        while True:
            ready = {one for one, _ in waiting.poll()}
            if told in ready:
                return -signal.SIGKILL
            more = news(ours) if ours.fileno() in ready else b""
            *lines, said = (said + more).split(b"\n")
            for code in (heard(line, order["status"]) for line in lines):
                if code is not None:
                    return code
            if podman in ready and not more:  # it has no word of the command's end: no result, whatever it started
                keeper.tell(order["status"], b" lost")
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


def started(argv: list[str], env: dict[str, str], link: int) -> int:
    """A descriptor of podman's process, which has `link` as its descriptor 3."""
    process = os.fork()
    if process == 0:
        try:
            os.dup2(link, 3)
            os.set_inheritable(3, True)
            os.closerange(4, 1 << 16)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.execve(argv[0], argv, env)
        except OSError as error:
            os.write(2, f"{argv[0]}: {error}\n".encode())
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
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not ended:
            time.sleep(LOOK_S)  # and look again: the kernel's lists may lack one while others in them end


if __name__ == "__main__":
    keeper.finish(main(int(sys.argv[1])))
