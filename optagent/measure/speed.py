"""From launches to a speedup: the baseline against itself, a search estimate, a claim."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from statistics import median

from optagent.core.accounting import CLEAR_LAUNCHES, ENCODING, Account, done_once, is_clear, moved_in_all, moved_work
from optagent.core.effort import Effort
from optagent.core.iterators import Place, places_of_iterators
from optagent.core.seeds import derive
from optagent.core.statistics import (
    BESIDE_LAUNCHES,
    LOSS_LOOKS,
    MARGIN,
    NEAR_LAUNCHES,
    NOISE_LAUNCHES,
    PLAIN_LOOKS,
    SEARCH_LOOKS,
    Answer,
    Looks,
    answer,
    bar,
    interval,
    is_mostly_gone,
    is_plain,
    noise_floor,
    remember_slightly,
    slower_bar,
)
from optagent.core.strain import Strain
from optagent.core.verdict import Difference, Speedup
from optagent.core.workload import Input
from optagent.errors import BadSetting
from optagent.languages.contestant import REFERENCE, Misconduct, Uncomparable
from optagent.measure.launch import Clock, Launch, Race, Screen, launch
from optagent.measure.system_state import Watch

BUSY_ENOUGH = 0.8
"""A reference that uses its core this much of the time is CPU-bound: the CPU clock decides."""

DEAR_ENCODING, AIM_ENCODING = 0.07, 0.025
"""Comparing is to cost less than a tenth of what is compared: glances, and a block that is encoded whole."""

HOPELESS_ENCODING = 5.0
"""Glances would not bring it near that, and in so much encoding only many whole blocks show what was moved there."""

WHOLE_EVERY = {1: 1, 7: 2, 13: 3, 29: 4, 61: 5, 127: 5}
"""By step: of launches that seem to show a gain, one in so many at least encodes a block whole, if it comes to it."""

COLLECTING_LAUNCHES = 3
FURTHER = CLEAR_LAUNCHES
"""Launches that are made where a few say that a phase took longer: all together say whether that was chance."""
ONE_CORE = 1.1
"""More CPU than wall time means threads: wall decides."""


@dataclass(frozen=True)
class Noise:
    """The baseline against itself: what it typically deviates by, as a share, and the clock that suits the target."""

    floor: float
    clock: Clock
    seconds: float
    strain: Strain | None = None
    encoding: float = 0.0
    """CPU of encoding all that checked calls left, as a share of the time of timed calls."""
    drains: tuple[Place, ...] = ()
    """Where results hold iterators."""

    @property
    def step(self) -> int:
        """Of what a checked call left, one part in so many is looked at. Steps are primes: what comes back every few
        items is not passed over.

        >>> [Noise(0.01, "cpu", 0.1, encoding=share).step for share in (0.0, 0.07, 0.08, 0.3, 0.53, 4.0, 40.0)]
        [1, 1, 7, 13, 29, 127, 1]
        >>> Noise(0.01, "cpu", 0.4, encoding=0.53).step  # there may be one call of each input
        1
        """
        if not DEAR_ENCODING < self.encoding < HOPELESS_ENCODING or self.seconds > PASS_S:
            return 1
        return next((step for step in WHOLE_EVERY if self.encoding / step <= AIM_ENCODING), max(WHOLE_EVERY))


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
    collecting: float | None = None
    """Of a gain: old over new time with the garbage collector on, which is off in all other launches."""
    strain: Strain | None = None
    """What the system did meanwhile."""


def measure_noise(race: Race, seed: int, asked: Clock | None = None, launches: int = NOISE_LAUNCHES) -> Noise:
    """The reference on both sides; its clock is the one asked for, or the one that suits what it did.

    Raises Misconduct when the reference fails, BadSetting for a CPU clock that does not see what the target burns.
    """
    race = replace(race, new=race.old, drains=iterators_left(race, seed))
    series = _Series(race, seed, "noise")
    for _ in range(launches):
        series.launch()
    seen = series.launches
    sees_cpu = all(one.sees_cpu for one in seen)
    if asked == "cpu" and not sees_cpu:
        raise BadSetting(
            "--clock cpu: the CPU of processes that the target starts cannot be read from outside, so it cannot decide",
            "Leave --clock out, or give `--clock wall`.",
        )
    is_one_core = BUSY_ENOUGH <= max(one.busy for one in seen) <= ONE_CORE
    clock: Clock = asked or ("cpu" if is_one_core and sees_cpu else "wall")
    seconds = median(one.wall.old_ns for one in seen) / 1e9
    encoding = encoding_share(seen) * min(1.0, max(one.busy for one in seen))
    floor = noise_floor([one.on(clock).log_ratio for one in seen])
    return Noise(floor, clock, seconds, series.strain(), encoding, race.drains)


def iterators_left(race: Race, seed: int) -> tuple[Place, ...]:
    """Where results of the reference hold iterators, which are then drained in all calls that are timed."""
    with race.project.contestant(race.old, derive(seed, "hash"), race.patience_s, REFERENCE) as reference:
        if not reference.has_state:  # what does not live in its memory cannot put anything off
            return ()
        race.project.load(reference, race.old, 1)
        reference.keep([one.data for one in race.inputs])
        return places_of_iterators(reference.call(range(len(race.inputs))))


def encoding_share(launches: Sequence[Launch]) -> float:
    """CPU of encoding over CPU of timed calls, of both sides; none where that of the calls is not seen."""
    lives = [life for one in launches for life in (one.account.old, one.account.new)]
    timed = sum(one.timed for one in lives)
    return sum(one.encoded + one.glanced for one in lives) / timed if timed else 0.0


def keeps(race: Race, seed: int) -> bool:
    """Whether two launches of the reference against itself leave the same behind in the state that is to be compared.
    Not when it fails: then there is no telling."""
    same = replace(race, new=race.old)
    try:
        return all(launch(same, derive(seed, "state", number)).difference is None for number in range(2))
    except (Misconduct, Uncomparable):
        return False


class _Series:
    """Launches of one race, each under a seed of its own, with an eye on the system."""

    def __init__(self, race: Race, seed: int, purpose: str, judged: tuple[Noise, Looks] | None = None) -> None:
        self.race, self.seed, self.purpose, self.judged = race, seed, purpose, judged
        self.launches: list[Launch] = []
        self.further: list[Launch] = []
        self.watch = Watch(race.core)

    def launch(self) -> None:
        race = replace(self.race, is_whole_due=self._is_whole_due())
        self.launches.append(launch(race, derive(self.seed, self.purpose, len(self.launches))))
        self.watch.look()

    def _is_whole_due(self) -> bool:
        """Whether the next launch has to encode a block whole, which tells where work was moved: the first one, and
        where there may be a gain that this would explain, one in so many; all, once it seems to be what happened, which
        one block alone cannot tell."""
        if not self.launches:
            return True
        accounts = [one.account for one in self.launches]
        lately = accounts[1 - WHOLE_EVERY[self.race.step] :]
        is_time = all(one.looked_at == "parts" for one in lately)
        return self._may_be_a_gain() and (is_time or moved_work(accounts) is not None)

    def _may_be_a_gain(self) -> bool:
        """Whether the launches so far show a gain, or most of them do and further ones may yet settle it."""
        if self.judged is None or _gains(self.launches, *self.judged) == "no":
            return False
        noise, _ = self.judged
        return median(one.on(noise.clock).log_ratio for one in self.launches) > bar(noise.floor)

    def moved(self) -> tuple[str | None, bool]:
        """Where work seems to have gone, and whether that is clear. Where a phase may have grown by chance, and there
        is a gain that it might explain, `further` launches say so, all of which encode a block whole; they say nothing
        of speed."""
        accounts = [one.account for one in self.launches]
        where = moved_work(accounts)
        if (where is None or not is_clear(accounts, where)) and (once := done_once(accounts)):
            return once, True
        if where is not None and not is_clear(accounts, where) and self._may_be_a_gain():
            if told := self._told_by_further(accounts, where):
                return told
            where = moved_work(accounts, but=where)
        return where, where is None or is_clear(accounts, where)

    def _told_by_further(self, accounts: list[Account], where: str) -> tuple[str, bool] | None:
        """What further launches say of a phase; None where all together it has not grown."""
        race = replace(self.race, is_whole_due=True, screen=None)
        for k in range(len(self.further), FURTHER):
            self.further.append(launch(race, derive(self.seed, self.purpose, "further", k)))
        accounts = accounts + [one.account for one in self.further]
        again = moved_in_all(accounts) if where == ENCODING else moved_work(accounts) == where
        return (where, is_clear(accounts, where)) if again else None

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to compare: a timed call was wrong."""
        return bool(self.launches) and self.launches[-1].difference is not None

    def strain(self) -> Strain:
        return self.watch.strain(told for one in self.launches for told in one.waits)


