"""One launch: a fresh pair of workers on one core, one running at a time, both clocks read by us."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass, field, replace
from statistics import median_low
from typing import Literal, get_args

from optagent.core.accounting import Account, Life, LookedAt
from optagent.core.canonical import first_difference
from optagent.core.iterators import Place
from optagent.core.seeds import derive
from optagent.core.statistics import Round, Total, is_settled, remembers, total
from optagent.core.target import Tree
from optagent.core.verdict import Difference
from optagent.core.workload import Input
from optagent.languages.base import Project
from optagent.languages.contestant import AGAIN, BY_HASHES, REFERENCE, WHOLE, Contestant, Lap, View
from optagent.measure.cores import beside, measuring, pinned
from optagent.measure.groups import BRIEF_BLOCK_NS, LONG_BLOCK_NS, Group, form_groups
from optagent.sandbox import clocks
from optagent.sandbox.clocks import Waits, since

Clock = Literal["cpu", "wall"]
CLOCKS: tuple[Clock, ...] = get_args(Clock)
ROUNDS_AT_LEAST = 3
SLOW_SWEEP_NS = 1_000_000_000
QUICK_SHARE = 0.2
"""Where one pass takes no more of a launch (less where encoding is dear), all first results are encoded: that is little
beside the rest."""

MOST_PLAY_NS = 4_000_000_000
CHECKED_SHARE = 0.15
EMPTY_LAPS = 3
HASH_SEEDS = 8
"""So many seeds for the hashes of strings are drawn from in one run: a worker that has started has one for its life."""

Orders = tuple[tuple[str, ...], tuple[str, ...]]
LONG: Orders = ("old", "new", "new", "old"), ("new", "old", "old", "new")
SHORT: Orders = ("old", "new"), ("new", "old")
SHORT_SWEEPS = 4
"""A launch for choosing plays its first sweeps in half as many blocks: most candidates are dismissed by them, and which
side comes first is still drawn at random."""

BUSY = 0.5
"""A reference that waits more than this has too little CPU for its first calls to be told from its later ones."""


@dataclass(frozen=True)
class Launch:
    """What one launch found: the times of one pass over the inputs on each clock.

    `first_call` says that the first calls decided, because the new side's later ones profit from them; `first_cpu` and
    `first_wall` are those calls' own times. `busy` is the reference's largest share of CPU in the wall time for which
    it had a core. `difference` is set when outputs of timed blocks were not the same. Where `sees_cpu` is False, CPU is
    what the worker says of processes that we have no clock for: to be shown, never to decide. `waits` say for each side
    how long it waited for its core, once loaded.
    """

    cpu: Total
    wall: Total
    pairs: int
    busy: float
    first_call: bool
    account: Account
    old_memory: int
    new_memory: int
    first_cpu: Total
    first_wall: Total
    difference: Difference | None = None
    sees_cpu: bool = True
    has_collector: bool = True
    waits: tuple[Waits, ...] = ()

    def by_first_calls(self) -> Launch:
        return replace(self, cpu=self.first_cpu, wall=self.first_wall, first_call=True)

    def first_on(self, clock: Clock) -> Total:
        return self.first_cpu if clock == "cpu" else self.first_wall

    def on(self, clock: Clock) -> Total:
        return self.cpu if clock == "cpu" else self.wall


HELD_UP_S, HELD_UP_TIMES = 20.0, 10.0
"""A candidate may take so long in a launch for all that is not timed, and so many times what the old code takes. Each
answer alone has patience for whoever has much to tell; thousands of slow ones would last for hours."""


@dataclass
class Pair:
    """Two contestants of which one at most is running. `untimed_ns` is how long each of them was waited for beside
    timed blocks."""

    old: Contestant
    new: Contestant
    untimed_ns: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def turn(self, side: Contestant) -> Iterator[Contestant]:
        side.proceed()
        yield side
        side.halt()

    @contextmanager
    def waiting(self, side: Contestant) -> Iterator[None]:
        """Raises Misconduct when the candidate has taken much longer than the old code needs."""
        began = clocks.wall_ns()
        yield
        self.untimed_ns[side.name] += clocks.wall_ns() - began
        old_s, new_s = (self.untimed_ns[one.name] / 1e9 for one in (self.old, self.new))
        if new_s > HELD_UP_S + HELD_UP_TIMES * old_s:
            what = f"opening arguments and telling results took {new_s:.0f} s, and {old_s:.1f} s on the old code"
            raise self.new.misconduct("held up", what)


@dataclass(frozen=True)
class Screen:
    """When a launch for choosing may end early: once rounds on this clock settle it (`is_settled`; log ratios)."""

    clock: Clock
    futile: float
    bar: float


@dataclass(frozen=True)
class Race:
    """What is launched: the same inputs on two trees, for about `seconds` of timed rounds or as `screen` says."""

    project: Project
    old: Tree
    new: Tree
    inputs: tuple[Input, ...]
    core: int
    seconds: float = 0.15
    patience_s: float = 60.0
    screen: Screen | None = None
    collecting: bool = False
    """With the garbage collector on."""
    state: tuple[str, ...] = ()
    """Names of what the calls change besides, which has to be the same wherever a timed call is checked."""
    step: int = 1
    """Where encoding is dear beside the calls, a check of timed calls looks at one part in so many (`View.glance`)."""
    is_whole_due: bool = True
    """Whether a block is to be encoded whole nevertheless, so that work that was moved there shows."""
    drains: tuple[Place, ...] = ()
    """Where results hold iterators that are drained in timed calls."""
    salt: int = 0
    """What the seeds for the hashes of strings are made from: the same for all launches of a run."""


def warm_up(race: Race) -> None:
    """What launches of the race fork is there, under each of the run's hash seeds. Nothing where nothing can fork."""
    for number in range(HASH_SEEDS):
        with pinned(*beside(race.core)):  # as launches do: its memory is near the cores that it is started on
            one = race.project.contestant(race.old, _hash_seed(race, number), race.patience_s, REFERENCE, warm=True)
        one.close()
        if not one.is_fork:
            return


