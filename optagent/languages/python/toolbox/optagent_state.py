"""What the tree's modules keep from call to call: looked at before calls and after them, and told where it changed.

Runs in the target's interpreter: standard library only. Watched, by name:

    package.module:name         a global
    package.module:Class.name   an attribute of a class
    package.module:name()       the attributes of a function, all together, and which one it is if another one stands
                                there; of a class those of its methods
    package.module:name() defaults, package.module:name() x
                                defaults of a function or method that can change, and its variable x of the function
                                around it
    environment, folder         the process's variables and where it is
    settings:name               what else everybody in the process shares (optagent_settings)
    files                       files and folders below the home, by path, mode, size and checksum
    random                      how far each call drew from Python's generator, and numpy's
    shared                      which calls left what another one left too, or what a module keeps (optagent_handed)

Functions, classes and modules are no state of their own. Looking changes nothing: iterators are not drained, those of
`itertools` that count are read by their text. What holds more than MOST_PARTS parts is watched by its length alone.
"""

from __future__ import annotations

import _thread
import collections
import contextlib
import enum
import functools
import itertools
import operator
import os
import stat
import sys
import types
import zlib
from typing import TYPE_CHECKING, Any

import optagent_encode
import optagent_handed
import optagent_objects
import optagent_settings
import optagent_target
from optagent_iterate import LAZY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Reader = Callable[[], Any]

MOST_PARTS = 2_000
MOST_IN_ALL = 30_000
MOST_ENDS = 100
MOST_FILES, MOST_FILE_BYTES = 1_000, 8 << 20
LARGE_BYTES = 1 << 16
NO_STATE = (types.ModuleType, types.BuiltinFunctionType, property, classmethod, staticmethod)
MANY_PARTS = (list, tuple, dict, set, frozenset)
SHOWN_BY_TEXT = (itertools.count, itertools.repeat)
LOCKS = (_thread.LockType, _thread.RLock)
"""Whether one is held is looked at by nobody between calls."""

NO_DATA = (type, types.MemberDescriptorType, types.GetSetDescriptorType)
CODE = (types.FunctionType, type, *NO_STATE)
FIXED = (bool, int, float, complex, str, bytes, type(None), *CODE)
METHODS = (types.FunctionType, classmethod, staticmethod, property)
ABSENT = ["absent"]


class TooMuch(Exception):
    """More parts than are looked at."""


class Looker(optagent_encode.Encoder):  # type: ignore[misc]
    """An encoder that leaves iterators as they are, and gives up early."""

    most_packed = 0

    def tree(self, value: Any, depth: int) -> Any:
        if self.parts > MOST_PARTS:
            raise TooMuch
        kind = type(value)
        if kind in SHOWN_BY_TEXT:
            return ["v", kind.__name__, repr(value)]
        if kind in LOCKS:
            return ["v", "lock"]
        if issubclass(kind, _thread._local):
            return ["v", "local", super().tree(dict(vars(value)), depth + 1)]
        if kind.__module__ == "_contextvars" and kind.__name__ == "ContextVar":
            return ["v", "ContextVar", self.tree(value.get(None), depth + 1)]
        if kind in LAZY:
            raise optagent_encode.CannotEncode("an iterator")
        if kind in MANY_PARTS and self.parts + len(value) > MOST_PARTS:
            raise TooMuch
        if kind in (str, bytes, bytearray) and len(value) > LARGE_BYTES:
            data = value.encode("utf-8", "surrogatepass") if kind is str else value
            return ["checksum", kind.__name__, len(value), zlib.crc32(data)]
        if kind.__module__ == "numpy" and kind.__name__ == "ndarray" and value.nbytes > LARGE_BYTES:
            return ["shape", *value.shape]
        return super().tree(value, depth)


class State:
    """What is there under the names asked for, or all that the modules below `folder` hold. `scratch` is a folder that
    is private to this process, empty where there is none."""

    def __init__(self, folder: str, scratch: str, names: list[str] | None) -> None:
        self.folder, self.scratch, self.names = folder, scratch, names
        self.unknown: dict[str, str] = {}
        self.modules = modules_in(folder)
        self.draws: list[Any] = []
        self.handed = optagent_handed.Handed()
        self.ends = False
        """Whether the last items of what is watched by its length are looked at too: they are what calls have added."""

    def look(self) -> dict[str, Any]:
        self.left = MOST_IN_ALL
        readers = dict(self.all_readers())
        names = readers if self.names is None else self.names
        return {name: self.read(name, readers[name]) for name in names if name in readers}

    def all_readers(self) -> Iterator[tuple[str, Reader]]:
        yield "environment", lambda: dict(sorted(os.environ.items()))
        yield "folder", os.getcwd
        for name, value in optagent_settings.settings().items():
            yield f"settings:{name}", functools.partial(str, value)
        yield "files", lambda: files(self.scratch) if self.scratch else {}
        yield "random", lambda: self.draws if any(self.draws) else []
        yield "shared", lambda: self.handed.told(self.modules)
        for module in self.modules:
            yield from readers_of(module)

    def read(self, name: str, reader: Reader) -> Any:
        """What is there, as encoded; it is unknown from then on where that cannot be told."""
        if name in self.unknown:
            return ABSENT
        if self.left <= 0:
            self.unknown[name] = "too much to look at"
            return ABSENT
        try:
            tree, parts = tree_of(reader(), self.ends)
        except Exception as error:  # noqa: BLE001 - the target's classes are at work here
            is_told = isinstance(error, optagent_encode.CannotEncode)
            self.unknown[name] = str(error) if is_told else type(error).__name__
            return ABSENT
        self.left -= parts
        return tree


