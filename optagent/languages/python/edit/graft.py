"""A function of a file replaced by that of a reply, with the imports and private helpers it brings; no other byte
of the file changes."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from optagent.errors import BadSource
from optagent.languages.python.edit.graft_layout import (
    Move,
    bare,
    end_of,
    header_end,
    indent_of,
    inside_strings,
    lines_of,
    unit_of,
)
from optagent.languages.python.edit.graft_places import (
    additions,
    additions_place,
    holder_of,
    imports_place,
    padded_imports,
)
from optagent.languages.python.edit.graft_reply import File, Refused, Reply, read
from optagent.languages.python.scope.names import dumps
from optagent.languages.python.source.functions import FunctionNode, definitions, functions, span
from optagent.languages.python.source.sources import parse_source

__all__ = ["Refused", "graft"]


def graft(source: str, qualname: str, line: int, code: str) -> str | Refused:
    """The file with the function `qualname` (its `def` or a decorator in `line`) written as in `code`, or why not.

    The signature stays as the file has it, and so do the decorators where the code has the same or none, and a
    docstring that only stands at another indentation.
    """
    bare_source = source.removeprefix("\ufeff")
    try:
        result = _graft(bare_source, qualname, line, code)
    except BadSource as fault:
        return Refused(f"{fault.message}.")
    except RecursionError:  # what parses may still be too deep to be walked through
        return Refused("The code is nested too deeply.")
    return result if isinstance(result, Refused) else source[: len(source) - len(bare_source)] + result


def _graft(text: str, qualname: str, line: int, code: str) -> str | Refused:
    """For a text without byte order mark. Raises BadSource."""
    module = parse_source(text, "the file")
    target = find(module, qualname, line)
    if target is None:
        return Refused(f"The file has no function `{qualname}`.")
    reply = read(code, File(module, qualname, target))
    if isinstance(reply, Refused):
        return reply
    result = _grafted(lines_of(text), module, target, reply)
    if not _means(result, module, qualname, target, reply.functions[0]):
        return Refused(f"`{qualname}` would not mean the same once it is indented as in the file.")
    return result


def find(module: ast.Module, qualname: str, line: int) -> FunctionNode | None:
    """The definition that the line belongs to; without one in that line, what the name means."""
    for name, node in functions(module):
        first, last = span(node)
        if name == qualname and first <= line <= last:
            return node
    return definitions(module).get(qualname)


def _grafted(lines: list[str], module: ast.Module, target: FunctionNode, reply: Reply) -> str:
    """All that changes, from the bottom of the file to its top, so that numbers of lines stay true."""
    first, last = span(target)
    near = next((end_of(line) for line in [*lines[first - 1 : last], *lines] if end_of(line)), "\n")
    inside = inside_strings(reply.lines)
    new = _function(lines, target, reply, inside)
    result = [*lines[: first - 1], *_ended(new, lines[first - 1 : last], near), *lines[last:]]
    holder = holder_of(module, target)
    place_of_imports = imports_place(module, holder, lines)
    if reply.additions:
        place = max(place_of_imports, additions_place(holder, lines))
        result[place:place] = [line + near for line in additions(reply, inside)]
    if reply.imports:
        result[place_of_imports:place_of_imports] = [
            line + near for line in padded_imports(reply, module, lines, place_of_imports)
        ]
    return "".join(result)


def _function(lines: Sequence[str], target: FunctionNode, reply: Reply, inside: frozenset[int]) -> list[str]:
    """The decorators, the file's signature, the reply's body."""
    (new,) = reply.functions
    indent = indent_of(lines[target.lineno - 1])
    unit = unit_of(lines, target) or ("\t" if "\t" in indent else "")
    move = Move(indent_of(reply.lines[new.lineno - 1]), indent, unit_of(reply.lines, new), unit)
    (first, _), (new_first, _) = span(target), span(new)
    decorators = list(lines[first - 1 : target.lineno - 1])
    if new.decorator_list and dumps(new.decorator_list) != dumps(target.decorator_list):
        decorators = move.lines(reply.lines, new_first, new.lineno - 1, inside)
    (line, column), (new_line, new_column) = header_end(lines, target), header_end(reply.lines, new)
    header = list(lines[target.lineno - 1 : line])
    rest = reply.lines[new_line - 1][new_column:]
    if rest.strip() or not header[-1][column:].lstrip().startswith("#"):  # a comment for a linter stays
        header[-1] = header[-1][:column] + rest
    return [*decorators, *header, *_body(lines, target, reply, move, inside)]


def _body(lines: Sequence[str], target: FunctionNode, reply: Reply, move: Move, inside: frozenset[int]) -> list[str]:
    """The lines below the signature; the docstring as in the file where it says the same."""
    (new,) = reply.functions
    start, end = header_end(reply.lines, new)[0] + 1, new.end_lineno or 0
    old_doc, new_doc = _docstring(lines, target), _docstring(reply.lines, new)
    if not (old_doc and new_doc and ast.get_docstring(target) == ast.get_docstring(new)):
        return move.lines(reply.lines, start, end, inside)
    before = move.lines(reply.lines, start, new_doc[0] - 1, inside)
    after = move.lines(reply.lines, new_doc[1] + 1, end, inside)
    return [*before, *lines[old_doc[0] - 1 : old_doc[1]], *after]


def _docstring(lines: Sequence[str], node: FunctionNode) -> tuple[int, int] | None:
    """First and last line of a docstring that has its lines for itself."""
    if ast.get_docstring(node) is None:
        return None
    first, last = node.body[0].lineno, node.body[0].end_lineno or 0
    is_alone = first > header_end(lines, node)[0] and (len(node.body) == 1 or node.body[1].lineno > last)
    return (first, last) if is_alone else None


def _ended(new: list[str], old: Sequence[str], near: str) -> list[str]:
    """The lines with ends as in the file: those at top and bottom that did not change keep their own."""
    texts, before = [bare(line) for line in new], [bare(line) for line in old]
    most = min(len(texts), len(before))
    head = next((k for k in range(most) if texts[k] != before[k]), most)
    tail = next((k for k in range(most - head) if texts[-k - 1] != before[-k - 1]), most - head)
    middle = [text + near for text in texts[head : len(texts) - tail]]
    lines = [*old[:head], *middle, *(old[len(old) - tail :] if tail else ())]
    lines[:-1] = [line if end_of(line) else line + near for line in lines[:-1]]
    lines[-1] = bare(lines[-1]) + end_of(old[-1])
    return lines


def _means(result: str, module: ast.Module, qualname: str, target: FunctionNode, new: FunctionNode) -> bool:
    """Whether the file as written parses, and holds the reply's body where the target was."""
    try:
        written = parse_source(result, "the result")
    except BadSource:
        return False
    place = [node for name, node in functions(module) if name == qualname].index(target)
    found = [node for name, node in functions(written) if name == qualname][place]
    return dumps(_code(found)) == dumps(_code(new))


def _code(node: FunctionNode) -> list[ast.stmt]:
    return node.body[1:] if ast.get_docstring(node) is not None else node.body
