"""Where the time of one pass goes, by function, from samples: pyinstrument.

Runs in the target's interpreter, which has pyinstrument; nothing else here needs it. Few calls are slowed down, so
shares are nearer to the truth than cProfile's; what is shorter than an interval is seen by chance.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from optagent_target import run_block
from pyinstrument import Profiler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from optagent_target import Call

    Row = list[Any]

INTERVAL_S = 0.0005
MOST_FUNCTIONS = 20
HERE, TREE = os.path.dirname(os.path.abspath(__file__)), os.getcwd()


def rows(target: Callable[..., Any], block: list[Call]) -> list[Row]:
    """The functions with the most time of their own: [file, line, name, samples, own seconds, total seconds]."""
    profiler = Profiler(interval=INTERVAL_S, async_mode="disabled")
    profiler.start()
    try:
        run_block(target, block)
    finally:
        session = profiler.stop()
    root = session.root_frame(trim_stem=False)
    found: dict[tuple[str, int, str], Row] = {}
    for stack, seconds in samples(root, ()) if root else ():
        for place in dict.fromkeys(stack):  # once, however often it has called itself
            row = found.setdefault(place, [*place, 0, 0.0, 0.0])
            row[5] += seconds
        row = found[stack[-1]]
        row[3] += 1
        row[4] += seconds
    seen = [row for row in found.values() if row[3]]
    return sorted(seen, key=lambda row: -row[4])[:MOST_FUNCTIONS]


def samples(frame: Any, around: tuple[tuple[str, int, str], ...]) -> Iterator[tuple[Any, float]]:
    """Each sample as its stack, without frames of ours, and the seconds it stands for. What a frame does itself is a
    made-up child of it; a frame of ours that does something itself is not the target's."""
    file = frame.file_path or ""
    is_ours = file.startswith((HERE, os.path.dirname(Profiler.__init__.__code__.co_filename))) or file == "<thread>"
    stack = around if is_ours else (*around, (file.removeprefix(f"{TREE}/"), frame.line_no or 0, frame.function))
    for child in frame.children:
        if not child.is_synthetic:
            yield from samples(child, stack)
        elif stack and not is_ours:
            yield stack, child.time
    if not frame.children and stack and not is_ours:
        yield stack, frame.time
