"""How long it takes to index 10,000 functions and more: cold, warm, after one edit, on one core and on two.

`python benchmarks/index.py` fetches the source archives of three packages, and writes the tables with machine and date
to benchmarks/results/index.md. Every number is the median of several fresh processes, imports included.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from optagent.cli.machine import fingerprint  # noqa: E402

PACKAGES = ("networkx==3.6.1", "Django==5.2.19", "sympy==1.14.0")
ENOUGH = 2  # the first two have more than 10,000 functions
RESULTS = ROOT / "benchmarks" / "results" / "index.md"
TIMES = 5
GOALS_S = {"cold": 3.0, "warm": 0.5}
SETTLED_S = 2.1  # younger files are read again: optagent/languages/python/index_cache.py
ONE = """
import os, sys, time
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])
began = time.perf_counter()
from pathlib import Path
from optagent.core.target import Tree
from optagent.languages.python.index import index
cache = Path(sys.argv[3]) if sys.argv[3] else None
found = len(index(Tree(Path(sys.argv[2])), cache))
print(time.perf_counter() - began, found)
"""
ONE_NAME = """
import sys, time
began = time.perf_counter()
from pathlib import Path
from optagent.core.target import Tree
from optagent.languages.python.locate import locate
locate(Tree(Path(sys.argv[1])), sys.argv[2])
print(time.perf_counter() - began, 1)
"""
SIZES = (300_000, 600_000, 1_000_000, 2_000_000, 4_000_000)
ONE_SIZE = """
import os, sys, time
from pathlib import Path
from optagent.core.target import Tree
from optagent.languages.python import index_facts
from optagent.languages.python.sources import source_files
index_facts.PAYS_FROM_BYTES = 0
jobs, size = [], 0
for path, entry in source_files(Tree(Path(sys.argv[1]))):
    if size < int(sys.argv[3]):
        jobs.append(index_facts.Job(entry.path, os.stat(entry.path).st_size, False))
        size += jobs[-1].size
began = time.perf_counter()
index_facts.look_at_all(jobs, int(sys.argv[2]))
print(time.perf_counter() - began, len(jobs))
"""


def seconds(script: str, *arguments: str) -> tuple[float, int]:
    """Median wall seconds of fresh processes, and what they counted."""
    command = [sys.executable, "-c", script, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    lines = [subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.split()]
    while len(lines) < TIMES:
        lines.append(
            subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.split()
        )
    return statistics.median(float(line[0]) for line in lines), int(lines[-1][1])


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
    for cores in (2, 1):
        cold, found = seconds(ONE, str(cores), str(tree), "")
        cache = state / f"{tree.name}-{cores}"
        seconds(ONE, str(cores), str(tree), str(cache))
        warm, _ = seconds(ONE, str(cores), str(tree), str(cache))
        changed = statistics.median(one_changed(tree, cache, cores) for _ in range(TIMES))
        files = sum(1 for _ in tree.rglob("*.py"))
        yield [
            tree.name, f"{files:,}", f"{found:,}", str(cores), *(f"{each:.2f}" for each in (cold, warm, changed)),
        ]  # fmt: skip


def one_changed(tree: Path, cache: Path, cores: int) -> float:
    """Seconds for the index after an edit of one file that nobody has indexed yet."""
    with open(tree / "networkx" / "networkx-3.6.1" / "networkx" / "convert.py", "a") as file:
        file.write(f"\n\ndef added_{time.monotonic_ns()}():\n    return 1\n")
    command = [sys.executable, "-c", ONE, str(cores), str(tree), str(cache)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return float(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.split()[0])


def tables(work: Path) -> list[str]:
    folders = fetch(work / "archives")
    some, every = together(folders[:ENOUGH], work / "two"), together(folders, work / "three")
    head = ["packages", "files", "functions", "cores", "cold s", "warm s", "one file changed s"]
    measured = [*rows(some, work / "state"), *rows(every, work / "state")]
    sizes = [
        [f"{size / 1e6:.1f}", *(f"{seconds(ONE_SIZE, str(every), str(n), str(size))[0]:.2f}" for n in (1, 2))]
        for size in SIZES
    ]
    lookups = [
        [spec, f"{seconds(ONE_NAME, str(some), spec)[0]:.2f}"]
        for spec in (
            "bidirectional_dijkstra",
            "Graph.add_edge",
            "networkx/networkx-3.6.1/networkx/classes/graph.py::Graph.add_edge",
        )
    ]
    return [
        *table(head, measured),
        f"`two` is {' and '.join(PACKAGES[:ENOUGH])}, `three` has {PACKAGES[-1]} too. Goals for 10,000 functions on two cores:",
        f"cold under {GOALS_S['cold']:.0f} s, warm under {GOALS_S['warm']} s.",
        "",
        "When a second process pays: seconds for so many megabytes of source, processes forced.",
        "",
        *table(["MB", "one process s", "two processes s"], sizes),
        "A look for one function in `two`, without any cache.",
        "",
        *table(["target", "s"], lookups),
    ]


def table(head: list[str], body: list[list[str]]) -> list[str]:
    return [*(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body)), ""]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "archives").mkdir()
        body = tables(work)
    machine = fingerprint()
    lines = [
        "# The index of all functions",
        "",
        f"Wall seconds, the median of {TIMES} fresh processes each, imports of optagent included.",
        "",
        *body,
        f"{time.strftime('%Y-%m-%d')}, {machine['processor']}, {machine['cores']} cores, "
        f"{machine['system']} {machine['kernel']}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} "
        "when it ended. `python benchmarks/index.py` repeats it.",
        "",
    ]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
