"""The arguments of one call as bytes, and back. Both ends are workers; the referee only hands the bytes on.

Runs in the target's interpreter: standard library only. The bytes are a pickle (protocol 5) in which

- members of an enum whose values may be compared by identity are names in their class;
- classes, and functions that stand in a module of the program, are names, found again in the worker's own tree;
- functions that do not (lambdas, functions made inside others, helpers of test files) are code with what it uses;
- iterators are lists with a flag, drained before the call;
- modules are names.

Whatever cannot be written is named in CannotCarry, and the call is not kept.
"""

from __future__ import annotations

import contextlib
import enum
import importlib
import io
import marshal
import operator
import pickle
import re
import signal
import threading
import types
import warnings
import zlib
from typing import TYPE_CHECKING, Any

import optagent_objects
from optagent_iterate import ENDLESS_TYPES, ITERATOR, LAZY, MOST_ITEMS, Drained, drain, resume

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_BYTES = 4 << 20
PLAIN, OBJECTS = "plain", "objects"
NESTED_LOOKED_AT = 64
MOST_SECONDS = 0.05
"""Reading an iterator ahead of time may take this long, and the item under way then: each may be longer than before."""

MOST_WAITING_S = 1.0

CARRIED_BY_VALUE = (bool, int, float, str, bytes, type(None))
BLANKS = re.compile(r"\bat 0x[0-9a-fA-F]+|\s+")


class CannotCarry(Exception):
    """Arguments that cannot be written down; the message says why, in words that many calls share."""


class Limited(io.BytesIO):
    """Takes MOST_BYTES and refuses the rest, so that nobody waits for a pickle of everything."""

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > MOST_BYTES:
            raise CannotCarry(f"arguments of more than {MOST_BYTES >> 20} MiB")
        return super().write(data)


class Packer(pickle.Pickler):
    """`by_value(module name)` says that what stands in that module cannot be imported by a worker."""

    def __init__(self, file: io.BytesIO, by_value: Callable[[str], bool]) -> None:
        super().__init__(file, 5)
        self.by_value = by_value
        self.codec = PLAIN
        self.speaking: dict[type, bool] = {}

    def reducer_override(self, value: Any) -> Any:
        """Asked for everything but Python's plain values."""
        self.codec = OBJECTS
        if type(value) is Drained or isinstance(value, type):
            return NotImplemented
        if type(value) is types.FunctionType:
            return self.function(value)
        if type(value) is types.CellType:
            return make_cell, (), content_of(value), None, None, fill_cell
        if type(value) is types.ModuleType:
            return importlib.import_module, (value.__name__,)
        kind = type(value)
        if isinstance(kind, enum.EnumMeta) and is_member(value, kind):
            return operator.getitem, (kind, value._name_)
        if kind not in self.speaking:
            self.speaking[kind] = speaks_for_itself(kind)
        return self.by_state(value) if self.speaking[kind] else NotImplemented

    def by_state(self, value: Any) -> Any:
        """What an object of the project says of itself; where it cannot say (its `__init__` has yet to run), its
        attributes."""
        try:
            return value.__reduce_ex__(5)
        except CannotCarry:
            raise
        except Exception:
            if not optagent_objects.is_plain(value):
                raise
        state = dict(optagent_objects.vars_of(value) or {})
        return make_object, (type(value),), (state, dict(optagent_objects.slots(value))), None, None, fill_object

    def function(self, value: types.FunctionType) -> Any:
        if value in OURS:
            return NotImplemented
        if optagent_objects.is_named(value) and not self.by_value(value.__module__):
            return named_function, (value.__module__, value.__qualname__)
        code = marshal.dumps(value.__code__)
        names = set(names_in(value.__code__))
        used = {name: one for name, one in value.__globals__.items() if name in names}
        about = (value.__name__, value.__qualname__, value.__module__, value.__defaults__, value.__kwdefaults__)
        state = (used, about, dict(vars(value)))
        return make_function, (code, value.__closure__ or ()), state, None, None, fill_function


