"""Source text by lines: moved to another indentation without touching strings, and cut where a `def` has its colon."""

from __future__ import annotations

import io
import itertools
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass

from optagent.languages.python.source.functions import FunctionNode
from optagent.languages.python.source.kinds import LINE_END

STARTS = {tokenize.STRING, getattr(tokenize, "FSTRING_START", -1)}
ENDS = {tokenize.STRING, getattr(tokenize, "FSTRING_END", -1)}


def lines_of(text: str) -> list[str]:
    r"""The lines as the parser counts them, each with its end.

    >>> lines_of("a\r\nb\x0c\rc")
    ['a\r\n', 'b\x0c\r', 'c']
    """
    starts = [0, *(found.end() for found in LINE_END.finditer(text)), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(starts) if start < end]


def bare(line: str) -> str:
    return line.rstrip("\r\n")


def end_of(line: str) -> str:
    return line[len(bare(line)) :]


def indent_of(line: str) -> str:
    """The indentation; what stands before a form feed is none."""
    return line[: len(line) - len(line.lstrip(" \t\f"))].rpartition("\f")[2]


def inside_strings(lines: Sequence[str]) -> frozenset[int]:
    """The numbers of lines that begin inside a string, which may not be moved. The lines are valid Python."""
    found: set[int] = set()
    starts: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO("".join(f"{bare(line)}\n" for line in lines)).readline):
        if token.type in STARTS:
            starts.append(token.start[0])
        if token.type in ENDS:
            found.update(range(starts.pop() + 1, token.end[0] + 1))
    return frozenset(found)


def header_end(lines: Sequence[str], node: FunctionNode) -> tuple[int, int]:
    """Line (from 1) and column just after the colon that ends the function's signature."""
    depth = 0
    after = iter([f"{bare(line)}\n" for line in lines[node.lineno - 1 : node.end_lineno]])
    for token in tokenize.generate_tokens(lambda: next(after, "")):
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
            if token.string == ":" and not depth:
                return node.lineno - 1 + token.end[0], token.end[1]
    raise AssertionError("a function without a colon does not parse")


def unit_of(lines: Sequence[str], node: FunctionNode) -> str:
    """By how much the body stands further to the right than its `def`; empty for a function of one line."""
    first = lines[node.body[0].lineno - 1] if node.body[0].lineno > header_end(lines, node)[0] else ""
    return indent_of(first).removeprefix(indent_of(lines[node.lineno - 1]))


@dataclass(frozen=True)
class Move:
    """From one indentation to another. The units are what one level more is on either side; they are exchanged only
    where one side uses tabs and the other blanks."""

    old: str
    new: str
    old_unit: str = ""
    new_unit: str = ""

    def line(self, line: str) -> str:
        if not line.strip():
            return line
        if not line.startswith(self.old):  # a comment or a continued line further to the left
            return self.new + line.lstrip(" \t")
        rest = line[len(self.old) :]
        if not self.old_unit or ("\t" in self.old_unit) == ("\t" in self.new_unit):
            return self.new + rest
        levels = 0
        while rest.startswith(self.old_unit):
            rest, levels = rest[len(self.old_unit) :], levels + 1
        return self.new + self.new_unit * levels + rest

    def lines(self, lines: Sequence[str], first: int, last: int, inside: frozenset[int]) -> list[str]:
        """Lines `first` to `last` (from 1, both included); those inside strings as they are."""
        numbered = enumerate(lines[first - 1 : last], first)
        return [line if number in inside else self.line(line) for number, line in numbered]
