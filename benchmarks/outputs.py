"""Functions that do next to nothing but make an output of a kind, of about so many bytes.

Not a benchmark itself: `comparing.py` times them, and races a copy of this file.
"""

from __future__ import annotations

import enum
import hashlib
import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any


@dataclass
class Point:
    x: float
    y: float


@dataclass
class Node:
    name: str
    children: list[Node] = field(default_factory=list)


class Color(enum.Enum):
    RED = 1
    BLUE = 2


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


def nested(n: int) -> list[list[int]]:
    return [[*range(k % 50)] for k in range(n // 100)]


def lookup(n: int) -> dict[str, tuple[int, float]]:
    return {f"k{k}": (k, k / 2) for k in range(n // 30)}


def pairs(n: int) -> set[tuple[int, str]]:
    return {(k, str(k)) for k in range(n // 20)}


def edges(n: int) -> set[frozenset[int]]:
    return {frozenset((k, k + 1)) for k in range(n // 18)}


def forest(n: int) -> Node:
    level = [root := Node("root")]
    made = 0
    while made < n // 100:
        for one in level:
            one.children = [Node(f"node {made + k}") for k in range(3)]
            made += 3
        level = [child for one in level for child in one.children]
    return root


def decimals(n: int) -> list[Decimal]:
    return [Decimal(k) / 7 for k in range(n // 40)]


def dates(n: int) -> list[datetime]:
    return [datetime(2020, 1, 1) + timedelta(minutes=k) for k in range(n // 30)]


def colors(n: int) -> list[Color]:
    return [Color.RED if k % 3 else Color.BLUE for k in range(n // 10)]