def estimate(race: Race, noise: Noise, seed: int, effort: Effort) -> Found:
    """One launch; a few more only where the first looks like a gain, or like a loss that is more than scatter, and is
    neither so plainly that one is enough. For choosing, not for claiming."""
    screen = Screen(noise.clock, math.log1p(effort.futile), max(math.log1p(effort.futile), bar(noise.floor)))
    race = replace(race, seconds=effort.search_s, screen=screen)
    series = _Series(race, seed, "launch", (noise, SEARCH_LOOKS))
    series.launch()
    first = series.launches[0].on(noise.clock)
    if _is_plain(series.launches[0], noise):
        return _found(series, noise, PLAIN_LOOKS)
    if first.log_ratio > bar(0.0) or first.least_loss > slower_bar(0.0):
        told, looks = (_gains, SEARCH_LOOKS) if first.log_ratio > 0 else (_losses, LOSS_LOOKS)
        while told(series.launches, noise, looks) == "open" and not series.is_over:
            series.launch()
    return _found(series, noise, SEARCH_LOOKS, LOSS_LOOKS)


def _is_plain(one: Launch, noise: Noise) -> bool:
    """On the wall clock of a busy machine one launch alone says nothing, nor does one that is judged by first calls or
    in which work seems to have moved: that is for several to say."""
    later, first = one.on(noise.clock), one.first_on(noise.clock)
    seen = (later.log_ratio - later.doubt, later.log_ratio + later.doubt, first.log_ratio)
    is_clean = not one.first_call and moved_work([one.account]) is None
    return noise.clock == "cpu" and is_clean and is_plain(seen, noise.floor)


