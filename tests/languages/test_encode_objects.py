"""Objects in the canonical encoding: what Python can tell apart has different bytes, or none at all."""

from __future__ import annotations

import array
import collections
import ctypes
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import hashlib
import io
import ipaddress
import itertools
import os
import pathlib
import random
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import types
import uuid
import weakref
import zlib
import zoneinfo

import pytest
import rpds
import toolbox_path

from optagent.core.canonical import first_difference

# isort: split
import optagent_codec
import optagent_objects  # noqa: F401 - puts the objects into the encoding
from optagent_encode import CannotEncode, encode


class Plain:
    def __init__(self, **attributes):
        vars(self).update(attributes)


class Slotted:
    __slots__ = ("__hidden", "shown")

    def __init__(self, shown, hidden):
        self.shown, self.__hidden = shown, hidden


class Below(Slotted):
    __slots__ = ("more",)


class WithDict(Below):
    pass


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Bits(enum.Flag):
    A = 1
    B = 2


Pair = collections.namedtuple("Pair", "x y")
Twin = collections.namedtuple("Twin", "x y")
Point = dataclasses.make_dataclass("Point", ["x"])
Point.__module__ = __name__
Frozen = dataclasses.make_dataclass("Frozen", ["x"], frozen=True, slots=True)
Frozen.__module__ = __name__


class OwnDict(dict):
    def keys(self):
        return []

    items = values = keys

    def __iter__(self):
        return iter(())


class OwnList(list):
    def __iter__(self):
        return iter(())

    def __reduce_ex__(self, protocol):
        return OwnList, ()


class OwnDeque(collections.deque):
    def __iter__(self):
        return iter(())

    def __reduce__(self):
        return OwnDeque, ()


class OwnText(str):
    __slots__ = ()

    def __getitem__(self, index):
        return "x"


class OwnInt(int):
    def __pos__(self):
        return 0


class OwnMoment(datetime.datetime):
    def __reduce_ex__(self, protocol):
        return OwnMoment, (2000, 1, 1)


class OwnStream(io.StringIO):
    def __getstate__(self):
        return "", None, 0, {}


class AllEqual(Plain):
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 1


class NoAttributes(Plain):
    def __getattribute__(self, name):
        raise AttributeError(name)


class OtherClass(Plain):
    __class__ = Plain  # type: ignore[assignment]


class Forgets(Plain):
    def __reduce_ex__(self, protocol):
        return Forgets, ()

    def __getstate__(self):
        return {}


class SlottedError(Exception):
    __slots__ = ("code",)

    def __init__(self, code):
        self.code = code


class ClaimsToBePythons:
    __module__ = "random"
    __slots__ = ("a",)

    def __init__(self, a):
        self.a = a

    def __reduce__(self):
        return "always the same"


class ArgsOfItsOwn(Exception):
    args = ("always the same",)  # type: ignore[assignment]


def fraction_of(numerator, denominator):
    made = fractions.Fraction(1, 2)
    made._numerator, made._denominator = numerator, denominator
    return made


class Made(enum.Enum):
    """Makes a member whenever it is asked for one that it has not."""

    ONE = 1

    @classmethod
    def _missing_(cls, value):
        made = object.__new__(cls)
        made._value_, made._name_ = value, f"N{value}"
        return made


def moved(names, first):
    found = collections.OrderedDict.fromkeys(names)
    found.move_to_end(first, last=False)
    return found


def at(stream, position):
    stream.seek(position)
    return stream


def with_note(error, note):
    error.add_note(note)
    return error


def gauss(seed):
    made = random.Random(seed)
    made.gauss(0, 1)
    return made


def plus_one(number):
    return number + 1


def named(kind, **attributes):
    """An object whose attributes have been put where they are kept."""
    made = object.__new__(kind)
    object.__getattribute__(made, "__dict__").update(attributes)
    return made


