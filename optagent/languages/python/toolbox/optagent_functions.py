"""Where the time of one pass goes, by function: cProfile.

Runs in the target's interpreter: standard library only. Calls are slowed down, so that a function which calls many
others looks worse than it is: facts for advice, never for a verdict.
"""

from __future__ import annotations

import cProfile
import os
import pstats
from typing import TYPE_CHECKING, Any

from optagent_target import run_block

if TYPE_CHECKING:
    from collections.abc import Callable

    from optagent_target import Call

MOST_FUNCTIONS = 10
HERE, TREE = os.path.dirname(os.path.abspath(__file__)), os.getcwd()


def rows(target: Callable[..., Any], block: list[Call]) -> list[list[Any]]:
    """The functions with the most time of their own: [file, line, name, calls, own seconds, total seconds]."""
    profiler = cProfile.Profile()
    profiler.enable()
    try:
        run_block(target, block)
    finally:
        profiler.disable()
    found: list[list[Any]] = []
    stats: dict[Any, Any] = vars(pstats.Stats(profiler))["stats"]  # public, but unknown to the type stubs
    for (file, line, name), (_, calls, own, total, _) in stats.items():
        if not file.startswith(HERE) and not name.startswith("<method 'disable'"):
            found.append([file.removeprefix(f"{TREE}/"), line, name, calls, own, total])
    return sorted(found, key=lambda row: -row[4])[:MOST_FUNCTIONS]
