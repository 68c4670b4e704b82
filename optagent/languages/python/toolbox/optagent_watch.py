"""Watches functions of the project while its tests run: which were called, how often, and with what.

Runs in the target's interpreter: standard library only. Two ways in:

- 3.12 and newer: an event of `sys.monitoring` per function start, switched off at once for all code that is not
  watched. It changes nothing that the program could see, but iterators: they can be kept only by handing over others.
- 3.11: the function's code is exchanged for one that records and calls the original.

Only outermost calls are recorded: those that a function makes to itself are its own business.
"""

from __future__ import annotations

import gc
import inspect
import os
import sys
import threading
import types
from typing import TYPE_CHECKING, Any

import optagent_loading
from optagent_record import Purse, Recorder

if TYPE_CHECKING:
    from types import CodeType, FrameType, FunctionType

    Key = tuple[str, str, int]

MOST_PER_TEST, OFTEN, FEW_PER_TEST = 2_000, 20_000, 50
"""So many calls of one function within one test are counted, the rest of that test runs at full speed; of a function
that has been called often there is enough to choose from with the first few of each further test."""


class Watched:
    """One function under watch."""

    def __init__(self, number: int, recorder: Recorder) -> None:
        self.number = number
        self.recorder = recorder
        self.in_this_test = 0
        self.most = MOST_PER_TEST
        self.is_free = False
        self.original: CodeType | None = None
        self.shim: CodeType | None = None
        self.function: FunctionType | None = None


