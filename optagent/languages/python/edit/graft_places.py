"""Where in a file new imports and private definitions go, and how they are set apart from what is there."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from optagent.languages.python.edit.graft_layout import Move, bare, indent_of
from optagent.languages.python.edit.graft_reply import Reply
from optagent.languages.python.scope.additions import Definition
from optagent.languages.python.source.functions import FunctionNode


def holder_of(module: ast.Module, target: FunctionNode) -> ast.stmt:
    """The statement of the module that the target stands in, or is."""
    return next(node for node in module.body if first_line(node) <= target.lineno <= (node.end_lineno or 0))


def first_line(node: ast.stmt) -> int:
    """With decorators."""
    decorators = node.decorator_list if isinstance(node, Definition) else []
    return min([node.lineno, *(one.lineno for one in decorators)])


def imports_place(module: ast.Module, holder: ast.stmt, lines: Sequence[str]) -> int:
    """The count of lines that stay before new imports: up to the last import before the target, else the docstring,
    else the comments at the top."""
    before = module.body[: module.body.index(holder)]
    leading = [node for node in before if isinstance(node, ast.Import | ast.ImportFrom)]
    last = leading[-1] if leading else module.body[0]
    if not leading and ast.get_docstring(module) is None:
        comments = (number for number, line in enumerate(lines) if not line.startswith("#"))
        return min(next(comments, 0), first_line(module.body[0]) - 1)
    place = last.end_lineno or 0
    for node in before:
        if node.lineno <= place:  # further statements in the same line
            place = max(place, node.end_lineno or 0)
    return place


def padded_imports(reply: Reply, module: ast.Module, lines: Sequence[str], place: int) -> list[str]:
    """The lines of the imports; blank ones around them where they are the file's first."""
    found = [ast.unparse(node) for node in reply.imports]
    at = place - 1
    if any(isinstance(node, ast.Import | ast.ImportFrom) and node.lineno <= place for node in module.body):
        return found
    above = [""] if at >= 0 and lines[at].strip() else []
    below = [""] if place < len(lines) and lines[place].strip() else []
    return [*above, *found, *below]


def additions_place(holder: ast.stmt, lines: Sequence[str]) -> int:
    """The count of lines before new definitions: up to the statement that holds the target and the comments on it."""
    place = first_line(holder) - 1
    while place and lines[place - 1].startswith("#"):
        place -= 1
    return place


def additions(reply: Reply, inside: frozenset[int]) -> list[str]:
    """The new definitions with the comments right above them, each with the blank lines that are usual."""
    found: list[str] = []
    previous: ast.stmt | None = None
    for node in reply.additions:
        if previous and (isinstance(node, Definition) or isinstance(previous, Definition)):
            found += ["", ""]
        found += _text(reply, node, inside)
        previous = node
    return [*found, "", ""]


def _text(reply: Reply, node: ast.stmt, inside: frozenset[int]) -> list[str]:
    first, last = first_line(node), node.end_lineno or 0
    others = (one for one in reply.statements if one is not node)
    if any(first_line(one) <= last and (one.end_lineno or 0) >= first for one in others):
        return ast.unparse(node).split("\n")  # it shares a line
    indent = indent_of(reply.lines[first - 1])
    while first > 1 and first - 1 not in inside and reply.lines[first - 2].startswith(f"{indent}#"):
        first -= 1
    return [bare(line) for line in Move(indent, "").lines(reply.lines, first, last, inside)]
