"""A workload from the user's file: `make_inputs(size, rng)`, grown until a call is long enough to time."""

from __future__ import annotations

import os
from pathlib import Path

from optagent.core.canonical import is_raised
from optagent.core.iterators import places_of_iterators
from optagent.core.seeds import derive
from optagent.core.target import Tree
from optagent.core.workload import HELD_OUT_SETS, Input, Workload, distinct, split
from optagent.errors import BadSource, BadWorkload, BaselineBroken, OptagentError
from optagent.languages.base import Project
from optagent.languages.contestant import PHASES, REFERENCE, Contestant, Misconduct, Uncomparable
from optagent.languages.python.source.functions import functions
from optagent.languages.python.source.sources import parse_source, read_source

LONG_ENOUGH_NS = 200_000
REPEATS, BEYOND_WAITING_NS = 3, 50 * LONG_ENOUGH_NS
MOST_SCALE = 1 << 16
MOST_BYTES = 32 << 20
MOST_PASS_NS = 300_000_000
MOST_CALLS = 1_000
"""More than the file gives at first: it makes more of them, and none larger."""

MAKING = ("make_inputs", "prepare")
"""Phases in which the file's own code runs, and none of the target's."""
Made = list[tuple[str, bytes]]


def check_file(file: Path) -> None:
    """Returns when the file can be read and defines make_inputs. Raises BadWorkload."""
    if not os.path.isfile(file):
        raise BadWorkload(
            f"there is no workload file {file}", "Name a Python file that defines make_inputs(size, rng)."
        )
    try:
        names = {name for name, _ in functions(parse_source(read_source(file), file.name))}
    except BadSource as fault:
        raise BadWorkload(f"the workload file cannot be used: {fault.message}", fault.hint) from None
    if "make_inputs" not in names:
        raise BadWorkload(
            f"{file.name} defines no make_inputs",
            "Define `make_inputs(size, rng)` returning a list of argument tuples.",
        )


def workload_from_file(project: Project, tree: Tree, file: Path, seed: int, patience_s: float) -> Workload:
    """Search inputs from one seed, each held-out set from a seed of its own. Raises BadWorkload, or
    BaselineBroken when it is the untouched target that fails."""
    try:
        with project.contestant(tree, derive(seed, "hash"), patience_s, REFERENCE, file) as maker:
            project.load(maker, tree, 1)
            return _make_all(maker, project.workload_path(file), seed)
    except Misconduct as failed:
        raise _fault(failed) from None


def _fault(failed: Misconduct) -> OptagentError:
    if failed.phase in MAKING:
        return BadWorkload(f"the workload file fails: {failed.reason}", "Run it by hand with a small size.")
    what = PHASES.get(failed.phase, failed.phase)
    return BaselineBroken(
        f"the untouched target {what}, so nothing can be judged against it: {failed.reason}",
        "Call it by hand with what make_inputs gives for size 1.",
    )


def _make_all(maker: Contestant, path: str, seed: int) -> Workload:
    scale, made = _grow(maker, path, derive(seed, "search"))
    search = _inputs(made)
    known = {one.digest for one in search}
    held = [_inputs(maker.make(path, scale, derive(seed, "held-out", k))) for k in range(HELD_OUT_SETS)]
    fresh = [tuple(one for one in inputs if one.digest not in known) for inputs in held]
    if all(fresh):
        return Workload(tuple(search), tuple(fresh), _types(maker, search))
    together = distinct([*search, *(one for inputs in held for one in inputs)])
    if len(together) < 2:
        raise BadWorkload(
            f"the workload file gives {len(together)} distinct call(s) for three seeds, so nothing can be held out",
            "Let make_inputs draw several different calls from `rng`.",
        )
    return split(together, _types(maker, search))


def _types(maker: Contestant, inputs: list[Input]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    maker.keep([one.data for one in inputs])
    return tuple((name, tuple(kinds)) for name, kinds in sorted(maker.describe().items()))


def _inputs(made: Made) -> list[Input]:
    return distinct([Input(data, "workload file", codec) for codec, data in made])


def _grow(maker: Contestant, path: str, seed: int) -> tuple[int, Made]:
    """The size doubled until the median call takes LONG_ENOUGH_NS, or a pass gets long or the arguments large, or there
    are only more calls. Where every call raises it stays 1: raising takes no longer for more, and the other side may
    have to work all of it."""
    scale, made = 1, maker.make(path, 1, seed)
    left = _left(maker, made)
    grows = not left or not all(map(is_raised, left))
    maker.drains = places_of_iterators(left)
    most = max(MOST_CALLS, len(made))
    while made and grows and scale < MOST_SCALE and len(made) <= most:
        times = _times(maker, made)
        size = sum(len(data) for _, data in made)
        if sorted(times)[len(times) // 2] >= LONG_ENOUGH_NS or 4 * sum(times) > MOST_PASS_NS or 2 * size > MOST_BYTES:
            break
        scale *= 2
        made = maker.make(path, scale, seed)
    return scale, made


def _left(maker: Contestant, made: Made) -> list[bytes]:
    """What the calls leave; nothing where that cannot be compared."""
    maker.keep([data for _, data in made])
    try:
        return maker.call(range(len(made)))
    except Uncomparable:
        return []


def _times(maker: Contestant, made: Made) -> list[int]:
    """Wall nanoseconds of the second of two calls of each input. One that may only have had to wait is called again,
    and its least counts: on a busy machine a call of nothing may take LONG_ENOUGH_NS."""
    maker.keep([data for _, data in made])
    times = []
    for number in range(len(made)):
        _lap_ns(maker, (number,))
        took = _net_ns(maker, number)
        for _ in range(REPEATS):
            if LONG_ENOUGH_NS <= took < BEYOND_WAITING_NS:
                took = min(took, _net_ns(maker, number))
        times.append(took)
    return times


def _net_ns(maker: Contestant, number: int) -> int:
    """A call, less a block without calls just before: a core that has been idle wakes slowly, which alone may take as
    long as LONG_ENOUGH_NS."""
    idle = _lap_ns(maker, ())
    return max(1, _lap_ns(maker, (number,)) - idle)


def _lap_ns(maker: Contestant, numbers: tuple[int, ...]) -> int:
    maker.prepare(numbers, len(numbers))
    return maker.lap().wall_ns
