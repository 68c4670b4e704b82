"""Where a syntax node stands in its text, and the text with another in its place."""

from __future__ import annotations

import ast
import re

LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
"""Lines as the compiler counts them: a form feed or U+2028 ends none."""

MARK = "\ufeff"
"""A byte order mark, which the compiler does not count."""


class Spans:
    """Positions of nodes that were parsed from this text."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines = LINE.findall(source.removeprefix(MARK))
        self.starts = [len(source) - len(source.removeprefix(MARK))]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """First and last place in the text, as characters."""
        places = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
        first, last = (self._at(line, column) for line, column in places)
        return first, last

    def _at(self, line: int, column: int) -> int:
        """The compiler counts columns in bytes of UTF-8."""
        before = self.lines[line - 1].encode("utf-8", "surrogatepass")[:column]
        return self.starts[line - 1] + len(before.decode("utf-8", "surrogatepass"))

    def line(self, node: ast.AST) -> int:
        return int(node.lineno)  # type: ignore[attr-defined]

    def text(self, node: ast.AST) -> str:
        first, last = self.span(node)
        return self.source[first:last]
