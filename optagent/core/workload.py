"""Inputs that exercise a target. The referee stores, hashes, splits and forwards them; only workers open them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

HELD_OUT_SHARE = 0.3
HELD_OUT_SETS = 2


@dataclass(frozen=True)
class Input:
    """The arguments of one call: opaque bytes, the codec that wrote them, and where they came from."""

    data: bytes
    source: str
    codec: str = "plain"

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.codec.encode() + b"\0" + self.data).hexdigest()


@dataclass(frozen=True)
class Workload:
    """`search` may be seen by everything that proposes edits; each set in `held_out` is for one claim only."""

    search: tuple[Input, ...]
    held_out: tuple[tuple[Input, ...], ...]
    observed_types: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def digest(self) -> str:
        all_of_them = [*self.search, *(one for held in self.held_out for one in held)]
        return hashlib.sha256("".join(one.digest for one in all_of_them).encode()).hexdigest()

    def sources(self) -> dict[str, int]:
        """How many inputs each source gave."""
        counts: dict[str, int] = {}
        for one in [*self.search, *(one for held in self.held_out for one in held)]:
            counts[one.source] = counts.get(one.source, 0) + 1
        return counts


def distinct(inputs: Iterable[Input]) -> list[Input]:
    """The inputs without repeats, first come first kept."""
    return list({one.digest: one for one in reversed(list(inputs))}.values())[::-1]


def split(inputs: Sequence[Input], types: tuple[tuple[str, tuple[str, ...]], ...] = ()) -> Workload:
    """Inputs parted into search and held-out by their hash, so that nobody chose which is which.

    Needs two distinct inputs at least; the same inputs are always parted the same way.
    """
    ordered = sorted(distinct(inputs), key=lambda one: one.digest)
    if len(ordered) < 2:
        raise ValueError(f"{len(ordered)} distinct input(s) cannot be split")
    held = max(1, round(HELD_OUT_SHARE * len(ordered)))
    sets = min(HELD_OUT_SETS, held)
    return Workload(
        search=tuple(ordered[held:]),
        held_out=tuple(tuple(ordered[:held][k::sets]) for k in range(sets)),
        observed_types=types,
    )


def sample(inputs: Sequence[Input], most: int, seed: int) -> tuple[Input, ...]:
    """At most `most` of the inputs, drawn by `seed`, in their original order."""
    if len(inputs) <= most:
        return tuple(inputs)
    chosen = sorted(random.Random(seed).sample(range(len(inputs)), most))
    return tuple(inputs[k] for k in chosen)
