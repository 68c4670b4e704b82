"""What one mention of a name does to the object behind it: reads, tests, grows, changes it, or hands it away."""

from __future__ import annotations

from enum import Enum, auto

import libcst as cst

from optagent.rules.code.scene import Mention, Scene


class Use(Enum):
    READ = auto()
    TEST = auto()
    APPEND = auto()
    CHANGE = auto()
    ESCAPE = auto()


# Builtins that look at an argument, or copy its elements, and forget it.
READERS = frozenset(
    {"all", "any", "bool", "bytes", "dict", "enumerate", "float", "frozenset", "hash", "id", "int", "isinstance", "len"}
    | {
        "list",
        "max",
        "min",
        "print",
        "range",
        "repr",
        "reversed",
        "set",
        "sorted",
        "str",
        "sum",
        "tuple",
        "type",
        "zip",
    }
    | {
        "abs",
        "divmod",
        "filter",
        "format",
        "map",
        "ord",
        "pow",
        "round",
        "callable",
        "math.fsum",
        "math.prod",
        "collections.Counter",
    }
)
READING_METHODS = frozenset({"copy", "count", "index", "get", "items", "keys", "values"})
# Methods of other objects that copy the elements of their argument.
COPYING_METHODS = frozenset(
    {"join", "extend", "update", "union", "intersection", "difference", "issubset", "issuperset", "isdisjoint"}
    | {"startswith", "endswith", "format", "fromkeys", "most_common", "writelines"}
)
MUTATORS = frozenset(
    {"add", "append", "appendleft", "clear", "discard", "extend", "extendleft", "fill", "insert", "pop", "popitem"}
    | {"popleft", "push", "put", "remove", "resize", "reverse", "rotate", "setdefault", "shuffle", "sort", "update"}
    | {"difference_update", "intersection_update", "symmetric_difference_update", "heappush", "heappop", "subtract"}
)


def use_of(scene: Scene, mention: Mention) -> Use:
    """The use one mention makes of its object. A closure may run at any time, so there only reads count as reads."""
    if mention.stores:
        return Use.CHANGE
    use = flow(scene, mention.node)
    if scene.in_closure(mention.node) and isinstance(scene.parent[mention.node], cst.Return):
        return Use.ESCAPE
    return use


def flow(scene: Scene, node: cst.CSTNode) -> Use:
    """Where the value of an expression goes."""
    parent = scene.parent[node]
    match parent:
        case cst.ComparisonTarget():
            return Use.TEST if is_test(scene, parent, node) else Use.READ
        case cst.Subscript():
            return Use.CHANGE if parent in scene.stored else Use.READ
        case cst.Attribute():
            return method_use(scene, parent)
        case cst.Arg():
            return argument_use(scene, parent)
        case cst.Assign():
            return Use.READ if unpacks(parent) else Use.ESCAPE
        case cst.IfExp() if node is parent.test:
            return Use.READ
        case cst.BooleanOperation() | cst.IfExp() | cst.Tuple():
            return flow(scene, parent)
        case cst.Element() if isinstance(scene.parent[parent], cst.Tuple):
            return Use.READ if isinstance(scene.parent[scene.parent[parent]], cst.Return) else Use.ESCAPE
        case _:
            return Use.READ if isinstance(parent, PLAIN_READS) else Use.ESCAPE


PLAIN_READS = (
    *(cst.Comparison, cst.BinaryOperation, cst.UnaryOperation, cst.FormattedStringExpression, cst.StarredElement),
    *(cst.For, cst.CompFor, cst.CompIf, cst.If, cst.While, cst.Assert, cst.Return, cst.Expr, cst.Index, cst.Slice),
    cst.AugAssign,
)


def is_test(scene: Scene, target: cst.ComparisonTarget, node: cst.CSTNode) -> bool:
    """Whether the node is the right side of a lone `in` or `not in`."""
    whole = scene.parent[target]
    alone = isinstance(whole, cst.Comparison) and len(whole.comparisons) == 1
    return alone and node is target.comparator and isinstance(target.operator, cst.In | cst.NotIn)


def unpacks(node: cst.Assign) -> bool:
    return all(isinstance(target.target, cst.Tuple | cst.List) for target in node.targets)


def method_use(scene: Scene, attribute: cst.Attribute) -> Use:
    call = scene.parent[attribute]
    if not isinstance(call, cst.Call) or call.func is not attribute:
        return Use.CHANGE if attribute in scene.stored else Use.ESCAPE
    if attribute.attr.value in READING_METHODS:
        return Use.READ
    return Use.APPEND if is_append(scene, call, attribute.attr.value) else Use.CHANGE


def is_append(scene: Scene, call: cst.Call, method: str) -> bool:
    """Whether a call is the statement `name.append(value)`."""
    plain = len(call.args) == 1 and not call.args[0].star and call.args[0].keyword is None
    return method == "append" and plain and isinstance(scene.parent[call], cst.Expr)


def argument_use(scene: Scene, argument: cst.Arg) -> Use:
    call = scene.parent[argument]
    if not isinstance(call, cst.Call):
        return Use.ESCAPE
    if argument.star == "*" or scene.dotted(call.func) in READERS:
        return Use.READ
    copies = isinstance(call.func, cst.Attribute) and call.func.attr.value in COPYING_METHODS
    return Use.READ if copies and not argument.keyword else Use.ESCAPE
