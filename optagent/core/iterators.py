"""Where results hold iterators, as the canonical encoding (languages/python/toolbox/optagent_encode.py) tells it. Work
may be put off into them, so they are drained in timed calls (toolbox/optagent_within.py)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

Place = tuple[str, ...]
"""Steps from a result down: the number of an item of a short tuple, `*` for all that a container or an iterator gives,
`.name` for an attribute, `()` for the container that an object's class is made from."""

ENDLESS = "endless"
"""How an iterator ended that gave more than is looked at: a counter, mostly, and no work that was put off."""

MOST_PLACES = 64
SHORT = 16
"""Items of longer tuples are not told apart."""


def places_of_iterators(calls: Iterable[bytes]) -> tuple[Place, ...]:
    """The outermost places at which what these calls returned holds iterators, in the order in which the encoding meets
    them; not the result itself.

    >>> places_of_iterators([b'["l","returned",["I","iterator",["ended",null],1],["t"],["d"]]'])
    ()
    >>> places_of_iterators([b'["l","returned",["t",1,["I","iterator",["ended",null],1]],["t"],["d"]]'])
    (('1',),)
    >>> places_of_iterators([b'["l","returned",["d",["k",["o","m.C",null,["x",["I","generator",["ended",null]]]]]]]'])
    (('*', '.x'),)
    >>> two = '["I","iterator",["ended",null]],["l",["I","iterator",["ended",null]]],["I","iterator",["endless",null]]'
    >>> places_of_iterators([b'["l","returned",["t",%s]]' % two.encode()])
    (('0',), ('1', '*'))
    """
    found = {place for call in calls for place in _in_call(call) if place}
    return tuple(sorted(sorted(found, key=lambda place: (len(place), _met(place)))[:MOST_PLACES], key=_met))


def _met(place: Place) -> list[tuple[int, str]]:
    return [(int(step), "") if step.isdecimal() else (0, step) for step in place]


def _in_call(call: bytes) -> set[Place]:
    line = call.partition(b"\n")[0]
    if b'["I",' not in line:
        return set()
    try:
        return set(_below(json.loads(line)[2]))
    except (ValueError, TypeError, LookupError, RecursionError):
        return set()


def _below(tree: Any) -> Iterator[Place]:
    open_ends: list[tuple[Place, Any]] = [((), tree)]
    while open_ends:
        place, one = open_ends.pop()
        if isinstance(one, list) and one:
            if one[0] == "I" and one[2][0] != ENDLESS:
                yield place
            open_ends += [((*place, step), part) for step, part in _steps(one)]


def _steps(tree: list[Any]) -> list[tuple[str, Any]]:
    """What an encoded value holds, and how to get there. What packed values hold is plain."""
    tag, parts = tree[0], tree[1:]
    if tag == "t" and len(parts) <= SHORT:
        return [(str(k), part) for k, part in enumerate(parts)]
    if tag in ("t", "l", "s", "z"):
        return [("*", part) for part in parts]
    if tag == "d":
        return [("*", value) for _, value in parts]
    if tag == "I":
        return [("*", part) for part in parts[2:]]
    if tag == "o":
        held = parts[1][1] if isinstance(parts[1], list) and parts[1][:1] == ["made"] else parts[1]
        return [("()", held), *((f".{name}", value) for name, value in parts[2:])]
    return []
