"""The Landlock rung: no namespaces and no helper, for machines that refuse them. Rules on files, a system-call filter,
limits, a folder of its own, and a keeper that ends whatever is left (sandbox/keeper.py).
"""

from __future__ import annotations

import ctypes
import itertools
import marshal
import os
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from optagent.errors import SandboxUnavailable
from optagent.sandbox import process, seccomp
from optagent.sandbox.base import (
    CHANNEL_VARIABLE,
    SCRATCH,
    Command,
    ExecResult,
    Exited,
    Limits,
    Mount,
    Profile,
    Stopped,
)
from optagent.sandbox.bwrap import SYSTEM_FILES, SYSTEM_FOLDERS, USER_IDS
from optagent.sandbox.live import Live

OLDEST = 6
"""The first version of Landlock that keeps signals and abstract sockets inside (Linux 6.12)."""

CREATE_RULESET, VERSION_WANTED = 444, 1
READABLE = (
    *(f"/{name}" for name in ("usr", *SYSTEM_FOLDERS)),
    *(f"/etc/{name}" for name in (*SYSTEM_FILES, "passwd", "group", "nsswitch.conf")),
    *(f"/proc/{name}" for name in ("cpuinfo", "meminfo", "stat", "loadavg", "uptime", "version", "filesystems")),
    "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
)  # fmt: skip
DEVICES = ("/dev/null",)
GAPS = (
    "whether a file is there, its size and times, and where a link leads can be asked for; contents and lists of names "
    "cannot, but for /etc/passwd and what is shown",
    "reading a shown file can leave the time of its last reading behind",
    "sockets with names are refused, so tests that use loopback fail, and so is /dev/shm",
    "where the state folder lies inside the project, pytest finds the pyproject.toml above its copy and cannot read it",
    "paths inside are those outside: a result that tells where its file or its temporary folder lies is another one "
    "for each copy, and looks different",
    "changes of modes, owners, times and attributes of files do nothing and succeed in tests, and fail in what is "
    "judged",
)
KEEPER = Path(__file__).with_name("keeper.py")
STARTED, LARGE = b"started", b" scratch"
PROBE = "OPTAGENT_PROBE"
"""Without a command, the keeper's child itself tries what must not go. Names the folder that it must not read."""


class Landlock:
    """Needs Landlock of version 6 in the kernel. As root, drops to one of USER_IDS."""

    rung = "landlock"
    gaps: tuple[str, ...] = GAPS

    def __init__(self) -> None:
        version = abi()
        if version < OLDEST:
            raise SandboxUnavailable(
                f"the sandbox `landlock` needs version {OLDEST} of Landlock, and this kernel has {version or 'none'}",
                "Use Linux 6.12 or newer, or install bubblewrap.",
            )
        self.passed_over = ""
        self.is_root = os.geteuid() == 0
        first = os.getpid() % len(USER_IDS)
        self._users = itertools.cycle([*USER_IDS[first:], *USER_IDS[:first]])
        """As root, each command is another user: the kernel counts processes by user."""

    def inside(self, mount: Mount) -> str:
        return str(mount.source)

    def faults(self, home: Path) -> str:
        result = self.run(Command((), SCRATCH, env={PROBE: str(home)}), Limits(seconds=20, memory_bytes=1 << 30))
        said = (result.stdout + result.stderr).decode("utf-8", "replace").strip()
        return said or ("" if result.ok else str(result.ending))

    def warm_start_fault(self) -> str:
        return "without namespaces a fork would see what others left"

    def run(self, command: Command, limits: Limits) -> ExecResult:
        result, told = process.run_told(partial(self._launch, command, limits, Profile.TESTS), limits)
        if told.endswith(LARGE):
            return replace(result, ending=Stopped("scratch"))
        if isinstance(result.ending, Exited) and told != STARTED:
            raise process.broken(result.stderr, "the keeper")
        return result

    def open(self, command: Command, limits: Limits, profile: Profile = Profile.CONTESTANT) -> Live:
        ours, theirs = socket.socketpair()
        with self._launch(command, limits, profile, theirs.fileno()) as launch:
            return process.start(launch, (ours, theirs))

    @contextmanager
    def _launch(
        self, command: Command, limits: Limits, profile: Profile, channel: int, status: int = -1
    ) -> Iterator[process.Launch]:
        """`status` is told once the command has started, if it is asked for."""
        sources = [str(mount.source) for mount in command.mounts]
        scratch = Path(tempfile.gettempdir()).resolve()
        if self.is_root:
            for one in (scratch / "any", *(mount.source.resolve() for mount in command.mounts)):
                _check_open(one)
        order = {
            "argv": command.argv,
            "cwd": command.cwd,
            "env": {**command.env, CHANNEL_VARIABLE: str(channel)},
            "readable": [*filter(os.path.exists, READABLE), *sources],
            "devices": list(DEVICES),
            "limits": asdict(limits),
            "user": next(self._users) if self.is_root else 0,
            "filter": seccomp.compile_filter(profile, is_shared=True),
            "channel": channel,
            "status": status,
            "scratch": str(scratch),
            "parent": os.getpid(),
        }
        with process.in_memory(marshal.dumps(order)) as told:
            argv = (sys.executable, "-I", "-S", str(KEEPER), str(told))
            yield process.Launch(argv, {}, "/", (told,), is_kept=True)


def abi() -> int:
    """The version of Landlock that this kernel has; 0 without one."""
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, int(libc.syscall(CREATE_RULESET, None, 0, VERSION_WANTED)))


def _check_open(place: Path) -> None:
    """Whoever we drop to has to be able to get there. Raises SandboxUnavailable."""
    for folder in place.parents:
        if not os.stat(folder).st_mode & stat.S_IXOTH:
            raise SandboxUnavailable(
                f"as root, the sandbox `landlock` runs code as nobody's user, who cannot reach {place}: {folder} is "
                "closed to others",
                f"Run `chmod o+x {folder}`, keep it elsewhere (--state for optagent's own folder), or run optagent as "
                "an ordinary user.",
            )
