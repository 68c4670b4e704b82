"""Warm starts: a program that has started already in a sandbox of its own, and forks a contestant for whoever asks.

A fork costs a few milliseconds where a fresh sandbox with an interpreter in it takes fifty. It has mounts, scratch and
memory of its own and no privileges, but shares the number space of processes with other forks: its system-call filter
lets it reach none of them.
"""

from __future__ import annotations

import os
import socket
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import ExitStack
from dataclasses import replace

from optagent.core import frames
from optagent.errors import SandboxBroken
from optagent.sandbox import process, seccomp
from optagent.sandbox.base import FORKS_VARIABLE, Command, Limits, Mount, Profile
from optagent.sandbox.live import ChannelClosed, Live, Overdue

GROUND = "/optagent/ground"
MOST = 12
"""So many programs at most are kept ready, of some ten megabytes each."""

NOSUID, NODEV, READ_ONLY = 2, 4, 1  # linux/mount.h
Start = Callable[[Command, Limits, tuple[str, ...]], Live]
"""Starts a command that is to fork in a sandbox, with empty folders for its forks' mounts."""


class Nurseries:
    """The programs of one rung that are ready to fork, the latest used last. `refusal` says why there are none: this
    machine does not let a sandboxed program make namespaces."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._ready: OrderedDict[Hashable, Live] = OrderedDict()
        self._one_at_a_time = threading.Lock()
        self.refusal = ""
        weakref.finalize(self, _close, self._ready)

    def fork(self, command: Command, limits: Limits) -> Live | None:
        """The command as a fork; None where that cannot be, and it has to be started afresh."""
        lent = [mount for mount in command.mounts if mount.ground]
        if self.refusal or not lent:
            return None
        whole = started_once(command, lent)
        key = (whole.argv, tuple(sorted(whole.env.items())), whole.mounts, replace(limits, seconds=0.0))
        with self._one_at_a_time:
            try:
                nursery = self._ready.pop(key, None) or self._started(whole, command, limits, lent)
                fork = order(nursery, command, limits, lent)
            except SandboxBroken as fault:
                self.refusal = str(fault)
                return None
            except (ChannelClosed, Overdue):  # it has ended since, for whatever reason: the next one starts another
                nursery.close()
                return None
            self._ready[key] = nursery
            if len(self._ready) > MOST:
                self._ready.popitem(last=False)[1].close()
        return fork

    def _started(self, whole: Command, command: Command, limits: Limits, lent: list[Mount]) -> Live:
        """Raises SandboxBroken when it does not start, or no fork of it does."""
        with ExitStack() as undo:
            nursery = undo.enter_context(self._start(whole, limits, tuple(mount.inside for mount in lent)))
            nursery.greet()
            with order(nursery, command, limits, lent) as trial:
                trial.greet()
            undo.pop_all()
        return nursery


def _close(ready: OrderedDict[Hashable, Live]) -> None:
    while ready:
        ready.popitem()[1].close()


def started_once(command: Command, lent: list[Mount]) -> Command:
    """What is started for that command and others like it: it sees the grounds whole, and nothing where their parts
    will be."""
    grounds = tuple(Mount(mount.ground, f"{GROUND}/{k}") for k, mount in enumerate(lent) if mount.ground)
    kept = tuple(mount for mount in command.mounts if not mount.ground)
    return Command(command.argv, "/", (*kept, *grounds), {**command.env, FORKS_VARIABLE: "1"})


def order(nursery: Live, command: Command, limits: Limits, lent: list[Mount]) -> Live:
    """A fork of the program, which becomes the command. Raises ChannelClosed or Overdue when there is nobody to ask."""
    ours, theirs = socket.socketpair()
    fork = process.forked(ours)
    rules = seccomp.compile_filter(Profile.FORK)
    mounts = [
        (f"{GROUND}/{k}/{mount.source.relative_to(mount.ground)}", mount.inside)
        for k, mount in enumerate(lent)
        if mount.ground
    ]
    size = f"mode=1777,size={limits.scratch_bytes}"
    fresh = [
        ("/tmp", NOSUID | NODEV, size),
        ("/dev/shm", NOSUID | NODEV, size),
        (GROUND, NOSUID | NODEV | READ_ONLY, "size=4096,mode=555"),
    ]
    wanted = {"mounts": mounts, "fresh": fresh, "cwd": command.cwd, "cores": sorted(os.sched_getaffinity(0))}
    try:
        nursery.send_with((theirs.fileno(), fork.stderr.fileno()), frames.pack(wanted, [rules]))
    except (ChannelClosed, Overdue):
        fork.close()
        raise
    finally:
        theirs.close()
    return fork
