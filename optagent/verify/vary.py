"""Inputs near those of the tests, for comparing only: what nobody tested is where a candidate differs unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from optagent.core.canonical import raised
from optagent.core.target import Tree
from optagent.core.workload import VARIED, Input
from optagent.languages.contestant import REFERENCE, Misconduct, Uncomparable
from optagent.verify.admit import serving
from optagent.verify.differential import Run, outputs

MOST_INPUTS = 24
PATIENCE_S = 0.5
"""An input near one of the tests' may be a call that never returns: the reference has this long for each."""

MOST_SECONDS = 2.0
PASS_S = 10.0
OF_THE_MACHINE = ("RecursionError", "MemoryError", "SystemExit", "KeyboardInterrupt", "TimeoutError")
"""What is raised so says where the machine's limits are, or that the process was to end: no candidate owes it."""


def vary(run: Run, tree: Tree, inputs: Sequence[Input], others: Sequence[Input], seed: int) -> list[Input]:
    """Calls near `inputs`, and none of `others`, on which the untouched code does the same each time: answers or
    refuses. At most MOST_INPUTS; none where nobody knows how to vary, or where it does not go well: there is no verdict
    in that, only less evidence."""
    try:
        made = _made(run, tree, inputs, others, seed)
        served = serving(run, tree, made, MOST_SECONDS, at_least=0, patience_s=PATIENCE_S).inputs
        hasty = replace(run, patience_s=PASS_S)
        first, second = outputs(hasty, tree, served), outputs(hasty, tree, served)
        kept = [one for one, a, b in zip(served, first, second, strict=True) if a == b and not _is_of_the_machine(a)]
        return kept if len(kept) == len(served) else _steady(hasty, tree, kept)
    except (Misconduct, Uncomparable):
        return []


def _made(run: Run, tree: Tree, inputs: Sequence[Input], others: Sequence[Input], seed: int) -> list[Input]:
    with run.project.contestant(tree, run.seed, run.patience_s, REFERENCE) as contestant:
        if not contestant.varies:
            return []
        run.project.load(contestant, tree, padding=run.seed % 997)
        contestant.keep([one.data for one in (*inputs, *others)])
        return [Input(data, VARIED, codec) for codec, data in contestant.vary(len(inputs), seed, MOST_INPUTS)]


def _steady(run: Run, tree: Tree, inputs: list[Input]) -> list[Input]:
    """All of them if they are the same twice without those that fell out: what one call leaves behind, the next may
    see."""
    return inputs if outputs(run, tree, inputs) == outputs(run, tree, inputs) else []


def _is_of_the_machine(call: bytes) -> bool:
    name = raised(call)
    return name is not None and name.rpartition(".")[2] in OF_THE_MACHINE
