"""Small functions of many kinds, as a package to be measured, also with a known part of their work done twice.

Not a benchmark itself; `identical.py` and those after it share it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from optagent.cli.run.hotspots import open_look
from optagent.cli.settings.config import read
from optagent.core.target import Tree
from optagent.core.workload import Input
from optagent.languages.python.environment.home import PythonHome
from optagent.languages.python.project import PythonProject
from optagent.languages.python.targets.locate import locate
from optagent.languages.python.workload_file import workload_from_file
from optagent.measure import speed
from optagent.measure.launch import Race

READING = (
    "total = 0\nfor _ in range(n):\n    with open(__file__) as file:\n        total += len(file.read(64))\nreturn total"
)
COUNTING = "s = 0\nfor i in range(n):\n    s = (s * 31 + i) & 0xFFFF\nreturn s"
WALKING = (
    "values = list(range(n))\nk = s = 0\nfor _ in range(n // 8):\n"
    "    k = (k * 1103515245 + 12345) % n\n    s += values[k]\nreturn s"
)
SHARING = (
    "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(2) as pool:\n"
    "    return [*pool.map(_digest, (n, n + 1))]"
)
ADDING = "import numpy\na = numpy.ones(n)\nfor _ in range(4):\n    a += a[::-1]\nreturn float(a.sum())"
KERNELS = {
    "loop": (COUNTING, 12000),
    "dict": ("d = {}\nfor i in range(n):\n    d[i % 97] = d.get(i % 97, 0) + i\nreturn sum(d.values())", 9000),
    "alloc": ("ps = [Point(i, i + 1) for i in range(n)]\nreturn sum(p.x * p.y for p in ps)", 3500),
    "text": ("out = []\nfor i in range(n):\n    out.append('%d:%s' % (i, 'ab' * (i & 3)))\nreturn len(out[-1])", 4000),
    "sort": ("values = [(i * 7919) % 10007 for i in range(n)]\nvalues.sort()\nreturn sum(values[::7])", 10000),
    "recursion": ("return sum(_depth(i % 40) for i in range(n))", 500),
    "blocks": ("block = bytes(range(256)) * (n // 4)\nreturn sum(block[::64]) + block.count(b'\\x07')", 12000),
    "files": (READING, 60),
    "memory": (WALKING, 100_000),
    "threads": (SHARING, 1_000_000),
    "long": (COUNTING, 500_000),
    "tiny": ("return n * 31 + 7", 5),
}  # fmt: skip
"""Body and size: calls of 1 to 10 ms, but `long` takes 30 ms or more and `tiny` less than a microsecond; `memory` walks
through more than a core's own caches hold, `threads` uses two cores where it gets them."""
if importlib.util.find_spec("numpy") is not None:
    KERNELS["numpy"] = (ADDING, 400_000)
HEAD = '''"""Kernels."""


def _digest(n):
    import hashlib

    return hashlib.sha256(bytes(n)).hexdigest()


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y


def _depth(k):
    return 0 if k == 0 else 1 + _depth(k - 1)
'''
WORKLOAD = "SIZE = {size}\n\n\ndef make_inputs(size, rng):\n    return [(size + rng.randrange(8),) for _ in range(4)]\n"


def source(extra: float) -> str:
    """The package; every kernel does that share of its work again and throws it away."""
    parts = [HEAD]
    for name, (body, _) in KERNELS.items():
        lines = "".join(f"    {line}\n" for line in body.split("\n"))
        parts.append(f"\n\ndef _{name}(n):\n{lines}\n\ndef {name}(n):\n    result = _{name}(n)\n")
        parts.append(f"    _{name}(int(n * {extra}))\n    return result\n" if extra else "    return result\n")
    return "".join(parts)


def core() -> int:
    """The core that races run on: the last one that this process may use."""
    return max(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Kernel:
    """One kernel ready to be raced against its twin (a copy of it) or against versions with more work."""

    name: str
    project: PythonProject
    plain: Tree
    slower: dict[float, Tree]
    inputs: tuple[Input, ...]
    noise: speed.Noise

    def race(self, extra: float = 0.0) -> Race:
        """The old side does `extra` more work than the new one: the true ratio is 1 + extra."""
        return Race(self.project, self.slower[extra], self.plain, self.inputs, core())


@contextlib.contextmanager
def kernels(extras: tuple[float, ...] = (), names: tuple[str, ...] = tuple(KERNELS)) -> Iterator[list[Kernel]]:
    """The kernels, in sandboxes as a run would use them, each with its baseline measured against itself."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)
        plain = _package(root / "plain", 0.0)
        slower = {extra: _package(root / f"extra{k}", extra) for k, extra in enumerate((0.0, *extras))}
        asked = read(plain.root, {"state": str(root / "state")}, {})
        with open_look(asked) as look:
            yield [_ready(name, root, look.home, plain, slower) for name in names]


def _package(folder: Path, extra: float) -> Tree:
    folder.mkdir()
    (folder / "kernels_measured.py").write_text(source(extra))
    folder.chmod(0o755)
    return Tree(folder)


def _ready(name: str, root: Path, home: PythonHome, plain: Tree, slower: dict[float, Tree]) -> Kernel:
    file = root / f"workload_{name}.py"
    file.write_text(WORKLOAD.format(size=KERNELS[name][1]))
    file.chmod(0o644)
    project = PythonProject(replace(home, ground=root.resolve()), locate(plain, name))
    inputs = workload_from_file(project, plain, file, 1, 60.0).search
    noise = speed.measure_noise(Race(project, plain, plain, inputs, core()), 1)
    return Kernel(name, project, plain, slower, inputs, noise)


CONDITIONS = ("quiet", "two busy loops", "busy loop on the other core")
BURN = "while True: pass"


@contextlib.contextmanager
def load(condition: str) -> Iterator[None]:
    """The machine with others at work on it."""
    other = min(os.sched_getaffinity(0))
    pinned = [None, None] if condition == "two busy loops" else [other] if condition != "quiet" else []
    burners = []
    for core in pinned:
        burner = subprocess.Popen([sys.executable, "-c", BURN])
        if core is not None:
            os.sched_setaffinity(burner.pid, {core})
        burners.append(burner)
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
