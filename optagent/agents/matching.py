"""Where lines stand in a file: exactly, up to trailing blanks, or shifted by one indentation. Never by likeness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

MOST_COUNTED = 100  # places; more of them say nothing new to anybody


class Match(NamedTuple):
    """The first line (from 0), and the indentation that the file has more or less than the lines looked for."""

    first: int
    added: str = ""
    removed: str = ""

    def shifted(self, lines: Sequence[str]) -> list[str] | None:
        """The lines with the file's indentation; None where one of them has too little to lose."""
        found = []
        for line in lines:
            if line.strip() and not line.startswith(self.removed):
                return None
            found.append(self.added + line.removeprefix(self.removed) if line.strip() else line)
        return found


def matches(lines: Sequence[str], search: Sequence[str]) -> list[Match]:
    """All places of the strictest kind that there is one of, in order; `MOST_COUNTED` at most."""
    if found := _occurrences(lines, search):
        return [Match(first) for first in found]
    ends = [line.rstrip() for line in lines], [line.rstrip() for line in search]
    if found := _occurrences(*ends):
        return [Match(first) for first in found]
    bare = [line.strip() for line in lines], [line.strip() for line in search]
    shifts = (_shift(first, ends[0][first : first + len(search)], ends[1]) for first in _occurrences(*bare))
    return [match for match in shifts if match]


def _occurrences(lines: Sequence[str], search: Sequence[str]) -> list[int]:
    r"""Numbers of the lines where the others begin. None of them holds a newline, so text search finds them.

    >>> _occurrences(["a", "b", "a", "b"], ["b"])
    [1, 3]
    """
    text, wanted = "\n".join(["", *lines, ""]), "\n".join(["", *search, ""])
    found: list[int] = []
    number, counted = 0, 0
    place = text.find(wanted)
    while place >= 0 and len(found) < MOST_COUNTED:
        number += text.count("\n", counted, place)
        counted = place
        found.append(number)
        place = text.find(wanted, place + 1)
    return found


def _shift(first: int, there: Sequence[str], search: Sequence[str]) -> Match | None:
    """The match when all lines differ by the same indentation; blank ones have none."""
    pairs = [(one, other) for one, other in zip(there, search, strict=True) if other]
    has, wants = pairs[0]
    more = len(has) - len(wants)
    match = Match(first, has[:more] if more > 0 else "", wants[:-more] if more < 0 else "")
    return match if match.shifted([other for _, other in pairs]) == [one for one, _ in pairs] else None
