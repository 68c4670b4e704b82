"""The canonical encoding of objects, functions, classes and arrays; see optagent_encode for the plain values.

Runs in the target's interpreter: standard library only.

    ["o", type, content, [name, value], ...]  an object: what its builtin base holds, then its attributes by name
    ["T", name]  class    ["M", name]  module    ["F", name, ...]  function    ["m", name, self]  bound method
    ["v", kind, ...]  view of a dict    ["N", dtype, shape, content]  numpy array

Attributes are read where they are kept, not through the object's own `__getstate__` or `__eq__`: those may forget.
An object with state that cannot be seen is named in CannotEncode.
"""

from __future__ import annotations

import collections
import copyreg
import gc
import itertools
import operator
import sys
import types
from typing import TYPE_CHECKING, Any, TypeVar

import optagent_iterate  # its types are registered too
from optagent_encode import (
    ATTRIBUTES,
    OBJECT_ROWS,
    OTHERWISE,
    CannotEncode,
    Circular,
    Rows,
    register,
    type_name,
)
from optagent_plain import by_key, keys_of
from optagent_target import attribute, below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optagent_encode import Encoder

Key = TypeVar("Key")
NAME = operator.itemgetter(0)

CARRIED: dict[int, tuple[Any, str]] = {}
"""By id: code objects of functions that came with the input (optagent_codec), and their digests."""

HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made while the program runs, as by a class statement
POINTER = 8
TOLD = ("__mro__", "__dict__", "__flags__", "__basicsize__", "__itemsize__", "__dictoffset__", "__weakrefoffset__")
MRO, BODY, FLAGS, SIZE, ITEM_SIZE, DICT_AT, WEAKREFS_AT = (vars(type)[name].__get__ for name in TOLD)
"""What Python knows of a class, whatever its metaclass says."""

BASES = (int, float, complex, str, bytes, bytearray, tuple, list, dict, frozenset, set, collections.deque)


def text_of_time(value: Any) -> str | None:
    """A point in time without a zone, to the last bit."""
    return f"{value.isoformat()} {value.fold}" if value.tzinfo is None else None


def text_of_fraction(value: Any) -> str | None:
    """A fraction of ints: there are others."""
    parts = value.numerator, value.denominator
    return "{:x}/{:x}".format(*parts) if [type(one) for one in parts] == [int, int] else None


TEXTS: dict[str, Any] = {
    "decimal.Decimal": str,
    "fractions.Fraction": text_of_fraction,
    "datetime.date": str,
    "datetime.timedelta": str,
    "datetime.datetime": text_of_time,
    "datetime.time": text_of_time,
}
"""Classes of Python's library of which a text tells all that their objects hold, or None where it does not; by name,
since most workers never import them. Subclasses are no such ones."""


class Shape:
    """What all objects of a class have in common. `slots` are those of a class that has room for attributes and slots
    only, by name, with what reads them; None of any other."""

    def __init__(self, kind: type) -> None:
        self.kind = kind  # keeps it alive: its id is a key
        self.name = label(kind)
        self.has_own_value = has_own_value(kind)
        self.only_ones = only_ones(kind)
        self.text = TEXTS.get(type_name(kind)) if is_of_python(kind) else None
        self.speaks = compiled_reduce(kind)
        self.base = next((one for one in BASES if issubclass(kind, one)), None)
        self.fits = fits(kind, self.base or object)
        is_bare = self.speaks is None and self.base is None and self.fits
        self.slots = slots_told(kind) if is_bare else None
        self.slots_apart = slots_in(kind)


def shape_of(encoder: Encoder, kind: type) -> Shape:
    """Looked up once for each value that is encoded."""
    found: Shape | None = encoder.shared.shapes.get(id(kind))
    if found is None:
        if hides_attributes(kind):
            refuse(kind)
        found = encoder.shared.shapes[id(kind)] = Shape(kind)
    return found


def encode_object(encoder: Encoder, value: Any, depth: int) -> Any:
    """An object by class and state; one with a value of its own (a hash of its own) is no alias of an equal one."""
    kind = type(value)
    if kind.__module__ == "numpy" and kind.__name__ == "ndarray":
        return encode_array(encoder, value, depth)
    shape = shape_of(encoder, kind)
    if not shape.has_own_value or id(value) in shape.only_ones or any(kind is one for one in encoder.shared.circular):
        return encoder.first_visit(value) or encode_parts(encoder, value, depth, shape)
    if id(value) in encoder.open:
        raise Circular(kind)
    encoder.open.add(id(value))
    try:
        return encode_parts(encoder, value, depth, shape)
    finally:
        encoder.open.discard(id(value))


