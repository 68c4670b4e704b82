"""How long it takes to index 10,000 functions and more: cold, warm, after one edit, on one core and on two.

`python benchmarks/index.py` fetches the source archives of three packages, and writes the tables with machine and date
to benchmarks/results/index.md. Every number is taken in fresh processes, imports included.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from results import table, write  # noqa: E402

PACKAGES = ("networkx==3.6.1", "Django==5.2.19", "sympy==1.14.0")
ENOUGH = 2  # the first two have more than 10,000 functions
TIMES = 5
SETTLED_S = 2.1  # younger files are read again: optagent/languages/python/targets/index_cache.py
CONVERT = "networkx/networkx-3.6.1/networkx/convert.py"
SPECS = (
    "bidirectional_dijkstra",
    "Graph.add_edge",
    "networkx/networkx-3.6.1/networkx/classes/graph.py::Graph.add_edge",
)
SIZES = (300_000, 600_000, 1_000_000, 2_000_000, 4_000_000)
BEGIN = """
import os, sys, time
from pathlib import Path
began = time.perf_counter()
def end(count):
    print(time.perf_counter() - began, sum(os.times()[:4]), count)
"""
INDEX = """
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])
from optagent.core.target import Tree
from optagent.languages.python.targets.index import index
end(len(index(Tree(Path(sys.argv[2])), Path(sys.argv[3]) if sys.argv[3] else None)))
"""
LOCATE = """
from optagent.core.target import Tree
from optagent.languages.python.targets.locate import locate
locate(Tree(Path(sys.argv[1])), sys.argv[2])
end(1)
"""
PROCESSES = """
from optagent.core.target import Tree
from optagent.languages.python.targets import index_facts
from optagent.languages.python.source.sources import source_files
index_facts.PAYS_FROM_BYTES = 0
jobs, size = [], 0
for path, entry in source_files(Tree(Path(sys.argv[2]))):
    if size < int(sys.argv[3]):
        jobs.append(index_facts.Job(entry.path, os.stat(entry.path).st_size, False))
        size += jobs[-1].size
began = time.perf_counter()
index_facts.look_at_all(jobs, int(sys.argv[1]))
end(len(jobs))
"""


@dataclass(frozen=True)
class Measured:
    """Wall seconds of fresh processes, CPU seconds of the fastest with its children, and what it counted."""

    walls: tuple[float, ...]
    cpu: float
    count: int

    @property
    def fastest(self) -> str:
        return f"{min(self.walls):.2f}"

    def __str__(self) -> str:
        return f"{min(self.walls):.2f} / {statistics.median(self.walls):.2f} / {self.cpu:.2f}"


def measure(script: str, *arguments: str, before: Callable[[], None] = lambda: None) -> Measured:
    seen = []
    for _ in range(TIMES):
        before()
        seen.append(once(script, *arguments))
    _, cpu, count = min(seen)
    return Measured(tuple(wall for wall, _, _ in seen), cpu, int(count))


def once(script: str, *arguments: str) -> tuple[float, float, float]:
    command = [sys.executable, "-c", BEGIN + script, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    wall, cpu, count = map(float, said.split())
    return wall, cpu, count


def fetch(into: Path) -> list[Path]:
    for package in PACKAGES:
        name = package.partition("==")[0]
        pip = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--no-binary",
            name,
            "-d",
            str(into),
            package,
        ]
        subprocess.run(pip, check=True)
    folders = []
    for package in PACKAGES:
        name = package.partition("==")[0].lower()
        (archive,) = into.glob(f"{name}-*.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(into / name, filter="data")
        folders.append(into / name)
    return folders


def together(folders: list[Path], into: Path) -> Path:
    into.mkdir()
    for folder in folders:
        shutil.copytree(folder, into / folder.name, symlinks=True)
    time.sleep(SETTLED_S)
    return into


def rows(tree: Path, state: Path) -> Iterator[list[str]]:
    files = sum(1 for _ in tree.rglob("*.py"))
    for cores in ("2", "1"):
        cache = state / f"{tree.name}-{cores}"
        cold = measure(INDEX, cores, str(tree), "")
        once(INDEX, cores, str(tree), str(cache))
        warm = measure(INDEX, cores, str(tree), str(cache))
        changed = measure(INDEX, cores, str(tree), str(cache), before=lambda: edit(tree / CONVERT))
        yield [tree.name, f"{files:,}", f"{cold.count:,}", cores, str(cold), str(warm), str(changed)]


def edit(file: Path) -> None:
    """One more function, that nobody has indexed yet."""
    with open(file, "a") as source:
        source.write(f"\n\ndef added_{time.monotonic_ns()}():\n    return 1\n")


def tables(work: Path) -> list[str]:
    folders = fetch(work / "archives")
    some, every = together(folders[:ENOUGH], work / "two"), together(folders, work / "three")
    head = ["packages", "files", "functions", "cores", "cold s", "warm s", "one file changed s"]
    measured = [*rows(some, work / "state"), *rows(every, work / "state")]
    sizes = [
        [f"{size / 1e6:.1f}", *(measure(PROCESSES, n, str(every), str(size)).fastest for n in ("1", "2"))]
        for size in SIZES
    ]
    lookups = [[spec, str(measure(LOCATE, str(some), spec))] for spec in SPECS]
    return [
        *table(head, measured),
        f"`two` is {' and '.join(PACKAGES[:ENOUGH])}, `three` has {PACKAGES[-1]} too. Goals for 10,000 functions on",
        "two cores: cold under 3 s, warm under 0.5 s.",
        "",
        "When a second process pays: seconds (fastest) for so many megabytes of source, processes forced.",
        "",
        *table(["MB", "one process s", "two processes s"], sizes),
        "A look for one function in `two`, without any cache:",
        "",
        *table(["target", "s"], lookups),
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "archives").mkdir()
        body = tables(work)
    what = (
        f"Seconds as fastest / median of {TIMES} fresh processes / CPU of the fastest on all cores; imports included."
    )
    write("index", "The index of all functions", what, "\n".join(body))


if __name__ == "__main__":
    main()
