"""The profile of a tree's target on given inputs. It belongs to the source it was taken from, by hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from optagent.core.profile import HotFunction, HotLine, Profile
from optagent.core.target import Tree
from optagent.core.workload import Input
from optagent.languages.base import Project
from optagent.languages.contestant import Misconduct
from optagent.profile.cprofile import hot_functions
from optagent.profile.lines import hot_lines, rows_of
from optagent.profile.scene import Scene


def source_hash(project: Project, tree: Tree) -> str:
    """SHA-256 of the target's file."""
    return hashlib.sha256((tree.root / project.target.path).read_bytes()).hexdigest()


def take(project: Project, tree: Tree, inputs: Sequence[Input], patience_s: float) -> Profile:
    """cProfile and line timings over the inputs, in one worker: what a run can afford for every candidate that is
    shown. A profiler that fails is a note, never a fault."""
    source = source_hash(project, tree)
    functions: tuple[HotFunction, ...] = ()
    lines: tuple[HotLine, ...] = ()
    note = ""
    with Scene(project, tree, inputs, patience_s) as scene:
        try:
            functions = hot_functions(scene)
            lines = hot_lines(rows_of(scene))
        except Misconduct as failed:
            note = f"no line timings: {failed.reason}" if functions else f"no profile: {failed.reason}"
    return Profile(source, functions, lines, note)