def object_rows(encoder: Encoder, rows: Any, kind: type, most: int) -> Rows | None:
    """The attributes of objects of one class, column by column; None where a class can hold more than attributes and
    slots, or where they have not all the same ones."""
    if issubclass(kind, (BaseException, type)) or any(kind is one for one in encoder.shared.circular):
        return None
    shape = shape_of(encoder, kind)
    if shape.text:
        texts = tuple(map(shape.text, rows))
        return None if None in texts else Rows(["o", shape.name], ["text"], (texts,), False)
    if shape.only_ones:
        return member_rows(rows, shape.only_ones, most)
    if shape.slots is None or len(rows) * len(shape.slots) > most:
        return None
    columns = [(name, tuple(map(read, rows))) for name, read in shape.slots]
    if DICT_AT(kind):
        dicts = list(map(object.__getattribute__, rows, itertools.repeat("__dict__")))
        names = keys_of(dicts, most, in_order=False) if set(map(id, map(type, dicts))) == {id(dict)} else None
        if names is None:
            return None
        columns = [*zip(names, by_key(dicts, names), strict=True), *columns]
    columns.sort(key=NAME)
    head = ["o", shape.name]
    return Rows(head, [name for name, _ in columns], tuple(one for _, one in columns), not shape.has_own_value)


def member_rows(rows: Any, known: frozenset[int], most: int) -> Rows | None:
    """Members of an enum by their numbers in the order in which they were met here."""
    ids = list(map(id, rows))
    if 2 * len(ids) > most or not known.issuperset(ids):
        return None
    members = dict(zip(ids, rows, strict=True))
    numbers = dict(zip(members, itertools.count(), strict=False))
    column = tuple(map(numbers.__getitem__, ids))
    return Rows(["e"], ["number"], (column,), False, tuple(members.values()))


def only_ones(kind: type) -> frozenset[int]:
    """The ids of the members of an enum, of which there are no copies; not of what it makes when it is asked."""
    is_enum = any(
        owner.__module__ == "enum" and owner.__name__ == "Enum" and is_of_python(owner) for owner in MRO(kind)
    )
    members = BODY(kind).get("_member_map_") if is_enum else None
    return frozenset(map(id, members.values())) if type(members) is dict else frozenset()


def has_own_value(kind: type) -> bool:
    """Whether equal objects of the class are as good as the same one: its hash does not go by identity."""
    hashed: Any = kind.__hash__
    return hashed is not None and hashed is not object.__hash__


def encode_parts(encoder: Encoder, value: Any, depth: int, shape: Shape) -> Any:
    if shape.slots is None:
        text = shape.text(value) if shape.text else None
        if text is not None:
            return ["o", shape.name, None, ["text", text]]
        content, told = encode_content(encoder, value, depth, shape), list(told_apart(value, shape))
    else:
        content, told = None, [*by_text(vars_of(value) or {}), *filled(value, shape.slots)]
    told.sort(key=NAME)
    if encoder.step == 1 or len(told) < 2:
        return ["o", shape.name, content, *[[name, encoder.tree(one, depth)] for name, one in told]]
    with encoder.drawing(len(told)) as (first, step):
        drawn = [encoder.tree(one, depth) if k % step == first else ["-"] for k, (_, one) in enumerate(told)]
    return ["o", shape.name, content, *[[name, one] for (name, _), one in zip(told, drawn, strict=True)]]


def told_apart(value: Any, shape: Shape) -> Iterator[tuple[str, Any]]:
    """The attributes of an object, less those in slots of Python's own classes where these say themselves what they
    hold: a path keeps its text there once somebody has asked for it."""
    yield from by_text(vars_of(value) or {})
    for (owner, name), one in filled(value, shape.slots_apart):
        if shape.speaks is None or not is_of_python(owner):
            yield f"{owner.__qualname__}.{name}", one


