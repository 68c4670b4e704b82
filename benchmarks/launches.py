"""Where the time of one launch goes besides its timed rounds, and what it costs to import a package of some size.

`python benchmarks/launches.py` launches every kernel against itself, and a package of 12,000 lines with and without
its bytecode kept; and starts a worker afresh and as a fork of one that has started. The tables with machine and date
go to benchmarks/results/launches.md.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from kernels import WORKLOAD, core, kernels  # noqa: E402
from results import table, write  # noqa: E402

from optagent.cli.run.hotspots import open_look  # noqa: E402
from optagent.cli.settings.config import read  # noqa: E402
from optagent.core.target import Tree  # noqa: E402
from optagent.languages.python.bytecode import with_bytecode  # noqa: E402
from optagent.languages.python.project import PythonProject  # noqa: E402
from optagent.languages.python.targets.locate import locate  # noqa: E402
from optagent.languages.python.workload_file import workload_from_file  # noqa: E402
from optagent.measure import launch as launching  # noqa: E402
from optagent.measure.launch import Launch, Race, launch  # noqa: E402

TIMES = 9
PARTS = {"_start": "start", "_load": "import", "_first_calls": "first calls", "_play": "rounds"}
HEAD = [*PARTS.values(), "rest", "all", "CPU start", "CPU import"]


class Watch:
    """Wall milliseconds of the parts of a launch, taken around the functions that do them."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        for name, part in PARTS.items():
            setattr(launching, name, self._timed(part, getattr(launching, name)))

    def _timed(self, part: str, function: Callable[..., object]) -> Callable[..., object]:
        def run(*arguments: object) -> object:
            began = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                self.spent[part] += 1000 * (time.perf_counter() - began)

        return run

    def row(self, race: Race) -> list[str]:
        """Medians of some launches, in the order of HEAD."""
        rows = [self._once(race, seed) for seed in range(TIMES)]
        return [f"{median(column):.0f}" for column in zip(*rows, strict=True)]

    def _once(self, race: Race, seed: int) -> list[float]:
        self.spent.clear()
        began = time.perf_counter()
        found: Launch = launch(race, seed)
        whole = 1000 * (time.perf_counter() - began)
        parts = [self.spent[part] for part in PARTS.values()]
        lives = found.account.old, found.account.new
        cpu = [sum(one.start for one in lives) / 2e6, sum(one.imported for one in lives) / 2e6]
        return [*parts, whole - sum(parts), whole, *cpu]


FUNCTION = "def f{k}(x, y=1):\n    if x > y:\n        return [x * {k}, y, (x, y)]\n    return {{'x': x, 'y': y}}\n\n"
PART = "".join(FUNCTION.format(k=k) for k in range(60))
MODULES = 40


def large(watch: Watch) -> list[list[str]]:
    """Rows of a package in which the target needs forty modules, without and with their bytecode kept."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        package = root / "tree" / "large"
        package.mkdir(parents=True)
        for k in range(MODULES):
            (package / f"part{k}.py").write_text(PART)
        (package / "__init__.py").write_text("".join(f"from large import part{k}\n" for k in range(MODULES)))
        (package / "work.py").write_text("def work(n):\n    return sum(k * k for k in range(n))\n")
        (root / "workload.py").write_text(WORKLOAD.format(size=20000))
        for one in (root, *root.rglob("*")):
            one.chmod(0o755)
        with open_look(read(root / "tree", {"state": str(root / "state")}, {})) as look:
            tree = Tree(root / "tree")
            home = replace(look.home, ground=root.resolve())
            bare = PythonProject(home, locate(tree, "large/work.py::work"), base=tree)
            kept = with_bytecode(bare, root)
            inputs = workload_from_file(bare, tree, root / "workload.py", 1, 60.0).search
            race = Race(bare, tree, tree, inputs, core())
            rows = {"12,000 lines": race, "the same, bytecode kept": replace(race, project=kept)}
            return [[name, *watch.row(one)] for name, one in rows.items()]


STARTS = 40
HEAD_OF_STARTS = [
    "a worker, from asking for it until it is gone",
    "ms",
    "90 % of them within ms",
    "CPU of its start, ms",
]


def starts(race: Race) -> list[list[str]]:
    """A worker afresh and a fork, in turn, neither of which loads anything."""
    spent: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for _ in range(STARTS):
        for is_warm in spent:
            began = time.perf_counter()
            with race.project.contestant(race.old, 1, 60.0, warm=is_warm) as worker:
                cpu = worker.life.start / 1e6
            spent[is_warm].append((1000 * (time.perf_counter() - began), cpu))
    rows = []
    for name, found in zip(("in a fresh sandbox", "as a fork"), spent.values(), strict=True):
        walls, cpus = (sorted(column) for column in zip(*found, strict=True))
        rows.append([name, f"{median(walls):.1f}", f"{walls[int(0.9 * STARTS)]:.1f}", f"{median(cpus):.1f}"])
    fresh, fork = (median(wall for wall, _ in one) for one in spent.values())
    return [*rows, ["ratio", f"{fresh / fork:.1f}", "", ""]]


def main() -> None:
    watch = Watch()
    with kernels() as found:
        rows = [[one.name, *watch.row(one.race())] for one in found]
        started = starts(found[0].race())
    what = (
        f"Milliseconds, medians of {TIMES} launches of a function against itself. Wall time of a launch by part; both "
        "sides are in it. CPU is one worker's, from its start to its first message and in the import of the target."
    )
    page = [*table(["kernel", *HEAD], rows + large(watch)), *table(HEAD_OF_STARTS, started)]
    write("launches", "A launch by part", what, "\n".join(page))


if __name__ == "__main__":
    main()
