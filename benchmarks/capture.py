"""What watching functions costs the tests of real packages: runs as factors of a plain one.

`python benchmarks/capture.py [PACKAGE...]` runs the tests of each package plainly, with functions watched (which tests
reach them) and with their arguments kept: the hottest function, the ten hottest, and all. Each pair of such runs stands
between two plain ones, which are what it is divided by; a factor is the median over the rounds (fewer of long suites).
The table with machine and date goes to benchmarks/results/capture.md; with another interpreter
(OPTAGENT_BENCHMARK_PYTHON=PATH, see `packages.py`) to a page of its own.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from packages import Package, chosen, unpacked  # noqa: E402
from results import table, write  # noqa: E402

from optagent.cli.run.hotspots import Look, open_look  # noqa: E402
from optagent.cli.settings.config import read  # noqa: E402
from optagent.core.target import Target  # noqa: E402
from optagent.languages.python.testing.hotspots import of_tests  # noqa: E402
from optagent.languages.python.testing.pytest_run import Wish, run_tests  # noqa: E402
from optagent.languages.tests import TestReport  # noqa: E402

ROUNDS = ((15.0, 5), (60.0, 3))
"""Suites of at most so many seconds are run in so many rounds; longer ones once."""

PROMISED = 1.5
HEAD = ["package", "Python", "tests", "plain s", "rounds", "functions", "watched", "captured", "with 2 inputs or more"]


@dataclass(frozen=True)
class Round:
    """One choice of functions, once: factors of the plain runs around it, and what the capture gave."""

    watched: float
    captured: float
    served: int
    reached: int


def look_at(package: Package, state: Path) -> Iterator[tuple[list[str], float]]:
    """Rows of the table with their factor of capture."""
    with open_look(read(unpacked(package), {"state": str(state)}, {})) as look:
        first = run_tests(look.home, look.tree, Wish())
        hottest = tuple(one.target for one in of_tests(look.home, look.tree, look.functions))
        rounds = next((many for seconds, many in ROUNDS if first.seconds <= seconds), 1)
        for choice in (hottest[:1], hottest[:10], look.functions):
            found = list(in_turn(look, choice, rounds))
            captured = median(one.captured for one in found)
            yield (
                [
                    f"{package.name} {package.version}",
                    ".".join(map(str, look.home.interpreter.version)),
                    str(len(first.tests)),
                    f"{first.seconds:.1f}",
                    str(rounds),
                    str(len(choice)),
                    f"{median(one.watched for one in found):.2f}x",
                    f"{captured:.2f}x",
                    f"{found[-1].served} of {found[-1].reached}",
                ],
                captured,
            )


def in_turn(look: Look, targets: tuple[Target, ...], rounds: int) -> Iterator[Round]:
    """Watched and captured, between two plain runs."""

    def run(wish: Wish) -> TestReport:
        return run_tests(look.home, look.tree, wish)

    before = run(Wish()).seconds
    for _ in range(rounds):
        watched, kept = run(Wish(None, targets)), run(Wish(None, targets, keep=True))
        after = run(Wish()).seconds
        plain = (before + after) / 2
        served = sum(len(one.inputs) >= 2 for one in kept.captured)
        reached = sum(one.calls > 0 for one in kept.captured)
        yield Round(watched.seconds / plain, kept.seconds / plain, served, reached)
        before = after


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as state:
        Path(state).chmod(0o755)
        for package in chosen(sys.argv[1:]):
            for row in look_at(package, Path(state)):
                rows.append(row)
                print(" | ".join(row[0]), flush=True)
    slow = sum(captured >= PROMISED for _, captured in rows)
    said = f"{slow} of {len(rows)} rows are at {PROMISED}x or above."
    version = "_".join(rows[0][0][1].split(".")[:2])
    name = "capture" if version == "3_11" else f"capture_{version}"
    page = "\n".join([*table(HEAD, [row for row, _ in rows]), said])
    write(name, "What capture costs", __doc__ or "", page, partial=len(sys.argv) > 1)


if __name__ == "__main__":
    main()
