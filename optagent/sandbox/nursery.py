"""Warm starts: a program that has started already in a sandbox of its own, and forks a contestant for whoever asks.

A fork costs a few milliseconds where a fresh sandbox with an interpreter in it takes fifty. It has mounts, scratch and
memory of its own and no privileges, but shares the number space of processes with other forks: its system-call filter
lets it reach none of them.
"""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from optagent.core import frames
from optagent.errors import SandboxBroken
from optagent.sandbox import process, seccomp
from optagent.sandbox.base import FORKS_VARIABLE, Command, Limits, Mount, Profile
from optagent.sandbox.keeper import MOST_NAMES
from optagent.sandbox.live import ChannelClosed, Live, Overdue

GROUND = "/optagent/ground"
FRESH = ("/tmp", "/dev/shm")
"""Every fork has its own."""
MOST = 12
"""So many programs are kept ready, of some ten megabytes each; more only while their forks are at work."""

AT_ONCE = 16
"""Forks of one program are counted together with their threads by the user they have in common outside."""

NOSUID, NODEV, READ_ONLY = 2, 4, 1  # linux/mount.h
Start = Callable[[Command, Limits, Sequence[str]], Live]
"""A rung's method: starts a command that is to fork in a sandbox, with empty folders for its forks' mounts."""


class Refused(Exception):
    """The program forks no more, or cannot just now; the message says why."""


class Nursery:
    """One program that is ready to fork, and the forks of it that may still run."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.forks: list[Live] = []

    @property
    def is_idle(self) -> bool:
        return all(one.is_closed for one in self.forks)

    def fork(self, command: Command, limits: Limits, lent: Sequence[Mount]) -> Live:
        """A fork that becomes the command. Raises Refused, or ChannelClosed or Overdue when there is nobody to ask."""
        with ExitStack() as undo:
            ours, theirs = socket.socketpair()
            undo.callback(ours.close)
            with theirs:
                fork = undo.enter_context(process.forked(ours))
                order, rules = order_of(command, limits, lent), seccomp.compile_filter(Profile.FORK)
                self.live.send_with((theirs.fileno(), fork.stderr.fileno()), frames.pack(order, [rules]))
                said, descriptors = self.live.receive_with()
            for one in descriptors:
                fork.handle = one
            if fork.handle < 0:
                raise Refused(str(said.get("refused")))
            if not fork.is_heard():
                raise Refused(fork.last_words() or "a fork of it does not start")
            undo.pop_all()
        self.forks = [*(one for one in self.forks if not one.is_closed), fork]
        return fork

    def close(self) -> None:
        with suppress(OSError, subprocess.TimeoutExpired):  # gone, or slow to go; there may be others to close
            self.live.close()


class Nurseries:
    """The programs of one rung that are ready to fork, the latest used last. `refusal` says why there are none: this
    machine does not let a sandboxed program make namespaces."""

    def __init__(self, start: Start) -> None:
        self._start = weakref.WeakMethod(start)  # a rung that is no longer used takes its programs with it
        self._ready: OrderedDict[Hashable, Nursery] = OrderedDict()
        self._retired: list[Nursery] = []
        self._one_at_a_time = threading.Lock()
        self._has_started = False
        self.refusal = ""
        weakref.finalize(self, _close, self._ready, self._retired, os.getpid())

    def fork(self, command: Command, limits: Limits) -> Live | None:
        """The command as a fork; None where that cannot be, and it has to be started afresh."""
        lent = [mount for mount in command.mounts if mount.ground]
        if self.refusal or not lent:
            return None
        whole = started_once(command, lent)
        key = key_of(whole, limits, lent)
        with self._one_at_a_time:
            self._tidy()
            for _ in range(2):  # one that has ended since, or will not, is no reason
                if key not in self._ready and not self._starts(key, whole, command, limits, lent):
                    return None
                self._ready.move_to_end(key)
                try:
                    return self._ready[key].fork(command, limits, lent)
                except (Refused, ChannelClosed, Overdue):
                    self._retired.append(self._ready.pop(key))
        return None

    def _starts(self, key: Hashable, whole: Command, command: Command, limits: Limits, lent: Sequence[Mount]) -> bool:
        """Whether there is another program now, of which a first fork has started; else nobody tries again."""
        start = self._start()
        assert start is not None, "the rung is there as long as it is asked"
        try:
            with ExitStack() as undo:
                nursery = Nursery(undo.enter_context(start(whole, limits, [mount.inside for mount in lent])))
                nursery.live.greet()
                nursery.fork(command, limits, lent).close()
                undo.pop_all()
        except (SandboxBroken, Refused, ChannelClosed, Overdue) as fault:
            if not self._has_started:  # else it is that one: another may start
                self.refusal = str(fault) or "the program that was to fork has ended"
            return False
        self._ready[key] = nursery
        self._has_started = True
        return True

    def _tidy(self) -> None:
        """No more programs than there may be, but for those whose forks are at work."""
        while len(self._ready) > MOST:
            self._retired.append(self._ready.popitem(last=False)[1])
        idle = [one for one in self._retired if one.is_idle]
        self._retired[:] = [one for one in self._retired if one not in idle]
        for one in idle:
            one.close()


def _close(ready: OrderedDict[Hashable, Nursery], retired: list[Nursery], maker: int) -> None:
    if os.getpid() == maker:
        for one in (*ready.values(), *retired):
            one.close()


def kept(mounts: Sequence[Mount]) -> list[str]:
    """Where those lie that a fresh one of each fork would hide, like an environment in /tmp; the outer first."""
    inside = sorted(mount.inside for mount in mounts if not mount.ground)
    return [one for one in inside if any(Path(one).is_relative_to(fresh) for fresh in FRESH)]


def key_of(whole: Command, limits: Limits, lent: Sequence[Mount]) -> Hashable:
    """The same for commands of which one program can fork all. Its memory is near the cores that it was started on."""
    grounds = tuple(os.stat(mount.ground).st_ino for mount in lent if mount.ground)
    cores = tuple(sorted(os.sched_getaffinity(0)))
    return whole.argv, tuple(sorted(whole.env.items())), whole.mounts, grounds, replace(limits, seconds=0.0), cores


def started_once(command: Command, lent: Sequence[Mount]) -> Command:
    """What is started for that command and others like it: it sees the grounds whole, and nothing where their parts
    will be."""
    grounds = tuple(Mount(mount.ground, f"{GROUND}/{k}") for k, mount in enumerate(lent) if mount.ground)
    kept = tuple(mount for mount in command.mounts if not mount.ground)
    return Command(command.argv, "/", (*kept, *grounds), {**command.env, FORKS_VARIABLE: "1"})


def order_of(command: Command, limits: Limits, lent: Sequence[Mount]) -> dict[str, object]:
    """What the program is told: the mounts of a fork, where it is hid what others have, its cores and its limit."""
    mounts = [
        (f"{GROUND}/{k}/{mount.source.relative_to(mount.ground)}", mount.inside)
        for k, mount in enumerate(lent)
        if mount.ground
    ]
    size = f"mode=1777,size={limits.scratch_bytes},nr_inodes={MOST_NAMES}"
    fresh = [
        *[(folder, NOSUID | NODEV, size) for folder in FRESH],
        (GROUND, NOSUID | NODEV | READ_ONLY, "size=4096,mode=555"),
    ]
    cores = sorted(os.sched_getaffinity(0))
    return {
        "mounts": mounts, "kept": kept(command.mounts), "fresh": fresh, "cwd": command.cwd, "cores": cores,
        "processes": limits.processes,
    }  # fmt: skip
