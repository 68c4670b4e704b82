"""The canonical encoding of what a call left behind: data only, type-exact, the same bytes for the same value.

Runs in the target's interpreter: standard library only. The result is JSON text, so that the referee can read
it without trusting it. Scalars that JSON keeps apart stand for themselves (None, bool, str, small int);
everything else is a list that begins with a tag:

    ["i", hex]  int beyond 53 bits     ["f", hex]  float              ["c", hex, hex]  complex
    ["b", hex]  bytes                  ["y", hex]  bytearray          ["e"]  Ellipsis
    ["l", ...]  list                   ["t", ...]  tuple              ["d", [key, value], ...]  dict, in order
    ["s", ...]  set, sorted            ["z", ...]  frozenset, sorted  ["r", n]  the n-th mutable container again
    ["g", start, stop, step]  range    ["x", type, args, text]  exception

A mutable container that occurs twice is a reference the second time: who mutates one sees the other, so an
alias and a copy are not the same. Whatever has no tag is named in CannotEncode, never silently equal.
"""

import json

EXACT_INT = 1 << 53
MAX_DEPTH = 400


class CannotEncode(Exception):
    """A value without a canonical form; the message names its type."""


def encode(value):
    """Canonical bytes of one value. Raises CannotEncode."""
    return json.dumps(Encoder().tree(value, 0), separators=(",", ":")).encode("ascii")


class Encoder:
    """Holds the mutable containers met so far, in the order met."""

    def __init__(self):
        self.seen = {}
        self.kept = []  # keeps them alive, so that no id is used twice

    def tree(self, value, depth):
        if depth > MAX_DEPTH:
            raise CannotEncode("something nested deeper than %d levels" % MAX_DEPTH)
        if issubclass(type(value), BaseException):
            return self.exception(value, depth)
        encoder = TABLE.get(type(value))
        if encoder is None:
            raise CannotEncode(type_name(type(value)))
        return encoder(self, value, depth + 1)

    def first_visit(self, value):
        """None the first time a container is met, its reference afterwards."""
        number = self.seen.get(id(value))
        if number is not None:
            return ["r", number]
        self.seen[id(value)] = len(self.seen)
        self.kept.append(value)
        return None

    def scalar(self, value, depth):
        return value

    def integer(self, value, depth):
        return value if -EXACT_INT < value < EXACT_INT else ["i", "%x" % value]

    def float(self, value, depth):
        return ["f", value.hex()]

    def complex(self, value, depth):
        return ["c", value.real.hex(), value.imag.hex()]

    def bytes(self, value, depth):
        return ["b", value.hex()]

    def bytearray(self, value, depth):
        return self.first_visit(value) or ["y", value.hex()]

    def ellipsis(self, value, depth):
        return ["e"]

    def range(self, value, depth):
        return ["g", *[self.integer(part, depth) for part in (value.start, value.stop, value.step)]]

    def tuple(self, value, depth):
        return ["t", *[self.tree(one, depth) for one in value]]

    def list(self, value, depth):
        return self.first_visit(value) or ["l", *[self.tree(one, depth) for one in value]]

    def dict(self, value, depth):
        known = self.first_visit(value)
        return known or ["d", *[[self.tree(k, depth), self.tree(v, depth)] for k, v in value.items()]]

    def frozenset(self, value, depth):
        return ["z", *self.members(value, depth)]

    def set(self, value, depth):
        return self.first_visit(value) or ["s", *self.members(value, depth)]

    def members(self, value, depth):
        """Elements sorted by their encoding: a set has no order to compare."""
        return sorted((self.tree(one, depth) for one in value), key=json.dumps)

    def exception(self, error, depth):
        return ["x", type_name(type(error)), self.tree(tuple(error.args), depth + 1), str(error)]


TABLE = {
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


def type_name(kind):
    return "%s.%s" % (kind.__module__, kind.__qualname__)
