"""The lines of a file that are most like others: shown to a model that missed them, never used instead."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

MOST_LINES = 5_000  # of a file, looked at one by one only when no line is the same (0.1 s)
MOST_SHOWN = 12
MOST_CHARS = 200  # of a line


def nearest(lines: Sequence[str], search: Sequence[str]) -> tuple[int, list[str]]:
    """The number (from 1) of the first line like those looked for, and the lines from there; no lines if none is."""
    wanted = [line.strip() for line in search]
    first = _by_equal_lines([line.strip() for line in lines], wanted)
    if first is None:
        first = _by_alike_line(lines[:MOST_LINES], wanted)
    if first is None:
        return 0, []
    shown = lines[first : first + min(len(search) + 1, MOST_SHOWN)]
    return first + 1, [line[:MOST_CHARS] for line in shown]


def _by_equal_lines(lines: list[str], wanted: list[str]) -> int | None:
    """Where the lines would begin if their rarest one that the file has too were in its place."""
    places: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        places.setdefault(line, []).append(number)
    known = [(len(places[line]), k) for k, line in enumerate(wanted) if len(line) > 3 and line in places]
    if not known:
        return None
    _, k = min(known)
    return max(places[wanted[k]][0] - k, 0)


def _by_alike_line(lines: Sequence[str], wanted: list[str]) -> int | None:
    line = max(wanted, key=len)[:MOST_CHARS]
    shortened = [one.strip()[:MOST_CHARS] for one in lines]
    found = difflib.get_close_matches(line, shortened, n=1)
    return max(shortened.index(found[0]) - wanted.index(max(wanted, key=len)), 0) if found else None