def encode_content(encoder: Encoder, value: Any, depth: int, shape: Shape) -> Any:
    """What the builtin or compiled base of the object's class holds; None where that is nothing."""
    kind, base = shape.kind, shape.base
    content = None if base is None else encoder.tree(plain(base, value), depth)
    if shape.speaks is None:
        return content if shape.fits else refuse(kind)
    try:
        said = shape.speaks(value)
    except Exception:  # noqa: BLE001 - code of the target's: what it raises says nothing about us
        return refuse(kind)
    if not isinstance(said, tuple):
        return ["said", encoder.tree(said, depth)]
    items = items_of(kind, said)
    if items is not None and has_no_order(kind, items):
        return ["made", content, label(kind), ["s", *encoder.members(items, depth)]]
    parts = [list(one) if k in (3, 4) and one is not None else one for k, one in enumerate(said[:5])]
    # a state that is the object's dict is encoded by name, and what a builtin base holds has been encoded above
    shown = [one for one in parts[: 3 if base else 5] if one is not None and one is not vars_of(value)]
    return ["made", content, *[encoder.tree(one, depth) for one in shown]]


def items_of(kind: type, said: tuple[Any, ...]) -> list[Any] | None:
    """The items of a compiled container that is made again by its class from one list of them."""
    own = BODY(kind).get("__reduce__")
    if type(own) is not types.MethodDescriptorType or own.__objclass__ is not kind:
        return None
    is_list = len(said) == 2 and said[0] is kind and type(said[1]) is tuple and len(said[1]) == 1
    return said[1][0] if is_list and type(said[1][0]) is list else None


ORDERLESS: dict[int, tuple[type, bool]] = {}
"""Compiled containers met so far, by identity, and whether they have no order of their own."""


def has_no_order(kind: type, items: list[Any]) -> bool:
    """Whether objects of the class forget the order in which they were filled, as maps by hash do. What such a one
    tells in which order depends on its content, or on chance, and is nothing that can differ.

    Found out with sixteen numbers (pairs of them for a map), filled in forwards and backwards.
    """
    if id(kind) not in ORDERLESS:
        are_pairs = all(type(one) is tuple and len(one) == 2 for one in items)
        numbers: list[Any] = [(k, k) if are_pairs else k for k in range(16)]
        orders = [numbers, numbers[::-1]]
        try:
            told = [items_of(kind, BODY(kind)["__reduce__"](kind(one))) for one in orders]
        except Exception:  # noqa: BLE001 - compiled code of a library: what it raises says nothing about us
            return False
        is_orderless = told != orders and all(type(one) is list and sorted(one) == numbers for one in told)
        ORDERLESS[id(kind)] = kind, is_orderless
    return ORDERLESS[id(kind)][1]


def plain(base: Any, value: Any) -> Any:
    """The content of an instance of a subclass as an instance of the base, past any overridden method."""
    if base in (tuple, list, set, frozenset):
        return base(base.__iter__(value))
    if base is collections.deque:
        return list(base.__iter__(value))
    if base is dict:
        ordered = collections.OrderedDict if isinstance(value, collections.OrderedDict) else dict  # has its own order
        return {key: dict.__getitem__(value, key) for key in ordered.__iter__(value)}
    if base in (str, bytes, bytearray):
        return base.__getitem__(value, slice(None))
    return base.__pos__(value)


def compiled_reduce(kind: type) -> Any:
    """How a class that can hold more than attributes says what it holds: the `__reduce__` of the compiled class, or of
    Python's own library, whatever subclasses put before it. None for classes made of attributes alone, as those of
    enums are: members hold name and value, and how they speak of themselves differs from one Python to the next."""
    for owner in MRO(kind)[:-1]:
        if owner.__module__ == "enum" and is_of_python(owner):
            continue
        known = next((made for one, made in copyreg.dispatch_table.items() if one is owner), None)
        if known is not None:
            return known
        for name in ("__reduce_ex__", "__reduce__", "__getstate__"):
            found = BODY(owner).get(name)
            if found is not None and (is_of_python(owner) or not isinstance(found, types.FunctionType)):
                if asks_subclass(kind, owner, found):
                    return lambda one: refuse(kind)
                return (lambda one, method=found: method(one, 4)) if name == "__reduce_ex__" else found
    return None


def asks_subclass(kind: type, owner: type, found: Any) -> bool:
    """Whether a function of Python's library goes through names that a subclass of the project's has for itself."""
    names = found.__code__.co_names if isinstance(found, types.FunctionType) else ()
    below = MRO(kind)[: MRO(kind).index(owner)]
    return any(name in BODY(one) for one in below if not is_of_python(one) for name in names)


def is_of_python(owner: type) -> bool:
    """A class of Python's own library: not one that says so, but one that stands there."""
    return str(owner.__module__).partition(".")[0] in sys.stdlib_module_names and is_found(owner)