class Watch(State):
    """State as it was when the watch was set."""

    def __init__(self, folder: str, scratch: str, names: list[str] | None) -> None:
        super().__init__(folder, scratch, names)
        optagent_target.seed()
        self.starts = optagent_target.drawn()
        self.look()  # a first look may make what a second one finds, like the dict of a partial
        self.before = self.look()
        self.loaded = len(sys.modules)

    def called(self, left: optagent_encode.Known) -> None:
        """To be told after every call, with what it left: what that shares with others, and how far the call drew from
        generators that were there before. One that it brought in was at no known start."""
        self.handed.add(left.met, bool(left.viewed))
        self.look_at_new()
        draws = optagent_target.drawn()
        new = [name for name in draws if name not in self.starts]
        self.draws.append([[name, one] for name, one in draws.items() if self.starts.get(name, one) != one])
        if new:
            optagent_target.seed()
            self.starts.update({name: one for name, one in optagent_target.drawn().items() if name in new})

    def look_at_new(self) -> None:
        """Modules that came since are looked at from here on: what they are made with is no change."""
        if len(sys.modules) != self.loaded:
            self.loaded, known = len(sys.modules), self.modules
            self.modules = modules_in(self.folder)
            new = dict(pair for module in self.modules if module not in known for pair in readers_of(module))
            self.before |= {name: self.read(name, reader) for name, reader in new.items()}

    def changes(self) -> tuple[list[str], dict[str, str], bytes]:
        """All names that are known, those that the calls made unreadable, and the canonical encoding of what has
        changed."""
        before, after = self.before, self.look()
        known = [name for name in dict.fromkeys((*before, *after)) if name not in self.unknown]
        pairs = [(name, before.get(name, ABSENT), after.get(name, ABSENT)) for name in known]
        changed = [[name, new] for name, old, new in pairs if text(old) != text(new)]
        lost = {name: why for name, why in self.unknown.items() if before.get(name, ABSENT) != ABSENT}
        if self.names is not None:
            changed += [[name, ["unknown", why]] for name, why in lost.items()]
        return known, lost, encoding(changed)


def standing(folder: str, scratch: str, names: list[str], seeded: list[str], errors: list[str]) -> bytes:
    """The canonical encoding of what these names hold now, at the end of a block: of the random generators that were
    `seeded` before it, how far those are that it drew from. `errors` goes under a name of its own."""
    state = State(folder, scratch, names)
    state.ends = True
    drawn = optagent_target.drawn()
    optagent_target.seed()
    starts = optagent_target.drawn()
    state.draws = [[name, one] for name, one in sorted(drawn.items()) if name in seeded and starts.get(name) != one]
    found = state.look() | {"errors": ["l", *errors]}
    unknown = {name: ["unknown", why] for name, why in state.unknown.items()}
    return encoding([[name, unknown.get(name, found.get(name, ABSENT))] for name in names])


def encoding(named: list[Any]) -> bytes:
    return text(["l", "state", ["d", *sorted(named, key=lambda pair: str(pair[0]))]])


def text(tree: Any) -> bytes:
    return bytes(optagent_encode.in_json(tree).encode("utf-8", "surrogatepass"))


def tree_of(value: Any, with_end: bool = False) -> tuple[Any, int]:
    """As encoded, and of how many parts that is; by its length where it is a container of too many, and then by its
    last items, if asked."""
    shared = optagent_encode.Shared()
    while True:
        looker = Looker(shared)
        try:
            return looker.tree(value, 0), looker.parts
        except optagent_encode.Circular as found:
            shared.circular.append(found.kind)
        except (TooMuch, RecursionError):
            if type(value) not in (list, dict, set, collections.deque):
                raise
            end = [end_of(value)] if with_end else []
            return ["length", len(value), *end], looker.parts


def end_of(value: Any) -> Any:
    """The last items of a container, as far as they can be told."""
    items = value.items() if type(value) is dict else () if type(value) is set else value
    try:
        return Looker().tree(list(itertools.islice(reversed(items), MOST_ENDS)), 0)
    except (TooMuch, RecursionError, optagent_encode.CannotEncode, optagent_encode.Circular):
        return ABSENT


