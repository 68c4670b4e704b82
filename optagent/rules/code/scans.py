"""Passes over a container in which only the elements with one key matter: found, and cut down to a lookup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from optagent.rules.code.loops import is_consumed
from optagent.rules.code.scene import Scene
from optagent.rules.code.syntax import COMPREHENSIONS, Comprehension, children, has_comment, walk

TEXT_WORDS = frozenset({"lower", "upper", "strip", "casefold", "lstrip", "rstrip"})
PLAIN_CALLS = frozenset({"str", "int", "len", "abs", "tuple"})
JUMPS = (cst.Continue, cst.Return, cst.Raise, cst.Break)


@dataclass(frozen=True)
class Scan:
    """One pass: `whole` is the loop or comprehension, `loop` the `for` of it.

    `tests` are the conditions in the order they are tried.
    """

    whole: cst.For | Comprehension
    loop: cst.For | cst.CompFor
    tests: tuple[cst.BaseExpression, ...]

    @property
    def names(self) -> set[str]:
        return {node.value for node in walk(self.loop.target) if isinstance(node, cst.Name)}


def scans(scene: Scene) -> Iterator[Scan]:
    """Every pass of the function that does nothing for the elements that fail its first test."""
    for node in walk(scene.function.body):
        if isinstance(node, cst.For) and not node.asynchronous and (tests := tests_of_loop(node)):
            yield Scan(node, node, tests)
        elif isinstance(node, COMPREHENSIONS) and is_run_now(scene, node):
            loop: cst.CompFor | None = node.for_in
            while loop is not None:
                if not loop.asynchronous and (tests := tests_of_part(scene, node, loop)):
                    yield Scan(node, loop, tests)
                loop = loop.inner_for_in


def is_run_now(scene: Scene, node: Comprehension) -> bool:
    """Whether a comprehension runs where it stands; a generator only if its call, or `next`, uses it up at once."""
    if not isinstance(node, cst.GeneratorExp) or is_consumed(scene, node):
        return True
    call = scene.parent[scene.parent[node]]
    return isinstance(call, cst.Call) and scene.dotted(call.func) == "next" and call.args[0].value is node


def tests_of_loop(node: cst.For) -> tuple[cst.BaseExpression, ...]:
    """The conditions of `for …: if …:` or of `for …: if not …: continue`; none for any other body."""
    first = node.body.body[0]
    if not isinstance(node.body, cst.IndentedBlock) or not isinstance(first, cst.If) or first.orelse is not None:
        return ()
    if len(node.body.body) == 1:
        return tuple(conjuncts(first.test))
    is_skip = isinstance(only_statement(first.body), cst.Continue) and not has_comment(first)
    return (first.test,) if is_skip and is_comparison(first.test, cst.NotEqual) else ()


def tests_of_part(scene: Scene, node: Comprehension, loop: cst.CompFor) -> tuple[cst.BaseExpression, ...]:
    """The conditions of one `for` of a comprehension; what `any` asks of each element is one, too."""
    tests = tuple(test for condition in loop.ifs for test in conjuncts(condition.test))
    whole = Scan(node, loop, tests)
    if isinstance(node, cst.GeneratorExp) and asks_any(scene, whole):
        return (*tests, *conjuncts(node.elt))
    return tests


def asks_any(scene: Scene, scan: Scan) -> bool:
    """Whether a pass is all of a `for` in `any(… for …)`, so that the element is a condition like the others."""
    if not isinstance(scan.whole, cst.GeneratorExp) or not isinstance(scan.loop, cst.CompFor):
        return False
    call = scene.parent[scene.parent[scan.whole]]
    return scan.loop.inner_for_in is None and isinstance(call, cst.Call) and scene.dotted(call.func) == "any"


def only_statement(body: cst.BaseSuite) -> cst.CSTNode | None:
    """The one simple statement that a suite consists of."""
    line = body.body[0] if isinstance(body, cst.IndentedBlock) and len(body.body) == 1 else body
    alone = isinstance(line, cst.SimpleStatementLine | cst.SimpleStatementSuite) and len(line.body) == 1
    return line.body[0] if alone and isinstance(line, cst.SimpleStatementLine | cst.SimpleStatementSuite) else None


def conjuncts(test: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """The parts of `a and b and c`."""
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        yield from conjuncts(test.left)
        yield from conjuncts(test.right)
    else:
        yield test


def conjunction(parts: list[cst.BaseExpression]) -> cst.BaseExpression:
    """The parts under `and`; in parentheses if one of them needs several lines."""
    whole = parts[0]
    for part in parts[1:]:
        whole = cst.BooleanOperation(whole, cst.And(), part)
    broken = "\n" in cst.Module([]).code_for_node(whole) and not whole.lpar
    return whole.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()]) if broken else whole


def is_comparison(node: cst.BaseExpression, *kinds: type[cst.BaseCompOp]) -> bool:
    return isinstance(node, cst.Comparison) and len(node.comparisons) == 1 and isinstance(sign(node), kinds)


def sign(node: cst.Comparison) -> cst.BaseCompOp:
    return node.comparisons[0].operator


def sides(node: cst.BaseExpression) -> tuple[cst.BaseExpression, cst.BaseExpression]:
    assert isinstance(node, cst.Comparison)
    return node.left, node.comparisons[0].comparator


def is_path(scene: Scene, node: cst.CSTNode) -> bool:
    """Whether an expression reads its way to a value and does nothing else: `a.b["c"].strip()`, `(x, y + 1)`."""
    match node:
        case cst.Name() | cst.Integer() | cst.SimpleString():
            return True
        case cst.Attribute():
            return is_path(scene, node.value)
        case cst.Subscript():
            plain = len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index)
            return plain and all(is_path(scene, part) for part in (node.value, node.slice[0].slice))
        case cst.Index():
            return is_path(scene, node.value)
        case cst.Tuple():
            return all(isinstance(one, cst.Element) and is_path(scene, one.value) for one in node.elements)
        case cst.BinaryOperation():
            plain = isinstance(node.operator, cst.Add | cst.Subtract | cst.Multiply | cst.FloorDivide | cst.Modulo)
            return plain and is_path(scene, node.left) and is_path(scene, node.right)
        case cst.Call():
            return is_plain_call(scene, node)
        case _:
            return False


def is_plain_call(scene: Scene, node: cst.Call) -> bool:
    if any(argument.star or argument.keyword or not is_path(scene, argument.value) for argument in node.args):
        return False
    if isinstance(node.func, cst.Attribute):
        known = node.func.attr.value in TEXT_WORDS or (node.func.attr.value == "get" and bool(node.args))
        return known and is_path(scene, node.func.value)
    return scene.dotted(node.func) in PLAIN_CALLS


def is_calm(scene: Scene, node: cst.BaseExpression) -> bool:
    """Whether a condition only compares what paths lead to."""
    if isinstance(node, cst.UnaryOperation):
        return is_calm(scene, node.expression)
    if isinstance(node, cst.BooleanOperation):
        return is_calm(scene, node.left) and is_calm(scene, node.right)
    if isinstance(node, cst.Comparison):
        return all(is_path(scene, part) for part in (node.left, *(one.comparator for one in node.comparisons)))
    return is_path(scene, node)


def narrowed(node: cst.CSTNode, source: cst.BaseExpression, kept: list[cst.BaseExpression]) -> cst.CSTNode:
    """The `for` going through `source`, with only the kept conditions left."""
    if isinstance(node, cst.CompFor):
        return node.with_changes(iter=source, ifs=[cst.CompIf(test) for test in kept])
    assert isinstance(node, cst.For)
    assert isinstance(node.body, cst.IndentedBlock)
    first, *rest = node.body.body
    assert isinstance(first, cst.If)
    if kept:
        return node.with_changes(iter=source, body=node.body.with_changes(body=[with_test(first, kept)]))
    lines = rest or lines_of(first)
    return node.with_changes(iter=source, body=node.body.with_changes(body=under(first, lines)))


def with_test(node: cst.If, kept: list[cst.BaseExpression]) -> cst.If:
    space = cst.SimpleWhitespace(" ")
    return node.with_changes(test=conjunction(kept), whitespace_before_test=space)


def lines_of(node: cst.If) -> list[cst.BaseStatement]:
    """The statements of a suite as lines, with the comment that stood behind its colon."""
    if isinstance(node.body, cst.SimpleStatementSuite):
        return [cst.SimpleStatementLine(node.body.body, trailing_whitespace=node.body.trailing_whitespace)]
    assert isinstance(node.body, cst.IndentedBlock)
    first, *rest = [line for line in node.body.body if isinstance(line, cst.BaseStatement)]
    comment = node.body.header.comment
    return [above(first, [cst.EmptyLine(comment=comment)] if comment else []), *rest]


def under(gone: cst.If, lines: list[cst.BaseStatement]) -> list[cst.BaseStatement]:
    """The lines, the first of them under the comments that stood above what is gone."""
    return [above(lines[0], [line for line in gone.leading_lines if line.comment is not None]), *lines[1:]]


def above(line: cst.BaseStatement, comments: list[cst.EmptyLine]) -> cst.BaseStatement:
    if not comments:
        return line
    assert isinstance(line, cst.SimpleStatementLine | cst.BaseCompoundStatement)
    return line.with_changes(leading_lines=[*comments, *line.leading_lines])


def ends_in_jump(node: cst.Else | None) -> bool:
    """Whether an `else` always leads away from what follows."""
    if node is None:
        return False
    last = children(node.body)[-1]
    return isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], JUMPS)
