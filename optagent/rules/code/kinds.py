"""What type a name holds, as far as literals, annotations and observed arguments tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import libcst as cst

from optagent.rules.code.scene import Memo, Scene
from optagent.rules.code.syntax import walk

Kinds = frozenset[str]
UNKNOWN: Kinds = frozenset()
IMMUTABLE = frozenset({"int", "float", "complex", "bool", "str", "bytes", "NoneType", "range"})
TEXT = frozenset({"str", "bytes"})
NUMBERS = frozenset({"int", "float", "bool", "complex"})
# Going through one of these a second time gives the same elements again.
REPEATABLE = frozenset(
    {"list", "tuple", "set", "frozenset", "dict", "str", "bytes", "bytearray", "range", "deque", "Counter"}
    | {"defaultdict", "OrderedDict", "array", "Sequence", "MutableSequence", "Mapping", "Set"}
)
SPELLINGS = {"List": "list", "Tuple": "tuple", "Dict": "dict", "None": "NoneType"}
# What a call of a builtin or a method of text gives.
RESULTS = {
    **dict.fromkeys(("len", "int", "ord", "hash", "struct.calcsize"), "int"),
    **dict.fromkeys(("math.floor", "math.ceil", "math.isqrt", "math.gcd", "math.comb", "math.factorial"), "int"),
    **dict.fromkeys(("any", "all", "isinstance", "callable"), "bool"),
    **{
        name: name
        for name in ("list", "tuple", "set", "dict", "str", "bytes", "float", "bool", "frozenset", "bytearray")
    },
    **dict.fromkeys(("repr", "chr", "format", "ascii", "hex", "bin"), "str"),
    **dict.fromkeys(("struct.pack", "zlib.compress", "os.urandom", "binascii.hexlify"), "bytes"),
    "sorted": "list",
}
FRESH_CALLS = frozenset(
    {
        "list",
        "dict",
        "set",
        "sorted",
        "bytearray",
        "collections.defaultdict",
        "collections.deque",
        "collections.Counter",
    }
    | {"collections.OrderedDict", "array.array"}
)
TEXT_METHODS = frozenset(
    {"encode", "decode", "to_bytes", "join", "format", "lower", "upper", "strip", "lstrip", "rstrip", "replace"}
    | {"title", "capitalize", "center", "ljust", "rjust", "zfill", "removeprefix", "removesuffix"}
)
SPLITTERS = frozenset({"split", "rsplit", "splitlines", "readlines"})


class Facts:
    """Type facts about the names of one scene, each worked out once."""

    def __init__(self, scene: Scene, observed: Mapping[str, frozenset[str]]) -> None:
        self.scene = scene
        self.observed = observed
        self.known: dict[str, Kinds] = {}
        self.unclear: set[str] = set()
        self.memo = Memo()

    def of_name(self, name: str) -> Kinds:
        """Every type the name can hold; empty when any of its bindings is unclear."""
        if name in self.unclear:
            return UNKNOWN
        if name not in self.known:
            self.unclear.add(name)  # names defined through each other stay unclear
            found = self.joined(name)
            if found:
                self.unclear.discard(name)
                self.known[name] = found
            return found
        return self.known[name]

    def joined(self, name: str) -> Kinds:
        """The types of all bindings; one made of the name itself (`xs = xs[1:]`) must keep to those of the others."""
        if not self.scene.is_local(name):
            return UNKNOWN
        stores = [mention.node for mention in self.scene.mentions[name] if mention.stores]
        through_itself = [node for node in stores if self.mentions_itself(node)]
        others = [self.of_binding(node) for node in stores if node not in through_itself]
        first = union(kind for kind in others if kind is not None)
        again = self.assuming(name, first, through_itself)
        if all(kind and (kind <= first or kind | first <= NUMBERS) for kind in again):
            return union([first, *again])
        self.known.clear()  # some may have been worked out from what was not true
        return UNKNOWN

    def assuming(self, name: str, kinds: Kinds, nodes: list[cst.Name]) -> list[Kinds]:
        """What bindings give if the name holds these kinds."""
        if not nodes:
            return []
        self.unclear.discard(name)
        self.known[name] = kinds
        found = [kind for node in nodes if (kind := self.of_binding(node)) is not None]
        self.unclear.add(name)
        return found

    def mentions_itself(self, node: cst.Name) -> bool:
        value = assigned_value(self.scene, node)
        return value is not None and any(
            isinstance(part, cst.Name) and part.value == node.value for part in walk(value)
        )

    def of_binding(self, node: cst.Name) -> Kinds | None:
        """The types one binding gives; None when it only keeps what was there."""
        parent = self.scene.parent[node]
        match parent:
            case cst.Param():
                return self.of_param(parent)
            case cst.AssignTarget():
                whole = self.scene.parent[parent]
                return self.of(whole.value) if isinstance(whole, cst.Assign) else UNKNOWN
            case cst.AnnAssign():
                return annotated(parent.annotation) or (self.of(parent.value) if parent.value else None)
            case cst.NamedExpr():
                return self.of(parent.value)
            case cst.AugAssign():
                return self.of_growth(parent)
            case cst.For() | cst.CompFor() if node is parent.target:
                return self.of_element(parent.iter)
            case cst.Element():
                return self.of_counter(parent)
            case _:
                return UNKNOWN

    def of_counter(self, element: cst.Element) -> Kinds:
        """The `k` of `for k, x in enumerate(xs)`."""
        whole = self.scene.parent[element]
        loop = self.scene.parent.get(whole)
        if isinstance(whole, cst.Tuple) and whole.elements[0] is element and isinstance(loop, cst.For | cst.CompFor):
            counts = isinstance(loop.iter, cst.Call) and self.scene.dotted(loop.iter.func) == "enumerate"
            return frozenset({"int"}) if counts and whole is loop.target else UNKNOWN
        return UNKNOWN

    def of_param(self, param: cst.Param) -> Kinds:
        if self.scene.in_closure(param):
            return UNKNOWN
        if param.star in ("*", "**"):
            return frozenset({"tuple" if param.star == "*" else "dict"})
        if seen := self.observed.get(param.name.value, UNKNOWN):
            # `str | list[str]` stays both, though only lists were seen.
            return frozenset(name.removeprefix("builtins.") for name in seen) | (annotated(param.annotation) & TEXT)
        # `xs: list = None` is what people write for an optional list.
        absent = isinstance(param.default, cst.Name) and param.default.value == "None"
        return UNKNOWN if absent else annotated(param.annotation)

    def of_growth(self, node: cst.AugAssign) -> Kinds | None:
        """`x += y` keeps the type of text and lists; a number stays one if the other is one."""
        kind = self.of(node.value)
        if kind and kind <= {"str", "bytes", "list", "tuple"} and isinstance(node.operator, cst.AddAssign):
            return None
        if kind and kind <= {"int", "float"} and not isinstance(node.operator, cst.DivideAssign | cst.PowerAssign):
            return kind
        return frozenset({"float"}) if kind and kind <= {"int", "float"} else UNKNOWN

    def of_element(self, iterable: cst.BaseExpression) -> Kinds:
        if isinstance(iterable, cst.Call) and self.scene.dotted(iterable.func) == "range":
            return frozenset({"int"})
        return frozenset({"str"}) if self.of(iterable) == {"str"} else UNKNOWN

    def of(self, node: cst.BaseExpression) -> Kinds:
        match node:
            case cst.Name():
                return self.of_constant(node)
            case cst.Call():
                return self.of_call(node)
            case cst.BinaryOperation():
                return self.of_arithmetic(node)
            case cst.IfExp():
                return union([self.of(node.body), self.of(node.orelse)])
            case cst.NamedExpr():
                return self.of(node.value)
            case cst.UnaryOperation():
                numbers = self.of(node.expression)
                return numbers if numbers <= NUMBERS else UNKNOWN
            case cst.Subscript():
                return self.of_subscript(node)
            case cst.SimpleString() | cst.ConcatenatedString():
                return frozenset({text_kind(node)})
            case _:
                return frozenset(name for name, types in LITERALS.items() if isinstance(node, types))

    def of_constant(self, node: cst.Name) -> Kinds:
        if node.value in ("True", "False"):
            return frozenset({"bool"})
        if node.value == "None":
            return frozenset({"NoneType"})
        outer = self.scene.constant(node.value)
        if isinstance(outer, cst.SimpleString | cst.ConcatenatedString | cst.Integer | cst.Float):
            return self.of(outer)  # a literal only: what a module computes may be shared and changed
        return self.of_name(node.value)

    def of_call(self, node: cst.Call) -> Kinds:
        name = self.scene.dotted(node.func)
        if name in RESULTS:
            return frozenset({RESULTS[name]})
        if name is not None and name.startswith("math."):
            return frozenset({"float"})
        if isinstance(node.func, cst.Attribute) and node.func.attr.value in SPLITTERS:
            return frozenset({"list"})
        if isinstance(node.func, cst.Attribute) and node.func.attr.value in TEXT_METHODS:
            return self.of_text_method(node.func)
        if name in FRESH_CALLS:
            return frozenset({name.rsplit(".", 1)[-1]})
        return UNKNOWN

    def of_text_method(self, method: cst.Attribute) -> Kinds:
        """`text.encode()` of what is known to be text, and the methods that give back what they are called on."""
        kinds = self.of(method.value)
        if kinds == {"str"} and method.attr.value == "encode":
            return frozenset({"bytes"})
        if kinds == {"bytes"} and method.attr.value == "decode":
            return frozenset({"str"})
        if kinds == {"int"} and method.attr.value == "to_bytes":
            return frozenset({"bytes"})
        same = method.attr.value not in ("encode", "decode", "to_bytes")
        return kinds if same and (kinds in ({"str"}, {"bytes"})) else UNKNOWN

    def of_arithmetic(self, node: cst.BinaryOperation) -> Kinds:
        left, right = self.of(node.left), self.of(node.right)
        if isinstance(node.operator, cst.Multiply) and left and left <= {"list", "tuple", "str", "bytes"}:
            return left
        if isinstance(node.operator, cst.Modulo) and left == {"str"}:
            return left
        if isinstance(node.operator, cst.Add) and left and left == right and left <= {"list", "tuple", "str", "bytes"}:
            return left
        if not left or not right or not (left | right) <= {"int", "float", "bool"}:
            return UNKNOWN
        if isinstance(node.operator, cst.Divide) or "float" in left | right:
            return frozenset({"float"})
        whole = cst.Add | cst.Subtract | cst.Multiply | cst.FloorDivide | cst.Modulo
        return frozenset({"int"}) if isinstance(node.operator, whole) else frozenset({"int", "float"})

    def of_subscript(self, node: cst.Subscript) -> Kinds:
        kinds = self.of(node.value)
        sliced = len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Slice)
        return kinds if (sliced and kinds <= {"list", "tuple", "str", "bytes"}) or kinds == {"str"} else UNKNOWN

    def is_new(self, node: cst.BaseExpression) -> bool:
        """Whether the value is an object nobody else can hold yet."""
        if isinstance(node, (cst.List, cst.ListComp, cst.Dict, cst.DictComp, cst.Set, cst.SetComp)):
            return True
        if isinstance(node, cst.BinaryOperation | cst.Subscript):
            return bool(self.of(node)) and self.of(node) <= {"list", "str", "bytes"}
        splits = isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and self.of_call(node) == {"list"}
        return splits or (isinstance(node, cst.Call) and self.scene.dotted(node.func) in FRESH_CALLS)

    def is_own(self, name: str) -> bool:
        """Whether every object the name ever holds was made in this function, or cannot be changed."""
        if not self.scene.is_local(name) or name in self.scene.params:
            return False
        return all(self.is_own_binding(mention.node) for mention in self.scene.mentions[name] if mention.stores)

    def is_own_binding(self, node: cst.Name) -> bool:
        parent = self.scene.parent[node]
        if isinstance(parent, cst.AugAssign):
            return True
        value = assigned_value(self.scene, node)
        if value is None:
            return False
        kinds = self.of(value)
        return self.is_new(value) or (bool(kinds) and kinds <= IMMUTABLE)


LITERALS: dict[str, tuple[type[cst.CSTNode], ...]] = {
    "list": (cst.List, cst.ListComp),
    "tuple": (cst.Tuple,),
    "set": (cst.Set, cst.SetComp),
    "dict": (cst.Dict, cst.DictComp),
    "int": (cst.Integer,),
    "float": (cst.Float,),
    "str": (cst.FormattedString,),
}


def union(parts: Iterable[Kinds]) -> Kinds:
    """All kinds together; empty as soon as one part is."""
    found = list(parts)
    return frozenset().union(*found) if found and all(found) else UNKNOWN


def text_kind(node: cst.SimpleString | cst.ConcatenatedString) -> str:
    while isinstance(node, cst.ConcatenatedString):
        if not isinstance(node.left, cst.SimpleString):
            return "str"
        node = node.left
    return "bytes" if "b" in node.prefix.lower() else "str"


def annotated(annotation: cst.Annotation | None) -> Kinds:
    """The types an annotation names: `list[int]`, `typing.List`, `int | float`; empty when it is any other."""
    return kinds_in(annotation.annotation) if annotation else UNKNOWN


def kinds_in(node: cst.BaseExpression) -> Kinds:
    if isinstance(node, cst.SimpleString) and text_kind(node) == "str":
        try:
            return kinds_in(cst.parse_expression(node.raw_value))
        except cst.ParserSyntaxError:
            return UNKNOWN
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.BitOr):
        return union([kinds_in(node.left), kinds_in(node.right)])
    base = node.value if isinstance(node, cst.Subscript) else node
    word = base.attr if isinstance(base, cst.Attribute) else base
    name = word.value if isinstance(word, cst.Name) else ""
    name = SPELLINGS.get(name, name)
    return frozenset({name}) if name in REPEATABLE | IMMUTABLE else UNKNOWN


def assigned_value(scene: Scene, node: cst.Name) -> cst.BaseExpression | None:
    """The value a plain assignment binds this name to, and no other name."""
    parent = scene.parent[node]
    if isinstance(parent, cst.AnnAssign):
        return parent.value
    if isinstance(parent, cst.AssignTarget):
        whole = scene.parent[parent]
        return whole.value if isinstance(whole, cst.Assign) and len(whole.targets) == 1 else None
    return None
