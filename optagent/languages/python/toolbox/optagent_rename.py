"""A call as another one of the same shape would be: every number and letter exchanged, and nothing that is the same,
in order, sorted, part of another or a key of a dict has stopped being so.

Runs in the target's interpreter: standard library only.

    int, float  others of the same order between the least and the greatest of the call; 0, 1, -1, those two and keys
                stay
    str, bytes  letters and digits among those of their kind (small, capital, digit) that the call has, the same one
                for the same one everywhere; what is also a key stays
    list, tuple, dict, set
                as they are, of such parts; what was one object stays one
"""

from __future__ import annotations

import itertools
import math
import string
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Iterator

    from optagent_target import Call

MOST_DEPTH = 50
KINDS_OF_LETTERS = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
PARTS = (list, tuple, set, frozenset)


class Renaming:
    """What each number and letter of some values becomes."""

    def __init__(self, values: Collection[Any], rng: random.Random) -> None:
        self.keys: set[Any] = set()
        self.ints: set[int] = set()
        self.floats: set[float] = set()
        self.letters: set[str] = set()
        self.one_for_one: dict[int, Any] = {}
        self.alive: list[Any] = []  # whose ids are the keys above
        for value in values:
            self.read(value, 0)
        self.numbers = {
            int: dict(reordered(self.ints, self.keys, rng)),
            float: dict(reordered(self.floats, self.keys, rng)),
        }
        self.table: dict[int, int] = {}
        for kind in KINDS_OF_LETTERS:
            letters = sorted(self.letters.intersection(kind))
            self.table.update(zip(map(ord, letters), map(ord, rng.sample(letters, len(letters))), strict=True))
        self.bytes = bytes(self.table.get(code, code) for code in range(256))

    def read(self, value: Any, depth: int) -> None:
        kind = type(value)
        if kind is int:
            self.ints.add(value)
        elif kind is float and math.isfinite(value):
            self.floats.add(value)
        elif kind is str:
            self.letters.update(value)
        elif kind in (bytes, bytearray):
            self.letters.update(value.decode("latin-1"))
        elif depth < MOST_DEPTH and (kind in PARTS or kind is dict):
            if kind is dict:
                self.keys.update(value)
            for one in value.values() if kind is dict else value:
                self.read(one, depth + 1)

    def of(self, value: Any, depth: int = 0) -> Any:
        """The value renamed, of the same type; what is none of these types is what it was."""
        kind = type(value)
        if kind in self.numbers:
            return self.numbers[kind].get(value, value)
        if kind is str:
            return value if value in self.keys else value.translate(self.table)
        if kind in (bytes, bytearray):
            return value if kind is bytes and value in self.keys else value.translate(self.bytes)
        if depth >= MOST_DEPTH or not (kind in PARTS or kind is dict):
            return value
        if id(value) not in self.one_for_one:
            self.alive.append(value)
            self.one_for_one[id(value)] = self.made(value, depth + 1)
        return self.one_for_one[id(value)]

    def made(self, value: Any, depth: int) -> Any:
        if type(value) is dict:
            return {key: self.of(one, depth) for key, one in value.items()}
        parts = [self.of(one, depth) for one in value]
        if type(value) in (list, tuple) and is_sorted(value):
            parts.sort()
        return type(value)(parts)


def renamed(args: Collection[Any], kwargs: dict[str, Any], rng: random.Random) -> Call:
    renaming = Renaming([*args, *kwargs.values()], rng)
    return tuple(map(renaming.of, args)), {name: renaming.of(one) for name, one in kwargs.items()}


def reordered(numbers: Collection[Any], keys: Collection[Any], rng: random.Random) -> Iterator[tuple[Any, Any]]:
    """Each with another one in its place, of the same order; of whole numbers, whole ones.

    >>> import random
    >>> sorted(dict(reordered({0, 40, 50, 100}, (), random.Random(1))))
    [0, 40, 50, 100]
    """
    if not numbers:
        return
    whole = all(number == int(number) for number in numbers)
    ends = {min(numbers), max(numbers)}
    between: list[Any] = []
    last = None
    for number in sorted(numbers):
        if number in ends or number in (0, 1, -1) or number in keys:
            if between:
                yield from zip(between, others(last, number, len(between), whole, rng), strict=True)
            last, between = number, []
        else:
            between.append(number)


def others(low: Any, high: Any, count: int, whole: bool, rng: random.Random) -> list[Any]:
    """So many between these two, in order."""
    if not whole:
        return sorted(rng.uniform(low, high) for _ in range(count))
    least, kind = int(low) + 1, type(low)
    room = int(high) - least
    if room < 1 << 32:
        return [kind(least + one) for one in sorted(rng.sample(range(room), count))]
    found: set[int] = set()
    while len(found) < count:
        found.add(least + rng.randrange(room))
    return [kind(one) for one in sorted(found)]


def is_sorted(value: Any) -> bool:
    """Whether it is a sequence of numbers or texts in order."""
    kinds = {type(one) for one in value}
    return kinds in ({int}, {float}, {str}) and all(a <= b for a, b in itertools.pairwise(value))
