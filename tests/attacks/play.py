"""Plays attacks on a rung: `python tests/attacks/play.py RUNG [NAME...]` prints what came of each as JSON.

Standard library and optagent.sandbox only: an ordinary user runs it with the system's Python.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1]), str(HERE.parent)]

from catalog import ATTACKS, HEAD, Attack  # noqa: E402
from world import KEY, World, world  # noqa: E402

from optagent.errors import SandboxBroken  # noqa: E402
from optagent.sandbox import watcher  # noqa: E402
from optagent.sandbox.base import MEBIBYTE, Command, Limits, Mount, Sandbox, Stopped  # noqa: E402
from optagent.sandbox.choose import LADDER  # noqa: E402
from optagent.sandbox.live import ChannelClosed, Overdue  # noqa: E402

PYTHON = "/usr/bin/python3"
ENV = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "TMPDIR": "/tmp"}
LIMITS = Limits(
    seconds=5, memory_bytes=1024 * MEBIBYTE, all_memory_bytes=600 * MEBIBYTE, processes=64, scratch_bytes=32 * MEBIBYTE
)
FRAMES = """
channel = socket.socket(fileno=int(os.environ['OPTAGENT_FD']))
def say(value):
    text = json.dumps({'said': value}).encode()
    channel.sendall(struct.pack('!II', len(text), 0) + text)
def did(*what): say(' '.join(map(str, what)))
say('')
"""


def play(box: Sandbox, attack: Attack, place: World) -> list[str]:
    """What the attack got, and what it spoilt; nothing when it was stopped."""
    shown = Mount(place.repo, "/seen")
    facts = json.dumps(place.facts(box.inside(shown)))
    how = _contestant if attack.contestant else _command
    try:
        return [*how(box, attack, facts, shown), *place.harm()]
    except SandboxBroken as broken:
        broken.add_note(f"{attack.name}: {broken.__context__!r}")
        raise


def _command(box: Sandbox, attack: Attack, facts: str, shown: Mount) -> list[str]:
    began = time.monotonic()
    limits = replace(LIMITS, seconds=1.0) if attack.ending == "seconds" else LIMITS
    result = box.run(Command((PYTHON, "-c", HEAD + attack.program, facts), "/tmp", (shown,), ENV), limits)
    limit = result.ending.limit if isinstance(result.ending, Stopped) else "none"
    said = [line.decode("utf-8", "replace") for line in result.stdout.splitlines() if line.startswith(b"DID")]
    if limit not in (attack.ending or "none").split(" or "):
        said.append(f"ended with {result.ending}, {result.stderr.decode('utf-8', 'replace')[-300:]}")
    if time.monotonic() - began > LIMITS.seconds + 3:
        said.append("it held the referee up")
    if result.report and "report" not in attack.name:
        said.append("it reported something")
    return said


def _contestant(box: Sandbox, attack: Attack, facts: str, shown: Mount) -> list[str]:
    said = []
    command = Command((PYTHON, "-c", HEAD + FRAMES + attack.program, facts), "/tmp", (shown,), ENV)
    for _ in range(2):  # the second looks for what the first has left
        with box.open(command, LIMITS) as live:
            live.greet()
            try:
                while True:
                    said.append(str(live.receive(5)[0]["said"]))
            except (ChannelClosed, Overdue):
                continue
    return said


def main(rung: str, *names: str) -> None:
    os.environ["OPENAI_API_KEY"] = KEY
    os.umask(0)
    watcher.LITTLE_SHARE = 1.0  # as if little were left: to take so much would take the machine down
    box = LADDER[rung]()
    wanted = [one for one in ATTACKS if not names or one.name in names]
    with world() as place:
        place.harm()
        print(json.dumps({one.name: play(box, one, place) for one in wanted}))


if __name__ == "__main__":
    main(*sys.argv[1:])
