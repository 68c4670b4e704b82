"""The canonical encoding of what a call left behind: data only, type-exact, the same bytes for the same value.

Runs in the target's interpreter: standard library only. The result is JSON text, so that the referee can read
it without trusting it. Scalars that JSON keeps apart stand for themselves (None, bool, str, small int);
everything else is a list that begins with a tag:

    ["i", hex]  int beyond 53 bits     ["f", hex]  float              ["c", hex, hex]  complex
    ["b", hex]  bytes                  ["y", hex]  bytearray          ["e"]  Ellipsis
    ["l", ...]  list                   ["t", ...]  tuple              ["d", [key, value], ...]  dict, in order
    ["s", ...]  set, sorted            ["z", ...]  frozenset, sorted  ["r", n]  the n-th mutable container again
    ["g", start, stop, step]  range    ["x", type, args, text, state]  exception
    ["I", kind, ending, ...]  iterator, drained (optagent_iterate)
    ["o", type, content, state]  object (optagent_objects, with the tags for functions, classes and arrays)

A mutable container that occurs twice is a reference the second time: who mutates one sees the other, so an
alias and a copy are not the same. Whatever has no tag is named in CannotEncode, never silently equal.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

EXACT_INT = 1 << 53
MAX_DEPTH = 400
MAX_PARTS = 3_000_000
TOO_DEEP = f"something nested deeper than {MAX_DEPTH} levels"
TOO_LARGE = f"something of more than {MAX_PARTS} parts"
ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]+")
# Text stands as UTF-8: with \\u escapes two lone surrogates would read like the one character they might stand for.
in_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class CannotEncode(Exception):
    """A value without a canonical form; the message names its type."""


class Circular(Exception):
    """An object with a value of its own that holds itself: objects of its class have to be told apart after all."""

    def __init__(self, kind: type) -> None:
        super().__init__(kind)
        self.kind = kind


def encode(value: Any) -> bytes:
    """Canonical bytes of one value. Raises CannotEncode."""
    shared = Shared()
    while True:
        try:
            return in_json(Encoder(shared).tree(value, 0)).encode("utf-8", "surrogatepass")
        except Circular as found:
            shared.circular.append(found.kind)
        except RecursionError:  # the interpreter's own limit may come before ours
            raise CannotEncode(TOO_DEEP) from None


class Shared:
    """What several looks at one value have in common: classes whose objects are numbered although they have a value of
    their own, and what iterators gave when they were drained, which they do once only."""

    def __init__(self) -> None:
        self.circular: list[type] = []
        self.drained: dict[int, tuple[Any, Any]] = {}


class Encoder:
    """Holds the mutable containers met so far, in the order met."""

    def __init__(self, shared: Shared | None = None) -> None:
        self.seen: dict[int, int] = {}
        self.kept: list[Any] = []  # keeps them alive, so that no id is used twice
        self.open: set[int] = set()
        self.parts = 0
        self.shared = shared or Shared()

    def tree(self, value: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise CannotEncode(TOO_DEEP)
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise CannotEncode(TOO_LARGE)
        encoder = TABLE.get(id(type(value)))
        if encoder is not None:
            return encoder(self, value, depth + 1)
        if issubclass(type(value), BaseException):
            return self.exception(value, depth)
        return OTHERWISE[0](self, value, depth + 1)

    def first_visit(self, value: Any) -> Any:
        """None the first time a container is met, its reference afterwards."""
        number = self.seen.get(id(value))
        if number is not None:
            return ["r", number]
        self.seen[id(value)] = len(self.seen)
        self.kept.append(value)
        return None

    def scalar(self, value: Any, depth: int) -> Any:
        return value

    def integer(self, value: int, depth: int) -> Any:
        return value if -EXACT_INT < value < EXACT_INT else ["i", f"{value:x}"]

    def float(self, value: Any, depth: int) -> Any:
        return ["f", value.hex()]

    def complex(self, value: Any, depth: int) -> Any:
        return ["c", value.real.hex(), value.imag.hex()]

    def bytes(self, value: Any, depth: int) -> Any:
        return ["b", value.hex()]

    def bytearray(self, value: Any, depth: int) -> Any:
        return self.first_visit(value) or ["y", value.hex()]

    def ellipsis(self, value: Any, depth: int) -> Any:
        return ["e"]

    def range(self, value: Any, depth: int) -> Any:
        return ["g", *[self.integer(part, depth) for part in (value.start, value.stop, value.step)]]

    def tuple(self, value: Any, depth: int) -> Any:
        return ["t", *self.items(value, depth)]

    def list(self, value: Any, depth: int) -> Any:
        return self.first_visit(value) or ["l", *self.items(value, depth)]

    def dict(self, value: Any, depth: int) -> Any:
        known = self.first_visit(value)
        if known:
            return known
        keys = self.simple(value)
        if keys is not None:
            return ["d", *map(list, zip(keys, self.items(value.values(), depth), strict=True))]
        return ["d", *[[self.tree(k, depth), self.tree(v, depth)] for k, v in value.items()]]

    def items(self, values: Collection[Any], depth: int) -> Any:
        """Each as encoded, in order."""
        found = self.simple(values)
        return [self.tree(one, depth) for one in values] if found is None else found

    def simple(self, values: Collection[Any]) -> Any:
        """The same for many values of plain types, without a look at each; None where there are others, or few."""
        if len(values) < MANY:
            return None
        kinds = set(map(id, map(type, values)))  # not the types themselves: a metaclass may say that it equals int
        if not kinds <= SIMPLE:
            return None
        if id(float) in kinds and len(kinds) > 1:
            return None
        self.parts += len(values)
        if self.parts > MAX_PARTS:
            raise CannotEncode(TOO_LARGE)
        if kinds == {id(float)}:
            return [["f", one] for one in map(float.hex, values)]
        if kinds == {id(int)}:
            exact = min(values) > -EXACT_INT and max(values) < EXACT_INT
        else:
            exact = id(int) not in kinds or all(type(one) is not int or -EXACT_INT < one < EXACT_INT for one in values)
        return values if exact else [self.integer(one, 0) if type(one) is int else one for one in values]

    def frozenset(self, value: Any, depth: int) -> Any:
        return ["z", *self.members(value, depth)]

    def set(self, value: Any, depth: int) -> Any:
        return self.first_visit(value) or ["s", *self.members(value, depth)]

    def members(self, value: Collection[Any], depth: int) -> Any:
        """Elements sorted by their encoding: a set has no order to compare. Mutable ones are numbered in that
        order, not in the one in which the set happens to give them."""
        if all(type(one) in NEVER_NUMBERED for one in value):
            return sorted((self.tree(one, depth) for one in value), key=in_json)
        ordered = sorted(value, key=lambda one: in_json(self.apart().tree(one, depth)))
        return [self.tree(one, depth) for one in ordered]

    def apart(self) -> Encoder:
        """An encoder that knows what this one has met, and keeps what it meets to itself."""
        other = type(self)(self.shared)
        other.open.update(self.open)
        other.seen.update(self.seen)
        other.parts = self.parts
        return other

    def exception(self, error: BaseException, depth: int) -> Any:
        name = type_name(type(error))
        try:
            args, text = BaseException.args.__get__(error), str(error)  # type: ignore[attr-defined]
        except Exception:  # noqa: BLE001 - code of the target's: what it raises says nothing about us
            raise CannotEncode(f"{name}, whose text cannot be made") from None
        known = self.first_visit(error)
        if known:
            return known
        args = tuple(ADDRESS.sub("at 0x", one) if type(one) is str else one for one in args)
        state = sorted(ATTRIBUTES[0](error), key=lambda pair: pair[0])
        named = [[key, self.tree(one, depth + 1)] for key, one in state]
        return ["x", name, self.tree(args, depth + 1), ADDRESS.sub("at 0x", text), *named]


NEVER_NUMBERED = frozenset({type(None), bool, str, int, float, complex, bytes})
ENCODERS: dict[type, Callable[[Encoder, Any, int], Any]] = {
    type(None): Encoder.scalar,
    bool: Encoder.scalar,
    str: Encoder.scalar,
    int: Encoder.integer,
    float: Encoder.float,
    complex: Encoder.complex,
    bytes: Encoder.bytes,
    bytearray: Encoder.bytearray,
    type(Ellipsis): Encoder.ellipsis,
    range: Encoder.range,
    tuple: Encoder.tuple,
    list: Encoder.list,
    dict: Encoder.dict,
    frozenset: Encoder.frozenset,
    set: Encoder.set,
}
# by identity: a metaclass may claim to be equal to any of them
MANY = 16
SIMPLE = frozenset(map(id, (type(None), bool, int, float, str)))
TABLE = {id(kind): encoder for kind, encoder in ENCODERS.items()}


def unknown(encoder: Encoder, value: Any, depth: int) -> Any:
    raise CannotEncode(type_name(type(value)))


OTHERWISE: list[Callable[[Encoder, Any, int], Any]] = [unknown]
"""What encodes a value of a type that is not in the table; optagent_objects puts itself here."""


ATTRIBUTES: list[Callable[[Any], Any]] = [lambda error: vars(error).items()]
"""The attributes of an exception; optagent_objects puts here what also looks into slots."""


def register(kind: type, encoder: Callable[[Encoder, Any, int], Any]) -> None:
    """Values of exactly that type are encoded so from now on."""
    ENCODERS[kind] = encoder  # keeps the type alive: its id is the key below
    TABLE[id(kind)] = encoder


def type_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
