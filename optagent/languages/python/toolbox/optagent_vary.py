"""Inputs near those that came: the edges that tests forget, as far as the inputs themselves show that they may occur.

Runs in the target's interpreter: standard library only. A value keeps its type; numbers stay between the least and the
greatest that stood in that argument; a sequence changes its length only where sequences of several lengths have been
seen there, and stays sorted if it was:

    bool        the other one
    int, float  0, 1, -1, the neighbours, the negative, the least and the greatest
    str, bytes  empty, the first character, all but the last, twice
    list, tuple, dict, set
                empty, one element, all but the last, every element of a sequence twice, one element changed
    calls       the same object in two places, a keyword left out if others leave it out

Asked for apart, since nobody says that such calls occur: "beyond" what was seen are numbers outside of the observed
range, any length, letters of other alphabets, what was sorted the other way round; "odd" are calls with one float that
compares or adds up in odd ways in the place of another; "fresh" are calls in which no number and no letter is what it
was (optagent_rename).

What the target does with them, or that it refuses them, is for the untouched code to say.
"""

from __future__ import annotations

import collections
import itertools
import random
import sys
from typing import TYPE_CHECKING, Any

import optagent_codec
from optagent_rename import is_sorted, renamed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from optagent_target import Call

MOST_DEPTH = 3
MOST_ARGUMENTS = 8
MOST_FRESH = 3
"""Calls of one shape."""
LOOKED_AT = (50, 8, 4, 4)
"""Elements of one container by its depth, spread over it."""

ODD = (float("nan"), float("inf"), -float("inf"), -0.0, 1e308, 5e-324)
BYTES = (b"\0", b"\xff")
LETTERS = ("\u00df", "\u0130", "\ufb01", "\u0660", "\U0001d11e", "e\u0301", " ", "\n", "\u2028")
"""Sharp s, dotted I, a ligature, a digit, one beyond 16 bits, one of two parts, and what separates words and lines."""

MUTABLE = (list, dict, set, bytearray)
SIZED = (str, bytes, bytearray, list, tuple, dict, set, frozenset)


