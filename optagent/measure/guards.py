"""What a change costs beside the time of its calls: both sides started a few times, outside of any race."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from optagent.core.guards import Costs, Guards
from optagent.core.seeds import derive
from optagent.core.target import Tree
from optagent.languages.contestant import REFERENCE
from optagent.measure.cores import measuring, pinned
from optagent.measure.launch import Clock, Race

STARTS = 3


@dataclass(frozen=True)
class Seen:
    """One process: what it took to import the target, to call each input for the first time, and what that left."""

    import_s: float
    first_s: float
    resident_bytes: int
    weight: tuple[int, int, int] | None


def take_guards(race: Race, clock: Clock, seed: int) -> Guards:
    """The costs of both sides, medians of a few starts. Raises Misconduct when a side fails."""
    seen: dict[str, list[Seen]] = {"old": [], "new": []}
    with measuring(race.core), pinned(race.core):
        for k in range(STARTS):
            for name in ("old", "new") if k % 2 else ("new", "old"):
                tree = race.old if name == "old" else race.new
                seen[name].append(_seen(race, tree, name, clock, derive(seed, "guards", k)))
    return Guards(_costs(seen["old"]), _costs(seen["new"]))


def _seen(race: Race, tree: Tree, name: str, clock: Clock, seed: int) -> Seen:
    who = REFERENCE if name == "old" else "candidate"
    with race.project.contestant(tree, seed & 0xFFFFFFFF, race.patience_s, who) as one:
        one.drains = race.drains
        one.pin(race.core)
        race.project.load(one, tree, seed)
        imported = one.life.imported
        one.keep([given.data for given in race.inputs])
        first = 0
        for number in range(len(race.inputs)):
            one.prepare((number,), 1)
            lap = one.lap()
            first += lap.cpu_ns if clock == "cpu" else lap.wall_ns
        resident = one.peak_memory_bytes()  # before tracing, which takes memory itself
        return Seen(imported / 1e9, first / 1e9, resident, one.weigh())


def _costs(seen: list[Seen]) -> Costs:
    """Medians of what differs from start to start, and the least of what one process was seen to hold."""
    weights = [one.weight for one in seen if one.weight is not None]
    held, printed, threads = (min(column) for column in zip(*weights, strict=True)) if weights else (None, None, None)
    return Costs(
        import_s=median(one.import_s for one in seen),
        first_s=median(one.first_s for one in seen),
        resident_bytes=int(median(one.resident_bytes for one in seen)),
        held_bytes=held,
        printed=printed,
        threads=threads,
    )
