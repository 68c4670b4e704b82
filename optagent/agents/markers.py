"""SEARCH/REPLACE blocks in a reply, with or without fences around them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from optagent.agents.cleaning import CUT_OFF, plain
from optagent.agents.edits import Block, Complaint
from optagent.agents.fences import closes, opening, unindented

MARKER = re.compile(
    r"(?P<indent>[ \t]*)(?:(?P<open><{5,})\s*SEARCH(?:\s+\S+)?|(?P<middle>={5,})|(?P<close>>{5,})\s*REPLACE)\s*",
    re.IGNORECASE,
)


class Marker(NamedTuple):
    line: int
    kind: str
    length: int
    indent: str


def markers(lines: Sequence[str]) -> list[Marker]:
    found = []
    for number, line in enumerate(lines):
        if line.lstrip()[:1] not in "<=>" and line.isascii():
            continue
        if match := MARKER.fullmatch(plain(line)):
            kind = str(match.lastgroup)
            found.append(Marker(number, kind, len(match[kind]), match["indent"]))
    return found


def read_blocks(lines: Sequence[str], found: list[Marker]) -> tuple[Block, ...] | Complaint:
    """The blocks in order. A block's markers are as long as its first one, so that longer ones may enclose shorter."""
    blocks: list[Block] = []
    k = 0
    while k < len(found):
        marker = found[k]
        if marker.kind == "close":
            return Complaint(f"Line {marker.line + 1} of the reply, >>>>>>> REPLACE, closes no block.")
        if marker.kind == "open":
            end = _end(found, k)
            block = _block(lines, found[k : end + 1], len(blocks) + 1)
            if isinstance(block, Complaint):
                return block
            blocks.append(block)
            k = end
        k += 1
    return tuple(blocks)


def _end(found: list[Marker], start: int) -> int:
    """Where the block that opens at `start` ends: at its closing marker, else before the next block, else at the end.
    Markers of the same length count; only where none closes the block, all do."""
    for same in (True, False):
        for k in range(start + 1, len(found)):
            if same and found[k].length != found[start].length:
                continue
            if found[k].kind == "close":
                return k
            if found[k].kind == "open":
                break
    return next((k - 1 for k in range(start + 1, len(found)) if found[k].kind == "open"), len(found) - 1)


def _block(lines: Sequence[str], found: list[Marker], number: int) -> Block | Complaint:
    first, last = found[0], found[-1]
    if last.kind != "close":
        return Complaint(f"Block {number} has no >>>>>>> REPLACE line: {CUT_OFF}, or the line was left out.")
    dividers = [marker for marker in found if marker.kind == "middle" and marker.indent == first.indent]
    dividers = [marker for marker in dividers if marker.length == first.length] or dividers
    if len(dividers) != 1:
        count = f"{len(dividers)} ======= lines" if dividers else "no ======= line"
        return Complaint(
            f"Block {number} has {count} between SEARCH and REPLACE where there must be one; if the code itself has "
            "such lines, write all three markers of the block longer."
        )
    middle = dividers[0].line
    search = unindented(lines[first.line + 1 : middle], first.indent)
    replace = unindented(lines[middle + 1 : last.line], first.indent)
    if _is_fenced(search) and (_is_fenced(replace) or not replace):
        search, replace = search[1:-1], replace[1:-1]
    if not any(line.strip() for line in search):
        return Complaint(f"Block {number} has an empty SEARCH part: it must repeat the lines that are to be replaced.")
    return Block(_text(search), _text(replace))


def _is_fenced(part: list[str]) -> bool:
    fence = opening(part[0]) if len(part) > 1 else None
    return fence is not None and not fence.indent and closes(part[-1], fence)


def _text(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
