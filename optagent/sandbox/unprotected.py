"""The rung `none`: limits and a deadline, no isolation at all. Only for who types `--sandbox none`."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

from optagent.errors import SandboxUnavailable
from optagent.sandbox import process
from optagent.sandbox.base import CHANNEL_VARIABLE, Command, ExecResult, Limits, Mount, Profile
from optagent.sandbox.live import Live


class Unprotected:
    """Runs commands with the user's own rights; paths inside are paths outside."""

    rung = "none"
    gaps: tuple[str, ...] = ("it isolates nothing",)
    passed_over = ""

    def __init__(self) -> None:
        if shutil.which("prlimit") is None or shutil.which("setpriv") is None:
            raise SandboxUnavailable(
                "even without isolation, limits need prlimit and setpriv, which this machine does not have",
                "Run `sudo apt-get install util-linux` (or your system's like).",
            )

    def inside(self, mount: Mount) -> str:
        return str(mount.source)

    def faults(self, home: Path) -> str:
        return "nothing is kept from it"

    def warm_start_fault(self) -> str:
        return "without isolation a fork would see what others left"

    def run(self, command: Command, limits: Limits) -> ExecResult:
        report = os.pipe()
        return process.run(_launch(command, limits, report[1]), limits, report)

    def open(self, command: Command, limits: Limits, profile: Profile = Profile.CONTESTANT) -> Live:
        ours, theirs = socket.socketpair()
        return process.start(_launch(command, limits, theirs.fileno()), (ours, theirs))


def _launch(command: Command, limits: Limits, channel: int) -> process.Launch:
    limited = ("prlimit", f"--as={limits.memory_bytes}", f"--nofile={limits.open_files}", "--core=0", "--")
    env = {**command.env, CHANNEL_VARIABLE: str(channel)}
    return process.Launch((*limited, *command.argv), env, command.cwd)
