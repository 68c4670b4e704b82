"""Faults to plant in a function: every place where one small change would be a mistake that people make.

Operators, comparisons, constants, branches, bounds, ties, mutations, precision: the kinds that mutation tools have in
common, and those that a rewrite for speed gets wrong. Each is one edit of the text; what stands around it stays.
"""

from __future__ import annotations

import ast
import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from optagent.core.fault import Fault
from optagent.core.target import Target
from optagent.languages.python.source.functions import FunctionNode, definitions
from optagent.languages.python.source.sources import parse_source
from optagent.languages.python.source.spans import Spans
from optagent.languages.python.source.statements import Head, head, is_text

OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.FloorDiv, ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr,
}  # fmt: skip
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
TEXT_MARK = "_"
MOST_WORDS = 60


@dataclass(frozen=True)
class Edit:
    """A node and the text that takes its place."""

    node: ast.AST
    text: str


def faults(source: str, target: Target) -> list[Fault]:
    """Every fault that can be planted in the target, functions inside it included, in the order of the text.

    `source` is the text of the target's file. None touches the function's arguments, its annotations or its docstring.
    A file that is not UTF-8 has none.
    """
    if _has_other_bytes(source):
        return []
    node = definitions(parse_source(source, target.path)).get(target.qualname)
    if node is None:
        return []
    spans = Spans(source)
    found: dict[tuple[int, int, str], Fault] = {}
    for place, one in _places(node):
        for kind, maker in MAKERS.items():
            for edit in _edits(maker, one):
                (start, end), old = spans.span(edit.node), spans.text(edit.node)
                words = f"`{_short(old)}` becomes `{_short(edit.text)}`"
                fault = Fault(target.path, spans.line(edit.node), *place, kind, words, start, end, edit.text)
                if edit.text != old:
                    found.setdefault((start, end, edit.text), fault)
    return list(found.values())


def _has_other_bytes(source: str) -> bool:
    """Whether the text came from bytes that are no UTF-8: the compiler counts its columns in another one."""
    try:
        source.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _edits(maker: Callable[[ast.AST], Iterator[Edit]], node: ast.AST) -> list[Edit]:
    try:
        return list(maker(node))
    except (RecursionError, ValueError):  # an expression too deep, or a number too long, to be written again
        return []


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_WORDS else line[: MOST_WORDS - 3] + "..."


def _places(function: FunctionNode) -> Iterator[tuple[Head, ast.AST]]:
    """Every node that may be changed, with the first and last line of its statement's head."""
    waiting: list[tuple[Head, ast.AST]] = [(head(one), one) for one in reversed(function.body)]
    while waiting:
        place, node = waiting.pop()
        if not is_text(node):
            yield place, node
            waiting.extend(reversed([*_below(node, place)]))


def _below(node: ast.AST, place: Head) -> Iterator[tuple[Head, ast.AST]]:
    """The nodes right below one."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "args") and not isinstance(node, ast.Call):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
                yield head(child), child
            elif isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr | ast.pattern):
                yield place, child


def _changed(node: ast.expr, **fields: object) -> Edit:
    return Edit(node, f"({ast.unparse(_copy(node, **fields))})")


def _copy(node: ast.AST, **fields: object) -> ast.AST:
    twin = copy.copy(node)
    for name, value in fields.items():
        setattr(twin, name, value)
    return twin


def _operator(node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield _changed(node, op=OPERATORS[type(node.op)]())
    if isinstance(node, ast.AugAssign) and type(node.op) in OPERATORS:
        yield Edit(node, ast.unparse(_copy(node, op=OPERATORS[type(node.op)]())))


def _comparison(node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.Compare):
        for k, op in enumerate(node.ops):
            yield _changed(node, ops=[*node.ops[:k], COMPARISONS[type(op)](), *node.ops[k + 1 :]])


def _constant(node: ast.AST) -> Iterator[Edit]:
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield _changed(node, value=not value)
    elif isinstance(value, int):
        yield _changed(node, value=value + 1)
    elif isinstance(value, str):
        yield _changed(node, value=value + TEXT_MARK)
    elif isinstance(value, bytes):
        yield _changed(node, value=value + TEXT_MARK.encode())


def _precision(node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.Constant) and isinstance(node.value, float) and math.isfinite(node.value):
        yield _changed(node, value=math.nextafter(node.value, math.inf))


def _branch(node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.If | ast.IfExp):
        yield Edit(node.test, "(False)")
        if node.orelse:
            yield Edit(node.test, "(True)")
    if isinstance(node, ast.comprehension):
        yield from (Edit(one, "(True)") for one in node.ifs)


def _logic(node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.BoolOp):
        yield _changed(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield Edit(node, f"({ast.unparse(node.operand)})")


def _off_by_one(node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.Call) and _name(node.func) == "range" and node.args and not _is_starred(node):
        stop = node.args[min(1, len(node.args) - 1)]
        yield Edit(stop, f"({ast.unparse(stop)}) - 1")
    if isinstance(node, ast.Slice):
        if node.lower is not None:
            yield Edit(node.lower, f"({ast.unparse(node.lower)}) + 1")
        if node.upper is not None:
            yield Edit(node.upper, f"({ast.unparse(node.upper)}) - 1")


def _tie(node: ast.AST) -> Iterator[Edit]:
    """The last of equals where the first was taken."""
    if not isinstance(node, ast.Call) or not any(one.arg == "key" for one in node.keywords) or _is_starred(node):
        return
    if _name(node.func) in ("min", "max", "sorted") and len(node.args) == 1:
        yield Edit(node.args[0], f"reversed(list({ast.unparse(node.args[0])}))")
    if isinstance(node.func, ast.Attribute) and node.func.attr == "sort":
        yield Edit(node, f"({ast.unparse(node.func.value)}.reverse(), {ast.unparse(node)})[1]")


def _lost_change(node: ast.AST) -> Iterator[Edit]:
    """A change of something that others may see, left out."""
    is_call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
    if (
        is_call
        or isinstance(node, ast.Delete)
        or any(isinstance(one, ast.Attribute | ast.Subscript) for one in targets)
    ):
        yield Edit(node, "pass")


def _flow(node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
        yield Edit(node, "return None")
    if isinstance(node, ast.Raise | ast.Break):
        yield Edit(node, "pass")
    if isinstance(node, ast.Continue):
        yield Edit(node, "break")


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _is_starred(call: ast.Call) -> bool:
    return any(isinstance(one, ast.Starred) for one in call.args)


MAKERS: dict[str, Callable[[ast.AST], Iterator[Edit]]] = {
    "operator": _operator,
    "comparison": _comparison,
    "constant": _constant,
    "precision": _precision,
    "branch": _branch,
    "logic": _logic,
    "off by one": _off_by_one,
    "tie": _tie,
    "lost change": _lost_change,
    "flow": _flow,
}
