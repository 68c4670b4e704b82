"""Energy of one pass, from the counters that Linux shows under powercap (RAPL on x86-64), where they can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from optagent.core.profile import Fact
from optagent.profile.base import Here, Missing, Seen
from optagent.profile.laps import timed_laps
from optagent.profile.scene import Scene

ALLOW = "Run `sudo chmod a+r {file}`; it lasts until the next boot, and lets any program read it."
"""Only root may read them by default: they tell on what others compute (CVE-2020-8694)."""


@dataclass(frozen=True)
class Zone:
    """A part of the machine with a counter of its own, in microjoules, which begins anew above `most`."""

    name: str
    counter: Path
    most: int

    def read(self) -> int:
        return int(self.counter.read_text())


@dataclass(frozen=True)
class Powercap:
    name: str = "powercap"
    says: str = "joules of one pass, of the whole machine part and so also of whatever else runs on it"
    units: tuple[str, ...] = ("J",)
    on_request: bool = False
    unproven: str = "tried on counters in files of ours only, never on a processor's"

    def missing(self, here: Here) -> Missing | None:
        found = counters(here.powercap)
        if not found:
            return Missing(f"there are no energy counters in {here.powercap} (virtual machines have none)")
        try:
            zones(here.powercap)
        except OSError as error:
            return Missing(f"{error.filename} cannot be read: {error.strerror}", ALLOW.format(file=error.filename))
        except ValueError as error:
            return Missing(f"the energy counters in {here.powercap} hold no numbers: {error}")
        return None

    def profile(self, scene: Scene, here: Here) -> Seen:
        known = zones(here.powercap)
        with timed_laps(scene) as laps:
            before = {one: one.read() for one in known}
            laps.run()
            after = {one: one.read() for one in known}
            facts = joules(before, after, laps.passes)
        still = [one.name for one in known if before[one] == after[one]]
        return Seen(facts, (f"the counter of {', '.join(still)} did not move",) if still else ())


def counters(folder: Path) -> list[Path]:
    """The files that count, in the order of their names. A zone is a folder; one inside another is shown beside it."""
    return sorted(folder.glob("*:*/energy_uj"))


def zones(folder: Path) -> tuple[Zone, ...]:
    """Every zone whose counter can be read. Raises OSError for the first that cannot, ValueError for what is none."""
    found = []
    for counter in counters(folder):
        int(counter.read_text())
        name = (counter.parent / "name").read_text().strip()
        most = int((counter.parent / "max_energy_range_uj").read_text())
        found.append(Zone(f"{name} ({counter.parent.name})", counter, most))
    return tuple(found)


def joules(before: Mapping[Zone, int], after: Mapping[Zone, int], passes: int) -> tuple[Fact, ...]:
    """One fact for each zone whose counter moved; a counter that is lower afterwards has begun anew once."""
    facts = []
    for zone, start in before.items():
        spent = after[zone] - start
        spent += (zone.most + 1) if spent < 0 else 0
        if spent:
            facts.append(Fact(zone.name, "", spent / 1e6 / passes, "J"))
    return tuple(facts)
