"""The first process of a container: becomes the parent of the command, and tells the keeper what comes of it.

Run by our own interpreter inside the container with `python -I -S container_init.py N`, standard library only. N is a
socket to sandbox/container_keeper.py, over which it gets its order and the channel as descriptors: what podman hands
to a container stays open in conmon too, and nobody would hear when the command closes its end.

A first process of a space of process numbers cannot be killed from inside, not even by itself, and no signal that it
does not handle reaches it. So the command is another one. When this one ends, so does everything else in the container.
"""

from __future__ import annotations

import _socket
import array
import marshal
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

sys.path.append(__file__.rsplit("/", 3)[0])

from optagent.sandbox import keeper

if TYPE_CHECKING:
    from typing import NoReturn

SCM_RIGHTS = 1  # linux/socket.h


def main(descriptor: int) -> None:
    keeper.checked(keeper.libc.prctl(keeper.PR_SET_DUMPABLE, 0, 0, 0, 0))  # the command has the same user
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's handler is one that the command could reach
    outside = _socket.socket(fileno=descriptor)
    told, channel = received(outside)
    with open(told, "rb") as file:
        order = marshal.load(file)
    child, fault = keeper.begun(lambda failed: become(order, channel, failed))
    os.close(channel)
    if fault:
        outside.sendall(b"refused %s\n" % fault)
        return
    outside.sendall(b"started\n")
    outside.sendall(b"ended %d\n" % end_of(child))


def received(outside: _socket.socket) -> tuple[int, int]:
    """The descriptors that were sent: of the order, and the command's channel."""
    found = array.array("i")
    _, ancillary, _, _ = outside.recvmsg(1, _socket.CMSG_SPACE(2 * found.itemsize))
    for _, kind, data in ancillary:
        if kind == SCM_RIGHTS:
            found.frombytes(data)
    told, channel = found
    return told, channel


def become(order: dict[str, Any], channel: int, failed: int) -> NoReturn:
    """The forked child turns into the command, or tells why not and ends."""
    try:
        for number in keeper.IGNORED:
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)  # the leader of a session could have a terminal, whose end releases our brake
        keeper.limit(order["limits"], order["others"])
        os.chdir(order["cwd"])
        keeper.close_others((channel, failed))
        keeper.checked(keeper.libc.prctl(keeper.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        keeper.filtered(order["filter"])
    except (OSError, ValueError) as error:
        keeper.give_in(failed, error)
    os.set_inheritable(channel, True)
    keeper.execute(order["argv"], {**order["env"], order["variable"]: str(channel)}, failed)


def end_of(child: int) -> int:
    """Its exit code, or the signal below zero. Whatever else comes of it is adopted and reaped meanwhile."""
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main(int(sys.argv[1]))
