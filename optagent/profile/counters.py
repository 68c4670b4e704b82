"""Counters of processor and kernel over one pass, from `perf stat`, where the kernel allows."""

from __future__ import annotations

from dataclasses import dataclass

from optagent.core.profile import Fact
from optagent.profile.base import Here, Missing, Seen
from optagent.profile.laps import timed_laps
from optagent.profile.scene import Scene
from optagent.sandbox import counting

HARDWARE = ("instructions", "cycles", "branches", "branch-misses", "cache-references", "cache-misses")
SOFTWARE = ("task-clock", "page-faults", "context-switches", "cpu-migrations")
EVENTS = HARDWARE + SOFTWARE
NOT_COUNTED = ("<not supported>", "<not counted>")
ALLOW = "Run `sudo sysctl kernel.perf_event_paranoid=1`, or ask who runs this machine."


@dataclass(frozen=True)
class Perf:
    name: str = "perf"
    says: str = "events of one pass, as the processor and the kernel count them"
    units: tuple[str, ...] = ("events", "s")
    on_request: bool = False
    unproven: str = "counters of the processor, which no machine of ours shows, and perf for ordinary users"

    def missing(self, here: Here) -> Missing | None:
        try:
            counted, _ = read(counting.try_out(EVENTS))
        except counting.CountingFailed as failed:
            remedy = "Install your kernel's perf (Debian: `sudo apt-get install linux-perf`)."
            return Missing(str(failed), remedy if "not installed" in str(failed) else ALLOW)
        if not counted:
            return Missing("the kernel counts none of perf's events for us", ALLOW)
        return None

    def profile(self, scene: Scene, here: Here) -> Seen:
        with timed_laps(scene) as laps:
            try:
                said = counting.count(laps.pid, EVENTS, laps.run)
            except counting.CountingFailed as failed:
                return Seen((), (f"perf gave nothing: {failed}",))
        facts, uncounted = read(said, laps.passes)
        note = f"this machine does not count {', '.join(uncounted)} (a virtual machine often hides the processor's)"
        return Seen(facts, (note,) if uncounted else ())


def read(said: str, passes: int = 1) -> tuple[tuple[Fact, ...], tuple[str, ...]]:
    """Facts about one pass from what `perf stat -x,` wrote about so many, and the events that were not counted.

    A row is value, unit, event, run time of the counter, share of the time that it ran. An event that shared a counter
    with others comes scaled up by perf; its user-only form has `:u` behind it.
    """
    facts: list[Fact] = []
    uncounted: list[str] = []
    for line in said.splitlines():
        fields = line.split(",")
        if len(fields) < 5 or (name := fields[2].partition(":")[0]) not in EVENTS:
            continue
        if fields[0] in NOT_COUNTED:
            uncounted.append(name)
        elif fields[1] == "msec":
            facts.append(Fact(name, "", float(fields[0]) / 1000 / passes, "s"))
        else:
            facts.append(Fact(name, "", float(fields[0]) / passes, "events"))
    return tuple(facts), tuple(uncounted)
