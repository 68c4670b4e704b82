"""Whether planted effects are read back: the same unit of work done more often, by an exactly known share.

    .venv/bin/python benchmarks/bias.py [REPETITIONS]

The old side does its unit 1,000 (1 + share) times, the new side 1,000 times: the same code on the same data, so the
true ratio is 1 plus the share. (Counted by `repeat`: the first 256 numbers of a range cost less than the others. The
kernels of `power.py` do part of their work on smaller numbers the second time, which takes up to a tenth less.) Every
claim runs as `run` makes it, its launches seen through to a verdict; what is told is the ratio in the middle of the
launches, confirmed or not. A block of calls seems to take some microseconds to get going, which is timed too:
gains of 50 % and more are read as a little less. The table with machine and date goes to benchmarks/results/bias.md.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from kernels import core  # noqa: E402
from results import table, write  # noqa: E402

from optagent.cli.run.hotspots import open_look  # noqa: E402
from optagent.cli.settings.config import read  # noqa: E402
from optagent.core.effort import EFFORTS  # noqa: E402
from optagent.core.seeds import derive  # noqa: E402
from optagent.core.target import Tree  # noqa: E402
from optagent.core.workload import Input  # noqa: E402
from optagent.languages.python.project import PythonProject  # noqa: E402
from optagent.languages.python.targets.locate import locate  # noqa: E402
from optagent.languages.python.workload_file import workload_from_file  # noqa: E402
from optagent.measure import speed  # noqa: E402
from optagent.measure.launch import Race  # noqa: E402

HEAD = ["share", "claims", "confirmed", "read back, median", "off by", "least", "most"]
SHARES = (0.02, 0.03, 0.05, 0.1, 0.5, 1.0)
UNITS = {
    "numbers": "s = 0\n        for i in (3, 1, 4, 1, 5, 9, 2, 6):\n            s = (s * 31 + i) & 0xFFFF",
    "text": "s = '-'.join(['ab', 'cd', 'ef', 'gh']).upper()",
    "sorting": "s = sorted((31, 41, 59, 26, 53, 58, 97, 93))",
}
MOST = 1000
WORKLOAD = "def make_inputs(size, rng):\n    return [(k,) for k in range(4)]\n"


def source(unit: str, times: int) -> str:
    head = "from itertools import repeat\n\n\n"
    return f"{head}def work(k):\n    for _ in repeat(None, {times}):\n        {UNITS[unit]}\n    return s\n"


def claimed(folder: Path, home: object, unit: str, share: float, number: int) -> speed.Found:
    trees = []
    for name, times in (("new", MOST), ("old", round(MOST * (1 + share)))):
        root = folder / f"{unit}-{share}-{name}"
        root.mkdir(exist_ok=True)
        root.chmod(0o755)
        (root / "units.py").write_text(source(unit, times))
        trees.append(Tree(root))
    new, old = trees
    project = PythonProject(home, locate(old, "work"))  # type: ignore[arg-type]
    race = Race(project, old, new, inputs_of(project, old, folder), core())
    noise = speed.measure_noise(Race(project, old, old, race.inputs, core()), number)
    effort = EFFORTS["thorough" if share < 0.05 else "normal"]
    return speed.claim(race, noise, derive(number, unit, str(share)), effort)


def inputs_of(project: PythonProject, tree: Tree, folder: Path) -> tuple[Input, ...]:
    return workload_from_file(project, tree, folder / "workload.py", 1, 60.0).search


def row(share: float, found: list[speed.Found]) -> list[str]:
    told = sorted(100 * (one.speedup.ratio - 1) for one in found)
    middle = median(told)
    return [
        f"{100 * share:.0f} %", str(len(found)), str(sum(one.is_faster for one in found)), f"{middle:.2f} %",
        f"{middle - 100 * share:+.2f} points", f"{told[0]:.2f} %", f"{told[-1]:.2f} %",
    ]  # fmt: skip


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        (folder / "workload.py").write_text(WORKLOAD)
        (folder / "workload.py").chmod(0o644)
        first = folder / "first"
        first.mkdir()
        (first / "units.py").write_text(source("text", 1))
        rows, off = [], []
        with open_look(read(first, {"state": str(folder / "state")}, {})) as look:
            for share in SHARES:
                found = [
                    claimed(folder, look.home, unit, share, number) for number in range(repetitions) for unit in UNITS
                ]
                rows.append(row(share, found))
                off += [abs(100 * (one.speedup.ratio - 1 - share)) for one in found]
                print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    page = [
        *table(HEAD, rows),
        f"All {len(off)} claims are off by {median(off):.2f} points in the middle, in either direction.",
    ]
    write("bias", "Bias", __doc__ or "", "\n".join(page))


if __name__ == "__main__":
    main()