def is_plain(value: Any) -> bool:
    """Whether all classes of the object were made by class statements, with room for attributes and slots only."""
    owners = MRO(type(value))[:-1]
    return all(FLAGS(owner) & HEAP_TYPE for owner in owners) and fits(type(value), object)


def fits(kind: type, base: Any) -> bool:
    """Whether objects of a class have room for attributes and slots only, beyond what `base` holds: a compiled class
    has more. The object's own word on it does not count: it may have a `__reduce__` that forgets."""
    if issubclass(kind, super):  # stands for another object
        return False
    places = sum(len(slots_of(owner)) for owner in MRO(kind)[:-1])
    places += (DICT_AT(kind) > 0 or DICT_AT(kind) == -POINTER) and not base.__dictoffset__
    places += WEAKREFS_AT(kind) > 0 and not base.__weakrefoffset__
    room: int = base.__basicsize__ + POINTER * places
    return bool(ITEM_SIZE(kind) == base.__itemsize__) and SIZE(kind) <= room


def hides_attributes(kind: type) -> bool:
    """Whether a class has put something of its own where the dict of its objects is looked up."""
    found = [BODY(owner)["__dict__"] for owner in MRO(kind)[:-1] if "__dict__" in BODY(owner)]
    return any(type(one) not in (types.GetSetDescriptorType, types.MemberDescriptorType) for one in found)


def label(kind: type) -> Any:
    """A class by its name, where it is found under it; else by its name and the public names in its body."""
    if is_found(kind):
        return type_name(kind)
    return ["made by a call", type_name(kind), *sorted(name for name in BODY(kind) if not name.startswith("_"))]


def is_found(kind: type) -> bool:
    """Whether a class stands where its name says; of Python's own compiled ones some never do."""
    found: Any = sys.modules.get(str(kind.__module__))
    for part in kind.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is kind or not FLAGS(kind) & HEAP_TYPE


def attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """What the object keeps in its dict and in its slots, by name; a slot of a base class by its class and name."""
    if hides_attributes(type(value)):
        refuse(type(value))
    yield from by_text(vars_of(value) or {})
    yield from filled(value, slots_told(type(value)))


def by_text(attributes: dict[Any, Any]) -> list[tuple[str, Any]]:
    """A dict of attributes may have keys that are no names."""
    return [
        (name if type(name) is str else f"{type_name(type(name))} {name!r}", one) for name, one in attributes.items()
    ]


def slots(value: Any) -> Iterator[tuple[tuple[type, str], Any]]:
    """What the object keeps in slots, by class and by the name under which the class keeps the slot."""
    yield from filled(value, slots_in(type(value)))


def slots_told(kind: type) -> list[tuple[str, Any]]:
    """The slots by names that tell those of a base class from others, each with what reads it."""
    return [(f"{owner.__qualname__}.{name}", read) for (owner, name), read in slots_in(kind)]


def slots_in(kind: type) -> list[tuple[tuple[type, str], Any]]:
    return [((owner, name), BODY(owner)[name].__get__) for owner in MRO(kind) for name in slots_of(owner)]


def filled(value: Any, readers: list[tuple[Key, Any]]) -> Iterator[tuple[Key, Any]]:
    for key, read in readers:
        try:
            yield key, read(value)
        except AttributeError:  # an empty slot
            continue


def vars_of(value: Any) -> Any:
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return found if type(found) is dict else None


def slots_of(owner: type) -> tuple[str, ...]:
    """The slots that a class statement made, by the names under which the class keeps them. `__slots__` itself may have
    been used up, or changed since."""
    if "__slots__" not in BODY(owner):
        return ()
    return tuple(name for name, one in BODY(owner).items() if is_member(one, owner, name))


def is_member(one: Any, owner: type, name: str) -> bool:
    return type(one) is types.MemberDescriptorType and one.__objclass__ is owner and one.__name__ == name


def refuse(kind: type) -> Any:
    return refused(type_name(kind))


def refused(what: str) -> Any:
    raise CannotEncode(what)


def encode_array(encoder: Encoder, value: Any, depth: int) -> Any:
    """Element type, shape and content; memory layout is not part of it. Arrays of objects by their elements."""
    known = encoder.first_visit(value)
    if known:
        return known
    content = encoder.tree(value.tolist() if value.dtype.hasobject else value.tobytes(), depth)
    return ["N", str(value.dtype.descr), list(value.shape), content]


