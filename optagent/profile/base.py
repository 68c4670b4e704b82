"""The seam: what a profiler is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from optagent.core.profile import Fact
from optagent.profile.scene import Scene


@dataclass(frozen=True)
class Here:
    """What decides which profilers work. `installed` holds the versions of the packages in the target's environment;
    None where the target is not Python or its environment is not known. `powercap` is where Linux shows energy."""

    installed: Mapping[str, str] | None = None
    powercap: Path = Path("/sys/class/powercap")


@dataclass(frozen=True)
class Missing:
    """Why a profiler does not work here, and what to type."""

    why: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.why}. {self.remedy}" if self.remedy else self.why


@dataclass(frozen=True)
class Seen:
    """What one profiler found out, the largest first; notes say what is missing from it."""

    facts: tuple[Fact, ...] = ()
    notes: tuple[str, ...] = ()


class Profiler(Protocol):
    """One way to look at a pass over the inputs. `name` is typed; `says` is for people, and tells the unit;
    `on_request` means that it takes so long that it has to be asked for by name; `unproven` names what of it nobody
    has tried yet."""

    @property
    def name(self) -> str: ...

    @property
    def says(self) -> str: ...

    @property
    def units(self) -> tuple[str, ...]:
        """Units that its facts may have."""

    @property
    def on_request(self) -> bool: ...

    @property
    def unproven(self) -> str: ...

    def missing(self, here: Here) -> Missing | None:
        """Why it cannot work here, or None. Starts nothing of the target's."""

    def profile(self, scene: Scene, here: Here) -> Seen:
        """Facts about one pass. Raises Misconduct when the target gives none."""
