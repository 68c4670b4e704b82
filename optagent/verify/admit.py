"""Which inputs can serve: those that can be opened again, whose outcome can be compared, and is the same twice."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from optagent.core.target import Tree
from optagent.core.workload import Input
from optagent.languages.contestant import REFERENCE, Contestant, Misconduct, Uncomparable
from optagent.verify.differential import Run, outputs

MOST_SECONDS = 8.0
"""After so long no further input is looked at: those admitted by then are the workload."""

MOST_PASSES = 4

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
LATE = "no time left to look at it"
TWICE_OTHERWISE = "its outcome is not the same twice"


@dataclass
class Admitted:
    """Inputs that serve, each different from all others, and how many do not, by reason."""

    inputs: list[Input] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)

    def lose(self, reason: str) -> None:
        """One input more that does not serve; where an object lies in memory is no reason of its own."""
        self.lost[ADDRESS.sub("", reason)] += 1


def admit(run: Run, tree: Tree, inputs: Sequence[Input], most_s: float = MOST_SECONDS) -> Admitted:
    """Every input opened and called once on the untouched code, then all that serve twice more.

    A call that crashes its worker costs that input only.
    """
    admitted = serving(run, tree, inputs, most_s)
    before = len(admitted.inputs)
    same = stable(run, tree, admitted.inputs)
    if len(same) < before:
        admitted.lost[TWICE_OTHERWISE] += before - len(same)
    return Admitted(same, admitted.lost)


def stable(run: Run, tree: Tree, inputs: list[Input]) -> list[Input]:
    """Those whose outcome is the same twice in a row, called one after the other in fresh workers. What one call leaves
    behind may be seen by the next, so all are called again without those that fell out."""
    for _ in range(MOST_PASSES):
        if not inputs:
            break
        first, second = (outputs(run, tree, inputs, REFERENCE) for _ in range(2))
        same = [one for one, a, b in zip(inputs, first, second, strict=True) if a == b]
        if len(same) == len(inputs):
            return inputs
        inputs = same
    return []


def serving(
    run: Run,
    tree: Tree,
    inputs: Sequence[Input],
    most_s: float,
    at_least: int = 1,
    patience_s: float | None = None,
    serves: Callable[[bytes], bool] = lambda outcome: True,
) -> Admitted:
    """Those that can be opened and called once, none equal to another, with an outcome that `serves`; no further one is
    looked at after so many seconds, once `at_least` so many serve. A call may take `patience_s`. Raises Misconduct when
    the code does not load."""
    look = _Look(inputs, time.monotonic() + most_s, at_least, serves)
    position = 0
    while position < len(inputs):
        with run.project.contestant(tree, run.seed, run.patience_s, REFERENCE) as contestant:
            run.project.load(contestant, tree, padding=run.seed % 997)
            contestant.keep([one.data for one in inputs])
            contestant.patience_s = patience_s or run.patience_s
            position = look.at(contestant, position)
    return look.admitted


@dataclass
class _Look:
    """A look at inputs one after the other, each by a worker that may not live to see the next."""

    inputs: Sequence[Input]
    deadline: float
    at_least: int
    serves: Callable[[bytes], bool]
    admitted: Admitted = field(default_factory=Admitted)
    keys: set[bytes] = field(default_factory=set)

    def at(self, contestant: Contestant, position: int) -> int:
        """The position of the first input that this contestant did not live to see."""
        admitted, inputs = self.admitted, self.inputs
        for number in range(position, len(inputs)):
            if time.monotonic() > self.deadline and len(admitted.inputs) >= self.at_least:
                admitted.lost[LATE] += len(inputs) - number
                return len(inputs)
            try:
                key, outcome = contestant.admit(number)
            except Uncomparable as unknown:
                admitted.lose(str(unknown))
                continue
            except Misconduct as failed:
                admitted.lose(f"its call ends the process: {failed.reason}")
                return number + 1
            if key not in self.keys and self.serves(outcome):
                self.keys.add(key)
                admitted.inputs.append(inputs[number])
        return len(inputs)