class Watch:
    """`targets` are rows of path, qualified name and first line (decorators included); `keep` asks for arguments."""

    def __init__(self, targets: list[list[Any]], keep: bool, test_files: set[str]) -> None:
        self.keep = keep
        self.test_files = test_files
        self.purse = Purse()
        self.watched: dict[Key, Watched] = {}
        for number, (path, qualname, line) in enumerate(targets):
            recorder = Recorder(self.purse, self.by_value)
            self.watched[os.path.realpath(path), qualname, line] = Watched(number, recorder)
        self.all = list(self.watched.values())
        self.files = {path for path, _, _ in self.watched}
        self.by_code: dict[int, Watched] = {}
        self.codes: list[CodeType] = []  # kept alive: their ids are keys
        self.real: dict[str, str] = {}
        self.originals: dict[int, FunctionType] = {}  # copies that the shims call: never exchanged themselves
        self.modules_seen = 0
        self.inside = threading.local()
        self.monitors = sys.version_info >= (3, 12)
        self.disable: Any = None
        if self.monitors and self.watched:
            self.start_monitoring()
        elif self.watched:
            optagent_loading.announce(self.is_watched_file, lambda module: self.exchange_all())

    def is_watched_file(self, name: str, file: str) -> bool:
        return os.path.realpath(file) in self.files

    def by_value(self, module: str) -> bool:
        """Whether a function of that module has to be carried as code: a worker imports no tests."""
        if module == "__main__":
            return True
        file = getattr(sys.modules.get(module), "__file__", None) or ""
        return os.path.realpath(file) in self.test_files

    def new_test(self) -> None:
        """What was left alone in the last test is watched again."""
        for one in self.all:
            if one.is_free and one.function is not None and one.shim is not None:
                one.function.__code__ = one.shim
                one.is_free = False
            if one.in_this_test:
                one.most = MOST_PER_TEST if one.recorder.calls < OFTEN else FEW_PER_TEST
                one.in_this_test = one.recorder.next_look = 0  # the first call of each test is looked at
        if self.monitors:
            monitoring().restart_events()
        elif len(sys.modules) != self.modules_seen:
            self.modules_seen = len(sys.modules)
            self.exchange_all()

    def touched(self) -> list[int]:
        """The numbers of the functions called since the last `new_test`."""
        return [one.number for one in self.all if one.in_this_test]

    def lookup(self, code: CodeType) -> Watched | None:
        file = code.co_filename
        if file not in self.real:
            self.real[file] = os.path.realpath(file)
        return self.watched.get((self.real[file], code.co_qualname, code.co_firstlineno))

    # --- by event -----------------------------------------------------------------------------------------------

    def start_monitoring(self) -> None:
        events = monitoring()
        tool = next(number for number in (4, 3, 5, 2, 1, 0) if events.get_tool(number) is None)
        events.use_tool_id(tool, "optagent")
        events.register_callback(tool, events.events.PY_START, self.started)
        events.set_events(tool, events.events.PY_START)
        self.disable = events.DISABLE

    def started(self, code: CodeType, offset: int) -> Any:
        one = self.by_code.get(id(code))
        if one is None:
            one = self.lookup(code)
            if one is None:
                return self.disable
            self.by_code[id(code)] = one
            self.codes.append(code)
        one.in_this_test += 1
        if not self.keep or one.in_this_test > one.most:
            return self.disable
        self.see(one.recorder, code)
        return None

    def see(self, recorder: Recorder, code: CodeType) -> None:
        recorder.calls += 1
        if recorder.calls < recorder.next_look or getattr(self.inside, "recording", False):
            return
        frame = sys._getframe(2)
        args, kwargs = arguments_of(frame, code)
        if is_inner(frame, code) or not recorder.wants(args, kwargs):
            return
        given, named = self.record(recorder, args, kwargs)
        if given is not args:
            hand_over(frame, code, given, named)

    def record(self, recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Recorded; calls that writing the arguments down makes are not the tests'."""
        self.inside.recording = True
        try:
            return recorder.record(args, kwargs)
        finally:
            self.inside.recording = False

    # --- by exchange of code ------------------------------------------------------------------------------------

    def exchange_all(self) -> None:
        """Every watched function that has been loaded since."""
        for function in [one for one in gc.get_objects() if type(one) is types.FunctionType]:
            found = self.lookup(function.__code__)
            if found is not None and function.__code__ is not found.shim and id(function) not in self.originals:
                self.exchange(function, found)

    def exchange(self, function: FunctionType, one: Watched) -> None:
        code = function.__code__
        original = types.FunctionType(
            code, function.__globals__, function.__name__, function.__defaults__, function.__closure__
        )
        original.__kwdefaults__ = function.__kwdefaults__
        self.originals[id(original)] = original
        if not hasattr(function, "__wrapped__"):
            function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]  # for who looks at it
        template = SHIM.__code__
        enter = self.entrance(one, original)
        one.original, one.function = code, function
        one.shim = template.replace(
            co_consts=tuple(enter if constant == MARK else constant for constant in template.co_consts),
            co_freevars=code.co_freevars,
            co_name=code.co_name,
            co_qualname=code.co_qualname,
            co_filename=code.co_filename,
            co_firstlineno=code.co_firstlineno,
        )
        function.__code__ = one.shim

    def entrance(self, one: Watched, original: FunctionType) -> Any:
        recorder, inside, keep, code = one.recorder, self.inside, self.keep, original.__code__

        def enter(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            one.in_this_test += 1
            if not keep or one.in_this_test > one.most:
                if one.function is not None and one.original is not None:
                    one.function.__code__ = one.original  # full speed until the next test
                    one.is_free = True
                return original(*args, **kwargs)
            recorder.calls += 1
            is_due = recorder.calls >= recorder.next_look and not getattr(inside, "recording", False)
            if is_due and not is_inner(sys._getframe(1), code) and recorder.wants(args, kwargs):
                args, kwargs = self.record(recorder, args, kwargs)
            return original(*args, **kwargs)

        return enter


def monitoring() -> Any:
    """`sys.monitoring`, which the oldest Python we run under does not have."""
    return vars(sys)["monitoring"]


MARK = "the recorder goes here"


def SHIM(*args: Any, **kwargs: Any) -> Any:  # noqa: N802
    enter: Any = "the recorder goes here"
    return enter(args, kwargs)


def is_inner(frame: FrameType, code: CodeType) -> bool:
    caller = frame.f_back
    while caller is not None:
        if caller.f_code is code:
            return True
        caller = caller.f_back
    return False


def arguments_of(frame: FrameType, code: CodeType) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a frame that has just started, as (args, kwargs)."""
    values = frame.f_locals
    names = code.co_varnames
    positional = names[: code.co_argcount]
    keywords = names[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    after = code.co_argcount + code.co_kwonlyargcount
    args = tuple(values[name] for name in positional)
    kwargs = {name: values[name] for name in keywords}
    if code.co_flags & 0x04:
        args += values[names[after]]
        after += 1
    if code.co_flags & 0x08:
        kwargs.update(values[names[after]])
    return args, kwargs


def hand_over(frame: FrameType, code: CodeType, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """The frame, which has just started, goes on with these arguments in place of its own."""
    values = frame.f_locals
    names, positional = code.co_varnames, code.co_argcount
    after = positional + code.co_kwonlyargcount
    values.update(dict(zip(names[:positional], args, strict=False)))
    values.update({name: kwargs[name] for name in names[positional:after]})
    if code.co_flags & 0x04:
        values[names[after]] = args[positional:]
        after += 1
    if code.co_flags & 0x08:
        rest = values[names[after]]
        rest.update({name: kwargs[name] for name in rest})
    if sys.version_info < (3, 13):  # later ones write through
        import ctypes

        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
