"""The way in by exchange of code (3.11): a function's code is exchanged for one that records and calls the original.

Runs in the target's interpreter: standard library only. Functions are found when their module has been loaded, and once
more among all live ones when the first test begins.
"""

from __future__ import annotations

import gc
import inspect
import os
import sys
import types
from typing import TYPE_CHECKING, Any

import optagent_loading
from optagent_record import DUE, ENOUGH

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType, FunctionType

    from optagent_watch import Watch, Watched

MARK = "the recorder goes here"


class Shims:
    """Exchanges code for one watch."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.known: dict[int, FunctionType] = {}  # those exchanged, and the copies that shims call
        self.free: list[tuple[Watched, FunctionType, CodeType]] = []  # at full speed until another test
        self.modules: set[str] = set()
        self.has_begun = False
        optagent_loading.announce(self.is_watched, self.loaded)

    def is_watched(self, name: str, file: str) -> bool:
        return os.path.realpath(file) in self.watch.files

    def loaded(self, module: Any) -> None:
        self.modules.add(module.__name__)
        self.exchange_all(gc.get_referrers(vars(module)))  # its functions, however well hidden

    def new_test(self) -> None:
        again, self.free = self.free, [row for row in self.free if row[0].resting]
        for one, function, shim in again:
            if not one.resting:
                function.__code__ = shim
        if len(sys.modules) != len(self.modules) or not self.has_begun:
            self.look_around()

    def look_around(self) -> None:
        """All live functions, when the first test begins or modules that did not announce themselves are there."""
        new = [name for name in list(sys.modules) if name not in self.modules]
        self.modules = set(sys.modules)
        if not self.has_begun or any(self.is_watched(name, file_of(name)) for name in new):
            self.has_begun = True
            self.exchange_all(gc.get_objects())

    def exchange_all(self, objects: Iterable[Any]) -> None:
        for function in [one for one in objects if type(one) is types.FunctionType]:
            one = self.watch.lookup(function.__code__)
            if one is not None and id(function) not in self.known:
                self.exchange(function, one)

    def exchange(self, function: FunctionType, one: Watched) -> None:
        code = function.__code__
        original = types.FunctionType(
            code, function.__globals__, function.__name__, function.__defaults__, function.__closure__
        )
        original.__kwdefaults__ = function.__kwdefaults__
        self.known[id(original)], self.known[id(function)] = original, function
        if not hasattr(function, "__wrapped__"):
            function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]  # for who looks at it
        function.__code__ = shim_like(code, self.entrance(one, function, original))

    def entrance(self, one: Watched, function: FunctionType, original: FunctionType) -> Any:
        heard, look, code = self.watch.heard, self.watch.look, original.__code__

        def enter(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            what = heard(one)
            if what == DUE:
                args, kwargs = look(one, sys._getframe(1), code, args, kwargs)
            elif what == ENOUGH:
                self.let_go(one, function, code)
            return original(*args, **kwargs)

        return enter

    def let_go(self, one: Watched, function: FunctionType, code: CodeType) -> None:
        """Full speed until the next test."""
        if function.__code__ is not code:  # another thread, or a call within the call, may have been here
            self.free.append((one, function, function.__code__))
            function.__code__ = code


def file_of(module: str) -> str:
    return getattr(sys.modules.get(module), "__file__", None) or ""


def shim_like(code: CodeType, enter: Any) -> CodeType:
    """The code of SHIM with that entrance in it; in everything else it looks like `code`."""
    template = SHIM.__code__
    return template.replace(
        co_consts=tuple(enter if constant == MARK else constant for constant in template.co_consts),
        co_freevars=code.co_freevars,
        co_name=code.co_name,
        co_qualname=code.co_qualname,
        co_filename=code.co_filename,
        co_firstlineno=code.co_firstlineno,
    )


def SHIM(*args: Any, **kwargs: Any) -> Any:  # noqa: N802
    enter: Any = "the recorder goes here"
    return enter(args, kwargs)
