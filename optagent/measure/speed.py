"""From launches to a speedup: the baseline against itself, a search estimate, a claim."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from optagent.core.accounting import is_clear, moved_work
from optagent.core.seeds import derive
from optagent.core.statistics import MARGIN, SEARCH_LAUNCHES, interval, is_above, is_below, noise_floor
from optagent.core.target import Tree
from optagent.core.verdict import Difference, Speedup
from optagent.core.workload import Input
from optagent.languages.base import Project
from optagent.languages.contestant import REFERENCE
from optagent.measure.launch import Clock, Launch, Race, launch

BUSY_ENOUGH = 0.8
"""A reference that uses its core this much of the time is CPU-bound: the CPU clock decides."""

ONE_CORE = 1.1
"""More CPU than wall time means threads: wall decides."""


@dataclass(frozen=True)
class Noise:
    """The baseline against itself: its largest deviation as a share, and the clock that suits the target."""

    floor: float
    clock: Clock
    seconds: float


@dataclass(frozen=True)
class Found:
    """What a series of launches showed. At most one of `moved` and `difference` ends the series early."""

    launches: tuple[Launch, ...]
    speedup: Speedup
    is_faster: bool
    is_slower: bool
    moved: str | None = None
    moved_clearly: bool = True
    difference: Difference | None = None


def measure_noise(race: Race, seed: int, launches: int = SEARCH_LAUNCHES) -> Noise:
    """The reference on both sides. Raises Misconduct when the reference fails."""
    same = replace(race, new=race.old)
    seen = [launch(same, derive(seed, "noise", k)) for k in range(launches)]
    busy = max(one.busy for one in seen)
    is_one_core = BUSY_ENOUGH <= busy <= ONE_CORE
    clock: Clock = "cpu" if is_one_core and all(one.sees_cpu for one in seen) else "wall"
    seconds = median(one.wall.old_ns for one in seen) / 1e9
    return Noise(noise_floor([one.on(clock).log_ratio for one in seen]), clock, seconds)


def estimate(race: Race, noise: Noise, seed: int) -> Found:
    """One launch; two more only where the first looks like a gain or a loss. For choosing, not for claiming."""
    first = [launch(race, derive(seed, "launch", 0))]
    if _is_open(first, noise):
        first += [launch(race, derive(seed, "launch", k)) for k in range(1, SEARCH_LAUNCHES)]
    return _found(first, noise, complete=len(first) == SEARCH_LAUNCHES)


def claim(race: Race, noise: Noise, seed: int, launches: int) -> Found:
    """Fresh launches that chose nothing; the first one that does not exceed the bar ends the claim."""
    seen: list[Launch] = []
    for k in range(launches):
        seen.append(launch(race, derive(seed, "claim", k)))
        if not _all_above(seen, noise):
            break
    return _found(seen, noise, complete=len(seen) == launches)


def compare(race: Race, noise: Noise, seed: int, launches: int) -> Found:
    """Fresh launches, all of them unless one shows that there is nothing to compare: a wrong or a moved one."""
    seen: list[Launch] = []
    for k in range(launches):
        seen.append(launch(race, derive(seed, "compare", k)))
        if seen[-1].difference is not None:
            break
    return _found(seen, noise, complete=len(seen) == launches)


def affordable(
    project: Project, tree: Tree, inputs: Sequence[Input], seed: int, core: int, patience_s: float, most_s: float = 0.3
) -> tuple[Input, ...]:
    """As many inputs, in their order, as one pass of the reference over them takes `most_s` seconds; one at least."""
    chosen: list[Input] = []
    spent = 0.0
    with project.contestant(tree, derive(seed, "hash"), patience_s, REFERENCE) as reference:
        reference.pin(core)
        project.load(reference, tree, 1)
        reference.keep([one.data for one in inputs])
        for number, given in enumerate(inputs):
            reference.prepare((number,), 1)
            lap = reference.lap()
            spent += lap.wall_ns / 1e9
            if chosen and spent > most_s:
                break
            chosen.append(given)
    return tuple(chosen)


def _is_open(launches: list[Launch], noise: Noise) -> bool:
    logs = [one.on(noise.clock).log_ratio for one in launches]
    return is_above(logs, 0.0) or is_below(logs, 0.0)


def _all_above(launches: list[Launch], noise: Noise) -> bool:
    """Every launch above the bar on the deciding clock, and the other clock, if it is ours, not contradicting in the
    middle."""
    logs = [one.on(noise.clock).log_ratio for one in launches]
    others = [_other(one, noise.clock) for one in launches if one.sees_cpu]
    return is_above(logs, noise.floor) and (not others or median(others) > MARGIN)


def _other(one: Launch, clock: Clock) -> float:
    return one.on("wall" if clock == "cpu" else "cpu").log_ratio


def _found(launches: list[Launch], noise: Noise, complete: bool) -> Found:
    logs = [one.on(noise.clock).log_ratio for one in launches]
    differences = [one.difference for one in launches if one.difference is not None]
    accounts = [one.account for one in launches]
    moved = moved_work(accounts)
    return Found(
        tuple(launches),
        _speedup(launches, logs, noise),
        complete and _all_above(launches, noise),
        complete and is_below(logs, noise.floor),
        moved,
        moved is None or is_clear(accounts, moved),
        differences[0] if differences else None,
    )


def _speedup(launches: Sequence[Launch], logs: Sequence[float], noise: Noise) -> Speedup:
    bounds = interval(logs)
    return Speedup(
        ratio=bounds.ratio,
        low=bounds.low,
        high=bounds.high,
        confidence=bounds.confidence,
        pairs=sum(one.pairs for one in launches),
        launches=len(launches),
        noise=noise.floor,
        clock=noise.clock,
        old_s=_middle(launches, lambda one: one.on(noise.clock).old_ns / 1e9),
        new_s=_middle(launches, lambda one: one.on(noise.clock).new_ns / 1e9),
        other_ratio=_middle(launches, lambda one: math.exp(_other(one, noise.clock))),
        first_call=any(one.first_call for one in launches),
    )


def _middle(launches: Sequence[Launch], of: Callable[[Launch], float]) -> float:
    return median(of(one) for one in launches)
