"""Iterators that a result holds, drained in the call that made them: what they put off is work of that call.

Runs in the target's interpreter: standard library only. A result that is an iterator itself is drained in every call
(optagent_target). For those inside it is told where the untouched code leaves some (core/iterators.py): looking through
all of a result would take longer than many calls (docs/decisions/0037-iterators-inside-results.md).
"""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

import optagent_objects
from optagent_encode import CannotEncode
from optagent_iterate import LAZY, Drained, drain
from optagent_target import UNFINISHED, finish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from optagent_encode import Drains

    Place = Sequence[str]

KINDS: tuple[Any, ...] = (list, tuple, set, frozenset)
# by identity, as all lookups by type here: a metaclass may say anything about equality
CONTAINERS: dict[int, Callable[[Any], Iterable[Any]]] = {id(kind): kind.__iter__ for kind in KINDS}
LAZY_IDS = frozenset(map(id, LAZY))


def to_its_end(target: Callable[..., Any], places: Sequence[Place], drains: Drains) -> Callable[..., Any]:
    """The target, called to the end of what it returns at these places too. What iterators there gave is in `drains`
    afterwards, by their ids."""

    def call(*args: Any, **kwargs: Any) -> Any:
        value = target(*args, **kwargs)
        if id(type(value)) in UNFINISHED:
            value = finish(value)
        for place in places:
            drain_at(place, value, drains)
        return value

    return call


def drain_at(place: Place, value: Any, drains: Drains) -> None:
    level = [value]
    for step in place:
        level = [inner for one in level for inner in inside(one, step, drains)]
    for one in level:
        if id(type(one)) in LAZY_IDS:
            drained(one, drains)


def drained(iterator: Any, drains: Drains) -> Drained:
    """What an iterator gave, now or before."""
    if id(iterator) not in drains:
        drains[id(iterator)] = iterator, drain(iterator)
    found: Drained = drains[id(iterator)][1]
    return found


def inside(value: Any, step: str, drains: Drains) -> Iterable[Any]:
    """What a value holds one step further down; nothing where it is no such value."""
    kind = type(value)
    if step.startswith("."):
        return [one for name, one in attributes(value) if name == step[1:]]
    if step == "()":
        return content(value)
    if step != "*":
        return [value[int(step)]] if kind is tuple and int(step) < len(value) else []
    if id(kind) in CONTAINERS:
        return CONTAINERS[id(kind)](value)
    if kind is dict:
        return list(value.values())
    if kind is Drained:
        return list(value.items)
    return drained(value, drains).items if id(kind) in LAZY_IDS else []


def attributes(value: Any) -> Iterable[tuple[str, Any]]:
    try:
        return list(optagent_objects.attributes(value))
    except CannotEncode:
        return []


def content(value: Any) -> list[Any]:
    """The container that the class of an object is made from, past its own methods."""
    base = next((one for one in (*KINDS, dict, collections.deque) if issubclass(type(value), one)), None)
    return [] if base is None else [optagent_objects.plain(base, value)]
