"""What a test command that is not pytest's said: one report from every Python process of it that came to its end."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from optagent.core import frames
from optagent.languages.python.testing.report_rows import captured_of, reached_of, result_of
from optagent.languages.tests import Captured, TestReport, TestResult
from optagent.sandbox.base import ExecResult


def told_by_command(result: ExecResult, name: str, said: str, targets: int) -> TestReport:
    """Tests written with unittest one by one; else the command itself as one test, which passes with exit 0.

    Without any report nothing has passed: whoever leaves early leaves none. Raises frames.Malformed and what reading
    a report of another shape raises.
    """
    reports = _all(result.report)
    tests = [result_of(test, entry) for header, _ in reports for test, entry in header["tests"].items()]
    reached = frozenset().union(*(reached_of(header["reached"]) for header, _ in reports))
    failed = any(test.outcome == "failed" for test in tests)
    if not tests or (not result.ok and not failed):
        outcome = "passed" if result.ok and reports else "failed"
        tests.append(TestResult(name, outcome, reached, result.seconds, said))
    captured = [captured_of(header["targets"], blobs) for header, blobs in reports]
    folders = dict.fromkeys(str(one) for header, _ in reports for one in header["folders"])
    return TestReport(tuple(tests), _together(captured, targets), "", result.seconds, said, tuple(folders))


def _all(report: bytes) -> list[tuple[dict[str, Any], list[bytes]]]:
    stream = io.BytesIO(report)

    def take(size: int) -> bytes:
        data = stream.read(size)
        if len(data) < size:
            raise frames.Malformed("a report that is cut short")
        return data

    found = []
    while stream.tell() < len(report):
        found.append(frames.read(take))
    return found


def _together(captured: Sequence[tuple[Captured, ...]], targets: int) -> tuple[Captured, ...]:
    """By target, what all processes captured."""
    if any(len(rows) != targets for rows in captured):
        raise ValueError("not one row for each target")
    total = [Captured()] * targets
    for rows in captured:
        total = [_plus(one, more) for one, more in zip(total, rows, strict=True)]
    return tuple(total)


def _plus(one: Captured, more: Captured) -> Captured:
    lost = {reason: one.lost.get(reason, 0) + more.lost.get(reason, 0) for reason in {**one.lost, **more.lost}}
    return replace(one, calls=one.calls + more.calls, inputs=(*one.inputs, *more.inputs), lost=lost)
