"""Iterators that a result holds, drained in the call that made them: what they put off is work of that call.

Runs in the target's interpreter: standard library only. A result that is an iterator itself is drained in every call
(optagent_target). For those inside it is told where the untouched code leaves some (core/iterators.py): looking through
all of a result would take longer than many calls (docs/decisions/0037-iterators-inside-results.md).
"""

from __future__ import annotations

import collections
import itertools
from typing import TYPE_CHECKING, Any

import optagent_objects
from optagent_iterate import LAZY, Drained, drain_once
from optagent_target import UNFINISHED, finish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from optagent_encode import Known

    Place = Sequence[str]

KINDS: tuple[Any, ...] = (list, tuple, set, frozenset)
# by identity, as all lookups by type here: a metaclass may say anything about equality
CONTAINERS: dict[int, Callable[[Any], Iterable[Any]]] = {id(kind): kind.__iter__ for kind in KINDS}
LAZY_IDS = frozenset(map(id, LAZY))
READERS: dict[tuple[int, str], tuple[type, Callable[[Any], list[Any]]]] = {}
"""By class and name of an attribute: the class, which is kept alive so, and what reads the attribute."""


def to_its_end(target: Callable[..., Any], places: Sequence[Place], known: Known) -> Callable[..., Any]:
    """The target, called to the end of what it returns at these places too. What iterators there gave is `known`
    afterwards, with the number of the call."""
    numbers = itertools.count()

    def called(*args: Any, **kwargs: Any) -> Any:
        known.call = next(numbers)
        value = target(*args, **kwargs)
        if id(type(value)) in UNFINISHED:
            value = finish(value)
        for place in places:
            drain_at(place, value, known)
        return value

    return called


def drain_at(place: Place, value: Any, known: Known) -> None:
    level = [value]
    for step in place:
        level = [inner for one in level for inner in inside(one, step, known)]
    for one in level:
        if id(type(one)) in LAZY_IDS:
            drain_once(one, known)


def inside(value: Any, step: str, known: Known) -> Iterable[Any]:
    """What a value holds one step further down; nothing where it is no such value."""
    kind = type(value)
    if step.startswith("."):
        if (id(kind), step) not in READERS:
            READERS[id(kind), step] = kind, reader(kind, step[1:])
        return READERS[id(kind), step][1](value)
    if step == "()":
        return content(value)
    if step != "*":
        return [value[int(step)]] if kind is tuple and int(step) < len(value) else []
    if id(kind) in CONTAINERS:
        return CONTAINERS[id(kind)](value)
    if kind is dict:
        return list(value.values())
    if kind is not Drained:
        value = drain_once(value, known) if id(kind) in LAZY_IDS else None
    return list(value.items) if value is not None else []


def reader(kind: type, name: str) -> Callable[[Any], list[Any]]:
    """What reads an attribute of objects of a class, wherever they keep it: a list of it, or of nothing."""
    if optagent_objects.hides_attributes(kind):
        return lambda value: []
    slots = [pair for pair in optagent_objects.slots_told(kind) if pair[0] == name]
    if slots:
        return lambda value: [one for _, one in optagent_objects.filled(value, slots)]
    return lambda value: [kept[name]] if name in (kept := optagent_objects.vars_of(value) or {}) else []


def content(value: Any) -> list[Any]:
    """The container that the class of an object is made from, past its own methods."""
    base = next((one for one in (*KINDS, dict, collections.deque) if issubclass(type(value), one)), None)
    return [] if base is None else [optagent_objects.plain(base, value)]
