"""What comparing costs: CPU of encoding what a call left, against that of the call itself, for outputs up to 1 MB.

    .venv/bin/python benchmarks/comparing.py

The examples on what their workload files make (arguments are encoded too, since a call may change them), and functions
that do next to nothing but make an output of a kind, at three sizes: the least favourable targets there are. Call and
encoding are timed in one process, one after the other, best of five; the share is encoding over call. The referee
itself compares bytes. "In a launch" is what it comes to where a referee is at work: CPU of encoding over CPU of timed
calls in launches, both sides, in the sandbox (a share of the timed blocks is encoded, drawn after the clock has
stopped), first of all that the calls left, as where code is measured against itself; then in a comparison, where most
checks look at one part in "step" (1: at all), if the share was above 7 %. (Of code with itself: where there seems to be
a gain, more blocks are encoded whole, docs/decisions/0036-drawn-items.md.) The table with machine and date goes to
benchmarks/results/comparing.md.
"""

from __future__ import annotations

import importlib
import math
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TOOLBOX = ROOT / "optagent" / "languages" / "python" / "toolbox"
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks"), str(TOOLBOX)]

import optagent_objects  # noqa: E402, F401 - teaches the encoder objects
import outputs  # noqa: E402
from kernels import core  # noqa: E402
from optagent_encode import encode  # noqa: E402
from results import table, write  # noqa: E402

from optagent.cli.run.hotspots import open_look  # noqa: E402
from optagent.cli.settings.config import read  # noqa: E402
from optagent.core.effort import EFFORTS  # noqa: E402
from optagent.core.target import Tree  # noqa: E402
from optagent.languages.python.project import PythonProject  # noqa: E402
from optagent.languages.python.targets.locate import locate  # noqa: E402
from optagent.languages.python.workload_file import workload_from_file  # noqa: E402
from optagent.measure.launch import Race, launch  # noqa: E402
from optagent.measure.speed import Noise, compare, encoding_share  # noqa: E402

HEAD = [
    "output",
    "bytes as encoded",
    "call ms",
    "encoding ms",
    "share",
    "bytes compared, ms",
    "whole, in a launch",
    "step",
    "in a comparison",
]
SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 5
LAUNCHES = 5


MADE: tuple[Callable[[int], Any], ...] = (
    outputs.ints, outputs.floats, outputs.words, outputs.text, outputs.digest, outputs.rows, outputs.table_of_counts,
    outputs.records, outputs.points, outputs.groups, outputs.nested, outputs.lookup, outputs.pairs, outputs.edges,
    outputs.forest, outputs.decimals, outputs.dates, outputs.colors,
)  # fmt: skip


EXAMPLES = {
    "channel_scaling": ("apollo", "scale_channels"),
    "checkpoint_serialise": ("checkpoint", "serialise"),
    "expert_placement": ("placement", "place_experts"),
    "image_extrema": ("imaging", "extrema"),
    "nibble_pack": ("nibbles", "pack"),
    "topk_router": ("router", "route_tokens"),
}


def example_row(name: str) -> list[str]:
    """One example on the calls of its workload file, together."""
    folder = ROOT / "examples" / name
    sys.path.insert(0, str(folder))
    module, function = EXAMPLES[name]
    target = getattr(importlib.import_module(module), function)
    scope: dict[str, Any] = {}
    exec((folder / "workload.py").read_text(), scope)
    calls = [tuple(one) for one in scope["make_inputs"](scope.get("SIZE", 1), random.Random(1))]

    def left() -> list[Any]:
        return [["returned", target(*one), *one] for one in calls]

    results = left()
    encoded, again = (b"".join(map(encode, results)) for _ in range(2))
    called, coded = best(left), best(lambda: [encode(one) for one in results])
    launched = in_a_launch(folder, function, (folder / "workload.py").read_text())
    return [f"examples/{name}", f"{len(encoded):,}", f"{called:.2f}", f"{coded:.2f}", f"{100 * coded / called:.0f} %",
            f"{best(lambda: encoded == again):.3f}", *launched]  # fmt: skip


def in_a_launch(source: Path, target: str, workload: str) -> list[str]:
    """The share of encoding in launches of the function against itself: of whole results, then as it is measured."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        shutil.copytree(source, folder / "code")
        (folder / "workload.py").write_text(workload)
        for one in (folder, *folder.rglob("*")):
            one.chmod(0o755)
        tree = Tree(folder / "code")
        with open_look(read(tree.root, {"state": str(folder / "state")}, {})) as look:
            project = PythonProject(look.home, locate(tree, target))
            inputs = workload_from_file(project, tree, folder / "workload.py", 1, 60.0).search
            race = Race(project, tree, tree, inputs, core())
            effort = EFFORTS["normal"]
            race = replace(race, seconds=effort.claim_s)
            whole = encoding_share([launch(race, seed) for seed in range(LAUNCHES)])
            noise = Noise(0.0, "cpu", 0.1, encoding=whole)
            measured = encoding_share(compare(replace(race, step=noise.step), noise, 1, effort).launches)
    return [f"{100 * whole:.1f} %", str(noise.step), f"{100 * measured:.1f} %"]


WORKLOAD = "def make_inputs(size, rng):\n    return [({size} + k,) for k in range(4)]\n"


def made(name: str, size: int) -> list[str]:
    """The same for one of the functions here."""
    with tempfile.TemporaryDirectory() as place:
        shutil.copy(outputs.__file__, place)
        return in_a_launch(Path(place), name, WORKLOAD.replace("{size}", str(size)))


def best(call: Callable[[], object]) -> float:
    """Milliseconds of CPU, the least of some rounds."""
    least = math.inf
    for _ in range(ROUNDS):
        began = time.process_time()
        call()
        least = min(least, time.process_time() - began)
    return 1000 * least


def row(make: Callable[[int], Any], size: int) -> list[str]:
    value = make(size)
    encoded, again = encode(["returned", value]), encode(["returned", make(size)])
    called = best(lambda: make(size))
    coded = best(lambda: encode(["returned", value]))
    compared = best(lambda: encoded == again)
    name = f"{make.__name__.replace('_', ' ')} ({type(value).__name__})"
    return [name, f"{len(encoded):,}", f"{called:.2f}", f"{coded:.2f}", f"{100 * coded / called:.0f} %",
            f"{compared:.3f}", *made(make.__name__, size)]  # fmt: skip


def main() -> None:
    body = [example_row(name) for name in EXAMPLES] + [row(make, size) for make in MADE for size in SIZES]
    write("comparing", "The cost of comparing", __doc__ or "", "\n".join(table(HEAD, body)))


if __name__ == "__main__":
    main()
