"""What hostile code gets on each rung of the sandbox: nothing, and what stops it.

`python benchmarks/attacks.py` plays every program of tests/attacks/catalog.py on every rung that works here, as whoever
runs this (root's code becomes nobody's user). The table with machine and date goes to benchmarks/results/attacks.md.
Memory that no process holds is watched as if little were left, so that nothing has to take the machine down.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks"), str(ROOT / "tests"), str(ROOT / "tests" / "attacks")]

from catalog import ATTACKS  # noqa: E402
from results import table, write  # noqa: E402

from optagent.sandbox.choose import LADDER  # noqa: E402


def played(rung: str) -> dict[str, list[str]]:
    """What came of each attack; nothing at all where the rung does not work here."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "attacks" / "play.py"), rung], stdout=subprocess.PIPE, text=True
    )
    return dict(json.loads(done.stdout)) if done.returncode == 0 else {}


def main() -> None:
    found = {rung: played(rung) for rung in LADDER}
    rows = []
    for attack in ATTACKS:
        cells = [
            f"{'GOT SOMETHING' if found[rung][attack.name] else attack.stopped_by(rung)}" if found[rung] else "not run"
            for rung in found
        ]
        rows.append([attack.name, *cells])
    who = "root" if os.geteuid() == 0 else "an ordinary user"
    stopped = {rung: sum(not said for said in found[rung].values()) for rung in found}
    summary = "; ".join(f"{rung}: {stopped[rung]} of {len(ATTACKS)} stopped" for rung in found)
    page = [f"As {who}. {summary}.", "", *table(["attack", *found], rows)]
    write("attacks", "Attacks", __doc__ or "", "\n".join(page))


if __name__ == "__main__":
    main()