UTC, HOUR = datetime.UTC, datetime.timezone(datetime.timedelta(hours=1))
Moment = datetime.datetime
PAIRS = {
    "an attribute": (Plain(a=1), Plain(a=2)),
    "the name of an attribute": (Plain(a=1), Plain(b=1)),
    "a private attribute": (Plain(_a=1), Plain(_a=2)),
    "a key of attributes that is no name": (named(Plain, **{"1": 2}), type("", (), {})),
    "the class": (Plain(), named(AllEqual)),
    "a slot": (Slotted(1, 2), Slotted(3, 2)),
    "a private slot": (Slotted(1, 2), Slotted(1, 3)),
    "a slot that is empty": (Below(1, 2), Slotted(1, 2)),
    "a slot of a base class": (WithDict(1, 2), WithDict(1, 3)),
    "members of an enumeration": (Colour.RED, Colour.BLUE),
    "a member and its value": (Colour.RED, 1),
    "flags": (Bits.A, Bits.A | Bits.B),
    "a named tuple and a tuple": (Pair(1, 2), (1, 2)),
    "kinds of named tuples": (Pair(1, 2), Twin(1, 2)),
    "a data class": (Point(1), Point(2)),
    "a frozen data class": (Frozen(1), Frozen(2)),
    "a time with a zone and without": (Moment(2020, 1, 1, tzinfo=UTC), Moment(2020, 1, 1)),
    "zones": (Moment(2020, 1, 1, tzinfo=UTC), Moment(2020, 1, 1, tzinfo=HOUR)),
    "the fold of a time": (Moment(2020, 1, 1, fold=1), Moment(2020, 1, 1)),
    "zones by name": tuple(Moment(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo(one)) for one in ("Etc/UTC", "Etc/GMT")),
    "a date and a time": (datetime.date(2020, 1, 1), Moment(2020, 1, 1)),
    "decimal digits": (decimal.Decimal("1.0"), decimal.Decimal("1.00")),
    "the sign of a decimal zero": (decimal.Decimal("-0"), decimal.Decimal("0")),
    "fractions": (fractions.Fraction(1, 2), fractions.Fraction(1, 3)),
    "large fractions": (fractions.Fraction(10**5000, 3), fractions.Fraction(10**5000, 7)),
    "fractions of ints and of others": (fractions.Fraction(1, 2), fraction_of(OwnInt(1), 2)),
    "decimals that are equal": (decimal.Decimal("1.0"), decimal.Decimal("1.00")),
    "zeros": (decimal.Decimal("0"), decimal.Decimal("-0")),
    "no numbers": (decimal.Decimal("NaN"), decimal.Decimal("sNaN")),
    "hours told twice": (datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1, fold=1)),
    "hours with a zone": (datetime.time(1), datetime.time(1, tzinfo=datetime.UTC)),
    "a moment and its day": (datetime.datetime(2020, 1, 1), datetime.date(2020, 1, 1)),
    "spans": (datetime.timedelta(days=1), datetime.timedelta(days=1, microseconds=1)),
    "pairs in sets": ({(k, 1) for k in range(20)}, {(k, True) for k in range(20)}),
    "pairs and sets in sets": ({(k, k + 1) for k in range(20)}, {frozenset((k, k + 1)) for k in range(20)}),
    "sets in sets": ({frozenset((k, 2)) for k in range(20)}, {frozenset((k, 2.0)) for k in range(20)}),
    "sets and frozensets": ({frozenset([k]) for k in range(20)}, frozenset(frozenset([k]) for k in range(20))),
    "members of two enumerations in lists": ([Colour.RED] * 20, [*[Colour.RED] * 19, Bits.A]),
    "the length of a deque": (collections.deque([1], 3), collections.deque([1], 4)),
    "items of a deque": (collections.deque([1]), collections.deque([2])),
    "the factory of a default": (collections.defaultdict(list), collections.defaultdict(int)),
    "what a default dict holds": (collections.defaultdict(int, a=1), collections.defaultdict(int, a=2)),
    "the order of an ordered dict": (collections.OrderedDict(a=1, b=2), collections.OrderedDict(b=2, a=1)),
    "an ordered dict whose key was moved": (moved("ab", "b"), collections.OrderedDict.fromkeys("ab")),
    "an ordered dict and a dict": (collections.OrderedDict(a=1), {"a": 1}),
    "counts": (collections.Counter("aab"), collections.Counter("aabb")),
    "a count of zero": (collections.Counter(a=0), collections.Counter()),
    "chains": (collections.ChainMap({1: 2}), collections.ChainMap({1: 3})),
    "the type of an array": (array.array("b", [1]), array.array("B", [1])),
    "items of an array": (array.array("i", [1]), array.array("i", [2])),
    "the content of a stream": (io.StringIO("a"), io.StringIO("b")),
    "the place in a stream": (at(io.StringIO("abc"), 1), io.StringIO("abc")),
    "the line ends of a stream": (io.StringIO("a", "\r\n"), io.StringIO("a")),
    "the place in a stream of bytes": (at(io.BytesIO(b"abc"), 1), io.BytesIO(b"abc")),
    "the flags of a pattern": (re.compile("a", re.IGNORECASE), re.compile("a")),
    "patterns": (re.compile("a"), re.compile("b")),
    "states of a generator of numbers": (random.Random(1), random.Random(2)),
    "what gauss keeps for the next time": (gauss(1), random.Random(1)),
    "arguments of a partial": (functools.partial(int, "1"), functools.partial(int, "2")),
    "keywords of a partial": (functools.partial(int, base=2), functools.partial(int, base=3)),
    "the function of a partial": (functools.partial(int, "1"), functools.partial(float, "1")),
    "whose method it is": (Plain(a=1).__init__, Plain(a=2).__init__),
    "which method it is": (Plain(a=1).__init__, Plain(a=1).__eq__),
    "whose builtin method it is": ([1].append, [2].append),
    "functions": (plus_one, at),
    "classes": (Plain, Slotted),
    "modules": (os, sys),
    "keys of dicts": ({1: 2}.keys(), {2: 2}.keys()),
    "items of dicts": ({1: 2}.items(), {1: 3}.items()),
    "proxies": (types.MappingProxyType({1: 2}), types.MappingProxyType({1: 3})),
    "names": (types.SimpleNamespace(a=1), types.SimpleNamespace(a=2)),
    "paths": (pathlib.PurePath("a"), pathlib.PurePath("b")),
    "kinds of paths": (pathlib.PurePosixPath("a"), pathlib.PureWindowsPath("a")),
    "addresses": (ipaddress.ip_address("1.2.3.4"), ipaddress.ip_address("1.2.3.5")),
    "uuids": (uuid.UUID(int=1), uuid.UUID(int=2)),
    "slices": (slice(1), slice(2)),
    "a view that may be written to": (memoryview(bytearray(b"a")), memoryview(b"a")),
    "integers of C": (ctypes.c_int(1), ctypes.c_int(2)),
    "sets of objects": ({AllEqual(v=1)}, {AllEqual(v=2)}),
    "sets of iterators": ({iter([1])}, {iter([2])}),
    "keys that say that they are equal": ({AllEqual(v=1): 0}, {AllEqual(v=2): 0}),
    "one object twice and two": ((lambda one: [one, one])(Plain()), [Plain(), Plain()]),
    "attributes of an exception": (SlottedError(1), SlottedError(2)),
    "arguments behind arguments": (ArgsOfItsOwn(1), ArgsOfItsOwn(2)),
    "objects of a class that claims to be Python's own": (ClaimsToBePythons(1), ClaimsToBePythons(2)),
    "notes of an exception": (with_note(ValueError(1), "a"), ValueError(1)),
    "exceptions in a group": (ExceptionGroup("a", [ValueError(1)]), ExceptionGroup("a", [ValueError(2)])),
    "objects that forget when asked": (Forgets(a=1), Forgets(a=2)),
    "objects that hide attributes": (named(NoAttributes, a=1), named(NoAttributes, a=2)),
    "an object of another class, it says": (OtherClass(a=1), Plain(a=1)),
    "a dict that shows nothing": (OwnDict(a=1), OwnDict(a=2)),
    "a list that shows nothing": (OwnList([1]), OwnList([2])),
    "a deque that shows nothing": (OwnDeque([1]), OwnDeque([2])),
    "a text that shows another": (OwnText("a"), OwnText("b")),
    "an int that shows another": (OwnInt(1), OwnInt(2)),
    "a time that reduces to another": (OwnMoment(2000, 1, 2), OwnMoment(2000, 1, 3)),
    "a stream that says it is empty": (OwnStream("a"), OwnStream("b")),
    "local classes of one name by their names": tuple(type("Local", (), {one: 1})() for one in "ab"),
    "a named tuple made by a call": tuple(collections.namedtuple("T", [one])(1) for one in "ab"),
}  # fmt: skip


