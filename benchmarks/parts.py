"""A benchmark in parts, each on two cores of its own at the same time: what a machine with many is good for.

Not a benchmark itself. On the two cores that everything here is written for there is one part.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Part:
    """Part `number` of `count`, and the cores that are its own."""

    number: int
    count: int
    cores: tuple[int, ...]

    def of(self, repetitions: int) -> range:
        """Its repetitions: every `count`-th."""
        return range(self.number, repetitions, self.count)


def parts() -> list[Part]:
    """One for every two cores that this process may use."""
    cores = sorted(os.sched_getaffinity(0))
    count = max(1, len(cores) // 2)
    return [Part(k, count, tuple(cores[2 * k : 2 * k + 2])) for k in range(count)]


def with_parts(what: str) -> str:
    """What a benchmark is, and in how many parts it ran where there was more than one."""
    count = len(parts())
    return what.strip() + (f"\n\n{count} parts at once, two cores each." if count > 1 else "")


Work = Callable[[Part, int, Sequence[str]], list[Answer]]


def in_parts(work: Work[Answer], times: int, words: Sequence[str]) -> list[Answer]:
    """What `work(part, times, words)` answers in every part, in processes that see their own cores only."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(parts()), mp_context=spawn) as pool:
        answers = [pool.submit(_one, work, part, times, words) for part in parts()]
        return [each for answer in answers for each in answer.result()]


def _one(work: Work[Answer], part: Part, times: int, words: Sequence[str]) -> list[Answer]:
    os.sched_setaffinity(0, part.cores)
    return work(part, times, words)
