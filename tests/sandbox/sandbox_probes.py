"""What the tests of the sandbox share: commands to run, tiny contestants, and a look at the host's processes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from optagent.sandbox.base import Command, ExecResult, Limits, Mount, Sandbox
from optagent.sandbox.live import Live

PYTHON = "/usr/bin/python3"
ENV = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "PLANNED": "yes"}
NO_PYTHON = "there is no /usr/bin/python3 to run inside the sandbox"

SAY = """
import json, os, socket, struct, sys, time
channel = socket.socket(fileno=int(os.environ['OPTAGENT_FD']))
def say(value):
    text = json.dumps({'said': value}).encode()
    channel.sendall(struct.pack('!II', len(text), 0) + text)
"""
STAY = "\nwhile channel.recv(1): pass\n"

ATTEMPT = """
def attempt(function, *arguments):
    try: return ['got through', repr(function(*arguments))[:80]]
    except OSError as refusal: return refusal.errno
"""


def run(box: Sandbox, *argv: str, mounts: tuple[Mount, ...] = (), cwd: str = "/tmp", **limits: float) -> ExecResult:
    return box.run(Command(argv, cwd, mounts, ENV), Limits(**{"seconds": 20, **limits}))  # type: ignore[arg-type]


def shell(box: Sandbox, script: str, mounts: tuple[Mount, ...] = (), **limits: float) -> ExecResult:
    return run(box, "/bin/bash", "-c", script, mounts=mounts, **limits)


def tell(box: Sandbox, script: str, mounts: tuple[Mount, ...] = (), **limits: float) -> Any:
    """What a Python script tells by `tell(value)`, run under the profile `tests`."""
    head = (
        'import json, os, sys\ndef tell(value): os.write(int(os.environ["OPTAGENT_FD"]), json.dumps(value).encode())\n'
    )
    result = run(box, PYTHON, "-c", head + ATTEMPT + script, mounts=mounts, **limits)
    assert result.report, (result.ending, result.stderr.decode()[-2000:])
    return json.loads(result.report)


def contestant(
    box: Sandbox, script: str = "", stay: str = STAY, mounts: tuple[Mount, ...] = (), **limits: float
) -> Live:
    """A worker that greets, runs the script with `say(value)` at hand, then waits for the end of the channel."""
    source = SAY + ATTEMPT + "say('hello')\n" + script + stay
    return box.open(Command((PYTHON, "-c", source), "/tmp", mounts, ENV), Limits(**{"seconds": 20, **limits}))  # type: ignore[arg-type]


def hear(box: Sandbox, script: str, mounts: tuple[Mount, ...] = (), **limits: float) -> Any:
    """What a contestant says after its greeting."""
    with contestant(box, script, mounts=mounts, **limits) as live:
        live.greet()
        return live.receive(20)[0]["said"]


def running(mark: str) -> list[int]:
    """The host's process ids, zombies aside, whose command line holds the mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
            state = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            continue
        if mark.encode() in words and state != "Z":
            found.append(int(folder.name))
    return found


def soon_gone(mark: str, seconds: float = 3.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not running(mark):
            return True
        time.sleep(0.05)
    return False
