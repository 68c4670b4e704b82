"""pyperf's checks of the system: read as it prints them, for people."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from optagent.errors import SandboxUnavailable
from optagent.sandbox.base import Command, Limits
from optagent.sandbox.unprotected import Unprotected

ADVICES = "Advices"
"""The part of its text with something to do; every title is underlined. Its warnings are of what it could not read."""


def system_advice() -> list[str]:
    """What `pyperf system show` advises here; it reads, and changes nothing. Empty where it cannot be started.

    In a process of its own, since it prints and asks other programs; our own interpreter needs no sandbox.
    """
    command = Command((sys.executable, "-m", "pyperf", "system", "show"), "/", env={"PATH": "/usr/bin:/bin:/usr/sbin"})
    try:
        result = Unprotected().run(command, Limits(seconds=20))
    except SandboxUnavailable:
        return []
    return list(advice(result.stdout.decode("utf-8", "replace")))


def advice(shown: str) -> Iterator[str]:
    r"""The lines below that title.

    >>> list(advice("State\n=====\n\nASLR: full\n\nAdvices\n=======\n\nPerf event: Set it to 1\n\nRun it."))
    ['Perf event: Set it to 1']
    """
    lines, title = shown.splitlines(), ""
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if below and set(below) == {"="}:
            title = line
        elif title == ADVICES and ": " in line:
            yield line.strip()
