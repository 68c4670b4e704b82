"""Where the time of one pass goes, by line of the target: a tracer of ours.

Runs in the target's interpreter: standard library only (a line profiler from the registry is compiled for one
interpreter; the target may have any). Lines are slowed down unevenly, so shares are facts for advice, never for a
verdict.
"""

from __future__ import annotations

import _thread
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from optagent_target import run_block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

    from optagent_target import Call


def rows(target: Callable[..., Any], block: list[Call]) -> list[list[int]]:
    """[line, hits, nanoseconds] of the target and the functions written inside it; none when it is not in Python."""
    code = getattr(getattr(target, "__wrapped__", target), "__code__", None)
    return by_line(lambda: run_block(target, block), code) if code else []


def by_line(run: Callable[[], Any], code: CodeType) -> list[list[int]]:
    """Hits and nanoseconds for each line of one code object and the functions written inside it."""
    wanted = set(codes_in(code))
    spent: dict[int, list[int]] = {}
    at: dict[int, tuple[int | None, int]] = {}
    """The line that each thread is in, and since when."""

    def leave_line(line: int | None, since: int) -> None:
        if line is not None:
            entry = spent.setdefault(line, [0, 0])
            entry[0] += 1
            entry[1] += time.perf_counter_ns() - since

    def on_line(frame: FrameType, event: str, arg: Any) -> Any:
        thread = _thread.get_ident()
        leave_line(*at.get(thread, (None, 0)))
        at[thread] = frame.f_lineno if event == "line" else None, time.perf_counter_ns()
        return on_line

    def on_call(frame: FrameType, event: str, arg: Any) -> Any:
        return on_line if frame.f_code in wanted else None

    threading.settrace(on_call)
    sys.settrace(on_call)
    try:
        run()
    finally:
        sys.settrace(None)
        threading.settrace(None)
    return [[line, hits, nanoseconds] for line, (hits, nanoseconds) in sorted(spent.items())]


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """A code object and all that are written inside it."""
    yield code
    for constant in code.co_consts:
        if type(constant) is type(code):
            yield from codes_in(constant)
