"""The way in by `sys.monitoring` (3.12 and newer): one event per function start.

Runs in the target's interpreter: standard library only. One tool hears of every function once, to find those that are
watched, and of no function again; another hears of the watched ones alone. So all other code runs at full speed, in
every test.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from optagent_record import DUE, ENOUGH

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from optagent_watch import Watch, Watched

FRAMES_UP = 2
"""From the function that has started to the one that looks at its arguments."""


class Events:
    """Hears of starts for one watch."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.codes: dict[int, tuple[Watched, CodeType]] = {}  # by id; the code is kept alive with it
        self.quiet: list[CodeType] = []
        self.events: Any = vars(sys)["monitoring"]
        self.start, self.disable = self.events.events.PY_START, self.events.DISABLE
        self.finder, self.tool = [number for number in (4, 3, 5, 2, 1, 0) if self.events.get_tool(number) is None][:2]
        for tool, hears in ((self.finder, self.found), (self.tool, self.started)):
            self.events.use_tool_id(tool, "optagent")
            self.events.register_callback(tool, self.start, hears)
        self.events.set_events(self.finder, self.start)

    def new_test(self) -> None:
        awake = [code for code in self.quiet if not self.codes[id(code)][0].resting]
        self.quiet = [code for code in self.quiet if self.codes[id(code)][0].resting]
        for code in awake:
            self.events.set_local_events(self.tool, code, self.start)

    def found(self, code: CodeType, offset: int) -> Any:
        one = self.watch.lookup(code)
        if one is not None and id(code) not in self.codes:
            self.codes[id(code)] = one, code
            self.events.set_local_events(self.tool, code, self.start)
            self.see(one, code)
        return self.disable

    def started(self, code: CodeType, offset: int) -> None:
        self.see(self.codes[id(code)][0], code)

    def see(self, one: Watched, code: CodeType) -> None:
        what = self.watch.heard(one)
        if what == ENOUGH:
            self.events.set_local_events(self.tool, code, 0)
            self.quiet.append(code)
        elif what == DUE:
            frame = sys._getframe(FRAMES_UP)
            args, kwargs = arguments_of(frame, code)
            given, named = self.watch.look(one, frame, code, args, kwargs)
            if given is not args:
                hand_over(frame, code, given, named)


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