def modules_in(folder: str) -> list[types.ModuleType]:
    """Loaded modules whose file is below the folder, by name."""
    return [
        module
        for name, module in sorted(sys.modules.items())
        if type(module) is types.ModuleType and (getattr(module, "__file__", None) or "").startswith(folder + os.sep)
    ]


def readers_of(module: types.ModuleType) -> Iterator[tuple[str, Reader]]:
    for name, value in list(vars(module).items()):
        place = f"{module.__name__}:{name}"
        kind = type(value)  # asked for its class, an object of the project's may do anything
        if is_of_python(name) or issubclass(kind, NO_STATE) or kind.__module__ == "logging":
            continue  # a logger keeps what others asked it
        if kind is types.FunctionType:
            yield from of_function(place, value, module.__name__)
        elif issubclass(kind, type):
            yield from of_class(place, value, module.__name__)
        else:
            yield place, functools.partial(operator.getitem, vars(module), name)


def is_of_python(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def of_function(place: str, value: types.FunctionType, module: str) -> Iterator[tuple[str, Reader]]:
    if is_written(value, module):
        yield f"{place}()", functools.partial(attributes_of, place, value)
        yield from kept_by(f"{place}()", value)


def is_written(value: types.FunctionType, module: str) -> bool:
    """Whether it stands in that module as text; what dataclasses and named tuples make does not."""
    return value.__module__ == module and value.__code__.co_filename != "<string>"


def attributes_of(place: str, value: types.FunctionType) -> dict[str, Any]:
    """And, under no name, which one it is where it is not the one that was written there."""
    found = {key: one for key, one in vars(value).items() if key != "__wrapped__"}
    name = value.__qualname__
    return found if place.endswith((f":{name}", f".{name}")) else {"": name, **found}


def kept_by(place: str, value: types.FunctionType) -> Iterator[tuple[str, Reader]]:
    defaults = [one for one in (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()) if is_open(one)]
    if defaults:
        yield f"{place} defaults", lambda: defaults
    for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # nothing is in it yet
            if not issubclass(type(cell.cell_contents), CODE):
                yield f"{place} {name}", functools.partial(getattr, cell, "cell_contents")


def is_open(default: Any) -> bool:
    """Whether calls can change what is in it."""
    return type(default) not in FIXED and not (type(default) is tuple and all(type(one) in FIXED for one in default))


def of_class(place: str, owner: type, module: str) -> Iterator[tuple[str, Reader]]:
    if owner.__module__ != module:
        return
    methods: list[tuple[str, types.FunctionType]] = []
    ours = "_" if issubclass(type(owner), enum.EnumMeta) else "__"  # an enum keeps what it has combined
    for name, value in list(vars(owner).items()):
        kind = type(value)
        if issubclass(kind, METHODS):
            methods += [(f"{place}.{name}", one) for one in functions_of(value) if is_written(one, module)]
        elif issubclass(kind, type) and value.__qualname__ == f"{owner.__qualname__}.{name}":
            yield from of_class(f"{place}.{name}", value, module)
        elif not (name.startswith(ours) or issubclass(kind, (*NO_STATE, *NO_DATA))):
            yield f"{place}.{name}", functools.partial(operator.getitem, vars(owner), name)
    yield f"{place}()", functools.partial(attributes_of_all, methods)
    for inside, one in methods:
        yield from kept_by(f"{inside}()", one)


def attributes_of_all(methods: list[tuple[str, types.FunctionType]]) -> dict[str, Any]:
    told = {place: attributes_of(place, one) for place, one in methods}
    return {place.rpartition(".")[2]: one for place, one in told.items() if one}


def functions_of(value: Any) -> list[types.FunctionType]:
    """The plain function in a class's body, or the first of those that a property has."""
    inside = [getattr(value, name, None) for name in ("__func__", "fget", "fset", "fdel")]
    return [one for one in (value, *inside) if type(one) is types.FunctionType][:1]


def files(folder: str) -> dict[str, Any]:
    """What is below a folder that is private to the process: path and mode, of files size and checksum too; of the
    first so many."""
    found: dict[str, Any] = {}
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if not os.path.ismount(os.path.join(place, one)))
        for name in folders[: MOST_FILES - len(found)]:
            path = os.path.join(place, name)
            found[os.path.relpath(path, folder) + os.sep] = mode_of(path)
        for name in sorted(names)[: MOST_FILES - len(found)]:
            path = os.path.join(place, name)
            found[os.path.relpath(path, folder)] = checked(path)
    return found


def mode_of(path: str) -> int:
    try:
        return stat.S_IMODE(os.lstat(path).st_mode)
    except OSError:
        return -1  # gone


def checked(path: str) -> Any:
    try:
        if not os.path.isfile(path) or os.path.islink(path):
            return "no plain file"
        with open(path, "rb") as file:
            return [mode_of(path), os.path.getsize(path), zlib.crc32(file.read(MOST_FILE_BYTES))]
    except OSError as error:
        return type(error).__name__


__all__ = ["Watch", "optagent_objects"]