def encode_class(encoder: Encoder, value: type, depth: int) -> Any:
    return ["T", type_name(value)] if is_found(value) else refused(f"a class made by a call ({type_name(value)})")


def encode_module(encoder: Encoder, value: Any, depth: int) -> Any:
    name = value.__name__
    return ["M", name] if sys.modules.get(name) is value else refused(f"a module made by a call ({name})")


def encode_function(encoder: Encoder, value: Any, depth: int) -> Any:
    """One that stands in a module, by name; one that came with the input, by its code and what it closes over."""
    name = f"{value.__module__}.{value.__qualname__}"
    known = encoder.first_visit(value)
    if known:
        return known
    if is_named(value):
        return ["F", name]
    carried = CARRIED.get(id(value.__code__))
    if carried is None:
        raise CannotEncode(f"a function made by a call ({name})")
    cells = [cell_content(encoder, cell, depth) for cell in value.__closure__ or ()]
    return ["F", name, carried[1], encoder.tree([value.__defaults__, value.__kwdefaults__, vars(value)], depth), *cells]


def cell_content(encoder: Encoder, cell: Any, depth: int) -> Any:
    try:
        content = cell.cell_contents
    except ValueError:  # an empty cell
        return []
    return [encoder.tree(content, depth)]


def is_named(value: Any) -> bool:
    """Whether a function is found under the name that it gives for itself, perhaps below decorators."""
    return value is function_named(value.__module__ or "", value.__qualname__)


def function_named(module: str, qualname: str) -> Any:
    """The function of that name as it is written in its module, below whatever decorators made of it; None where
    there is none."""
    found: Any = sys.modules.get(module)
    try:
        for part in qualname.split("."):
            found = attribute(found, part)
    except AttributeError:
        return None
    return next((one for one in below(found, 0) if one.__qualname__ == qualname and one.__module__ == module), None)


def encode_method(encoder: Encoder, value: Any, depth: int) -> Any:
    return ["m", encoder.tree(value.__func__, depth), encoder.tree(value.__self__, depth)]


def encode_builtin(encoder: Encoder, value: Any, depth: int) -> Any:
    owner = value.__self__
    return ["m", value.__qualname__, None if owner is None else encoder.tree(owner, depth)]


def encode_descriptor(encoder: Encoder, value: Any, depth: int) -> Any:
    return ["F", f"{type_name(value.__objclass__)}.{value.__name__}"]


def encode_view(encoder: Encoder, value: Any, depth: int) -> Any:
    encoder.views(gc.get_referents(value))
    return ["v", type(value).__name__, *[encoder.tree(one, depth) for one in value]]


def encode_proxy(encoder: Encoder, value: Any, depth: int) -> Any:
    encoder.views(gc.get_referents(value))
    return ["v", "mappingproxy", encoder.tree(dict(value), depth)]


def encode_slice(encoder: Encoder, value: Any, depth: int) -> Any:
    return ["v", "slice", *[encoder.tree(one, depth) for one in (value.start, value.stop, value.step)]]


def encode_memory(encoder: Encoder, value: Any, depth: int) -> Any:
    encoder.views([value.obj])
    return ["v", "memoryview", value.format, list(value.shape or ()), value.tobytes().hex(), value.readonly]


def encode_constant(encoder: Encoder, value: Any, depth: int) -> Any:
    return ["M", repr(value)]


class Example:
    """Lends its types."""

    def method(self) -> None:
        """Nothing."""


register(types.FunctionType, encode_function)
register(types.ModuleType, encode_module)
register(types.MethodType, encode_method)
register(types.BuiltinFunctionType, encode_builtin)
register(types.MethodDescriptorType, encode_descriptor)
register(types.WrapperDescriptorType, encode_descriptor)
register(types.MappingProxyType, encode_proxy)
register(slice, encode_slice)
register(memoryview, encode_memory)
register(type(NotImplemented), encode_constant)
EMPTY: dict[Any, Any] = {}
for view in (type(EMPTY.keys()), type(EMPTY.values()), type(EMPTY.items())):
    register(view, encode_view)


def otherwise(encoder: Encoder, value: Any, depth: int) -> Any:
    if issubclass(type(value), type):
        return encode_class(encoder, value, depth)
    return encode_object(encoder, value, depth)


OTHERWISE[0] = otherwise
ATTRIBUTES[0] = attributes
OBJECT_ROWS[0] = object_rows
register(type, encode_class)

__all__ = ["CARRIED", "optagent_iterate"]