def launch(race: Race, seed: int) -> Launch:
    """One launch under one of the run's hash seeds, its own heap padding, load order and orders of play.

    Raises Misconduct (or Uncomparable) when a side fails.
    """
    rng = random.Random(seed)
    with ExitStack() as stack:
        stack.enter_context(measuring(race.core))
        with pinned(*beside(race.core)):
            started = _start(race, rng, stack)
        stack.enter_context(pinned(race.core))  # a referee on another core sees a block's end later and less evenly
        pair = _load(race, started, rng)
        loaded = pair.old.live.waits(), pair.new.live.waits()  # starting together, they wait for each other
        overhead = Lap(*(median_low(one) for one in zip(*_empty_laps(pair, rng), strict=True)))
        if race.screen is None:
            _collected(pair, race, rng, WHOLE)  # of nothing yet: what the first answer takes besides is no first call's
        begun = pair.old.life, pair.new.life
        first = _first_calls(pair, race, rng, overhead)
        met = pair.old.life, pair.new.life
        groups = _groups(race, first)
        played = _play(pair, race, groups, overhead, first, rng)
        memory = pair.old.peak_memory_bytes(), pair.new.peak_memory_bytes()
        waits = since(loaded, (pair.old.live.waits(), pair.new.live.waits()))
    some: LookedAt = "a block whole" if "encode" in {*first.saved_ns, *played.saved_ns} else "parts"
    looked_at: LookedAt = "whole" if race.step == 1 else some
    return replace(_summary(pair, first, begun, met, played, memory, looked_at), waits=waits)


def _start(race: Race, rng: random.Random, stack: ExitStack) -> Pair:
    """Both sides started at the same time, on cores that are free: nothing of a tree runs yet, nothing is timed."""
    hash_seed = _hash_seed(race, rng.randrange(HASH_SEEDS))
    pair = _opened(race, rng, hash_seed, stack, warm=True)
    if pair.old.is_fork != pair.new.is_fork:  # they would differ in more than their code
        pair.old.close()
        pair.new.close()
        pair = _opened(race, rng, hash_seed, stack, warm=False)
    for one in (pair.old, pair.new):
        one.collecting, one.drains = race.collecting, race.drains
        one.greet()
    return pair


