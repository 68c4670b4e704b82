"""What it costs here to start and end a program that does nothing: part of every time of a command, and shown."""

from __future__ import annotations

from statistics import median

from optagent.core.target import Tree
from optagent.languages.command.project import CommandProject
from optagent.languages.contestant import REFERENCE

LAPS = 9
PROGRAMS_PER_LAP = 3


def empty_command_s(project: CommandProject, tree: Tree, core: int, patience_s: float) -> float:
    """Seconds for one empty command, launched, clocked and cleaned up after like the real one on this tree."""
    with project.contestant(tree, 0, patience_s, REFERENCE) as reference:
        reference.pin(core)
        project.load(reference, tree, 1)
        reference.prepare((), 0)
        protocol = reference.lap().wall_ns
        laps = [reference.empty_lap(PROGRAMS_PER_LAP).wall_ns for _ in range(LAPS)]
    return max(0.0, median(laps) - protocol) / PROGRAMS_PER_LAP / 1e9