def encoded(value):
    try:
        return encode(value)
    except CannotEncode:
        return None


@pytest.mark.parametrize("what", PAIRS)
def test_what_can_be_told_apart_is_never_the_same(what):
    one, other = PAIRS[what]
    assert encoded(one) is not None
    assert encoded(one) != encoded(other)


def test_members_that_an_enumeration_makes_when_asked_are_what_they_hold_and_others_are_met_again():
    one = Made(9)
    assert one is not Made(9)
    assert encode([one] * 20) == encode([Made(9) for _ in range(20)])
    assert encode([Bits.A | Bits.B] * 2) == encode([Bits.B | Bits.A, Bits.A | Bits.B])
    assert len(encode([Colour.RED] * 1000)) < 10_000


@pytest.mark.slow
def test_a_long_list_of_members_of_an_enumeration_is_told_by_their_places_in_it():
    some = [Colour.RED] * 20
    assert encode(some) == encode([*some])
    assert encode([some, Colour.RED]) != encode([some, Colour.BLUE])
    assert encode(some) != encode(tuple(some)) != encode([1] * 20)
    other = [*some[:17], Colour.BLUE, *some[18:]]
    found = first_difference(*[encode(["returned", one, (), {}, []]) for one in (some, other)])
    assert (found.where, found.old, found.new) == ("the result[17]._name_", "'RED'", "'BLUE'")
    assert len(set(map(encode, itertools.product(Colour, repeat=16)))) == 2**16


