"""What the evidence of a verdict is worth: planted faults that the checks notice, and changed lines nobody executed."""

from __future__ import annotations

import os
import time

from optagent.cli.workshop import Workshop
from optagent.core.fault import Strength, Unexecuted
from optagent.core.patch import Patch
from optagent.core.seeds import derive
from optagent.core.target import Tree
from optagent.core.verdict import Evidence, Unmeasured
from optagent.core.workload import Input
from optagent.languages.contestant import Misconduct, Uncomparable
from optagent.profile.lines import rows_of
from optagent.profile.scene import Scene
from optagent.search.baseline import Problem
from optagent.verify import checks, oracle
from optagent.verify.differential import Run, outputs
from optagent.workspace.checkouts import Checkouts

SECONDS = 15.0
AT_ONCE = min(2, len(os.sched_getaffinity(0)))
SHORT_TESTS_S = 2.0
"""Tests that take longer are not run for every fault: what they would have found counts as a survivor."""

OWN_PHASES = ("call", "encode")
"""A worker that fails in another phase failed before the fault was executed."""


def take_strength(
    shop: Workshop, problem: Problem, checkouts: Checkouts, inputs: tuple[Input, ...]
) -> Strength | Unmeasured:
    """The share of planted faults that these inputs, and tests that are short enough, find."""
    faults = shop.project.faults(shop.base)
    run = Run(shop.project, derive(shop.settings.seed, "hash"), 60.0)
    try:
        reached = _reached(shop, shop.base, inputs) if faults else None
        began = time.monotonic()
        expected = outputs(run, shop.base, inputs)
    except Misconduct as failed:
        return Unmeasured(f"the reference fails: {failed.phase}: {failed.reason}")
    run = Run(run.project, run.seed, 2.0 + 10.0 * (time.monotonic() - began))
    suite = problem.suite
    tests = suite.reaching if suite.reaching_s <= SHORT_TESTS_S else ()

    def accepts(patch: Patch) -> bool | None:
        with checkouts.lend(patch, f"fault-{patch.digest[:12]}") as tree:
            try:
                got = outputs(run, tree, inputs)
            except Misconduct as failed:
                return False if failed.phase in OWN_PHASES else None
            except Uncomparable:
                return False
            if got != expected:
                return False
            return isinstance(checks.check_tests(shop.project, tree, suite, tests), Evidence)

    return oracle.strength(faults, reached, accepts, SECONDS, derive(shop.settings.seed, "faults"), AT_ONCE)


def take_unexecuted(shop: Workshop, tree: Tree, inputs: tuple[Input, ...]) -> Unexecuted | Unmeasured:
    """Statements of the tree's target that are new and that none of these inputs executes."""
    heads = shop.project.touched(shop.base, tree)
    if heads is None:
        return Unmeasured("nobody sees from outside which lines of a program are executed")
    try:
        lines = _reached(shop, tree, inputs)
    except Misconduct as failed:
        return Unmeasured(f"the {failed.name} fails under a tracer: {failed.phase}: {failed.reason}")
    if lines is None:
        return Unmeasured("the body runs only when its result is asked for, which is not traced")
    return Unexecuted(tuple(first for first, last in heads if lines.isdisjoint(range(first, last + 1))))


def _reached(shop: Workshop, tree: Tree, inputs: tuple[Input, ...]) -> frozenset[int] | None:
    """Lines of the target that the inputs execute; None for one whose body runs only when its result is asked for."""
    if shop.target.is_generator or shop.target.is_async:
        return None
    with Scene(shop.project, tree, inputs, 60.0) as scene:
        return frozenset(line for line, hits, _ in rows_of(scene) if hits)
