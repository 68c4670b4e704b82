"""What launcher and builder share: a process of their own kind, started, waited for, and nothing of it left.

Runs in optagent's interpreter inside the sandbox: standard library only.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import time
from collections.abc import Iterator, Mapping, Sequence

PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36
GRACE_S = 0.5
"""How long what a command started may outlive it: a pipe's last reader ends a little later than the shell."""

DEFAULTS = (signal.SIGPIPE, signal.SIGXFSZ)  # which Python ignores, and children would inherit that
LIMITS = tuple(getattr(resource, name) for name in sorted(dir(resource)) if name.startswith("RLIMIT_"))


def settle_in() -> None:
    """Out of reach of the processes we start (memory, descriptors, environment), and heir of those they orphan."""
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((PR_SET_DUMPABLE, 0), (PR_SET_CHILD_SUBREAPER, 1)):
        if libc.prctl(option, value, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")


def start(program: str, argv: Sequence[str], env: Mapping[str, str], streams: Sequence[int]) -> int:
    """The process id of the program, with these descriptors as its first ones. OSError when it cannot start."""
    actions = [(os.POSIX_SPAWN_DUP2, descriptor, number) for number, descriptor in enumerate(streams)]
    return os.posix_spawn(program, list(argv), dict(env), file_actions=actions, setsigdef=DEFAULTS)


def program_path(name: str, path: str) -> str | None:
    """The file that a name on a command line means, as a shell finds it; None where there is none."""
    if "/" in name:
        return name if os.path.isfile(name) else None
    candidates = (os.path.join(folder, name) for folder in path.split(":") if folder)
    return next((one for one in candidates if os.path.isfile(one) and os.access(one, os.X_OK)), None)


def nothing_left() -> bool:
    """True when every process below us has ended by itself within GRACE_S; the others are killed. All are reaped."""
    deadline = time.monotonic() + GRACE_S
    pause = 0.0001
    while reap():
        if time.monotonic() > deadline:
            kill_all()
            return False
        time.sleep(pause)
        pause = min(2 * pause, 0.005)
    return True


def reap() -> bool:
    """Whether a child is still running."""
    while True:
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if not ended:
            return True


def kill_all() -> None:
    """No process below us is left: children are killed until no killed parent leaves us another one."""
    while reap():
        for child in children():
            os.kill(child, signal.SIGKILL)
        time.sleep(0.001)


def children() -> Iterator[int]:
    ours = os.getpid()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                words = file.read().rpartition(b")")[2].split()
        except OSError:  # it has ended
            continue
        if int(words[1]) == ours:
            yield int(name)


def told(status: int) -> str:
    """How a process ended, in words."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        names = {one.value: one.name for one in signal.Signals}
        return f"signal {number} ({names.get(number, 'of no name')})"
    return f"exit {os.WEXITSTATUS(status)}"


def limits() -> list[tuple[int, int]]:
    """Our own ceilings and those of the first process: a command of our user could leave itself a note in them."""
    found = [resource.getrlimit(kind) for kind in LIMITS]
    try:
        return found + [resource.prlimit(1, kind) for kind in LIMITS]
    except PermissionError:  # not ours, and so not the command's
        return found