def claim(race: Race, noise: Noise, seed: int, effort: Effort, claims_before: int = 0) -> Found:
    """Fresh launches that chose nothing, until they are enough for a gain or can be no more."""
    race, looks = replace(race, seconds=effort.claim_s), effort.claim_looks(claims_before)
    series = _Series(race, seed, "claim", (noise, looks))
    while _gains(series.launches, noise, looks) == "open" and not series.is_over:
        series.launch()
    return _with_collector(_found(series, noise, looks), race, noise, seed)


def compare(race: Race, noise: Noise, seed: int, effort: Effort) -> Found:
    """Fresh launches of a pair that nobody chose, always as many, so that "the same" and "slower" are as well founded
    as "faster"."""
    race, looks = replace(race, seconds=effort.claim_s), effort.compare_looks()
    series = _Series(race, seed, "compare", (noise, looks))
    while len(series.launches) < effort.compared and not series.is_over:
        series.launch()
    return _with_collector(_found(series, noise, looks), race, noise, seed)


@dataclass(frozen=True)
class Near:
    """What launches showed on inputs near those of a claim (`there`) and, where its gain seemed to be gone on them, on
    those that they are near (`here`); a wrong timed call ends it, and is in `there`. `work` is what the reference has
    to do on one of the former, over one of the latter: its fastest launches of each, since a machine may take twice as
    long a second later."""

    there: Found
    here: Found | None = None
    work: float = 1.0


def near(there: Race, here: Race, gain: float, noise: Noise, seed: int, effort: Effort) -> Near:
    """A few fresh launches on inputs that are not those of the claim; if less than half of its gain (a log ratio) is
    there, some more in turn with others on those of the claim that they are near: a gain may differ by size."""
    apart = _Series(replace(there, seconds=effort.claim_s), seed, "near", (noise, SEARCH_LOOKS))
    own = _Series(replace(here, seconds=effort.claim_s), seed, "own", (noise, SEARCH_LOOKS))
    _few(apart, NEAR_LAUNCHES, gain, noise)
    seen = _found(apart, noise, SEARCH_LOOKS)
    if apart.is_over or not is_mostly_gone(gain, math.log(seen.speedup.ratio), bar(noise.floor)):
        return Near(seen)
    for _ in range(BESIDE_LAUNCHES):
        for series in (own, apart):
            series.launch()
            if series.is_over:
                return Near(_found(series, noise, SEARCH_LOOKS))
    work = _least(apart, noise) / _least(own, noise)
    return Near(_found(apart, noise, SEARCH_LOOKS), _found(own, noise, SEARCH_LOOKS), work)


def _few(series: _Series, most: int, gain: float, noise: Noise) -> None:
    """So many launches, or one that shows clearly more than half of the gain, by first calls too."""
    series.launch()
    first = series.launches[0]
    seen = min(first.on(noise.clock).log_ratio, first.first_on(noise.clock).log_ratio)
    if is_mostly_gone(gain, seen, -bar(noise.floor)):
        while len(series.launches) < most and not series.is_over:
            series.launch()


