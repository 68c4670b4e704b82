"""Time against the size of the input, old and new: inputs of a few sizes from the user's workload file."""

from __future__ import annotations

from pathlib import Path

from optagent.core.growth import FEWEST, Growth
from optagent.core.seeds import derive
from optagent.languages.contestant import REFERENCE, Contestant, Lap
from optagent.measure.cores import measuring, pinned
from optagent.measure.launch import Clock, Race

SIZES = (1, 2, 4, 8, 16)
"""In quarters of the size that is timed."""

PARTS = 4
LONG_ENOUGH_NS = 200_000
MOST_SCALE = 1 << 16
MOST_CALL_NS = 1_000_000_000
LAPS = 3


def take_growth(race: Race, file: Path, clock: Clock, seed: int) -> Growth | None:
    """Seconds of one call by size, least of a few laps, a turn for each side; sizes end where a call takes a second.
    None where fewer than three sizes can be told apart. Raises Misconduct when a side fails."""
    project, patience = race.project, race.patience_s
    with (
        measuring(race.core),
        pinned(race.core),
        project.contestant(race.old, derive(seed, "growth"), patience, REFERENCE, file) as old,
        project.contestant(race.new, derive(seed, "growth"), patience) as new,
    ):
        for side, tree in ((old, race.old), (new, race.new)):
            side.drains = race.drains
            side.pin(race.core)
            project.load(side, tree, 1)
        path = project.workload_path(file)
        scale = _long_enough(old, path, clock, seed)
        rows: list[tuple[float, float, float]] = []
        for parts in SIZES:
            size, made = old.make_call(path, scale * parts, PARTS, derive(seed, "growth", parts))
            if rows and size <= rows[-1][0]:
                continue
            rows.append((size, *_both(old, new, made, clock)))
            if rows[-1][1] * 1e9 > MOST_CALL_NS:
                break
    sizes, old_s, new_s = zip(*rows, strict=True)
    return Growth(sizes, old_s, new_s) if len(rows) >= FEWEST else None


def _long_enough(old: Contestant, path: str, clock: Clock, seed: int) -> int:
    """The first power of two at which one call of the reference is long enough to be timed."""
    scale = 1
    while scale < MOST_SCALE:
        _, made = old.make_call(path, scale, 1, derive(seed, "growth"))
        old.keep([made])
        if min(_time(old, clock) for _ in range(2)) >= LONG_ENOUGH_NS:
            break
        scale *= 2
    return scale


def _both(old: Contestant, new: Contestant, made: bytes, clock: Clock) -> tuple[float, float]:
    for side in (old, new):
        side.keep([made])
    seen: dict[Contestant, list[int]] = {old: [], new: []}
    for turn in range(LAPS):
        for side in (old, new) if turn % 2 else (new, old):
            seen[side].append(_time(side, clock))
        if max(seen[old][-1], seen[new][-1]) > MOST_CALL_NS:
            break
    return min(seen[old]) / 1e9, min(seen[new]) / 1e9


def _time(side: Contestant, clock: Clock) -> int:
    side.prepare((0,), 1)
    lap: Lap = side.lap()
    return max(1, lap.cpu_ns if clock == "cpu" else lap.wall_ns)