def _hash_seed(race: Race, number: int) -> int:
    return derive(race.salt, "hash", number)


def _opened(race: Race, rng: random.Random, hash_seed: int, stack: ExitStack, warm: bool) -> Pair:
    contestants = {}
    for name in rng.sample(("old", "new"), 2):
        tree = race.old if name == "old" else race.new
        who = REFERENCE if name == "old" else "candidate"
        contestants[name] = race.project.contestant(tree, hash_seed, race.patience_s, who, warm=warm)
        stack.callback(contestants[name].close)
    return Pair(contestants["old"], contestants["new"])


def _load(race: Race, pair: Pair, rng: random.Random) -> Pair:
    """Both trees imported in an order drawn at random, one after the other, each side stopped when it is done."""
    for name in rng.sample(("old", "new"), 2):
        one, tree = getattr(pair, name), race.old if name == "old" else race.new
        one.pin(race.core)
        race.project.load(one, tree, rng.getrandbits(40))
        one.keep([given.data for given in race.inputs])
        one.halt()
    return pair


def _empty_laps(pair: Pair, rng: random.Random) -> list[tuple[int, int]]:
    """What a block of no calls costs: the protocol itself, taken off every lap.

    Both sides run them: where the old one did alone, calls of less than a microsecond looked up to 2 % faster on the
    new one.
    """
    laps = []
    for _ in range(EMPTY_LAPS):
        for side in rng.sample((pair.old, pair.new), 2):
            lap = _lap(pair, side, (), 0)
            laps.append((lap.wall_ns, lap.cpu_ns))
    return laps


def _lap(pair: Pair, side: Contestant, numbers: Sequence[int], times: int) -> Lap:
    with pair.turn(side):
        with pair.waiting(side):
            side.prepare(numbers, times)
        return side.lap()


