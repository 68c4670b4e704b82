"""Rows of a report as values. What it holds came out of a sandbox: ValueError or the like for what is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from optagent.core.workload import Input
from optagent.languages.tests import Captured, TestResult

MOST = 1 << 63
"""No count, and no time in any unit, is larger."""

MOST_SAID = 1_000
"""Of an error without end only the beginning: it is kept with the verdict."""


def result_of(name: str, entry: Mapping[str, Any]) -> TestResult:
    said = text(entry.get("said", ""))[:MOST_SAID]
    return TestResult(name, text(entry["outcome"]), reached_of(entry["reached"]), amount(entry["seconds"]), said)


def reached_of(numbers: Iterable[Any]) -> frozenset[int]:
    return frozenset(count(number) for number in numbers)


def captured_of(rows: Sequence[Any], blobs: list[bytes]) -> tuple[Captured, ...]:
    if len(blobs) != sum(len(codecs) for _, _, codecs in rows):
        raise ValueError("not one codec for each input")
    rest = iter(blobs)
    captured = []
    for calls, lost, codecs in rows:
        inputs = tuple(Input(next(rest), "captured from tests", text(codec)) for codec in codecs)
        captured.append(Captured(count(calls), inputs, {reason: count(many) for reason, many in lost.items()}))
    return tuple(captured)


def count(value: Any) -> int:
    """The value, which is a whole number of something."""
    if type(value) is not int or not 0 <= value <= MOST:
        raise ValueError("no count")
    return value


def amount(value: Any) -> float:
    """The value, which is a number; less than nothing where a clock was set back."""
    if type(value) not in (int, float) or not -MOST <= value <= MOST:
        raise ValueError("no amount")
    return float(value)


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value
