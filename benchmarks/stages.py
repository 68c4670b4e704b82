"""Where the time of a whole `run` goes, and how much CPU of ours a candidate costs.

`python benchmarks/stages.py` runs every example that the built-in rules can work on, each in a state folder of its
own, and writes the table with machine and date to benchmarks/results/stages.md.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from results import table, write  # noqa: E402

from optagent.cli.run.progress import Progress  # noqa: E402
from optagent.cli.run.session import Ended, start  # noqa: E402
from optagent.cli.settings.run_settings import RunSettings  # noqa: E402
from optagent.core.trial import Trial  # noqa: E402

EXAMPLES = (("checkpoint_serialise", "serialise"), ("channel_scaling", "scale_channels"))
STAGES = (
    "looking at",
    "environment",
    "running the tests",
    "gathering",
    "measuring",
    "profiling",
    "trial",
    "confirming",
)


@dataclass
class Stopwatch(Progress):
    """Progress that prints nothing and notes wall time and our own CPU time at every stage."""

    marks: list[tuple[str, float, float]] = field(default_factory=list)

    def stage(self, what: str) -> None:
        self.marks.append((what, time.perf_counter(), time.process_time()))

    def trial(self, trial: Trial) -> None:
        self.trials += 1

    def spans(self) -> dict[str, tuple[float, float]]:
        """Wall seconds and our own CPU seconds by kind of stage."""
        ends = [*self.marks[1:], ("end", time.perf_counter(), time.process_time())]
        found: dict[str, tuple[float, float]] = {}
        for (what, wall, cpu), (_, next_wall, next_cpu) in zip(self.marks, ends, strict=True):
            kind = next(name for name in STAGES if what.startswith(name))
            before = found.get(kind, (0.0, 0.0))
            found[kind] = before[0] + next_wall - wall, before[1] + next_cpu - cpu
        return found


def measure(example: str, target: str) -> list[str]:
    with tempfile.TemporaryDirectory() as state:
        watch = Stopwatch(10.0, quiet=True)
        began = time.perf_counter()
        (ended,) = start([RunSettings(str(ROOT / "examples" / example), target)], Path(state), watch)
        assert isinstance(ended, Ended), ended.fault.message
        ended.workshop.ledger.close()
        total = time.perf_counter() - began
    spans = watch.spans()
    walls = [f"{spans.get(name, (0.0, 0.0))[0]:.2f}" for name in STAGES]
    trials = len(ended.trials)
    ours = f"{1000 * spans['trial'][1] / trials:.0f}" if trials else "no trial"
    return [f"{example}:{target}", ended.outcome.value, *walls, f"{total:.1f}", str(trials), ours]


def main() -> None:
    head = ["target", "outcome", *(f"{name} s" for name in STAGES), "total s", "trials", "our CPU ms per trial"]
    rows = [measure(*example) for example in EXAMPLES]
    what = (
        "Wall seconds by stage. `our CPU ms per trial` is CPU of the referee process itself while trials were judged, "
        "the first use of the rules' parser included; the sandboxed processes are the target's work."
    )
    write("stages", "A whole run by stage", what, "\n".join(table(head, rows)))


if __name__ == "__main__":
    main()
