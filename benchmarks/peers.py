"""What others say of two functions: pyperf, hyperfine, timeit and a re-statement of the nearest peer's rule.

Not a benchmark itself; `identical.py` shares it. Every method gets a folder with the module for each side and the same
call; it runs as its users run it, one side after the other, and answers "faster", "slower" or "same".
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MODULE = "kernels_measured"
BAR = 0.05
LOOPS = 250
LOOP_SECONDS = 10.0
UNITS = {"nsec": 1e-9, "usec": 1e-6, "msec": 1e-3, "sec": 1.0}
MANY = 40
"""Calls in a process that hyperfine times, so that they and not the interpreter's start are most of it."""

MINIMA = f"""
import sys, time
sys.path.insert(0, sys.argv[1])
import {MODULE}
call, calls = getattr({MODULE}, sys.argv[2]), [int(sys.argv[3]) + k for k in range(4)]
best, until = [1e9] * 4, time.perf_counter() + {LOOP_SECONDS}
for _ in range({LOOPS}):
    for k, n in enumerate(calls):
        began = time.perf_counter_ns()
        call(n)
        best[k] = min(best[k], (time.perf_counter_ns() - began) / 1e9)
    if time.perf_counter() > until:
        break
print(sum(best))
"""


@dataclass(frozen=True)
class Said:
    """One method's answer and the wall seconds that it took for both sides."""

    answer: str
    seconds: float


@dataclass(frozen=True)
class Duel:
    """The same call on two folders."""

    old: Path
    new: Path
    name: str
    size: int


def ask(method: str, duel: Duel) -> Said:
    began = time.perf_counter()
    answer = METHODS[method](duel)
    return Said(answer, time.perf_counter() - began)


def pyperf(duel: Duel) -> str:
    """`pyperf timeit` with its defaults, then `compare_to`: its t-test decides."""
    with tempfile.TemporaryDirectory() as folder:
        files = [f"{folder}/old.json", f"{folder}/new.json"]
        for side, file in zip((duel.old, duel.new), files, strict=True):
            setup = f"import sys; sys.path.insert(0, {str(side)!r}); import {MODULE} as m"
            words = ("--name", "kernel", "-q", "-o", file, "-s", setup, f"m.{duel.name}({duel.size})")
            _python("-m", "pyperf", "timeit", *words)
        said = _python("-m", "pyperf", "compare_to", *files)
    return next((word for word in ("faster", "slower") if word in said and "Not significant" not in said), "same")


def hyperfine(duel: Duel) -> str:
    """Its defaults; the winner it names counts when its own uncertainty does not reach across 1."""
    with tempfile.TemporaryDirectory() as folder:
        lines = [
            f'{sys.executable} -c "import sys; sys.path.insert(0, {str(side)!r}); import {MODULE} as m; '
            f'[m.{duel.name}({duel.size}) for _ in range({MANY})]"'
            for side in (duel.old, duel.new)
        ]
        _run("hyperfine", "-N", "--export-json", f"{folder}/x.json", *lines)
        old, new = json.loads(Path(folder, "x.json").read_text())["results"]
    ratio = old["mean"] / new["mean"]
    spread = ratio * ((old["stddev"] / old["mean"]) ** 2 + (new["stddev"] / new["mean"]) ** 2) ** 0.5
    return "faster" if ratio - spread > 1 else "slower" if ratio + spread < 1 else "same"


def timeit(duel: Duel) -> str:
    """Best of five of `python -m timeit`, a difference beyond 2 % taken for one."""
    best = []
    for side in (duel.old, duel.new):
        setup = f"import sys; sys.path.insert(0, {str(side)!r}); import {MODULE} as m"
        said = _python("-m", "timeit", "-s", setup, f"m.{duel.name}({duel.size})")
        number, unit = re.findall(r"best of 5: ([\d.]+) (\w+) per loop", said)[0]
        best.append(float(number) * UNITS[unit])
    return _beyond(best, 0.02)


def minima(duel: Duel) -> str:
    """Sum over inputs of the least of up to 250 loops, the candidate after the original, 5 %."""
    sides = duel.old, duel.new
    return _beyond([float(_python("-c", MINIMA, str(side), duel.name, str(duel.size))) for side in sides], BAR)


def _beyond(times: list[float], bar: float) -> str:
    old, new = times
    return "faster" if (old - new) / new > bar else "slower" if (new - old) / old > bar else "same"


METHODS: dict[str, Callable[[Duel], str]] = {
    "minimum of loops, 5 %": minima,
    "timeit, best of 5, 2 %": timeit,
    "hyperfine": hyperfine,
    "pyperf compare_to": pyperf,
}
if shutil.which("hyperfine") is None:
    del METHODS["hyperfine"]


def _python(*words: str) -> str:
    return _run(sys.executable, *words)


def _run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout
