"""What the kernel says of every file of a tree, so that a change is seen without reading any of them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from optagent.workspace.listing import everything

RACY_NS = 50_000_000
"""A kernel's clock for files ticks every 1 to 10 ms: of what was written this shortly before the newest file, a later
write could carry the same time. (Git has the same trouble, and the same answer.)"""

Mark = tuple[int, int, int, int]
"""Mode, inode, size and time of the last change. That time is the kernel's: writing, a new mode, a new name, a link,
and setting the other times all move it on, and no call sets it back. A folder's moves with its files: it has none."""


def marks_of(root: Path, paths: Iterable[str] | None = None) -> dict[str, Mark]:
    """A mark for each path below `root`, or for those named that are there."""
    found = (entry.path for entry in everything(root)) if paths is None else paths
    marks = {}
    for path in found:
        try:
            facts = os.lstat(f"{root}/{path}")
        except (FileNotFoundError, NotADirectoryError):
            continue
        is_folder = stat.S_ISDIR(facts.st_mode)
        marks[path] = (facts.st_mode, facts.st_ino, 0, 0) if is_folder else mark_of_file(facts)
    return marks


def mark_of_file(facts: os.stat_result) -> Mark:
    return facts.st_mode, facts.st_ino, facts.st_size, facts.st_ctime_ns


def settled(marks: dict[str, Mark]) -> dict[str, Mark]:
    """The marks that no later write can leave as they are."""
    newest = max((time for *_, time in marks.values()), default=0)
    return {path: mark for path, mark in marks.items() if not mark[3] or mark[3] < newest - RACY_NS}
