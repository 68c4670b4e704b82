"""How much work a pure expression is, and whether it is one."""

from __future__ import annotations

import libcst as cst

from optagent.rules.code.kinds import IMMUTABLE, REPEATABLE, UNKNOWN, Facts
from optagent.rules.code.syntax import COMPREHENSIONS, Comprehension, method_call, walk

# Weights are in operations of about 15 ns; a pass over a container is worth more than any arithmetic.
PASS = 20
CALL = 4
ITERATING = frozenset(
    {"all", "any", "dict", "frozenset", "list", "max", "min", "set", "sorted", "sum", "tuple", "collections.Counter"}
    | {"math.fsum", "math.prod", "math.dist", "statistics.mean", "statistics.median", "statistics.fmean"}
    | {"re.compile", "statistics.stdev", "statistics.pstdev", "statistics.variance", "statistics.pvariance"}
)
PLAIN = frozenset(
    {"abs", "bool", "chr", "complex", "divmod", "float", "format", "hash", "int", "isinstance", "ord", "pow", "repr"}
    | {"round", "str", "struct.calcsize", "re.escape", "datetime.timedelta", "fractions.Fraction"}
    | {"os.path.join", "os.path.basename", "os.path.dirname", "os.path.splitext", "os.path.normpath"}
)
LAZY = frozenset({"enumerate", "range", "reversed", "zip"})
TEXT_METHODS = frozenset(
    {"capitalize", "casefold", "center", "count", "encode", "decode", "endswith", "expandtabs", "find", "hex", "index"}
    | {"isalnum", "isalpha", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isspace", "istitle"}
    | {"isupper", "ljust", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex"}
    | {"rjust", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title"}
    | {"translate", "upper", "zfill"}
)
METHODS = {
    **dict.fromkeys(("str", "bytes"), TEXT_METHODS),
    **dict.fromkeys(("list", "tuple"), frozenset({"count", "index"})),
    **dict.fromkeys(("dict",), frozenset({"get"})),
}
VIEWS = frozenset({"items", "keys", "values"})
LITERALS = (cst.Integer, cst.Float, cst.Imaginary, cst.SimpleString)
CONSTANT_MODULES = ("math.", "string.", "sys.maxsize")


def weigh(facts: Facts, node: cst.CSTNode) -> int | None:
    """The work of evaluating the node, None unless it only reads its names and gives the same each time."""
    match node:
        case cst.Name():
            known = node.value in ("True", "False", "None") or facts.scene.is_local(node.value)
            return 0 if known else None
        case cst.Attribute():
            return 1 if (facts.scene.dotted(node) or "").startswith(CONSTANT_MODULES) else None
        case cst.ConcatenatedString():
            return total(facts, 0, node.left, node.right)
        case cst.Call():
            return weigh_call(facts, node)
        case cst.ListComp() | cst.SetComp() | cst.DictComp():
            return weigh_comprehension(facts, node)
        case _:
            return 0 if isinstance(node, LITERALS) else weigh_operation(facts, node)


def weigh_operation(facts: Facts, node: cst.CSTNode) -> int | None:
    """Operators, subscripts and displays: the operands, and one for what is done to them."""
    match node:
        case cst.BinaryOperation() if not isinstance(node.operator, cst.MatrixMultiply):
            return total(facts, 1, node.left, node.right)
        case cst.BooleanOperation():
            return total(facts, 1, node.left, node.right)
        case cst.UnaryOperation():
            return total(facts, 1, node.expression)
        case cst.Comparison():
            return total(facts, 1, node.left, *(target.comparator for target in node.comparisons))
        case cst.IfExp():
            return total(facts, 1, node.test, node.body, node.orelse)
        case cst.Tuple():
            return total(facts, 1, *(element.value for element in node.elements))
        case cst.Subscript():
            return total(facts, 1, node.value, *(element.slice for element in node.slice))
        case cst.Index() if not node.star:
            return total(facts, 0, node.value)
        case cst.Slice():
            return total(facts, 5, *(part for part in (node.lower, node.upper, node.step) if part is not None))
        case _:
            return None


def total(facts: Facts, own: int, *parts: cst.CSTNode) -> int | None:
    weights = [weigh(facts, part) for part in parts]
    return None if None in weights else own + sum(weight for weight in weights if weight is not None)


def weigh_call(facts: Facts, node: cst.Call) -> int | None:
    if any(argument.star for argument in node.args):
        return None
    name = facts.scene.dotted(node.func)
    if name == "len":
        return total(facts, 2, *(argument.value for argument in node.args))
    if name in ITERATING:
        return weigh_pass(facts, node)
    if name in PLAIN or (name or "").startswith("math."):
        return total(facts, CALL, *(argument.value for argument in node.args))
    return weigh_method(facts, node) if name is None else None


def weigh_pass(facts: Facts, node: cst.Call) -> int | None:
    """A call that goes through its arguments, or, for `min(a, b)`, compares them."""
    given = [argument.value for argument in node.args if argument.keyword is None]
    named = [argument for argument in node.args if argument.keyword is not None]
    if not given or any(argument.keyword and argument.keyword.value == "key" for argument in named):
        return None
    rest = total(facts, 0, *(argument.value for argument in named))
    if len(given) > 1 and facts.scene.dotted(node.func) in ("min", "max"):
        first = total(facts, CALL, *given)
    else:
        passes = weigh_iterable(facts, given[0]) is not None
        first = total(facts, PASS, *given[1:]) if passes else None
    return None if first is None or rest is None else first + rest


def weigh_method(facts: Facts, node: cst.Call) -> int | None:
    found = method_call(node)
    if found is None:
        return None
    receiver, method, _ = found
    kinds = facts.of(receiver)
    if not kinds or not all(method in METHODS.get(kind, ()) for kind in kinds):
        return None
    long = method in ("count", "index", "find", "replace", "split", "translate")
    return total(facts, PASS if long else CALL, receiver, *(argument.value for argument in node.args))


def weigh_iterable(facts: Facts, node: cst.CSTNode) -> int | None:
    """The work of something to go through; None for what could be used up by the first pass."""
    if isinstance(node, COMPREHENSIONS):
        return weigh_comprehension(facts, node)
    if isinstance(node, cst.Call) and facts.scene.dotted(node.func) in LAZY:
        parts = [weigh_iterable(facts, argument.value) for argument in node.args if argument.keyword is None]
        if facts.scene.dotted(node.func) == "range":
            parts = [weigh(facts, argument.value) for argument in node.args]
        return None if None in parts or any(argument.star for argument in node.args) else PASS
    if found := method_call(node):
        receiver, method, call = found
        if method in VIEWS and not call.args and facts.of(receiver) and facts.of(receiver) <= {"dict", "Counter"}:
            return weigh(facts, receiver)
    return weigh(facts, node) if is_repeatable(facts, node) else None


def is_repeatable(facts: Facts, node: cst.CSTNode) -> bool:
    """Whether going through the value twice gives the same twice."""
    if isinstance(node, cst.Subscript):
        return is_repeatable(facts, node.value)
    if not isinstance(node, cst.BaseExpression):
        return False
    if isinstance(node, cst.Name) and bound_in_comprehension(facts, node):
        return True
    kinds = facts.of(node)
    return bool(kinds) and kinds <= REPEATABLE


def bound_in_comprehension(facts: Facts, node: cst.Name) -> bool:
    """Whether a name is the variable of a comprehension around it: an element, taken for a container."""
    around = (whole for _, whole in facts.scene.ancestors(node) if isinstance(whole, COMPREHENSIONS))
    return any(node.value in bound_names(whole) for whole in around)


def bound_names(*nodes: cst.CSTNode) -> set[str]:
    loops = (part for node in nodes for part in walk(node) if isinstance(part, cst.CompFor))
    return {part.value for loop in loops for part in walk(loop.target) if isinstance(part, cst.Name)}


def weigh_comprehension(facts: Facts, node: Comprehension) -> int | None:
    made: tuple[cst.BaseExpression, ...] = (node.key, node.value) if isinstance(node, cst.DictComp) else (node.elt,)
    loop: cst.CompFor | None = node.for_in
    if any(isinstance(part, cst.Name) and part.value in bound_names(node) for part in walk(node.for_in.iter)):
        return None  # the first iterable belongs to the scope outside
    while loop is not None:
        if loop.asynchronous or weigh_iterable(facts, loop.iter) is None or not is_plain_target(loop.target):
            return None
        made += tuple(condition.test for condition in loop.ifs)
        loop = loop.inner_for_in
    return total(facts, PASS, *made)


def is_plain_target(node: cst.CSTNode) -> bool:
    if isinstance(node, cst.Tuple):
        return all(is_plain_target(element.value) for element in node.elements)
    return isinstance(node, cst.Name)


def is_number(facts: Facts, node: cst.BaseExpression) -> bool:
    """Whether the value is surely, or by the meaning of the call, something that cannot change: a number or text."""
    kinds = facts.of(node)
    if kinds:
        return kinds <= IMMUTABLE
    if isinstance(node, cst.Call):
        name = facts.scene.dotted(node.func) or ""
        if name == "sum" and len(node.args) > 1:
            return is_number(facts, node.args[1].value)
        return name.startswith(("math.", "statistics.", "os.path.", "re.")) or name in GIVE_NUMBERS
    if isinstance(node, cst.BinaryOperation):
        return is_number(facts, node.left) and is_number(facts, node.right)
    return isinstance(node, cst.UnaryOperation) and is_number(facts, node.expression)


GIVE_NUMBERS = frozenset({"abs", "divmod", "hash", "max", "min", "pow", "round", "sum", "datetime.timedelta"})


def cannot_raise(facts: Facts, node: cst.CSTNode) -> bool:
    """Whether evaluating early is harmless: sums and products of integers, lengths of builtin containers."""
    match node:
        case cst.Integer():
            return True
        case cst.Name():
            return bool(facts.of(node)) and facts.of(node) <= {"int"}
        case cst.BinaryOperation():
            safe = isinstance(node.operator, cst.Add | cst.Subtract | cst.Multiply)
            return safe and cannot_raise(facts, node.left) and cannot_raise(facts, node.right)
        case cst.Call(args=[argument]) if facts.scene.dotted(node.func) == "len":
            sized = facts.of(argument.value) if isinstance(argument.value, cst.Name) else UNKNOWN
            return bool(sized) and sized <= {"list", "tuple", "dict", "set", "str", "bytes", "frozenset", "range"}
        case _:
            return False
