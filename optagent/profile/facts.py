"""The profile of a tree's target on given inputs. It belongs to the source it was taken from, by hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from optagent.core.profile import HotFunction, HotLine, Profile
from optagent.core.target import Tree
from optagent.core.workload import Input
from optagent.languages.base import Project
from optagent.languages.contestant import REFERENCE, Misconduct


def take(project: Project, tree: Tree, inputs: Sequence[Input], patience_s: float) -> Profile:
    """cProfile and line timings over the inputs. A profiler that fails is a note, never a fault."""
    source = hashlib.sha256((tree.root / project.target.path).read_bytes()).hexdigest()
    try:
        with project.contestant(tree, 0, patience_s, REFERENCE) as contestant:
            project.load(contestant, tree, 1)
            contestant.keep([one.data for one in inputs])
            said = contestant.profile()
    except Misconduct as failed:
        return Profile(source, note=f"no profile: {failed.reason}")
    total = sum(nanoseconds for _, _, nanoseconds in said["lines"]) or 1
    lines = [HotLine(line, hits, nanoseconds / total) for line, hits, nanoseconds in said["lines"]]
    functions = [
        HotFunction(name, f"{file}:{line}", calls, own, all_)
        for file, line, name, calls, own, all_ in said["functions"]
    ]
    return Profile(source, tuple(functions), tuple(sorted(lines, key=lambda one: -one.share)))
