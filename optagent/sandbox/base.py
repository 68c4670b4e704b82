"""The seam: what a sandbox is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from optagent.sandbox.live import Live

MEBIBYTE = 1 << 20
CHANNEL_VARIABLE = "OPTAGENT_FD"
FORKS_VARIABLE = "OPTAGENT_FORKS"
SCRATCH = "/tmp"
"""What a command calls the folder that is its own to write to, as its working folder and as a whole value of its
environment; a rung without mounts puts in where that is."""

REFUSED_ERRNO = 132
"""What a contestant's attempt to start a process fails with (ERFKILL; see sandboxes/seccomp.toml)."""


class Profile(StrEnum):
    """`tests` may start processes and use loopback sockets; `contestant` is one process without sockets; `fork` is one
    of several that see each other's numbers, and reaches none of them; `nursery` is what these are forks of, and runs
    none of the target; `command` may start processes, but has no sockets, moves nothing to another core and leaves
    nothing in the kernel."""

    TESTS = "tests"
    CONTESTANT = "contestant"
    FORK = "fork"
    NURSERY = "nursery"
    COMMAND = "command"


@dataclass(frozen=True)
class Mount:
    """A folder or file shown read-only. `inside` is where it is seen, except on rungs without mounts. `ground` is the
    folder of ours that it lies in with others that will be shown there to later commands, if there is one."""

    source: Path
    inside: str
    ground: Path | None = None


@dataclass(frozen=True)
class Command:
    """What to run. `env` is the whole environment; paths in it come from `Sandbox.inside`.

    `forks` says that a rung may take a fork of the same program that has started before, with other mounts of the same
    ground: started with FORKS_VARIABLE set, it sends a frame, then reads one for each fork that is wanted
    (sandbox/nursery.py).
    """

    argv: tuple[str, ...]
    cwd: str
    mounts: tuple[Mount, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    forks: bool = False


@dataclass(frozen=True)
class Limits:
    """Ceilings for one command: wall seconds, bytes and processes. `output_bytes` holds for each stream,
    `memory_bytes` for each process, `all_memory_bytes` for all together while `Sandbox.run` waits for them."""

    seconds: float = 60.0
    memory_bytes: int = 4096 * MEBIBYTE
    all_memory_bytes: int = 8192 * MEBIBYTE
    processes: int = 64
    output_bytes: int = 4 * MEBIBYTE
    report_bytes: int = 256 * MEBIBYTE
    scratch_bytes: int = 256 * MEBIBYTE
    open_files: int = 256


@dataclass(frozen=True)
class Exited:
    """It ran to an end of its own; any exit code is an ordinary result. Negative: killed by that signal."""

    code: int


@dataclass(frozen=True)
class Stopped:
    """We ended it. `limit` says which ceiling it hit: "seconds", "output", "memory" or "scratch"."""

    limit: str


@dataclass(frozen=True)
class ExecResult:
    """What a finished command left. `report` is what it wrote to the descriptor named in OPTAGENT_FD."""

    ending: Exited | Stopped
    stdout: bytes
    stderr: bytes
    report: bytes
    seconds: float

    @property
    def ok(self) -> bool:
        return self.ending == Exited(0)


class Sandbox(Protocol):
    """A rung of the ladder. A failing command is a result; a failing sandbox raises SandboxBroken."""

    gaps: tuple[str, ...]
    """What it does not keep from code although a stronger rung does, and what tests cannot do in it."""

    passed_over: str
    """Why a stronger rung was not taken; nothing where none was passed over."""

    @property
    def rung(self) -> str:
        """The name shown in every result."""

    def faults(self, home: Path) -> str:
        """What a few simple probes get through that they must not, one a line; nothing where the rung holds. `home` is
        a folder that must not be readable."""

    def inside(self, mount: Mount) -> str:
        """Where a mount of a command is seen by that command."""

    def warm_start_fault(self) -> str:
        """Why commands that fork are started afresh each time; nothing where they are not."""

    def run(self, command: Command, limits: Limits) -> ExecResult:
        """The command run to its end under the `tests` profile, with everything it started gone."""

    def open(self, command: Command, limits: Limits, profile: Profile = Profile.CONTESTANT) -> Live:
        """The command running under that profile, with a channel to it. The caller closes it."""
