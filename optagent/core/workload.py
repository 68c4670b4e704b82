"""Inputs that exercise a target. The referee stores, hashes, splits and forwards them; only workers open them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

HELD_OUT_SHARE = 0.3
HELD_OUT_SETS = 2
VARIED = "varied"
"""Source of inputs that are others, changed a little."""

WRITTEN = "written by a model"
"""Source of inputs that code of a model makes."""


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
class State:
    """What a program keeps from call to call: names of all of it that is compared, and what changes in the untouched
    code but cannot be compared, with the reason."""

    compared: tuple[str, ...] = ()
    untold: tuple[tuple[str, str], ...] = ()


NO_STATE = State()


@dataclass(frozen=True)
class Workload:
    """`search` may be seen by everything that proposes edits; each set in `held_out` is for one claim only. `varied`
    are inputs near those of `search`, which are compared with them and never timed. `state` is what is compared after
    the calls."""

    search: tuple[Input, ...]
    held_out: tuple[tuple[Input, ...], ...]
    observed_types: tuple[tuple[str, tuple[str, ...]], ...] = ()
    varied: tuple[Input, ...] = ()
    state: State = NO_STATE

    @property
    def held(self) -> tuple[Input, ...]:
        """All that is held out, whatever set it is in."""
        return tuple(one for some in self.held_out for one in some)

    @property
    def by_tests(self) -> tuple[Input, ...]:
        """Those that were not made from others."""
        return (*self.search, *self.held)

    @property
    def digest(self) -> str:
        all_of_them = [*self.by_tests, *self.varied]
        return hashlib.sha256("".join(one.digest for one in all_of_them).encode()).hexdigest()


def distinct(inputs: Iterable[Input]) -> list[Input]:
    """The inputs without repeats, first come first kept."""
    first: dict[str, Input] = {}
    for one in inputs:
        first.setdefault(one.digest, one)
    return list(first.values())


def split(inputs: Sequence[Input], types: tuple[tuple[str, tuple[str, ...]], ...] = ()) -> Workload:
    """Inputs parted into search and held-out: neighbours in size form strata, and in each the hash decides.

    So nobody chose which is which, the same inputs are always parted the same way, and what is held out spans
    the sizes of what is not. Needs two distinct inputs at least.
    """
    ordered = sorted(distinct(inputs), key=lambda one: (-len(one.data), one.digest))
    if len(ordered) < 2:
        raise ValueError(f"{len(ordered)} distinct input(s) cannot be split")
    strata = max(1, round(HELD_OUT_SHARE * len(ordered)))
    bounds = [len(ordered) * k // strata for k in range(strata + 1)]
    held = [min(ordered[a:b], key=lambda one: one.digest) for a, b in pairwise(bounds)]
    chosen = {one.digest for one in held}
    return Workload(
        search=tuple(one for one in ordered if one.digest not in chosen),
        held_out=tuple(tuple(held[k::HELD_OUT_SETS]) for k in range(min(HELD_OUT_SETS, strata))),
        observed_types=types,
    )
