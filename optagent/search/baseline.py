"""Fixes everything the search may not change: tests, inputs, expected outputs, noise floor, profile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from optagent.core.profile import Profile
from optagent.core.verdict import Difference
from optagent.core.workload import Input, State, Workload, split
from optagent.errors import BaselineBroken
from optagent.measure.speed import Noise
from optagent.verify.suite import Suite

MOST_SEARCH_INPUTS = 64
"""More inputs than this make a launch's first pass longer than its rounds."""

MOST_REASONS = 5


@dataclass(frozen=True)
class Problem:
    """What every candidate of a run is held against. `timed` is the part of the search inputs that is timed."""

    suite: Suite
    workload: Workload
    timed: tuple[Input, ...]
    noise: Noise
    profile: Profile
    lost: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Exercise:
    """The tests of one target and the inputs it is called with: what measuring and profiling take. `timed` is as in
    Problem; `lost` counts, by reason, calls that do not serve."""

    suite: Suite
    workload: Workload
    timed: tuple[Input, ...]
    lost: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Bench:
    """What can be done to the untouched code. `suite` also gives the captured inputs and, by reason, how many
    calls could not be kept; `admit` gives those inputs that serve, and by reason how many do not; `near`
    gives inputs that differ a little from those of a workload, `besides` some that go with an only one; `state` says
    what the code keeps between calls; `from_file` is None without a workload file."""

    suite: Callable[[], tuple[Suite, Sequence[Input], Mapping[str, int]]]
    admit: Callable[[Sequence[Input]], tuple[Sequence[Input], Mapping[str, int]]]
    near: Callable[[Workload], Sequence[Input]]
    besides: Callable[[Input], Sequence[Input]]
    state: Callable[[Sequence[Input]], State]
    from_file: Callable[[], Workload] | None
    types: Callable[[Sequence[Input]], tuple[tuple[str, tuple[str, ...]], ...]]
    own_difference: Callable[[Sequence[Input]], Difference | str | None]
    affordable: Callable[[Sequence[Input]], tuple[Input, ...]]
    noise: Callable[[tuple[Input, ...]], Noise]
    profile: Callable[[tuple[Input, ...]], Profile]
    stage: Callable[[str], None]


def take_baseline(bench: Bench) -> Problem:
    """The untouched code tested, exercised, compared with itself, timed against itself and profiled.

    Raises BaselineBroken when nothing can be judged against it.
    """
    found = exercise(bench)
    bench.stage("varying inputs")
    near = () if bench.from_file else tuple(bench.near(found.workload))
    workload = replace(found.workload, varied=near, state=bench.state(found.workload.by_tests))
    bench.stage("measuring the baseline against itself")
    noise = bench.noise(found.timed)
    bench.stage("profiling")
    return Problem(found.suite, workload, found.timed, noise, bench.profile(found.timed), found.lost)


def exercise(bench: Bench) -> Exercise:
    """Tests and inputs of the untouched code. Raises BaselineBroken when there are none that serve."""
    suite, captured, lost = bench.suite()
    from_benchmarks = captured and not suite.set_aside  # else they may be those of tests that fail
    if not suite.reaching and not from_benchmarks and bench.from_file is None:
        raise BaselineBroken(
            _nothing_reaches(suite), "Write a test that calls it, or a workload file: `--workload FILE`."
        )
    bench.stage("gathering inputs")
    if bench.from_file:
        workload = _from_file(bench, bench.from_file)
    else:
        inputs, unfit = bench.admit(captured[:MOST_SEARCH_INPUTS])
        lost = {**lost, **unfit}
        workload = _from_captured(bench, inputs, lost)
    return Exercise(suite, workload, bench.affordable(workload.search), tuple(sorted(lost.items())))


def _from_file(bench: Bench, make: Callable[[], Workload]) -> Workload:
    """What the user's own inputs are: all of them have to serve."""
    workload = make()
    if difference := bench.own_difference(workload.by_tests):
        raise BaselineBroken(
            _not_comparable(difference), "Fix its seed or split off the part that is the same every time."
        )
    return workload


def _from_captured(bench: Bench, inputs: Sequence[Input], lost: Mapping[str, int]) -> Workload:
    if len(inputs) == 1:
        inputs = [*inputs, *bench.besides(inputs[0])]
    if len(inputs) < 2:
        why = f"; those that cannot serve: {_reasons(lost)}" if lost else ""
        raise BaselineBroken(
            f"the tests call the target with {len(inputs)} distinct set(s) of arguments that can serve, "
            f"and there are no others near them, so nothing can be held out{why}",
            "Write a workload file: `--workload FILE`.",
        )
    return split(inputs, bench.types(inputs))


def _reasons(lost: Mapping[str, int]) -> str:
    """The most frequent ones; of the others, how many there are.

    >>> _reasons({"a lock": 1, "a socket": 3} | {str(number): 1 for number in range(5)})
    'a socket (3 calls), 0 (1 call), 1 (1 call), 2 (1 call), 3 (1 call), and 2 more'
    """
    rows = sorted(lost.items(), key=lambda row: (-row[1], row[0]))
    told = [f"{reason} ({count} call{'s' if count != 1 else ''})" for reason, count in rows[:MOST_REASONS]]
    return ", ".join([*told, f"and {len(rows) - MOST_REASONS} more"] if len(rows) > MOST_REASONS else told)


def _nothing_reaches(suite: Suite) -> str:
    if not suite.passing and suite.set_aside:
        return f"no test passes before any change ({len(suite.set_aside)} fail; first: {suite.set_aside[0]})"
    return f"none of the {len(suite.passing)} passing tests calls the target, and there is no workload file"


def _not_comparable(difference: Difference | str) -> str:
    if isinstance(difference, str):
        return f"the target's results cannot be compared: they hold {difference}, which has no canonical form yet"
    return (
        f"the target is not deterministic: {difference.where} was {difference.old} in one run "
        f"and {difference.new} in the next"
    )
