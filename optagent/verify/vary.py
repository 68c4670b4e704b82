"""Inputs near those of the tests, for comparing only: what nobody tested is where a candidate differs unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from optagent.core.canonical import raised
from optagent.core.target import Tree
from optagent.core.workload import VARIED, Input
from optagent.languages.contestant import REFERENCE, Misconduct, Uncomparable
from optagent.verify.admit import serving, stable
from optagent.verify.differential import Run

MOST_INPUTS, MORE_INPUTS = 24, 216
NEAR, BEYOND, ODD = "near", "beyond", "odd"
PATIENCE_S = 0.5
"""An input near one of the tests' may be a call that never returns: the reference has this long for each."""

MOST_SECONDS = 1.0
PASS_S = 10.0
OF_THE_MACHINE = ("RecursionError", "MemoryError", "SystemExit", "KeyboardInterrupt", "TimeoutError")
"""What is raised so says where the machine's limits are, or that the process was to end: no candidate owes it."""


def vary(
    run: Run,
    tree: Tree,
    inputs: Sequence[Input],
    others: Sequence[Input],
    seed: int,
    most: int = MOST_INPUTS,
    reach: str = NEAR,
    refusals: bool = True,
) -> list[Input]:
    """Calls near `inputs`, and none of `others`, on which the untouched code does the same each time: answers, or with
    `refusals` raises. With the reach BEYOND, or ODD, calls outside of what `inputs` show, and answers. None where it
    does not go well: there is no verdict in that, only less evidence."""
    may_refuse = refusals and reach == NEAR
    try:
        made = _made(run, tree, (inputs, others), seed, most, reach)
        served = serving(
            run,
            tree,
            made,
            MOST_SECONDS,
            at_least=0,
            patience_s=PATIENCE_S,
            serves=lambda said: not _is_of_the_machine(said) and (may_refuse or raised(said) is None),
        )
        return stable(replace(run, patience_s=PASS_S), tree, served.inputs)
    except (Misconduct, Uncomparable):
        return []


def _made(
    run: Run, tree: Tree, given: tuple[Sequence[Input], Sequence[Input]], seed: int, most: int, reach: str
) -> list[Input]:
    inputs, others = given
    with run.project.contestant(tree, run.seed, run.patience_s, REFERENCE) as contestant:
        run.project.load(contestant, tree, padding=run.seed % 997)
        contestant.keep([one.data for one in (*inputs, *others)])
        made = contestant.vary(len(inputs), seed, most, reach)
        return [Input(data, VARIED, codec) for codec, data in made]


def _is_of_the_machine(call: bytes) -> bool:
    name = raised(call)
    return name is not None and name.rpartition(".")[2] in OF_THE_MACHINE
