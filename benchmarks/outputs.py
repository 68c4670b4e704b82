"""Functions that do next to nothing but make an output of a kind, of about so many bytes.

Not a benchmark itself: `comparing.py` times them, and races a copy of this file.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any


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
