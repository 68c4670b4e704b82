"""The container rung: podman makes the namespaces and the mounts, of this machine's own system instead of an image.

What podman hands to a container stays open in a helper, which outlives it, and it keeps books about its containers.
So a keeper starts it and removes all of that (sandbox/container_keeper.py), and a first process inside gets the channel
from the keeper and starts the command (sandbox/container_init.py).
"""

from __future__ import annotations

import itertools
import marshal
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from optagent.errors import SandboxUnavailable
from optagent.sandbox import podman, process, seccomp
from optagent.sandbox.base import CHANNEL_VARIABLE, SCRATCH, Command, ExecResult, Exited, Limits, Mount, Profile
from optagent.sandbox.bwrap import PROBES, USER_IDS, passwd_file
from optagent.sandbox.live import Live

STARTED = b"started"
KEEPER = Path(__file__).with_name("container_keeper.py")
TOOLS = ("podman", "crun", "conmon", "setpriv")
SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MORE_PROBES = """
grep -q '^Seccomp:.*2$' /proc/self/status || echo "there is no filter of system calls"
grep '^Cap' /proc/self/status | grep -qv 0000000000000000 && echo "there are capabilities"
"""
GAPS = (
    "podman, conmon and crun have to be trusted with all rights of whoever starts them",
    f"the folder of optagent's own Python is shown, read-only, in {podman.INIT}; podman's files in /run and /etc tell "
    "that this is a container",
    "unproven: podman of somebody who is not root (there /dev, which is private and small, can be written to), other "
    "versions than podman 4.3.1 with crun 1.8.1, SELinux",
)


class Container:
    """Needs podman, crun and conmon. As root, code runs as one of USER_IDS; otherwise as the user."""

    rung = "container"
    gaps: tuple[str, ...] = GAPS

    def __init__(self) -> None:
        missing = [tool for tool in TOOLS if shutil.which(tool) is None]
        if missing:
            raise SandboxUnavailable(
                f"the sandbox `container` needs {' and '.join(missing)}, which this machine does not have (docker does "
                "not do: it hands no descriptor to a container)",
                "Run `sudo apt-get install podman crun` (or your system's like).",
            )
        self.passed_over = ""
        self.is_root = os.geteuid() == 0
        self.interpreter = podman.own_interpreter()
        first = os.getpid() % len(USER_IDS)
        self._users = itertools.cycle([*USER_IDS[first:], *USER_IDS[:first]])
        """As root, each command is another user: the kernel counts processes by user."""

    def inside(self, mount: Mount) -> str:
        return mount.inside

    def faults(self, home: Path) -> str:
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
        command = Command(("/bin/sh", "-c", MORE_PROBES + PROBES, "probes", str(home)), SCRATCH, env=environment)
        result = self.run(command, Limits(seconds=20, memory_bytes=1 << 30))
        said = (result.stdout + result.stderr).decode("utf-8", "replace").strip()
        return said or ("" if result.ok else str(result.ending))

    def warm_start_fault(self) -> str:
        return "a container has none of the namespaces that keep forks apart"

    def run(self, command: Command, limits: Limits) -> ExecResult:
        result, told = process.run_told(partial(self._launch, command, limits, Profile.TESTS), limits)
        if isinstance(result.ending, Exited) and told != STARTED:
            raise process.broken(result.stderr, "podman")
        return result

    def open(self, command: Command, limits: Limits, profile: Profile = Profile.CONTESTANT) -> Live:
        ours, theirs = socket.socketpair()
        with self._launch(command, limits, profile, theirs.fileno()) as launch:
            return process.start(launch, (ours, theirs))

    def _box(self) -> podman.Box:
        folder = Path(tempfile.gettempdir()).resolve() / f"optagent-box-{os.urandom(6).hex()}"
        user = next(self._users) if self.is_root else os.getuid()
        return podman.Box(str(folder), self.interpreter, user, user if self.is_root else os.getgid(), self.is_root)

    @contextmanager
    def _launch(
        self, command: Command, limits: Limits, profile: Profile, channel: int, status: int = -1
    ) -> Iterator[process.Launch]:
        """`status` is told once the command has started, if it is asked for."""
        box = self._box()
        words = podman.words(box, podman.shown(box, command.mounts), limits)
        order = {
            "podman": [str(shutil.which("podman")), *words],
            "env": podman.environment(box.folder, os.environ.get("PATH", SEARCH)),
            "inside": {
                "argv": command.argv,
                "cwd": command.cwd,
                "env": dict(command.env),
                "variable": CHANNEL_VARIABLE,
                "limits": asdict(limits),
                "filter": seccomp.compile_filter(profile),
            },
            "channel": channel,
            "status": status,
            "parent": os.getpid(),
            "folder": box.folder,
            **podman.layout(passwd_file(box.user, box.group)),
        }
        with process.in_memory(marshal.dumps(order)) as told:
            argv = (sys.executable, "-I", "-S", str(KEEPER), str(told))
            yield process.Launch(argv, {}, "/", (told,), is_kept=True)
