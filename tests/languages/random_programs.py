"""Random small functions of two arguments (a list of ints and an int), others equal to them by construction, and
arguments. Everything follows from a seed."""

from __future__ import annotations

import ast
import random

NAMES = ("a", "b", "c")
MOST_DEPTH = 2


def program(rng: random.Random) -> str:
    """A function `work(xs, n)` that ends: its loops go over what has an end, and no number grows without bounds."""
    body = ["a, b, c = 0, n, len(xs)", "out = []", "seen = {}"]
    body += block(rng, 0, 4)
    body.append(f"return {rng.choice(('out', 'out, a', '(a, b, c)', 'seen', 'sorted(seen), out', 'sum(out) + a'))}")
    return "def work(xs, n):\n" + "".join(f"    {line}\n" for line in body)


def block(rng: random.Random, depth: int, most: int) -> list[str]:
    lines: list[str] = []
    for _ in range(rng.randint(2, most)):
        lines += statement(rng, depth)
    return lines


def statement(rng: random.Random, depth: int) -> list[str]:
    name = rng.choice(NAMES)
    kinds = ["set", "add", "append", "count", "guard"]
    if depth < MOST_DEPTH:
        kinds += ["loop", "range", "if", "either"]
    kind = rng.choice(kinds)
    if kind == "set":
        return [f"{name} = {expression(rng)} % 997"]
    if kind == "add":
        return [f"{name} {rng.choice(('+=', '-='))} {expression(rng)} % 97"]
    if kind == "append":
        return [f"out.append({expression(rng)})"]
    if kind == "count":
        return [f"seen[{rng.choice(NAMES)} % 7] = seen.get({rng.choice(NAMES)} % 7, 0) + 1"]
    if kind == "guard":
        return [f"if {test(rng)}:", f"    {name} = {expression(rng)} % 997"]
    inside = [f"    {line}" for line in block(rng, depth + 1, 3)]
    if kind == "loop":
        return [f"for {name} in xs:", *inside]
    if kind == "range":
        return [f"for {name} in range(min(abs({rng.choice(NAMES)}), {rng.randint(2, 9)})):", *inside]
    if kind == "if":
        return [f"if {test(rng)}:", *inside]
    return [f"if {test(rng)}:", *inside, "else:", *[f"    {line}" for line in block(rng, depth + 1, 2)]]


def expression(rng: random.Random, depth: int = 0) -> str:
    if depth > 1 or rng.random() < 0.3:
        return rng.choice((*NAMES, "n", "len(xs)", str(rng.randint(0, 9))))
    if rng.random() < 0.1:
        return f"max({expression(rng, depth + 1)}, {expression(rng, depth + 1)})"
    if rng.random() < 0.15:
        return f"({expression(rng, depth + 1)} % {rng.randint(2, 11)})"
    return f"({expression(rng, depth + 1)} {rng.choice('+-*')} {expression(rng, depth + 1)})"


def test(rng: random.Random) -> str:
    said = f"{expression(rng, 1)} {rng.choice(('<', '<=', '>', '==', '!='))} {expression(rng, 1)}"
    return f"{said} and {rng.choice(NAMES)} % 2 == {rng.randint(0, 1)}" if rng.random() < 0.25 else said


test.__test__ = False  # type: ignore[attr-defined]


def arguments(rng: random.Random) -> tuple[list[int], int]:
    """Of the kind that the tests of such a function would give."""
    size = rng.choice((0, 1, 2, 3, 5, 8, 13))
    return [rng.randint(-20, 20) for _ in range(size)], rng.randint(-9, 12)


SWAPPED = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.Eq: ast.Eq, ast.NotEq: ast.NotEq}


class Rewrite(ast.NodeTransformer):
    """The same program in other words, each place by chance."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Add | ast.Mult) and self.rng.random() < 0.5:
            node.left, node.right = node.right, node.left
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        swapped = SWAPPED.get(type(node.ops[0]))
        if swapped and self.rng.random() < 0.5:
            return ast.Compare(node.comparators[0], [swapped()], [node.left])
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        if self.rng.random() < 0.5:
            return ast.If(ast.UnaryOp(ast.Not(), node.test), node.orelse or [ast.Pass()], node.body)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Call) and self.rng.random() < 0.5:
            given = ast.List(node.value.args, ast.Load())
            return ast.AugAssign(ast.Name("out", ast.Store()), ast.Add(), given)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.AST]:
        self.generic_visit(node)
        if isinstance(node.targets[0], ast.Name) and self.rng.random() < 0.5:
            first = ast.Assign([ast.Name("between", ast.Store())], node.value)
            return [first, ast.Assign(node.targets, ast.Name("between", ast.Load()))]
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name) and node.target.id != "out" and self.rng.random() < 0.5:
            value = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
            return ast.Assign([node.target], value)
        return node

    def visit_For(self, node: ast.For) -> ast.AST | list[ast.AST]:
        self.generic_visit(node)
        if isinstance(node.iter, ast.Name) and self.rng.random() < 0.5:
            node.iter = ast.Call(ast.Name("list", ast.Load()), [ast.Name("xs", ast.Load())], [])
        return node


def rewritten(source: str, rng: random.Random) -> str:
    """Equal by construction: operands of commutative operators, comparisons and branches swapped, names in between."""
    tree = Rewrite(rng).visit(ast.parse(source))
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"
