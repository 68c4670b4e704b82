"""The statements of a function by the lines of their heads, and which of them a patch touches."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from difflib import SequenceMatcher

from optagent.core.target import Target
from optagent.languages.python.source.functions import FunctionNode, definitions
from optagent.languages.python.source.sources import parse_source
from optagent.languages.python.source.spans import LINE

Head = tuple[int, int]
"""First and last line of a statement, without its body."""

Part = ast.stmt | ast.excepthandler | ast.match_case


def head(node: Part) -> Head:
    """
    >>> [head(one) for one in ast.parse("x = [1,\\n 2]\\nfor a in x:\\n  a\\n").body]
    [(1, 2), (3, 3)]
    """
    if isinstance(node, ast.Match):
        return node.lineno, node.subject.end_lineno or node.lineno
    body = getattr(node, "body", None)
    first: int = getattr(node, "lineno", 0) or node.pattern.lineno  # type: ignore[union-attr]
    return first, max(first, body[0].lineno - 1) if body else getattr(node, "end_lineno", first)


def is_text(node: ast.AST) -> bool:
    """Whether a statement is a constant only, which documents and does nothing."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def touched(old: str, new: str, target: Target) -> list[Head]:
    """Statements of the target in the new text with a line that the old text does not have in that place.

    Those that leave no code behind are left out: documentation, `global`, annotations without a value.
    """
    node = definitions(parse_source(new, target.path)).get(target.qualname)
    changed = _changed_lines(old, new)
    heads = [head(one) for one in _statements(node)] if node else []
    return [(first, last) for first, last in heads if any(first <= line <= last for line in changed)]


def _changed_lines(old: str, new: str) -> list[int]:
    matcher = SequenceMatcher(None, LINE.findall(old), LINE.findall(new), autojunk=False)
    return [line + 1 for tag, _, _, low, high in matcher.get_opcodes() if tag != "equal" for line in range(low, high)]


def _statements(function: FunctionNode) -> Iterator[Part]:
    for node in ast.walk(function):
        if isinstance(node, Part) and node is not function and not _leaves_no_code(node):
            yield node


def _leaves_no_code(node: Part) -> bool:
    is_bare = isinstance(node, ast.AnnAssign) and node.value is None
    is_any = isinstance(node, ast.match_case) and isinstance(node.pattern, ast.MatchAs) and node.pattern.pattern is None
    return is_text(node) or is_bare or is_any or isinstance(node, ast.Global | ast.Nonlocal)
