"""Fenced code blocks in a reply: which lines they hold, when their text may itself hold fences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from optagent.agents.cleaning import MOST_CHARS, plain
from optagent.agents.python_code import Code, look

FENCE = re.compile(r"([ \t]*)(`{3,}|~{3,})[ \t]*([^`]*)")
PROSE = {"markdown", "md"}
PYTHON = {"", "python", "python3", "py", "py3", "cython", "pycon"}
MOST_PARSED = 2 * MOST_CHARS
"""Characters read as code: once each, and some again to find where a block ends; beyond, the first fence ends it."""
INSIDE_STRING = "unterminated triple-quoted"  # the parser's words where a block ends too early


class Fence(NamedTuple):
    indent: str
    mark: str
    info: str

    @property
    def may_hold_prose(self) -> bool:
        """Whether a whole reply, with fences in it, may stand in it."""
        return self.info in PROSE or len(self.mark) > 3


class Fenced(NamedTuple):
    """One block: the lines of its text (`end` is that of the closing fence), its language, its text as Python."""

    start: int
    end: int
    info: str
    code: Code
    is_closed: bool = True


def opening(line: str) -> Fence | None:
    """The fence that a line opens, if it does."""
    if line.isascii() and line.lstrip()[:3] not in ("```", "~~~"):
        return None
    found = FENCE.fullmatch(plain(line))
    info = found[3].strip().lower() if found else ""
    return Fence(found[1], found[2], re.split(r"[\s{:,]", info)[0]) if found else None


def closes(line: str, fence: Fence) -> bool:
    mark = line.strip() if line.isascii() else plain(line).strip()
    return len(mark) >= len(fence.mark) and not mark.strip(fence.mark[0])


def unindented(lines: Sequence[str], indent: str) -> list[str]:
    """The lines without an indentation that all of them share with their fence; else as they are."""
    if indent and all(line.startswith(indent) or not line.strip() for line in lines):
        return [line[len(indent) :] for line in lines]
    return list(lines)


def fenced(lines: Sequence[str]) -> list[Fenced]:
    """The blocks from first to last. Of several lines that could end one, the first that makes it a piece of Python
    with a function does, so that a docstring may hold fences; else the first."""
    return _Reader(lines).read()


class _Reader:
    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.found: list[Fenced] = []
        self.around: list[Fence] = []  # fences that hold prose with fences in it
        self.parsed = 0

    def read(self) -> list[Fenced]:
        k = 0
        while k < len(self.lines):
            fence = opening(self.lines[k])
            k += 1
            if fence is None:
                continue
            if self.around and not fence.info and closes(self.lines[k - 1], self.around[-1]):
                self.around.pop()
            elif fence.info in PROSE:
                self.around.append(fence)
            else:
                k = self._block(fence, k)
        return self.found

    def _block(self, fence: Fence, start: int) -> int:
        """Reads the block whose text starts at a line; returns where to read on."""
        ends = (k for k in range(start, len(self.lines)) if closes(self.lines[k], fence))
        first = next(ends, None)
        is_closed = first is not None
        end = len(self.lines) if first is None else first
        code = self._code(fence, start, end)
        if fence.info in PYTHON and INSIDE_STRING in code.fault:
            end, code = self._longer(fence, start, ends) or (end, code)
        if self._is_around(fence, start, end, code):
            self.around.append(fence)
            return start
        if is_closed or code.text.strip():
            self.found.append(Fenced(start, end, fence.info, code, is_closed))
        return end + 1

    def _longer(self, fence: Fence, start: int, ends: Iterator[int]) -> tuple[int, Code] | None:
        """The block with the fences in its strings, if some later end makes it one."""
        for end in ends:
            if self.parsed > MOST_PARSED:
                return None
            code = self._code(fence, start, end)
            if code.functions:
                return end, code
        return None

    def _is_around(self, fence: Fence, start: int, end: int, code: Code) -> bool:
        """Whether a long fence holds text with fences of its own. Past the limit nothing is read twice."""
        is_likely = fence.may_hold_prose and not code.functions and self.parsed <= MOST_PARSED
        return is_likely and any(map(opening, self.lines[start:end]))

    def _code(self, fence: Fence, start: int, end: int) -> Code:
        text = "\n".join(unindented(self.lines[start:end], fence.indent))
        self.parsed += len(text)
        return look(text)
