"""SEARCH/REPLACE blocks put into a file: exactly, or up to blanks, or up to one indentation; never by likeness."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from optagent.agents.edits import Block, Complaint
from optagent.agents.matching import MOST_COUNTED, Match, matches
from optagent.agents.nearest import nearest

LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
MOST_LISTED = 5


class Line(NamedTuple):
    text: str
    end: str


class Placed(NamedTuple):
    """Block `number` matches the lines from `first` to before `last`; `texts` replace them, but for the first `head`
    and the last `tail`, which it repeats."""

    first: int
    last: int
    number: int
    head: int
    tail: int
    texts: list[str]


def apply_blocks(source: str, blocks: Sequence[Block]) -> str | Complaint:
    """The file with all blocks in it, or why one of them has no place, or several, in the file as it was.

    Lines that a block repeats at its start and end stay as the file has them; new ones end as the lines around them
    do, and the last line of the file has an end only if it had one.
    """
    lines = _lines(source)
    texts = [line.text for line in lines]
    placed: list[Placed] = []
    for number, block in enumerate(blocks, 1):
        found = _placed(texts, block, number)
        if isinstance(found, Complaint):
            return found
        placed.append(found)
    placed.sort()
    for one, following in itertools.pairwise(placed):
        if following.first < one.last:
            low, high = sorted((one.number, following.number))
            return Complaint(f"Blocks {low} and {high} overlap in line {following.first + 1}: make them one block.")
    return _written(lines, placed)


def _lines(text: str) -> list[Line]:
    return [Line(*found.groups()) for found in LINE.finditer(text) if found[0]]


def _placed(texts: list[str], block: Block, number: int) -> Placed | Complaint:
    search, replace = ([line.text for line in _lines(part)] for part in (block.search, block.replace))
    if not any(line.strip() for line in search):
        return Complaint(f"Block {number} has an empty SEARCH part: it must repeat the lines that are to be replaced.")
    found = matches(texts, search)
    if not found:
        return Complaint(_missed(texts, search, number))
    if len(found) > 1:
        return Complaint(_several(found, number))
    shifted = found[0].shifted(replace)
    if shifted is None:
        return Complaint(
            f"Block {number} is indented more than line {found[0].first + 1} of the file, which it matches, and its "
            "REPLACE part has too little indentation to be moved along."
        )
    head = _repeated(search, replace)
    tail = _repeated(search[head:][::-1], replace[head:][::-1])
    new = shifted[head : len(shifted) - tail]
    return Placed(found[0].first, found[0].first + len(search), number, head, tail, new)


def _repeated(search: Sequence[str], replace: Sequence[str]) -> int:
    """How many lines both begin with."""
    pairs = enumerate(zip(search, replace, strict=False))
    return next((k for k, (one, other) in pairs if one != other), min(len(search), len(replace)))


def _missed(texts: list[str], search: list[str], number: int) -> str:
    reason = f"Block {number} matches no place in the file: its SEARCH part must repeat whole lines of it as they are"
    line, shown = nearest(texts, search)
    return f"{reason}. The nearest, from line {line}:\n" + "\n".join(shown) if shown else f"{reason}."


def _several(found: list[Match], number: int) -> str:
    count = f"{len(found)} or more" if len(found) == MOST_COUNTED else str(len(found))
    listed = ", ".join(str(match.first + 1) for match in found[:MOST_LISTED])
    return (
        f"Block {number} matches {count} places in the file (from lines {listed}{', ...' * (len(found) > MOST_LISTED)})"
        ": repeat more of the lines around the one that is meant."
    )


def _written(lines: list[Line], placed: list[Placed]) -> str:
    ends = Counter(line.end for line in lines if line.end)
    common = max(ends, key=ends.__getitem__, default="\n")
    result: list[Line] = []
    position = 0
    for one in placed:
        first, last = one.first + one.head, one.last - one.tail
        near = next((line.end for line in lines[max(first - 1, 0) : last] if line.end), common)
        result += [*lines[position:first], *(Line(text, near) for text in one.texts)]
        position = last
    result += lines[position:]
    written = "".join(line.text + (line.end or common) for line in result)
    is_open = bool(result) and not lines[-1].end  # the last line had no end, so it gets none
    return written.removesuffix(result[-1].end or common) if is_open else written
