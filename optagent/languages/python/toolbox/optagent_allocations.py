"""What memory one pass takes, by line: tracemalloc.

Runs in the target's interpreter: standard library only. It sees what Python's own allocators hand out, not what an
extension takes from the system by itself.
"""

from __future__ import annotations

import os
import tracemalloc
from typing import TYPE_CHECKING, Any

from optagent_target import run_block

if TYPE_CHECKING:
    from collections.abc import Callable

    from optagent_target import Call

MOST_LINES = 50
HERE, TREE = os.path.dirname(os.path.abspath(__file__)), os.getcwd()


def rows(target: Callable[..., Any], block: list[Call]) -> list[list[Any]]:
    """First the most bytes that one call held at once above what was held before it: ["", 0, bytes, 0]. Then what is
    still held when all calls are done and their results are alive: [file, line, bytes, blocks]."""
    kept: list[Any] = []
    peak = 0
    tracemalloc.start()
    for call in block:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        kept.append(run_block(target, [call]))
        peak = max(peak, tracemalloc.get_traced_memory()[1] - before)
    held = tracemalloc.take_snapshot().statistics("lineno")
    tracemalloc.stop()
    found: list[list[Any]] = []
    for one in held[: MOST_LINES + 1]:
        frame = one.traceback[0]
        if not frame.filename.startswith(HERE):
            found.append([frame.filename.removeprefix(f"{TREE}/"), frame.lineno, one.size, one.count])
    return [["", 0, peak, 0], *found]
