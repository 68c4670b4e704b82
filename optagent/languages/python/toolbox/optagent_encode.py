"""The canonical encoding of what a call left behind: data only, type-exact, the same bytes for the same value.

Runs in the target's interpreter: standard library only. The result is a line of JSON text, so that the referee can read
it without trusting it. Scalars that JSON keeps apart stand for themselves (None, bool, str, small int); everything else
is a list that begins with a tag:

    ["i", hex]  int beyond 53 bits     ["f", hex]  float              ["c", hex, hex]  complex
    ["b", hex]  bytes                  ["y", hex]  bytearray          ["e"]  Ellipsis
    ["l", ...]  list                   ["t", ...]  tuple              ["d", [key, value], ...]  dict, in order
    ["s", ...]  set, sorted            ["z", ...]  frozenset, sorted  ["r", n]  the n-th one again (see below)
    ["g", start, stop, step]  range    ["x", type, args, text, state]  exception
    ["I", kind, ending, ...]  iterator, drained (optagent_iterate)
    ["o", type, content, state]  object (optagent_objects, with the tags for functions, classes and arrays)
    ["p", parts, k]  the k-th packed value
    ["S", parts, k], ["Z", parts, k], ["Y", 1, k]  set, frozenset, bytearray with the content of that list or bytes
    ["SZ", parts, k], ["ZZ", parts, k]  set, frozenset of frozensets: a list of tuples with their members
    ["C", tag, row, names, parts, k]  list or tuple of rows (row: ["t"], ["d"] or ["o", type]) with these columns;
              where the row is ["e", member, ...], of members of an enum by their numbers among these
    ["D", tag, length, first, step, items]  list, tuple or dict of which only these items are encoded
    ["H", tag, length, hash, ...]  set or frozenset by the hashes of its members, and perhaps their kinds by level
    ["-"]  attribute that was not drawn

Packed values follow the line, one after the other, as `marshal` writes them (version 2, read by core/packed.py): a long
text or bytes, a large list, tuple or dict that holds plain values all the way down, a large set of ints, of texts, of
plain tuples or of sets of ints or texts, or the columns of a long list or tuple: of tuples of one length, dicts with
the same keys or objects with the same attributes, all of plain values.

A mutable container that occurs twice is a reference the second time: who mutates one sees the other, so an
alias and a copy are not the same. So is a member of an enum, to be short. Whatever has no tag is named in CannotEncode,
never silently equal.

Where encoding costs more than the calls that are checked, most checks look at a drawn part
(docs/decisions/0036-drawn-items.md): at one in `step` items of a container, or at one of its items and, of what that
holds, at so many fewer as `step` is more than the number of items.
"""

from __future__ import annotations

