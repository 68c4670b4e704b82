"""Plain values: what Python's own types hold, all the way down, seen whole levels at a time. For optagent_encode.

Runs in the target's interpreter: standard library only.
"""

from __future__ import annotations

import itertools
import operator
import sys
from marshal import dumps
from typing import Any

MAX_DEPTH = 400
VERSION = 2
"""Of `marshal`: the last one that does not look at who else holds a value."""

SCALARS = frozenset({type(None), bool, int, float, str})
BOXES = frozenset({tuple, list, dict})
PLAIN = SCALARS | BOXES
SORTABLE = frozenset({int, str})
HASHED_BOXES = frozenset({id(tuple), id(frozenset)})
HASHED = {id(kind): kind.__name__ for kind in (bool, int, float, str, bytes, tuple, frozenset)}
HASH_MODULUS = sys.hash_info.modulus


def is_of(kinds: set[type], known: frozenset[type]) -> bool:
    """Whether these are all among the known types. A class whose metaclass claims that it equals one of them is not;
    where it hides behind that one, `marshal` refuses its objects, or writes them as bytes, which nothing plain holds.
    """
    return kinds <= known and set(map(id, kinds)) <= set(map(id, known))


def spread(value: Any, most: int) -> tuple[int, list[Any]]:
    """How many parts a container has, all the way down, and its mutable ones, the outermost first; no parts where one
    is not plain, where a mutable one is met twice, or where there are more parts than `most`."""
    level, parts, met = [value], 0, {id(value)}
    inner: list[Any] = []
    for depth in range(MAX_DEPTH):
        kinds = set(map(type, level))
        boxes = kinds & BOXES
        if not is_of(kinds, PLAIN) or (float in kinds and may_hold_nan(level, kinds)):
            break
        if not boxes:
            return parts, inner
        if kinds != boxes:
            level = [one for one in level if type(one) in BOXES]
        if depth:
            found = [one for one in level if type(one) is not tuple] if tuple in boxes else level
            inner += found
            met.update(map(id, found))
        if len(met) != len(inner) + 1 or (dict in boxes and not has_plain_keys(level)):
            break
        parts += sum(map(len, level))
        if parts > most:
            break
        level = list(itertools.chain.from_iterable(values(level) if dict in boxes else level))
    return 0, []


def columns_spread(columns: tuple[tuple[Any, ...], ...], most: int) -> tuple[int, list[Any]]:
    """As `spread` for all of them together: no parts where one holds what is not plain. What is met twice is there
    twice."""
    parts, met = 0, []
    for column in columns:
        kinds = set(map(type, column))
        if len(kinds) == 1 and is_of(kinds, SCALARS):
            more: list[Any] = []
            found = 0 if float in kinds and may_hold_nan(column, kinds) else len(column)
        else:
            found, more = spread(column, most - parts)
        if not found or parts + found > most:
            return 0, []
        parts += found
        met += more
    return parts, met


def may_hold_nan(level: Any, kinds: set[type]) -> bool:
    """Whether one of the floats is NaN, or two are infinite with either sign: their sum is NaN then."""
    total = sum(level if len(kinds) == 1 else [one for one in level if type(one) is float])
    return total != total


def has_plain_keys(boxes: Any) -> bool:
    """Whether the keys of the dicts among them are plain."""
    keys = list(itertools.chain.from_iterable(one for one in boxes if type(one) is dict))
    kinds = set(map(type, keys))
    return is_of(kinds, SCALARS) and not (float in kinds and may_hold_nan(keys, kinds))


def values(boxes: Any) -> Any:
    """What each of them holds."""
    return (one.values() if type(one) is dict else one for one in boxes)


def keys_of(dicts: Any, most: int, in_order: bool) -> list[str] | None:
    """The keys of the first one, if all have the same and these are texts, and they hold no more than `most` parts.
    `by_key` raises KeyError where those of some are others, unless `in_order` was asked for."""
    names = list(dicts[0])
    if set(map(len, dicts)) != {len(names)} or not set(map(id, map(type, names))) <= {id(str)}:
        return None
    if len(dicts) * len(names) > most:
        return None
    keys = itertools.chain.from_iterable
    if all(map(operator.is_, keys(dicts), itertools.cycle(names))):  # the very same texts, as they mostly are
        return names
    are_texts = set(map(id, map(type, keys(dicts)))) <= {id(str)}
    return names if are_texts and (not in_order or set(map(tuple, dicts)) == {(*names,)}) else None


def by_key(dicts: Any, names: list[str]) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(map(operator.itemgetter(name), dicts)) for name in names)


def drawn_pairs(value: dict[Any, Any], first: int, step: int) -> list[tuple[Any, Any]]:
    """Some items of a dict. To go through its items makes a pair of each, which takes twice the time."""
    keys, held = (itertools.islice(one, first, None, step) for one in (value, value.values()))
    return list(zip(keys, held, strict=True))


def in_one_piece(value: Any) -> bytes:
    return dumps(value, VERSION)


def sorted_sets(value: Any) -> list[tuple[Any, ...]]:
    """Sets of ints, or of texts, as sorted tuples in order; none where they hold anything else."""
    kinds = set(map(type, itertools.chain.from_iterable(value)))
    return sorted(map(tuple, map(sorted, value))) if len(kinds) == 1 and is_of(kinds, SORTABLE) else []


def kinds_hashed(members: list[Any], deep: int) -> list[list[str]]:
    """What kinds these members are, and level by level what kinds they hold; none where one is not what it hashes (no
    text, no number, no tuple or set of these, an int beyond what a hash holds), or where that goes deeper."""
    found = []
    for _ in range(deep):
        kinds = set(map(id, map(type, members)))  # a metaclass may claim that two are equal
        if not kinds <= HASHED.keys() or (id(int) in kinds and holds_long_int(members, kinds)):
            return []
        found.append(sorted(HASHED[one] for one in kinds))
        boxes = members if kinds <= HASHED_BOXES else [one for one in members if id(type(one)) in HASHED_BOXES]
        members = list(itertools.chain.from_iterable(boxes))
        if not members:
            return found
    return []


def holds_long_int(members: list[Any], kinds: set[int]) -> bool:
    """Whether one of the ints is beyond what a hash tells apart (but for -1 and -2)."""
    ints = members if len(kinds) == 1 else [one for one in members if type(one) is int]
    return min(ints) <= -HASH_MODULUS or max(ints) >= HASH_MODULUS
