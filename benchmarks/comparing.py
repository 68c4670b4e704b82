"""What comparing costs: CPU of encoding what a call left, against that of the call itself, for outputs up to 1 MB.

    .venv/bin/python benchmarks/comparing.py

The examples on what their workload files make (arguments are encoded too, since a call may change them), and functions
that do next to nothing but make an output of a kind, at three sizes: the least favourable targets there are. Call and
encoding are timed in one process, one after the other, best of five; the share is encoding over call. The referee
itself compares bytes: the last column. The table with machine and date goes to benchmarks/results/comparing.md.
"""

from __future__ import annotations

import hashlib
import importlib
import math
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TOOLBOX = ROOT / "optagent" / "languages" / "python" / "toolbox"
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks"), str(TOOLBOX)]

import optagent_objects  # noqa: E402, F401 - teaches the encoder objects
from optagent_encode import encode  # noqa: E402
from results import table, write  # noqa: E402

HEAD = ["output", "bytes as encoded", "call ms", "encoding ms", "share", "bytes compared, ms"]
SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 5


@dataclass
class Point:
    x: float
    y: float


def ints(n: int) -> list[int]:
    return [(k * k + 7 * k) % 1_000_003 for k in range(n // 7)]


def floats(n: int) -> list[float]:
    return [math.sin(k / 7) * math.sqrt(k) for k in range(n // 26)]


def words(n: int) -> list[str]:
    return [f"{k * 2654435761 % 4294967296:x}-{k % 97}" for k in range(n // 14)]


def text(n: int) -> str:
    return "\n".join(f"{k:>8} {k * k % 9973:>6} {'even' if k % 2 == 0 else 'odd'}" for k in range(n // 20))


def digest(n: int) -> bytes:
    return b"".join(hashlib.sha256(str(k).encode()).digest() for k in range(n // 64))


def rows(n: int) -> list[tuple[int, str, float]]:
    return [(k, f"name {k % 1000}", k * 1.5) for k in range(n // 52)]


def table_of_counts(n: int) -> dict[str, int]:
    counts: dict[str, int] = {}
    for k in range(n // 5):
        key = f"key{k * k % (n // 20)}"
        counts[key] = counts.get(key, 0) + 1
    return counts


def records(n: int) -> list[dict[str, Any]]:
    return [{"id": k, "name": f"n{k}", "score": k / 3, "tags": ["a", "b"]} for k in range(n // 110)]


def points(n: int) -> list[Point]:
    return [Point(math.cos(k), math.sin(k)) for k in range(n // 110)]


def groups(n: int) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for k in range(n // 8):
        found.setdefault(k * k % 101, []).append(k)
    return found


MADE: tuple[Callable[[int], Any], ...] = (
    ints, floats, words, text, digest, rows, table_of_counts, records, points, groups,
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
    return [f"examples/{name}", f"{len(encoded):,}", f"{called:.2f}", f"{coded:.2f}", f"{100 * coded / called:.0f} %",
            f"{best(lambda: encoded == again):.3f}"]  # fmt: skip


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
            f"{compared:.3f}"]  # fmt: skip


def main() -> None:
    body = [example_row(name) for name in EXAMPLES] + [row(make, size) for make in MADE for size in SIZES]
    write("comparing", "The cost of comparing", __doc__ or "", "\n".join(table(HEAD, body)))


if __name__ == "__main__":
    main()