import itertools
import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from optagent_plain import (
    MAX_DEPTH,
    SCALARS,
    SORTABLE,
    by_key,
    columns_spread,
    drawn_pairs,
    in_one_piece,
    is_of,
    keys_of,
    kinds_hashed,
    sorted_sets,
    spread,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

EXACT_INT = 1 << 53
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


def encode(value: Any, drawn: tuple[int, int] | None = None, known: Known | None = None) -> bytes:
    """Canonical bytes of one value; with `drawn` (any number, step), of about one part in `step` of what it holds (1:
    of all), and of large sets of text, numbers, tuples and frozensets by what they hash. `known` may be shared by
    values that are encoded one right after the other. Raises CannotEncode."""
    shared = Shared(known)
    while True:
        try:
            encoder = Encoder(shared, drawn)
            line = in_json(encoder.tree(value, 0)).encode("utf-8", "surrogatepass")
            shared.known.met = encoder.kept
            shared.known.viewed = [one for one in encoder.viewed if id(one) in encoder.seen]
            return b"\n".join((line, b"".join(encoder.blobs))) if encoder.blobs else line
        except Circular as found:
            shared.circular.append(found.kind)
        except RecursionError:  # the interpreter's own limit may come before ours
            raise CannotEncode(TOO_DEEP) from None


class Known:
    """What the results of several calls have in common: classes by id, and iterators by id with what they gave when
    they were drained, which they do once only, and in which `call` that was. Of the value that was encoded last, `met`
    are the containers and objects and what views in it are of, and `viewed` those of the latter that it holds, too."""

    def __init__(self) -> None:
        self.met: list[Any] = []
        self.viewed: list[Any] = []
        self.shapes: dict[int, Any] = {}
        self.drains: dict[int, tuple[Any, Any, int]] = {}
        self.call = 0


class Shared:
    """What several looks at one value have in common: what is known besides, and classes whose objects are numbered
    although they have a value of their own."""

    def __init__(self, known: Known | None = None) -> None:
        self.known = known or Known()
        self.shapes = self.known.shapes
        self.circular: list[type] = []


class Encoder:
    """Holds the mutable containers met so far, in the order met."""

    most_packed = MAX_PARTS

    def __init__(self, shared: Shared | None = None, drawn: tuple[int, int] | None = None) -> None:
        self.number, self.step = drawn or (0, 1)  # what is left to draw by, on the way down
        self.by_hashes = drawn is not None
        self.seen: dict[int, int] = {}
        self.kept: list[Any] = []  # keeps them alive, so that no id is used twice
        self.viewed: list[Any] = []
        self.open: set[int] = set()
        self.parts = 0
        self.blobs: list[bytes] = []
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
        if id(value) in self.seen:  # and kept, so that it is no other
            return self.first_visit(value)
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

    def views(self, values: list[Any]) -> None:
        """What is being encoded shows what is in these, and changes with them."""
        self.viewed += values
        self.kept += values

    def scalar(self, value: Any, depth: int) -> Any:
        return value

    def text(self, value: Any, depth: int) -> Any:
        return self.blob("p", value) if self.is_long(value) else value

    def is_long(self, value: Any) -> bool:
        return len(value) >= LONG and self.most_packed > 0

    def blob(self, tag: str, value: Any, parts: int = 1) -> Any:
        """A value packed. Raises ValueError for what is not plain."""
        self.blobs.append(in_one_piece(value))
        return [tag, parts, len(self.blobs) - 1]

    def integer(self, value: int, depth: int) -> Any:
        return value if -EXACT_INT < value < EXACT_INT else ["i", f"{value:x}"]

    def float(self, value: Any, depth: int) -> Any:
        return ["f", value.hex()]

    def complex(self, value: Any, depth: int) -> Any:
        return ["c", value.real.hex(), value.imag.hex()]

    def bytes(self, value: Any, depth: int) -> Any:
        return self.blob("p", value) if self.is_long(value) else ["b", value.hex()]

    def bytearray(self, value: Any, depth: int) -> Any:
        known = self.first_visit(value)
        return known or (self.blob("Y", bytes(value)) if self.is_long(value) else ["y", value.hex()])

    def ellipsis(self, value: Any, depth: int) -> Any:
        return ["e"]

    def range(self, value: Any, depth: int) -> Any:
        return ["g", *[self.integer(part, depth) for part in (value.start, value.stop, value.step)]]

    def tuple(self, value: Any, depth: int) -> Any:
        known = self.some("t", value, depth) or self.table("t", value, depth) or self.packed(value, depth)
        return known or ["t", *[self.tree(one, depth) for one in value]]

    def list(self, value: Any, depth: int) -> Any:
        known = self.first_visit(value) or self.some("l", value, depth)
        known = known or self.table("l", value, depth) or self.packed(value, depth)
        return known or ["l", *[self.tree(one, depth) for one in value]]

    def dict(self, value: Any, depth: int) -> Any:
        known = self.first_visit(value) or self.some("d", value, depth) or self.packed(value, depth)
        return known or ["d", *[[self.tree(k, depth), self.tree(v, depth)] for k, v in value.items()]]

    def some(self, tag: str, value: Any, depth: int) -> Any:
        """A container by the items that were drawn, one at least; None where all are to be looked at, as in the list
        of what a call left (outcome, result, arguments)."""
        if self.step == 1 or len(value) < 2 or depth == 1:
            return None
        with self.drawing(len(value)) as (first, step):
            items = drawn_pairs(value, first, step) if tag == "d" else value[first::step]
            if tag == "d" and self.step > 1:  # a pair is no container to draw from
                shown: Any = ["l", *[["t", self.tree(k, depth), self.tree(v, depth)] for k, v in items]]
            else:
                shown = self.tree(items, depth - 1)
            return ["D", tag, len(value), first, step, shown]

    def digest(self, tag: str, value: Any) -> Any:
        """A large set of text, numbers or tuples and sets of these, where a part is to be looked at, by the hashes that
        it keeps of its members: such ones are what they hash, and both sides hash them alike. Where nothing is left to
        draw, all are looked at as to whether they are such, and which kinds there are is told."""
        if not self.by_hashes or len(value) < MANY:
            return None
        kinds = kinds_hashed(list(value) if self.step == 1 else self.neighbours(value), PACKED_DEPTH)
        told = kinds if self.step == 1 else []  # of some not, since the other side may have another order
        return ["H", tag, len(value), hash(frozenset(value)), *told] if kinds else None

    def neighbours(self, value: Any) -> Any:
        """One in `step` members of a set, which stand together from a place that is drawn: to go to it takes as long as
        all the rest, so that two of three looks are at the first member alone."""
        turn, first = divmod(self.number, len(value))
        if turn % NEIGHBOURS_EVERY:
            return [next(iter(value))]
        some = -(-len(value) // self.step)
        found = [*itertools.islice(value, first, first + some)]
        return [*found, *itertools.islice(value, some - len(found))]

    @contextmanager
    def drawing(self, items: int) -> Iterator[Any]:
        """The first of so many items to look at and the step from one to the next; less is left to draw by inside."""
        kept = self.number, self.step
        step = min(self.step, items)
        self.number, first = divmod(self.number, step)
        self.step //= step
        try:
            yield first, step
        finally:
            self.number, self.step = kept

    def packed(self, value: Any, depth: int) -> Any:
        """A large container of plain values as one piece, its mutable parts counted as met; None where it is none.

        Two values are written alike only where they are alike: numbers with their exact type, floats by their bits
        (none is NaN, which has many), and no container that could be an alias of another. What `marshal` writes for an
        object with a buffer is what it writes for bytes, and so no plain value holds bytes.
        """
        if not MANY <= len(value) <= self.most_packed - self.parts or depth > PACKED_DEPTH:
            return None
        try:
            parts, inner = spread(value, self.most_packed - self.parts)
            if not parts or not self.seen.keys().isdisjoint(map(id, inner)):
                return None
            found = self.blob("p", value, parts)
        except (TypeError, ValueError):  # a class of the target's that is like none of Python's
            return None
        self.parts += parts
        self.kept.extend(inner)
        self.seen.update(zip(map(id, inner), itertools.count(len(self.seen))))
        return found

    def table(self, tag: str, value: Any, depth: int) -> Any:
        """A long list or tuple of rows of one kind column by column as one piece, in a fraction of the time that
        they take one by one; None where it is none. Its rows are counted as met, then what its columns hold."""
        most = self.most_packed - self.parts
        if not MANY <= len(value) <= most or depth > PACKED_DEPTH or id(type(value[0])) in NO_ROWS:
            return None
        try:
            rows = rows_of(self, value, most)
            if rows is None:
                return None
            parts, met = columns_spread(rows.columns, most - len(value))
            numbered = [*value, *met] if rows.are_numbered else met
            ids = list(map(id, numbered))
            if not parts or len(set(ids)) != len(ids) or not self.seen.keys().isdisjoint(ids):
                return None
            parts += len(value)
            self.blobs.append(in_one_piece(rows.columns))
        except (TypeError, ValueError, LookupError, AttributeError):  # as in `packed`, or for want of a column
            return None
        self.parts += parts
        self.kept.extend(numbered)
        self.seen.update(zip(ids, itertools.count(len(self.seen))))
        blob = len(self.blobs) - 1
        head = ["e", *[self.tree(one, depth) for one in rows.members]] if rows.members else rows.head
        return ["C", tag, head, rows.names, parts, blob]

    def frozenset(self, value: Any, depth: int) -> Any:
        return self.digest("z", value) or self.ordered(value, "Z") or ["z", *self.members(value, depth)]

    def set(self, value: Any, depth: int) -> Any:
        known = self.first_visit(value) or self.digest("s", value)
        return known or self.ordered(value, "S") or ["s", *self.members(value, depth)]

    def ordered(self, value: Any, tag: str) -> Any:
        """A large set of ints, of texts, of plain tuples or of sets of ints or texts as one piece; None where it is
        none."""
        most = self.most_packed - self.parts
        if not MANY <= len(value) <= most:
            return None
        try:
            kinds = set(map(type, value))
            parts = len(value)
            if len(kinds) > 1 or not is_of(kinds, ORDERED):
                return None
            if tuple in kinds:
                parts, _ = spread([*value], most)
                items = sorted(value, key=in_one_piece)
            elif frozenset in kinds:
                tag, parts = tag + "Z", parts + sum(map(len, value))
                items = sorted_sets(value) if parts <= most else []
            else:
                items = sorted(value)
            if not parts or not items:
                return None
            found = self.blob(tag, items, parts)
        except (TypeError, ValueError):
            return None
        self.parts += parts
        return found

    def members(self, value: Collection[Any], depth: int) -> Any:
        """Elements sorted by their encoding: a set has no order to compare. Mutable ones are numbered in that
        order, not in the one in which the set happens to give them."""
        if all(type(one) in NEVER_NUMBERED for one in value):
            apart = self.apart()
            found = sorted((apart.tree(one, depth) for one in value), key=in_json)
            self.parts = apart.parts
            return found
        with self.drawing(self.step):  # none of it is left: they are looked at whole, as to order them
            ordered = sorted(value, key=lambda one: in_json(self.apart().tree(one, depth)))
            return [self.tree(one, depth) for one in ordered]

    def apart(self) -> Encoder:
        """An encoder that knows what this one has met, keeps what it meets to itself, and packs nothing."""
        other = type(self)(self.shared)
        other.most_packed = 0
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
    str: Encoder.text,
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
MANY = 16
LONG = 256
PACKED_DEPTH = 8
"""Deeper ones are small parts of a value that could not be packed as a whole."""

ORDERED = SORTABLE | {tuple, frozenset}
NEIGHBOURS_EVERY = 3
NO_ROWS = frozenset(map(id, (*SCALARS, list)))
# by identity: a metaclass may claim to be equal to any of them
TABLE = {id(kind): encoder for kind, encoder in ENCODERS.items()}


class Rows:
    """Rows of one kind: what each begins with as encoded, names of the columns, and whether each row is to be known
    again when it is met once more. Of members of an enum, the only column says which of the `members` each is."""

    def __init__(
        self,
        head: Any,
        names: list[str],
        columns: tuple[tuple[Any, ...], ...],
        are_numbered: bool,
        members: tuple[Any, ...] = (),
    ) -> None:
        self.head, self.names, self.columns, self.are_numbered = head, names, columns, are_numbered
        self.members = members


def rows_of(encoder: Encoder, value: Any, most: int) -> Rows | None:
    """The columns of a list or tuple that is not empty; None where its elements are of several kinds, or are no rows,
    or hold more than `most` parts. May raise TypeError, ValueError, LookupError or AttributeError where they are not
    alike."""
    kind = type(value[0])
    if set(map(id, map(type, value))) != {id(kind)}:
        return None
    if kind is tuple:
        if len(value) * len(value[0]) > most:
            return None
        return Rows(["t"], [], tuple(zip(*value, strict=True)), False)
    if kind is dict:
        names = keys_of(value, most, in_order=True)
        return Rows(["d"], names, by_key(value, names), True) if names is not None else None
    return None if id(kind) in TABLE else OBJECT_ROWS[0](encoder, value, kind, most)


def no_rows(encoder: Encoder, value: Any, kind: type, most: int) -> Rows | None:
    return None


OBJECT_ROWS: list[Callable[[Encoder, Any, type, int], Rows | None]] = [no_rows]
"""What finds the columns of objects of one class; optagent_objects puts itself here."""


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
