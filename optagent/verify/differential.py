"""Old against new on the same inputs: every result, exception, argument afterwards and printed text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from optagent.core.canonical import first_difference, is_state
from optagent.core.target import Tree
from optagent.core.verdict import Difference
from optagent.core.workload import Input
from optagent.languages.base import Project
from optagent.languages.contestant import REFERENCE


@dataclass(frozen=True)
class Run:
    """Where and under which hash seed inputs are called, how long one answer may take, and names of state that is to be
    the same after all calls. `warm` workers may be forks: not where it is asked whether a tree does the same twice,
    since forks have the same addresses."""

    project: Project
    seed: int
    patience_s: float
    watched: tuple[str, ...] = ()
    warm: bool = False


def outputs(run: Run, tree: Tree, inputs: Sequence[Input], name: str = "candidate") -> list[bytes]:
    """The canonical encoding of every call on a fresh worker of this tree; last, where state is watched, what became of
    it. `name` is REFERENCE for the untouched code.

    Raises Misconduct when the worker fails and Uncomparable when a value has no canonical form.
    """
    with run.project.contestant(tree, run.seed, run.patience_s, name, warm=run.warm) as contestant:
        run.project.load(contestant, tree, padding=run.seed % 997)
        contestant.keep([one.data for one in inputs])
        if not run.watched:
            return contestant.call(range(len(inputs)))
        encodings, seen = contestant.call_watched(range(len(inputs)), run.watched)
        return [*encodings, seen.changes]


def compare(expected: Sequence[bytes], got: Sequence[bytes], before: int = 0) -> Difference | None:
    """The first input on which two sets of outputs differ, told in words; None when all are the same bytes. So many
    inputs stand `before` them."""
    for number, (old, new) in enumerate(zip(expected, got, strict=True), before + 1):
        if old != new:
            found = first_difference(old, new)
            if is_state(old):
                return replace(found, where=f"{found.where} after all calls")
            return Difference(f"{found.where} of input {number}", found.old, found.new, number)
    return None


def own_difference(run: Run, tree: Tree, inputs: Sequence[Input]) -> Difference | None:
    """The reference against itself, twice under one hash seed: where it differs, or None."""
    return compare(outputs(run, tree, inputs, REFERENCE), outputs(run, tree, inputs, REFERENCE))
