"""Which of the things that calls left can still be changed by somebody else: those that a later call left too, those
that stay in reach of the tree's modules, and those of which a view is left. Who changes what a call gave or was given
changes them with it.

Runs in the target's interpreter: standard library only.
"""

from __future__ import annotations

import enum
import gc
import sys
import types
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_BYTES = 64 << 20
EACH = 64
"""So many bytes are counted for an object, and for each item of a container."""

MOST_REACHED = 300_000
CONTAINERS = (list, dict, set, bytearray, deque)
NEVER_CHANGED = (type, enum.Enum, types.FunctionType, types.BuiltinFunctionType, types.MethodType)
NO_WAY_ON = (types.ModuleType, types.FrameType, types.TracebackType)


class Handed:
    """What calls left, kept alive, so that no address is used twice; of the first calls, where it is very much."""

    def __init__(self) -> None:
        self.calls = self.bytes = 0
        self.first: dict[int, int] = {}
        self.alive: list[list[Any]] = []
        self.again: set[tuple[int, int]] = set()
        self.with_views: list[int] = []

    def add(self, met: list[Any], has_views: bool) -> None:
        """What the next call left, container by container, and whether views of some are in it."""
        self.calls += 1
        if has_views:
            self.with_views.append(self.calls)
        self.bytes += sum(map(about_bytes, met))
        if self.bytes > MOST_BYTES:
            return
        self.alive.append(met)
        for one in met:
            earlier = self.first.setdefault(id(one), self.calls)
            if earlier != self.calls and can_change(one):
                self.again.add((self.calls, earlier))

    def told(self, modules: Iterable[types.ModuleType]) -> list[Any]:
        """Pairs of calls, the later one first, that have something in common, calls with something that these modules
        keep, and calls with views."""
        if not self.alive:
            return []
        kept = reached_from(modules)
        held = {self.first[id(one)] for met in self.alive for one in met if id(one) in kept and can_change(one)}
        kinds = ((sorted(held), "kept by a module"), (self.with_views, "a view of what is there, too"))
        return [[*pair] for pair in sorted(self.again)] + [[call, what] for calls, what in kinds for call in calls]


def about_bytes(value: Any) -> int:
    kind = type(value)
    if kind is bytearray:
        return EACH + len(value)
    if kind.__module__ == "numpy" and kind.__name__ == "ndarray":
        return EACH + int(value.nbytes)
    return EACH * (1 + len(value)) if kind in CONTAINERS else EACH


def can_change(value: Any) -> bool:
    """Whether who holds it can change it: containers, arrays, exceptions, objects whose attributes can be set. A plain
    `object()` is nothing but itself: it counts as well."""
    kind = type(value)
    if kind is object or issubclass(kind, (*CONTAINERS, BaseException)):
        return True
    if issubclass(kind, NEVER_CHANGED):
        return False
    if kind.__module__ == "numpy":
        return kind.__name__ == "ndarray"
    own = [vars(one) for one in kind.__mro__[:-1]]
    is_frozen = any("__setattr__" in names for names in own)
    return not is_frozen and any("__dict__" in names or names.get("__slots__") for names in own)


def reached_from(modules: Iterable[types.ModuleType]) -> set[int]:
    """The addresses of what these modules hold, however deep, but for other modules and what those hold; of nothing
    where that is very much."""
    modules = list(modules)
    names = {module.__name__ for module in modules}
    seen = {id(vars(module)) for module in list(sys.modules.values()) if type(module) is types.ModuleType}
    todo = [value for module in modules for value in vars(module).values()]
    reached: set[int] = set()
    while todo:
        one = todo.pop()
        kind = type(one)
        is_others = issubclass(kind, type) and vars(one).get("__module__") not in names
        if id(one) in seen or is_others or issubclass(kind, NO_WAY_ON):
            continue
        seen.add(id(one))
        reached.add(id(one))
        if len(reached) > MOST_REACHED:
            return set()
        todo += gc.get_referents(one)
    return reached