def _least(series: _Series, noise: Noise) -> float:
    """What the reference takes for the first call of one input at its fastest, of the last launches. (Later calls may
    be what a candidate remembers, and then one series is judged by them and the other is not.)"""
    times = [one.first_on(noise.clock).old_ns for one in series.launches[-BESIDE_LAUNCHES:]]
    return min(times) / len(series.race.inputs)


def _with_collector(found: Found, race: Race, noise: Noise, seed: int) -> Found:
    """A gain measured again with the garbage collector on, as users run it."""
    if not found.is_faster or not found.launches[-1].has_collector:
        return found
    series = _Series(replace(race, collecting=True), seed, "collecting")
    _few(series, COLLECTING_LAUNCHES, math.log(found.speedup.ratio), noise)
    middle = median(one.on(noise.clock).log_ratio for one in _fair(series.launches, noise.clock))
    return replace(found, collecting=math.exp(middle), difference=series.launches[-1].difference or found.difference)


PASS_S = 0.3
"""One pass of the reference over timed inputs takes no longer, unless there is only one."""


def affordable(race: Race, seed: int) -> tuple[Input, ...]:
    """As many inputs, in their order, as can be timed; one at least."""
    return tuple(race.inputs[: within_a_pass(costs(race, seed, PASS_S))])


def within_a_pass(costs: Sequence[int]) -> int:
    """How many of the first inputs of these nanoseconds one pass has time for; one at least.

    >>> within_a_pass([200_000_000, 90_000_000, 90_000_000]), within_a_pass([900_000_000])
    (2, 1)
    """
    return max(1, sum(spent <= PASS_S * 1e9 for spent in accumulate(costs)))


def costs(race: Race, seed: int, most_s: float) -> list[int]:
    """Wall nanoseconds of the reference's first call of each input, in their order, until they take more than `most_s`
    seconds together."""
    found: list[int] = []
    with race.project.contestant(race.old, derive(seed, "hash"), race.patience_s, REFERENCE) as reference:
        reference.drains = race.drains
        reference.pin(race.core)
        race.project.load(reference, race.old, 1)
        reference.keep([one.data for one in race.inputs])
        for number in range(len(race.inputs)):
            reference.prepare((number,), 1)
            found.append(reference.lap().wall_ns)
            if sum(found) > most_s * 1e9:
                break
    return found


def _gains(launches: Sequence[Launch], noise: Noise, looks: Looks) -> Answer:
    """Whether the launches show a gain on the deciding clock, the other clock, if it is ours, not contradicting in the
    middle."""
    launches = _fair(launches, noise.clock)
    said = answer([one.on(noise.clock).log_ratio for one in launches], bar(noise.floor), looks)
    others = [_other(one, noise.clock) for one in launches if one.sees_cpu]
    return "no" if said == "yes" and others and median(others) <= math.log1p(MARGIN) else said


def _losses(launches: Sequence[Launch], noise: Noise, looks: Looks) -> Answer:
    return answer([-one.on(noise.clock).log_ratio for one in launches], slower_bar(noise.floor), looks)


def _other(one: Launch, clock: Clock) -> float:
    return one.on("wall" if clock == "cpu" else "cpu").log_ratio


def _fair(launches: Sequence[Launch], clock: Clock) -> Sequence[Launch]:
    """The launches, by their first calls if most of the gain is later ones' (a launch that is judged by them already
    says nothing of the difference)."""
    first = [one.first_on(clock).log_ratio for one in launches]
    is_memo = remember_slightly(first, [one.on(clock).log_ratio for one in launches])
    return [one.by_first_calls() for one in launches] if is_memo else launches


def _found(series: _Series, noise: Noise, looks: Looks, loss_looks: Looks | None = None) -> Found:
    launches = _fair(series.launches, noise.clock)
    logs = [one.on(noise.clock).log_ratio for one in launches]
    moved, is_certain = series.moved()
    seen = (*launches, *series.further)
    differences = [one.difference for one in seen if one.difference is not None]
    return Found(
        tuple(launches),
        _speedup(launches, logs, noise),
        _gains(launches, noise, looks) == "yes",
        _losses(launches, noise, loss_looks or looks) == "yes",
        moved,
        is_certain,
        differences[0] if differences else None,
        strain=series.strain(),
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
        first_call=2 * sum(one.first_call for one in launches) >= len(launches),
    )


def _middle(launches: Sequence[Launch], of: Callable[[Launch], float]) -> float:
    return median(of(one) for one in launches)