def sub(base, name, body=None):
    """A class that stands under its name."""
    globals()[name] = type(name, (base,), {"__module__": __name__, **(body or {})})
    return globals()[name]


BUILTINS = (int, float, complex, str, bytes, bytearray, tuple, list, dict, set, frozenset, collections.deque)


@pytest.mark.parametrize("base", BUILTINS, ids=lambda one: one.__name__)
def test_a_class_of_a_builtin_is_its_content_and_its_attributes(base):
    with_dict, without = sub(base, f"A{base.__name__}"), sub(base, f"B{base.__name__}", {"__slots__": ()})
    one, other = with_dict(), with_dict()
    assert encode(one) == encode(other)
    assert encode(without()) == encode(without())
    assert len({encode(one), encode(without()), encode(base())}) == 3
    other.more = 1
    assert encode(one) != encode(other)


def used(path):
    hash(path), str(path), path.parts
    return path


SAME = {
    "a path that was looked at": (used(pathlib.PurePath("a/b")), pathlib.PurePath("a/b")),
    "two objects built alike": (Plain(a=[1], b=Slotted(1, 2)), Plain(b=Slotted(1, 2), a=[1])),
    "an ordered dict built otherwise": (moved("ab", "b"), collections.OrderedDict.fromkeys("ba")),
    "equal counters": (collections.Counter("aab"), collections.Counter("aab")),
    "an equal pattern": (re.compile("a", re.IGNORECASE), re.compile("a", re.I)),
    "a stream at the same place": (at(io.StringIO("abc"), 2), at(io.StringIO("abc"), 2)),
    "times": (Moment(2020, 1, 1, tzinfo=UTC), Moment(2020, 1, 1, tzinfo=UTC)),
}  # fmt: skip


