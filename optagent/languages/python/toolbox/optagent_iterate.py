"""Iterators as lists: drained to a bound, and made again from what was drained.

Runs in the target's interpreter: standard library only. A generator stays a generator (it can be sent to and
closed); every other iterator of Python's own is an iterator whatever made it: `map`, a list's, `itertools`.
"""

from __future__ import annotations

import collections
import gc
import itertools
import time
from typing import TYPE_CHECKING, Any

from optagent_encode import CannotEncode, encode, register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optagent_encode import Encoder, Known

MOST_ITEMS = 10_000
"""An iterator that gives more counts as endless: what comes later is not compared."""

ENDED, ENDLESS, RAISED = "ended", "endless", "raised"
GENERATOR, ITERATOR = "generator", "iterator"
FROM_ITERTOOLS = [one for one in vars(itertools).values() if isinstance(one, type) and hasattr(one, "__next__")]
EXAMPLES: list[Any] = [
    iter([]), iter(()), iter(""), iter(b""), iter(bytearray()), iter({}), iter({}.values()), iter({}.items()),
    iter(set()), iter(range(0)), iter(range(1 << 100)), reversed([]), reversed({}), reversed({}.values()),
    reversed({}.items()), iter(int, 0), map(int, []), filter(None, []), zip(), enumerate([]), reversed(()),
    iter(memoryview(b"")), iter(collections.deque()), reversed(collections.deque()),
]  # fmt: skip
GENERATORS = (type(_ for _ in ()),)
LAZY = frozenset([*map(type, EXAMPLES), *FROM_ITERTOOLS, *GENERATORS])
"""Types whose values are iterators and nothing else."""

ENDLESS_TYPES = frozenset([itertools.count, itertools.cycle, itertools.repeat])
NEVER_CHANGE = frozenset({type(None), bool, str, int, float, complex, bytes})


class Drained:
    """What an iterator gave: its kind, how it ended, the value it returned or raised, and its items.

    `seen` holds one encoding for each item as it was when it came, when asked for: a generator may go on changing
    what it has handed out. `rest` gives what is still to come.
    """

    def __init__(self, kind: str, items: list[Any]) -> None:
        self.kind, self.items = kind, items
        self.ending = ENDLESS
        self.value: Any = None
        self.seen: list[str] = []
        self.rest: Any = None

    def __reduce__(self) -> Any:
        return (resume, (self.kind, self.items, self.value))


def kind_of(iterator: Any) -> str:
    return GENERATOR if type(iterator) in GENERATORS else ITERATOR


def drain(iterator: Any, snapshots: bool = False, seconds: float | None = None) -> Drained:
    """The items of an iterator up to MOST_ITEMS, or for so many seconds; an exception on the way is part of what it
    gave."""
    drained = Drained(kind_of(iterator), [])
    is_plain = drained.kind is ITERATOR and seconds is None

    def whole() -> Iterator[Any]:
        drained.value = yield from iterator
        drained.ending = ENDED

    # One of ours around it would add to every item's time. It is kept: a generator that waits for another closes it
    # when it goes.
    drained.rest = iterator if is_plain else whole()
    items: Iterator[Any] = itertools.islice(drained.rest, MOST_ITEMS)
    if seconds is not None:
        items = while_time(items, time.perf_counter() + seconds)
    try:
        if snapshots:
            take_with_snapshots(items, drained)
        else:
            drained.items.extend(items)  # keeps what came before an exception
        if is_plain and len(drained.items) < MOST_ITEMS:
            drained.ending = ENDED
    except Exception as error:  # noqa: BLE001 - what the target raises is data
        drained.ending, drained.value = RAISED, error
    return drained


def while_time(items: Iterator[Any], until: float) -> Iterator[Any]:
    """The items until it is too late for another one."""
    for item in items:
        yield item
        if time.perf_counter() > until:
            return


def take_with_snapshots(items: Iterator[Any], drained: Drained) -> None:
    for item in items:
        drained.items.append(item)
        if type(item) not in NEVER_CHANGE:
            drained.seen.append(encode(item).decode("latin-1"))


def resume(kind: str, items: list[Any], value: Any = None) -> Iterator[Any]:
    """An iterator that gives the items, fresh; a generator where it was one."""
    return generator_of(items, value) if kind == GENERATOR else iter(items)


def generator_of(items: list[Any], value: Any) -> Any:
    yield from items
    return value


def encode_drained(encoder: Encoder, drained: Drained, depth: int) -> Any:
    if type(drained.items) is not list:  # none of ours
        raise CannotEncode("an iterator that was drained by somebody else")
    value = encoder.tree(drained.value, depth)
    some = encoder.some("l", drained.items, depth)
    items = [some] if some else [encoder.tree(one, depth) for one in drained.items]
    return ["I", drained.kind, [drained.ending, value, *drained.seen], *items]


def encode_iterator(encoder: Encoder, iterator: Any, depth: int) -> Any:
    """An iterator met inside something else: drained now, if it was not before; met again, it is the same iterator."""
    known = encoder.first_visit(iterator)
    if not known and type(iterator) not in GENERATORS:
        encoder.views(gc.get_referents(iterator))  # which it forgets when it is drained
    return known or encode_drained(encoder, drain_once(iterator, encoder.shared.known), depth)


def drain_once(iterator: Any, known: Known) -> Drained:
    """What an iterator gave to this call; nothing any more where another one has drained it."""
    if id(iterator) not in known.drains:
        known.drains[id(iterator)] = iterator, drain(iterator), known.call
    drained: Drained
    _, drained, call = known.drains[id(iterator)]
    if call == known.call:
        return drained
    over = Drained(drained.kind, [])
    over.ending = ENDED
    return over


register(Drained, encode_drained)
for lazy in LAZY:
    register(lazy, encode_iterator)

__all__ = ["CannotEncode", "Drained", "ENDLESS_TYPES", "LAZY", "drain", "drain_once", "resume"]
