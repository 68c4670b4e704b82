"""Rows of a report as values. What it holds came out of a sandbox: ValueError or the like for what is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optagent.core.workload import Input
from optagent.languages.tests import Captured, TestResult


def result_of(name: str, entry: Mapping[str, Any]) -> TestResult:
    reached = frozenset(int(number) for number in entry["reached"])
    return TestResult(name, str(entry["outcome"]), reached, float(entry["seconds"]))


def captured_of(rows: Sequence[Any], blobs: list[bytes]) -> tuple[Captured, ...]:
    if len(blobs) != sum(len(codecs) for _, _, codecs in rows):
        raise ValueError("not one codec for each input")
    rest = iter(blobs)
    captured = []
    for calls, lost, codecs in rows:
        inputs = tuple(Input(next(rest), "captured from tests", str(codec)) for codec in codecs)
        captured.append(Captured(int(calls), inputs, {str(reason): int(count) for reason, count in lost.items()}))
    return tuple(captured)