@pytest.mark.parametrize("what", SAME)
def test_what_is_the_same_has_the_same_bytes(what):
    one, other = SAME[what]
    assert encode(one) == encode(other)


class DictOfItsOwn:
    def __init__(self, secret):
        self.secret = secret

    @property
    def __dict__(self):
        return {}


class Socket(socket.socket):
    def __reduce_ex__(self, protocol):
        return Socket, ()


class Connection(sqlite3.Connection):
    def __reduce_ex__(self, protocol):
        return Connection, (":memory:",)


class SaysItIsPlain(type):
    """A metaclass whose classes have nothing, they say, but attributes."""

    __mro__ = property(lambda cls: (cls, object))  # type: ignore[assignment]
    __flags__ = property(lambda cls: 1 << 9)  # type: ignore[assignment]
    __basicsize__ = property(lambda cls: 16)  # type: ignore[assignment]


class PlainSocket(socket.socket, metaclass=SaysItIsPlain):
    pass


class OwnRandom(random.Random):
    def getstate(self):
        return 3, (), None


class DictlessError(ValueError):
    @property
    def __dict__(self):
        return {}


class ChangedSlots:
    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a, self.b = a, b


def local_function():
    return lambda: 1


def row():
    return sqlite3.connect(":memory:").execute("select 1")


class Referent:
    pass