def _net(lap: Lap, overhead: Lap, times: int) -> Lap:
    wall, cpu = max(1, lap.wall_ns - overhead.wall_ns), max(1, lap.cpu_ns - overhead.cpu_ns)
    return Lap(wall // times or 1, cpu // times or 1, lap.delay_ns // times)


@dataclass(frozen=True)
class First:
    """The first call of every input on each side, in the order of the inputs; what the checked ones of them saved, by
    the phase of the look at them ("first" where all were encoded), and the first difference they showed. One that is
    drawn is checked, those that may have no second one, and in a launch that is not for choosing all that are quick:
    what is put off and remembered is done once, and shows nowhere else."""

    old: tuple[Lap, ...]
    new: tuple[Lap, ...]
    saved_ns: Counter[str]
    difference: Difference | None

    def wall_ns(self, numbers: Iterable[int]) -> int:
        """Of these inputs, both sides together."""
        return sum(self.old[k].wall_ns + self.new[k].wall_ns for k in numbers)

    def rounds(self, clock: Clock) -> list[Round]:
        """A round of each input."""
        pairs = zip(self.old, self.new, strict=True)
        return [
            Round(old.cpu_ns, new.cpu_ns) if clock == "cpu" else Round(old.wall_ns, new.wall_ns) for old, new in pairs
        ]


def _first_calls(pair: Pair, race: Race, rng: random.Random, overhead: Lap) -> First:
    laps: dict[str, list[Lap]] = {"old": [], "new": []}
    saved, difference = Counter[str](), None
    drawn = rng.randrange(len(race.inputs))
    for number in range(len(race.inputs)):
        for side in rng.sample(("old", "new"), 2):
            laps[side].append(_net(_lap(pair, getattr(pair, side), (number,), 1), overhead, 1))
        old, new = laps["old"][-1], laps["new"][-1]
        sweep_ns = old.wall_ns * len(race.inputs)
        is_only_one = sweep_ns >= SLOW_SWEEP_NS
        is_quick = race.screen is None and race.step * sweep_ns < QUICK_SHARE * race.seconds * 1e9
        if number == drawn or is_only_one or is_quick:
            view = WHOLE if is_only_one else _view(race, 1, rng, is_quick)
            saved["first" if is_quick else view.phase] += old.cpu_ns - new.cpu_ns
            difference = difference or _check(pair, race, rng, view)
    return First(tuple(laps["old"]), tuple(laps["new"]), saved, difference)


def _groups(race: Race, first: First) -> list[Group]:
    sizes = [len(one.data) for one in race.inputs]
    longest_ns = LONG_BLOCK_NS if race.screen is None else BRIEF_BLOCK_NS
    return form_groups([lap.wall_ns for lap in first.old], [lap.wall_ns for lap in first.new], sizes, longest_ns)


@dataclass(frozen=True)
class Played:
    """Rounds by group on each clock, what the checked blocks saved, by the phase of the look at them, and the first
    difference they showed."""

    cpu: list[list[Round]]
    wall: list[list[Round]]
    busy: float
    saved_ns: Counter[str]
    difference: Difference | None

    def is_settled(self, screen: Screen | None, first: First) -> bool:
        if screen is None:
            return False
        at_first = [one.log_ratio for one in first.rounds(screen.clock)]
        return is_settled(self.cpu if screen.clock == "cpu" else self.wall, screen.futile, screen.bar, at_first)


def _play(pair: Pair, race: Race, groups: list[Group], overhead: Lap, first: First, rng: random.Random) -> Played:
    """ABBA or BAAB (at first AB or BA where a launch is screened) over every group in turn, until the time is up and
    every group has had its rounds."""
    played = Played([[] for _ in groups], [[] for _ in groups], 0.0, Counter(), None)
    sweep = sum(lap.wall_ns for lap in first.old)
    if sweep > SLOW_SWEEP_NS:  # a second pass would cost more than it tells
        return _first_as_rounds(first)
    wanted = ROUNDS_AT_LEAST if sweep < race.seconds * 1e9 / ROUNDS_AT_LEAST else 1
    drawn = rng.sample(range(len(groups)), 1 if wanted > 1 else (len(groups) + 1) // 2)  # nobody knows which
    # As much of the launch will be over after the round in which a block is encoded whole, so that there is one also
    # where one round fills the launch; a launch for choosing may end with its first sweep.
    moment, whole = rng.random(), race.step == 1
    spent, saved, busy, difference, turn = 0, Counter[str](), 0.0, None, 0
    until = clocks.wall_ns() + MOST_PLAY_NS
    while spent < race.seconds * 1e9 or turn < wanted * len(groups):
        if turn >= len(groups) and clocks.wall_ns() > until:
            break  # making arguments costs far more than using them
        if turn % len(groups) == 0 and played.is_settled(race.screen, first):
            break
        k = turn % len(groups)
        group = groups[k]
        orders = SHORT if race.screen is not None and turn < SHORT_SWEEPS * len(groups) else LONG
        until_then = spent + len(orders[0]) // 2 * group.times * first.wall_ns(group.numbers)
        done = min(until_then / (race.seconds * 1e9), (turn + 1) / (wanted * len(groups)))
        is_whole = not whole and race.is_whole_due and (done >= moment if race.screen is None else turn in drawn)
        whole = whole or is_whole
        view = None
        if turn in drawn or is_whole or rng.random() < CHECKED_SHARE:
            view = _view(race, group.times * len(group.numbers), rng, is_whole)
        turn += 1
        old, new, checked, found = _round(pair, race, group, overhead, rng, orders, view)
        played.cpu[k].append(Round(old.cpu_ns, new.cpu_ns))
        played.wall[k].append(Round(old.wall_ns, new.wall_ns))
        busy = max(busy, old.busy)
        saved.update(checked)
        difference = difference or found
        spent += len(orders[0]) // 2 * group.times * (old.wall_ns + new.wall_ns)
    return Played(played.cpu, played.wall, busy, saved, difference)


def _first_as_rounds(first: First) -> Played:
    cpu, wall = ([[one] for one in first.rounds(clock)] for clock in CLOCKS)
    return Played(cpu, wall, max(lap.busy for lap in first.old), Counter(), None)


def _round(
    pair: Pair, race: Race, group: Group, overhead: Lap, rng: random.Random, orders: Orders, view: View | None
) -> tuple[Lap, Lap, dict[str, int], Difference | None]:
    """One round in one of these orders: mean lap of each side for one pass, CPU saved in the block that was checked, by
    the phase of the look at it, and its difference.

    A round is one block of each side, or two. Where one is to be checked, which is drawn here; nobody else knows before
    its clocks have stopped.
    """
    order = rng.choice(orders)
    checked = rng.randrange(2, len(order) + 1, 2) if view else None
    laps: dict[str, list[Lap]] = {"old": [], "new": []}
    saved: dict[str, int] = {}
    difference = None
    for played, name in enumerate(order, 1):
        laps[name].append(_lap(pair, getattr(pair, name), group.numbers, group.times))
        if view and played == checked:
            saved = {view.phase: laps["old"][-1].cpu_ns - laps["new"][-1].cpu_ns}
            difference = _check(pair, race, rng, view)
    old, new = (_net(_mean(laps[name]), overhead, group.times) for name in ("old", "new"))
    return old, new, saved, difference


def _view(race: Race, calls: int, rng: random.Random, is_whole: bool = False) -> View:
    """What a check of a block of so many calls looks at."""
    if race.step == 1:
        return WHOLE
    return BY_HASHES if is_whole else View.glance(calls, race.step, rng)


def _check(pair: Pair, race: Race, rng: random.Random, view: View) -> Difference | None:
    """The first difference that the last blocks show. What was found by drawn parts or hashes is looked at again: that
    decides, and tells where it is."""
    difference = _differ(*_collected(pair, race, rng, view))
    if view != WHOLE and difference is not None:
        difference = _differ(*_collected(pair, race, rng, WHOLE if view.phase == "encode" else AGAIN))
    return difference


def _collected(pair: Pair, race: Race, rng: random.Random, view: View) -> tuple[list[bytes], list[bytes]]:
    """What the last blocks of old and new returned and left; who is asked first is drawn at random."""
    results = {}
    for name in rng.sample(("old", "new"), 2):
        with pair.turn(getattr(pair, name)) as side, pair.waiting(side):
            results[name] = side.collect(race.state, view)
    return results["old"], results["new"]


def _mean(laps: list[Lap]) -> Lap:
    wall, cpu, delay = (sum(column) // len(laps) for column in zip(*map(astuple, laps), strict=True))
    return Lap(wall, cpu, delay)


def _differ(old: list[bytes], new: list[bytes]) -> Difference | None:
    """Every call of one block against the same call of the other, what the blocks printed, and what calls have left
    so far. One call may see what earlier ones left: both sides have made the same."""
    for wanted, encoded in zip(old, new, strict=True):
        if encoded != wanted:
            return first_difference(wanted, encoded)
    return None


def _summary(
    pair: Pair,
    first: First,
    begun: tuple[Life, Life],
    met: tuple[Life, Life],
    played: Played,
    memory: tuple[int, int],
    looked_at: LookedAt,
) -> Launch:
    cpu, wall, at_first = total(played.cpu), total(played.wall), _first_as_rounds(first)
    first_cpu, first_wall = total(at_first.cpu), total(at_first.wall)
    if pair.new.forgets:
        first_cpu, first_wall = cpu, wall
    pairs = sum(len(rounds) for rounds in played.wall)
    saved = Counter(first.saved_ns)
    saved.update(played.saved_ns)
    first_old, first_new = (after.since(before) for before, after in zip(begun, met, strict=True))
    account = Account(
        pair.old.life, pair.new.life, saved["encode"] + saved["first"], *met,
        first_old, first_new, saved["first"], saved["glance"], looked_at,
    )  # fmt: skip
    difference = first.difference or played.difference
    kind = pair.old.sees_cpu, pair.old.has_collector
    seen = Launch(cpu, wall, pairs, played.busy, False, account, *memory, first_cpu, first_wall, difference, *kind)
    is_busy = played.busy >= BUSY and pair.old.sees_cpu
    memo = remembers(first_cpu, cpu) if is_busy else remembers(first_wall, wall)
    return seen.by_first_calls() if memo else seen