def speaks_for_itself(kind: type) -> bool:
    """Whether a class that is not Python's own has a say in how its objects are written down."""
    named = ("__reduce_ex__", "__reduce__", "__getstate__", "__getnewargs__", "__getnewargs_ex__")
    owners = [owner for owner in kind.__mro__[:-1] if not optagent_objects.is_of_python(owner)]
    return any(isinstance(vars(owner).get(name), types.FunctionType) for owner in owners for name in named)


def is_member(value: Any, kind: type) -> bool:
    """Whether an enum member has to be found by its name: its value, made anew, may be another one's."""
    return type(value._value_) not in CARRIED_BY_VALUE and vars(kind)["_member_map_"].get(value._name_) is value


def make_object(kind: type) -> Any:
    return object.__new__(kind)


def fill_object(value: Any, state: Any) -> None:
    attributes, slots = state
    if attributes:
        object.__getattribute__(value, "__dict__").update(attributes)
    for owner, name in slots:
        vars(owner)[name].__set__(value, slots[owner, name])


def names_in(code: types.CodeType) -> Iterator[str]:
    """The global names that a code object and those inside it may use."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from names_in(constant)


def content_of(cell: Any) -> Any:
    """What a cell holds as its state, None where it is empty; functions that share a cell go on sharing it."""
    try:
        return (cell.cell_contents,)
    except ValueError:
        return None


def named_function(module: str, qualname: str) -> Any:
    importlib.import_module(module)
    found = optagent_objects.function_named(module, qualname)
    if found is None:
        raise AttributeError(f"{module} has no function {qualname}")
    return found


def make_cell() -> Any:
    return types.CellType()


def fill_cell(cell: Any, state: Any) -> None:
    cell.cell_contents = state[0]


def make_function(data: bytes, cells: tuple[Any, ...]) -> types.FunctionType:
    """A function without what it uses yet: it may use itself."""
    code = marshal.loads(data)
    digest = f"{len(data)}:{zlib.crc32(data):x}"  # tells functions apart for who reads; both sides got these bytes
    for one in codes_in(code):
        optagent_objects.CARRIED[id(one)] = (one, digest)
    return types.FunctionType(code, {}, None, None, cells)


def codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes_in(constant)


def fill_function(function: types.FunctionType, state: Any) -> None:
    used, about, attributes = state
    function.__globals__.update(used)
    name, qualname, module, function.__defaults__, function.__kwdefaults__ = about
    function.__name__, function.__qualname__, function.__module__ = name, qualname, module
    function.__globals__["__name__"] = module
    vars(function).update(attributes)


def pack(args: tuple[Any, ...], kwargs: dict[str, Any], by_value: Callable[[str], bool]) -> tuple[str, bytes]:
    """The codec's name and the bytes. Raises CannotCarry. Iterators must have been drained (`drained`)."""
    file = Limited()
    packer = Packer(file, by_value)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # to pickle an itertools object is deprecated from 3.12 on
            packer.dump((args, kwargs))
    except CannotCarry:
        raise
    except Exception as error:  # noqa: BLE001 - what the target's objects raise when they are written down
        raise CannotCarry(reason(error)) from None
    return packer.codec, file.getvalue()


def reason(error: BaseException) -> str:
    """Short, and the same for calls that fail alike."""
    text = BLANKS.sub(" ", str(error)).replace("optagent_codec.", "")
    text = re.sub(r"it's not the same object as .*|<[^>]*>", "...", text).strip()
    return (
        f"{text[:90]}" if isinstance(error, (pickle.PicklingError, TypeError, AttributeError)) else type(error).__name__
    )