KEPT = Referent()
HIDDEN = {
    "a lock": threading.Lock,
    "an object with a lock": lambda: Plain(lock=threading.Lock()),
    "a condition": threading.Condition,
    "a file": lambda: open(os.devnull),  # noqa: SIM115
    "a socket": socket.socket,
    "a socket that reduces to nothing": Socket,
    "a socket whose class says that it is plain": PlainSocket,
    "an exception with a dict that is not the dict": lambda: DictlessError(1),
    "random numbers that say nothing of their state": lambda: OwnRandom(1),
    "a weak reference": lambda: weakref.ref(KEPT),
    "a weak proxy": lambda: weakref.proxy(KEPT),
    "a weak dict": lambda: weakref.WeakValueDictionary(a=KEPT),
    "a pointer": lambda: ctypes.pointer(ctypes.c_int(1)),
    "a database": lambda: sqlite3.connect(":memory:"),
    "a database that reduces to a new one": lambda: Connection(":memory:"),
    "a cursor": row,
    "a digest under way": hashlib.md5,
    "a compressor": zlib.compressobj,
    "another object's view": lambda: super(Below, Below(1, 2)),
    "a dict that is not the dict": lambda: DictOfItsOwn(1),
    "a function made by a call": local_function,
    "a method of a function made by a call": lambda: types.MethodType(lambda one: one, 1),
    "a class made by a call": lambda: type("Made", (), {"a": 1}),
    "a module made by a call": lambda: types.ModuleType("made"),
    "a frame": sys._getframe,
    "a property": lambda: property(len),
    "a code object": lambda: local_function.__code__,
    "a coroutine's cell": lambda: types.CellType(1),
    "local state of threads": threading.local,
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("what", HIDDEN)
def test_hidden_state_is_named_and_never_the_same(what):
    with pytest.raises(CannotEncode, match=r"\w"):
        encode([HIDDEN[what]()])


def test_slots_are_read_whatever_their_list_says_afterwards():
    one, other = ChangedSlots(1, 2), ChangedSlots(1, 3)
    ChangedSlots.__slots__ = ("a", "a")
    assert encoded(one) != encoded(other)


def test_names_that_are_no_names_are_told_apart_and_harm_nobody():
    one, other = Plain(), Plain()
    vars(one).update({1: "a", "1": "b"})
    vars(other).update({1: "b", "1": "a"})
    assert encode(one) != encode(other)


def test_an_object_that_holds_itself_has_an_end_with_a_hash_of_its_own_and_without():
    for kind in (Plain, AllEqual):
        knot, other = kind(), kind()
        knot.me = knot
        other.me = [other]
        assert encode(knot) != encode(other)


def test_an_object_that_lies_in_every_method_is_encoded_without_its_help():
    class Nothing:
        def __getattribute__(self, name):
            raise KeyError(name)

        __eq__ = __hash__ = __iter__ = __reduce__ = __reduce_ex__ = __getstate__ = __len__ = __bool__ = __repr__ = None  # type: ignore[assignment]

    made = object.__new__(Nothing)
    object.__setattr__(made, "a", 1)
    assert b'["a",1]' in encode(made)


def test_a_function_that_came_with_the_input_is_its_code_and_what_it_closes_over():
    def adder(n):
        return lambda x: x + n

    def carried(function):
        _, data = optagent_codec.pack((function,), {}, lambda module: module == __name__)
        return optagent_codec.unpack(data)[0][0]

    assert encode(carried(adder(1))) == encode(carried(adder(1)))
    assert encode(carried(adder(1))) != encode(carried(adder(2)))
    assert encode(carried(adder(1))) != encode(carried(local_function()))


HASHED = """
import sys
sys.path.insert(0, TOOLBOX)
import optagent_objects
from optagent_encode import encode

class K:
    def __init__(self, *v): self.v = v
    def __hash__(self): return hash(self.v)

class Free:
    def __init__(self, *v): self.v = v

names = [f"name {k}" for k in range(30)]
shared = Free("shared")
value = [set(names), {K(n) for n in names}, {frozenset([n, n + "x"]) for n in names}, {Free(n): 1 for n in names},
         {Free(n, [n]) for n in names}, {Free(n, shared) for n in names}, {(n, Free(n)) for n in names}, shared]
print(encode(value).hex())
"""


def test_sets_of_any_objects_have_one_form_under_every_hash_seed():
    code = HASHED.replace("TOOLBOX", repr(str(toolbox_path.TOOLBOX)))
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(seen) == 1


ITEMS = {str(k): [k] for k in range(6)}


def test_a_compiled_map_by_hash_has_no_order_and_all_of_its_content():
    same = {encode(rpds.HashTrieMap(ITEMS)) for _ in range(5)}
    assert len(same) == 1
    assert len({encode(rpds.HashTrieSet(ITEMS)) for _ in range(5)}) == 1
    assert encode(rpds.HashTrieMap(ITEMS)) != encode(rpds.HashTrieMap({**ITEMS, "0": [7]}))
    assert encode(rpds.HashTrieMap({})) != encode(rpds.HashTrieSet([]))


def test_a_compiled_container_with_an_order_keeps_it():
    assert encode(rpds.List([1, 2])) != encode(rpds.List([2, 1]))


def test_what_a_compiled_map_shares_with_others_is_told_apart():
    kept = [1]
    one, other = rpds.HashTrieMap({1: kept, 2: [1]}), rpds.HashTrieMap({1: [1], 2: kept})
    assert encode([kept, one]) != encode([kept, other])
    assert encode([kept, one]) == encode([kept, rpds.HashTrieMap({2: [1], 1: kept})])


class Forgetful:
    """Says that it is made of items in any order, and is not compiled."""

    def __init__(self, items):
        self.items = items

    def __reduce__(self):
        return Forgetful, (sorted(self.items),)


def test_a_class_of_the_project_is_not_believed_that_it_has_no_order():
    assert encode(Forgetful([1, 2])) != encode(Forgetful([2, 1]))
