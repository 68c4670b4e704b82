"""Inputs made by code that a model wrote: run in the sandbox, and used as far as the untouched code takes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from optagent.core.target import Tree
from optagent.core.workload import WRITTEN, Input, distinct
from optagent.languages.contestant import REFERENCE, Misconduct, Uncomparable
from optagent.verify.differential import Run
from optagent.verify.vary import Wanted, serving_twice

ASKED = Wanted(40, may_refuse=False, most_bytes=1 << 20, seconds=1.0, patience_s=2.0)
SIZE = 32
MAKING_S = 10.0


class NothingMade(Exception):
    """The code fails, or what it makes cannot be carried; the message says how."""


def written(run: Run, tree: Tree, file: Path, seed: int) -> tuple[int, list[Input]]:
    """How many calls the code of the file made, and those on which the untouched code gives an answer, the same each
    time. Raises NothingMade."""
    run = replace(run, watched=())
    try:
        made = _made(run, tree, file, seed)
    except Misconduct as failed:
        raise NothingMade(failed.reason) from None
    try:
        return len(made), serving_twice(run, tree, made, ASKED)
    except (Misconduct, Uncomparable) as fault:
        raise NothingMade(str(fault)) from None


def _made(run: Run, tree: Tree, file: Path, seed: int) -> list[Input]:
    with run.project.contestant(tree, run.seed, MAKING_S, REFERENCE, file) as maker:
        run.project.load(maker, tree, padding=run.seed % 997)
        made = maker.make(run.project.workload_path(file), SIZE, seed)
    calls = [Input(data, WRITTEN, codec) for codec, data in made if len(data) <= ASKED.most_bytes]
    return distinct(calls)[: ASKED.most]
