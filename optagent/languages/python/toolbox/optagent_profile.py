"""Where the time goes in one set of calls: cProfile by function, then a tracer by line of the target.

Runs in the target's interpreter: standard library only (a line profiler from the registry is compiled for one
interpreter; the target may have any). Both slow the target down unevenly, so shares are facts for advice, never
for a verdict.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

MOST_FUNCTIONS = 10


def by_function(run: Callable[[], None]) -> list[list[Any]]:
    """The functions with the most time of their own: [file, line, name, calls, own seconds, total seconds]."""
    import cProfile
    import pstats

    profiler = cProfile.Profile()
    profiler.enable()
    try:
        run()
    finally:
        profiler.disable()
    rows: list[list[Any]] = []
    stats: dict[Any, Any] = vars(pstats.Stats(profiler))["stats"]  # public, but unknown to the type stubs
    for (file, line, name), (_, calls, own, total, _) in stats.items():
        if "optagent_worker" not in file and not name.startswith("<method 'disable'"):
            rows.append([file, line, name, calls, own, total])
    return sorted(rows, key=lambda row: -row[4])[:MOST_FUNCTIONS]


def by_line(run: Callable[[], None], code: CodeType) -> list[list[int]]:
    """Hits and nanoseconds for each line of one code object and the functions written inside it."""
    wanted = set(codes_in(code))
    spent: dict[int, list[int]] = {}
    current: int | None = None
    since = 0

    def leave_line(now: int) -> None:
        if current is not None:
            entry = spent.setdefault(current, [0, 0])
            entry[0] += 1
            entry[1] += now - since

    def on_line(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal current, since
        leave_line(time.perf_counter_ns())
        current = frame.f_lineno if event == "line" else None
        since = time.perf_counter_ns()
        return on_line

    def on_call(frame: FrameType, event: str, arg: Any) -> Any:
        return on_line if frame.f_code in wanted else None

    sys.settrace(on_call)
    try:
        run()
    finally:
        sys.settrace(None)
    return [[line, hits, nanoseconds] for line, (hits, nanoseconds) in sorted(spent.items())]


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """A code object and all that are written inside it."""
    yield code
    for constant in code.co_consts:
        if type(constant) is type(code):
            yield from codes_in(constant)
