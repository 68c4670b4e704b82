"""Inputs near those of the tests, for comparing only: what nobody tested is where a candidate differs unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from optagent.core.canonical import raised
from optagent.core.target import Tree
from optagent.core.workload import VARIED, Input
from optagent.languages.contestant import REFERENCE, Misconduct, Uncomparable
from optagent.verify.admit import serving, stable
from optagent.verify.differential import Run

PASS_S = 10.0
OF_THE_MACHINE = ("RecursionError", "MemoryError", "SystemExit", "KeyboardInterrupt", "TimeoutError")
"""What is raised so says where the machine's limits are, or that the process was to end: no candidate owes it."""


@dataclass(frozen=True)
class Wanted:
    """How many calls at most, and how far from those seen (optagent_vary has the reaches; "hinted" are made from type
    hints by optagent_hints); whether it will do that the
    untouched code refuses one. Near inputs of at most so many bytes; after so many seconds no further call is looked
    at, and each may take `patience_s`, since an input near one of the tests' may be a call that never returns."""

    most: int
    reach: str = "near"
    may_refuse: bool = True
    most_bytes: int = 1 << 16
    seconds: float = 1.0
    patience_s: float = 0.5


NEAR, MORE = Wanted(24), Wanted(216)
BEYOND, HINTED, ODD = (Wanted(24, reach, False, 1 << 20, 2.0, 2.0) for reach in ("beyond", "hinted", "odd"))
TIMED = Wanted(24, may_refuse=False, most_bytes=4 << 20, seconds=5.0, patience_s=10.0)
FRESH, BESIDES = replace(TIMED, reach="fresh"), replace(TIMED, most=8)


def vary(
    run: Run, tree: Tree, inputs: Sequence[Input], others: Sequence[Input], seed: int, wanted: Wanted = NEAR
) -> list[Input]:
    """Calls near `inputs`, and none of `others`, on which the untouched code does the same each time. None where it
    does not go well: there is no verdict in that, only less evidence."""
    try:
        return serving_twice(run, tree, _made(run, tree, (inputs, others), seed, wanted), wanted)
    except (Misconduct, Uncomparable):
        return []


def serving_twice(run: Run, tree: Tree, made: Sequence[Input], wanted: Wanted) -> list[Input]:
    """Those of the calls on which the untouched code does the same each time, as far as that is wanted."""
    run = replace(run, warm=False)
    served = serving(
        run,
        tree,
        made,
        wanted.seconds,
        at_least=0,
        patience_s=wanted.patience_s,
        serves=lambda said: not _is_of_the_machine(said) and (wanted.may_refuse or raised(said) is None),
    )
    pass_s = max(PASS_S, 3 * (wanted.seconds + wanted.patience_s))
    return stable(replace(run, patience_s=pass_s), tree, served.inputs)


def _made(
    run: Run, tree: Tree, given: tuple[Sequence[Input], Sequence[Input]], seed: int, wanted: Wanted
) -> list[Input]:
    inputs, others = given
    with run.project.contestant(tree, run.seed, run.patience_s, REFERENCE) as contestant:
        run.project.load(contestant, tree, padding=run.seed % 997)
        contestant.keep([one.data for one in (*inputs, *others)])
        made = contestant.vary(len(inputs), seed, wanted.most, wanted.reach, wanted.most_bytes)
        return [Input(data, VARIED, codec) for codec, data in made]


def _is_of_the_machine(call: bytes) -> bool:
    name = raised(call)
    return name is not None and name.rpartition(".")[2] in OF_THE_MACHINE
