"""Which inputs can serve: those that can be opened again, whose outcome can be compared, and is the same twice."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from optagent.core.target import Tree
from optagent.core.workload import Input
from optagent.languages.contestant import REFERENCE, Contestant, Misconduct, Uncomparable
from optagent.verify.differential import Run, outputs

MOST_SECONDS = 8.0
"""After so long no further input is looked at: those admitted by then are the workload."""

MOST_PASSES = 4

LATE = "no time left to look at it"
TWICE_OTHERWISE = "its outcome is not the same twice"


@dataclass
class Admitted:
    """Inputs that serve, each different from all others, and how many do not, by reason."""

    inputs: list[Input] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)


def admit(run: Run, tree: Tree, inputs: Sequence[Input], most_s: float = MOST_SECONDS) -> Admitted:
    """Every input opened and called once on the untouched code, then all that serve twice more.

    A call that crashes its worker costs that input only.
    """
    admitted = _serving(run, tree, inputs, time.monotonic() + most_s)
    before = len(admitted.inputs)
    stable = _stable(run, tree, admitted.inputs)
    if len(stable) < before:
        admitted.lost[TWICE_OTHERWISE] += before - len(stable)
    return Admitted(stable, admitted.lost)


def _stable(run: Run, tree: Tree, inputs: list[Input]) -> list[Input]:
    """Those whose outcome is the same twice in a row, called one after the other in fresh workers. What one call leaves
    behind may be seen by the next, so all are called again without those that fell out."""
    for _ in range(MOST_PASSES):
        if not inputs:
            break
        first, second = outputs(run, tree, inputs), outputs(run, tree, inputs)
        same = [one for one, a, b in zip(inputs, first, second, strict=True) if a == b]
        if len(same) == len(inputs):
            return inputs
        inputs = same
    return []


def _serving(run: Run, tree: Tree, inputs: Sequence[Input], deadline: float) -> Admitted:
    admitted = Admitted()
    keys: set[bytes] = set()
    position = 0
    while position < len(inputs):
        with run.project.contestant(tree, run.seed, run.patience_s, REFERENCE) as contestant:
            run.project.load(contestant, tree, padding=run.seed % 997)
            contestant.keep([one.data for one in inputs])
            position = _look_at(contestant, inputs, position, deadline, admitted, keys)
    return admitted


def _look_at(
    contestant: Contestant,
    inputs: Sequence[Input],
    position: int,
    deadline: float,
    admitted: Admitted,
    keys: set[bytes],
) -> int:
    """The position of the first input that this contestant did not live to see."""
    for number in range(position, len(inputs)):
        if time.monotonic() > deadline and admitted.inputs:
            admitted.lost[LATE] += len(inputs) - number
            return len(inputs)
        try:
            key, _ = contestant.admit(number)
        except Uncomparable as unknown:
            admitted.lost[str(unknown)] += 1
            continue
        except Misconduct as failed:
            admitted.lost[f"its call ends the process: {failed.reason}"] += 1
            return number + 1
        if key not in keys:
            keys.add(key)
            admitted.inputs.append(inputs[number])
    return len(inputs)