class Seen:
    """What stood in one argument over all calls: lengths by depth, and numbers."""

    def __init__(self, reach: str = "near") -> None:
        self.beyond, self.odd = reach != "near", reach == "odd"
        self.lengths: dict[int, set[int]] = collections.defaultdict(set)
        self.numbers: dict[type, tuple[Any, Any]] = {}

    def add(self, value: Any, depth: int = 0) -> None:
        if depth > MOST_DEPTH:
            return
        kind = type(value)
        if kind in (int, float) and value == value:
            least, greatest = self.numbers.get(kind, (value, value))
            self.numbers[kind] = min(least, value), max(greatest, value)
        if kind in SIZED:
            self.lengths[depth].add(len(value))
        if kind in (list, tuple, set, frozenset, dict):
            parts = value.values() if kind is dict else value
            for one in itertools.islice(parts, 0, None, 1 + len(value) // LOOKED_AT[depth]):
                self.add(one, depth + 1)

    def has_any_length(self, depth: int) -> bool:
        return self.beyond or len(self.lengths[depth]) > 1


def varied(
    inputs: Sequence[bytes], of: int, seed: int, most: int, reach: str = "near", most_bytes: int = 1 << 16
) -> list[tuple[str, bytes]]:
    """At most so many calls near the first `of` inputs, as codec and bytes, of as many inputs and kinds of change as
    there are; none that is among the inputs. Inputs of more bytes are left alone, and what cannot be opened, or written
    down, is left out."""
    rng = random.Random(seed)
    chances = [(data, rng.getrandbits(32)) for data in inputs[:of] if len(data) <= most_bytes]
    rng.shuffle(chances)
    seen = all_seen([data for data in inputs if len(data) <= most_bytes], reach)
    used: collections.Counter[str] = collections.Counter()
    known = {packed(data) for data in inputs}
    made: dict[tuple[str, bytes], None] = {}
    each = -(-most // max(1, len(chances)))
    others = fresh if reach == "fresh" else near
    for data, chance in chances:
        kinds = [kind for kind, _ in others(data, seen, chance)]
        rng.shuffle(kinds)
        enough = len(made) + each
        for kind in sorted(kinds, key=lambda kind: used[kind]):
            if len(made) == enough:
                break
            call = next((call for one, call in others(data, seen, chance) if one == kind), None)
            pair = written(call) if call is not None else None
            if pair is not None and pair not in known:
                made[pair] = None
                used[kind] += 1
    return list(made)[:most]


def all_seen(inputs: Sequence[bytes], reach: str = "near") -> dict[int | str, Seen | None]:
    """By argument: what stood there; None under the name of a keyword that some call leaves out."""
    seen: dict[Any, Any] = collections.defaultdict(lambda: Seen(reach))
    named: list[set[str]] = []
    for data in inputs:
        if (call := opened(data)) is not None:
            args, kwargs = call
            named.append(set(kwargs))
            for place, value in [*enumerate(args), *kwargs.items()]:
                seen[place].add(value)
    if named and reach != "odd":
        for name in set().union(*named) - set(named[0]).intersection(*named):
            seen["-" + name] = None
    return seen


def near(data: bytes, seen: Any, chance: int) -> Iterator[tuple[str, Call]]:
    """Kinds of change and the calls that differ by them, made of arguments that are opened anew; the same each time."""
    call = opened(data)
    if call is not None:
        args, kwargs = call
        yield from variants(args, kwargs, seen, random.Random(chance))


def fresh(data: bytes, seen: Any, chance: int) -> Iterator[tuple[str, Call]]:
    call = opened(data)
    if call is not None:
        for number in range(MOST_FRESH):
            yield f"fresh {number}", renamed(*call, random.Random(chance + number))


def opened(data: bytes) -> Call | None:
    try:
        args, kwargs = optagent_codec.unpack(data)
    except Exception:  # noqa: BLE001 - the target's classes are at work here, and without this input there are others
        return None
    return args, kwargs


def packed(data: bytes) -> tuple[str, bytes] | None:
    """As it is written down when nothing changes."""
    call = opened(data)
    return None if call is None else written(call)


def written(call: Call) -> tuple[str, bytes] | None:
    try:
        args, kwargs, _, _ = optagent_codec.drained(*call)
        codec, data = optagent_codec.pack(args, kwargs, lambda module: module not in sys.modules)
    except optagent_codec.CannotCarry:
        return None
    return codec, data


def variants(args: Any, kwargs: dict[str, Any], seen: Any, rng: random.Random) -> Iterator[tuple[str, Call]]:
    places = list(range(len(args)))
    for first, second in itertools.combinations(places[:MOST_ARGUMENTS], 2):
        if type(args[first]) in MUTABLE and type(args[first]) is type(args[second]) and not seen[first].odd:
            yield f"{first} is {second}", ((*args[:second], args[first], *args[second + 1 :]), kwargs)
    for name in kwargs:
        if "-" + name in seen:
            yield f"no {name}", (args, {key: one for key, one in kwargs.items() if key != name})
    for k in sorted(rng.sample(places, min(MOST_ARGUMENTS, len(places)))):
        for number, other in enumerate(changed(args[k], seen[k], rng, 0)):
            yield f"{k} {number}", ((*args[:k], other, *args[k + 1 :]), kwargs)
    for name, value in list(kwargs.items())[:MOST_ARGUMENTS]:
        for number, other in enumerate(changed(value, seen[name], rng, 0)):
            yield f"{name} {number}", (args, {**kwargs, name: other})


def changed(value: Any, seen: Seen, rng: random.Random, depth: int) -> Iterator[Any]:
    """Values of the same type near this one; none of a type that is not in the table."""
    make = (ODD_TABLE if seen.odd else TABLE).get(type(value))
    if make is not None and depth <= MOST_DEPTH:
        yield from make(value, seen, rng, depth)


def of_bool(value: bool, seen: Seen, rng: random.Random, depth: int) -> Iterator[bool]:
    yield not value


def of_number(value: Any, seen: Seen, rng: random.Random, depth: int) -> Iterator[Any]:
    kind = type(value)
    least, greatest = seen.numbers.get(kind, (value, value))
    near = (0, 1, -1, value + 1, value - 1, -value, least, greatest)
    far = (least - 1, greatest + 1, -greatest, 2 * greatest + 1) if seen.beyond else ()
    for other in dict.fromkeys(map(kind, (*near, *far))):
        if (seen.beyond or least <= other <= greatest) and other != value:
            yield other


def of_text(value: Any, seen: Seen, rng: random.Random, depth: int) -> Iterator[Any]:
    if value and seen.has_any_length(depth):
        yield from (value[:0], value[:1], value[:-1], value + value)
    if seen.beyond:
        yield from (value + one for one in (LETTERS if type(value) is str else BYTES))


def of_sequence(value: Any, seen: Seen, rng: random.Random, depth: int) -> Iterator[Any]:
    if not value:
        return
    kind = type(value)
    k = rng.choice((0, len(value) - 1, rng.randrange(len(value))))
    if seen.has_any_length(depth):
        yield from (value[:0], value[:1], value[:-1], kind(one for one in value for _ in range(2)))
        yield value[: k + 1] + value[k:]
    was_sorted = not seen.beyond and is_sorted(value)
    if seen.beyond:
        yield value[::-1]
    for one in changed(value[k], seen, rng, depth + 1):
        other = value[:k] + kind([one]) + value[k + 1 :]
        if not was_sorted or is_sorted(other):
            yield other


def of_dict(value: dict[Any, Any], seen: Seen, rng: random.Random, depth: int) -> Iterator[dict[Any, Any]]:
    if not value:
        return
    pairs = list(value.items())
    if seen.has_any_length(depth):
        yield from ({}, dict(pairs[:1]), dict(pairs[:-1]))
    if seen.beyond:
        yield dict(reversed(pairs))
    key, one = rng.choice(pairs)
    for other in changed(one, seen, rng, depth + 1):
        yield {**value, key: other}


def of_set(value: Any, seen: Seen, rng: random.Random, depth: int) -> Iterator[Any]:
    if value and seen.has_any_length(depth):
        members = list(value)
        yield from (type(value)(), type(value)(members[:1]), type(value)(members[:-1]))


def odd_float(value: float, seen: Seen, rng: random.Random, depth: int) -> Iterator[float]:
    yield from ODD


def odd_element(value: Any, seen: Seen, rng: random.Random, depth: int) -> Iterator[Any]:
    if value:
        k = rng.randrange(len(value))
        for one in changed(value[k], seen, rng, depth + 1):
            yield value[:k] + type(value)([one]) + value[k + 1 :]


def odd_value(value: dict[Any, Any], seen: Seen, rng: random.Random, depth: int) -> Iterator[dict[Any, Any]]:
    if value:
        key, one = rng.choice(list(value.items()))
        for other in changed(one, seen, rng, depth + 1):
            yield {**value, key: other}


ODD_TABLE: dict[type, Callable[[Any, Seen, random.Random, int], Iterator[Any]]] = {
    float: odd_float,
    list: odd_element,
    tuple: odd_element,
    dict: odd_value,
}
TABLE: dict[type, Callable[[Any, Seen, random.Random, int], Iterator[Any]]] = {
    bool: of_bool,
    int: of_number,
    float: of_number,
    str: of_text,
    bytes: of_text,
    bytearray: of_text,
    list: of_sequence,
    tuple: of_sequence,
    dict: of_dict,
    set: of_set,
    frozenset: of_set,
}