def unpack(data: bytes) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Fresh arguments, in the worker that calls with them."""
    args, kwargs = pickle.loads(data)
    return args, kwargs


def drained(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    """(args, kwargs) to be written down, and (args, kwargs) to call with: every iterator among the arguments, and in
    the lists and tuples among them, has been drained, and is a fresh one in the second. The same when there is none."""
    if not any(may_hold_iterator(one) for one in (*args, *kwargs.values())):
        return args, kwargs, args, kwargs
    known: dict[int, tuple[Any, Any]] = {}
    pairs = [split(one, known) for one in args]
    named = {name: split(one, known) for name, one in kwargs.items()}
    kept = tuple(one for one, _ in pairs), {name: one for name, (one, _) in named.items()}
    again = tuple(one for _, one in pairs), {name: one for name, (_, one) in named.items()}
    return (*kept, *again)


def may_hold_iterator(value: Any) -> bool:
    """Whether it is an iterator, a list or tuple of them, or an object that keeps a generator (other iterators inside
    an object can be written down as they are)."""
    kind = type(value)
    if kind in LAZY:
        return kind not in ENDLESS_TYPES
    if kind in (list, tuple):
        return any(type(one) in LAZY for one in value[:NESTED_LOOKED_AT])
    return False  # what an object keeps is its own: reading ahead there has made tests of threads wait for ever


def split(value: Any, known: dict[int, tuple[Any, Any]]) -> tuple[Any, Any]:
    """What is kept of a value, and what the call gets instead of it."""
    if not may_hold_iterator(value):
        return value, value
    if id(value) not in known:
        known[id(value)] = how_to_split(value)(value, known)
    return known[id(value)]


def how_to_split(value: Any) -> Any:
    if type(value) in LAZY:
        return split_iterator
    return split_items if type(value) in (list, tuple) else split_attributes


def split_attributes(value: Any, known: dict[int, tuple[Any, Any]]) -> tuple[Any, Any]:
    """An object with fresh generators in place of those it kept; what is written down shares nothing with it."""
    attributes = optagent_objects.vars_of(value)
    kept = object.__new__(type(value))
    known[id(value)] = kept, value  # it may hold itself
    pairs = {name: split(one, known) for name, one in attributes.items()}
    fill_object(kept, ({name: one for name, (one, _) in pairs.items()}, dict(optagent_objects.slots(value))))
    attributes.update({name: one for name, (_, one) in pairs.items()})
    return kept, value


def split_items(value: Any, known: dict[int, tuple[Any, Any]]) -> tuple[Any, Any]:
    if type(value) is tuple:
        pairs = [split(one, known) for one in value]
        return tuple(one for one, _ in pairs), tuple(one for _, one in pairs)
    kept: list[Any] = []
    known[id(value)] = kept, value  # it may hold itself
    pairs = [split(one, known) for one in value]
    kept[:] = [one for one, _ in pairs]
    value[:] = [one for _, one in pairs]  # the caller may look into the list it gave
    return kept, value


def split_iterator(value: Any, known: dict[int, tuple[Any, Any]]) -> tuple[Any, Any]:
    """An endless iterator is a thing that cannot be carried, and the call goes on with all that it would have had."""
    try:
        with alarm():
            whole = drain(value, seconds=MOST_SECONDS)
    except Waited:  # this test will fail; a plain run tells what it is worth
        return Unfit("an iterator that waits for something"), failing([], RuntimeError("read ahead of time"))
    if whole.ending == "raised":
        return Unfit("an iterator that raises"), failing(whole.items, whole.value)
    if len(whole.items) >= MOST_ITEMS:
        return Unfit(f"an iterator of more than {MOST_ITEMS} items"), chained(whole.items, whole.rest)
    if whole.ending != "ended":
        return Unfit("an iterator that takes long to read"), chained(whole.items, whole.rest)
    return whole, resume(whole.kind, list(whole.items), whole.value)


class Waited(BaseException):
    """Nothing came for too long; no handler of the target's is meant."""


@contextlib.contextmanager
def alarm() -> Iterator[None]:
    """Waited is raised in here after MOST_WAITING_S. Only where signals are heard and nobody else has a timer."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return

    def ring(number: int, frame: Any) -> None:
        raise Waited

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, MOST_WAITING_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def failing(items: list[Any], error: Any) -> Any:
    yield from items
    raise error


def chained(items: list[Any], rest: Any) -> Any:
    yield from items
    return (yield from rest)


class Unfit:
    """Stands for an argument that cannot be carried."""

    def __init__(self, why: str) -> None:
        self.why = why

    def __reduce__(self) -> Any:
        raise CannotCarry(self.why)


OURS = frozenset({named_function, make_function, fill_function, make_object, fill_object, make_cell, fill_cell, resume})
"""What the bytes themselves call; pickle finds them by name."""

__all__ = ["ITERATOR", "CannotCarry", "drained", "pack", "unpack"]
