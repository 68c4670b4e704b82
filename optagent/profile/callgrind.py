"""Instructions, counted one by one by valgrind's callgrind. The same count comes again to some hundredths of a percent,
on any machine; but it is blind to caches, waiting and system calls (research: measure.md 8): a witness only."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from optagent.core.profile import Fact
from optagent.profile.base import Here, Missing, Seen
from optagent.profile.scene import Scene

OUT, MARK = "%q{TMPDIR}/optagent-callgrind.%p", "getloadavg"
"""As languages/python/toolbox/optagent_instructions.py has them."""
SHOWN_FOLDER = "/usr/"
"""What a sandbox shows of the system's programs."""
PASS = "the whole pass"


@dataclass(frozen=True)
class Callgrind:
    name: str = "callgrind"
    says: str = "instructions of one pass, and in which compiled functions; takes some 50 times as long"
    units: tuple[str, ...] = ("instructions",)
    on_request: bool = True
    unproven: str = ""

    def missing(self, here: Here) -> Missing | None:
        found = shutil.which("valgrind")
        if found is None:
            return Missing("valgrind is not installed", "Run `sudo apt-get install valgrind` (or your system's like).")
        if not found.startswith(SHOWN_FOLDER):
            return Missing(
                f"valgrind is {found}, which no sandbox shows", "Install it with the system's package manager."
            )
        return None

    def profile(self, scene: Scene, here: Here) -> Seen:
        """In a worker of its own: nothing of a process can be counted that did not start under valgrind."""
        options = ("--tool=callgrind", "--vgdb=no", f"--callgrind-out-file={OUT}", f"--dump-before={MARK}")
        with scene.under((str(shutil.which("valgrind")), "--quiet", *options)) as counted:
            rows = counted.rows("instructions")
        return Seen(tuple(Fact(name or PASS, "", count, "instructions") for name, count in rows))
