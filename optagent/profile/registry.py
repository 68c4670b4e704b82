"""The profilers there are, and a look with several of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from optagent.errors import BadSetting, SandboxBroken
from optagent.languages.contestant import Misconduct
from optagent.profile.allocations import TraceMalloc
from optagent.profile.base import Here, Profiler, Seen
from optagent.profile.callgrind import Callgrind
from optagent.profile.counters import Perf
from optagent.profile.cprofile import CProfile
from optagent.profile.energy import Powercap
from optagent.profile.lines import Lines
from optagent.profile.sampling import PyInstrument
from optagent.profile.scene import Scene

PROFILERS: tuple[Profiler, ...] = (CProfile(), Lines(), PyInstrument(), TraceMalloc(), Perf(), Powercap(), Callgrind())
"""In the order in which they are run and shown. Each new one is a line here and a module of this room."""


@dataclass(frozen=True)
class Look:
    """What one profiler saw."""

    profiler: Profiler
    seen: Seen


def chosen(names: Sequence[str]) -> tuple[Profiler, ...]:
    """Those of these names, in the table's order; without names all that need not be asked for. Raises BadSetting."""
    known = {one.name: one for one in PROFILERS}
    for name in names:
        if name not in known:
            raise BadSetting(f"there is no profiler {name!r}", f"Name one of {', '.join(known)}.")
    return tuple(one for one in PROFILERS if (one.name in names if names else not one.on_request))


def look(profilers: Sequence[Profiler], scene: Scene, here: Here, stage: Callable[[str], None]) -> Iterator[Look]:
    """Each profiler's facts, the largest first; one that is missing or gives nothing is a note, never a fault."""
    for one in profilers:
        if missing := one.missing(here):
            yield Look(one, Seen((), (f"{one.name} is missing: {missing}",)))
            continue
        stage(f"profiling with {one.name}")
        try:
            seen = one.profile(scene, here)
        except Misconduct as failed:
            seen = Seen((), (f"{one.name} gave nothing: {failed.reason}",))
        except SandboxBroken as broken:  # a worker under some profiler may not start where a plain one does
            seen = Seen((), (f"{one.name} gave nothing: {broken.message}",))
        facts = sorted(seen.facts, key=lambda fact: (fact.unit, -fact.value, fact.place, fact.name))
        yield Look(one, replace(seen, facts=tuple(facts)))
