"""What calls take beside time: memory held at once, text written, threads started.

Runs in the target's interpreter: standard library only. Facts for a person, never for a verdict: the target could
forge them.
"""

from __future__ import annotations

import _tracemalloc  # the module around it imports eight others
import io
import sys
from typing import TYPE_CHECKING, Any

import optagent_codec
import optagent_target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STARTERS = ("start_new_thread", "start_joinable_thread", "_start_new_thread", "_start_joinable_thread")
"""Names under which `_thread` and `threading` start threads, of all versions from 3.11 on."""


class Threads:
    """Counts threads that are started through the standard library."""

    def __init__(self) -> None:
        self.started = 0
        self.kept: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> Threads:
        for module in [sys.modules[name] for name in ("_thread", "threading") if name in sys.modules]:
            for name in STARTERS:
                if hasattr(module, name):
                    self.kept.append((module, name, getattr(module, name)))
                    setattr(module, name, self.counted(getattr(module, name)))
        return self

    def __exit__(self, *error: object) -> None:
        for module, name, start in self.kept:
            setattr(module, name, start)

    def counted(self, start: Callable[..., Any]) -> Callable[..., Any]:
        def started(*args: Any, **kwargs: Any) -> Any:
            self.started += 1
            return start(*args, **kwargs)

        return started


def weigh(target: Any, inputs: Sequence[bytes]) -> dict[str, int]:
    """Each input called once: the most bytes that one call held at once beyond its arguments (its result is part of
    it), and for all together the characters written and the threads started."""
    held, written = 0, io.StringIO()
    kept = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = written
    try:
        with Threads() as threads:
            for data in inputs:
                held = max(held, _held(target, optagent_codec.unpack(data)))
    finally:
        sys.stdout, sys.stderr = kept
    return {"held": held, "printed": len(written.getvalue()), "threads": threads.started}


def _held(target: Any, call: optagent_target.Call) -> int:
    _tracemalloc.start(1)
    try:
        before = _tracemalloc.get_traced_memory()[0]
        result = optagent_target.run_block(target, [call])
        peak = _tracemalloc.get_traced_memory()[1]
        del result
    finally:
        _tracemalloc.stop()
    return max(0, peak - before)
