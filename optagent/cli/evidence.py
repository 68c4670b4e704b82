"""What the evidence of a verdict is worth: planted faults that the checks notice, and changed lines nobody executed.

The verdict stands before anything here is asked: whatever fails is a number that nobody took.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from optagent.cli.workshop import Workshop
from optagent.core.fault import Fault, Strength, Unexecuted
from optagent.core.patch import EMPTY, Patch
from optagent.core.seeds import derive
from optagent.core.target import Tree
from optagent.core.verdict import Unmeasured
from optagent.core.workload import Input
from optagent.errors import OptagentError
from optagent.languages.contestant import Misconduct, Uncomparable
from optagent.profile.lines import rows_of
from optagent.profile.scene import Scene
from optagent.verify import oracle
from optagent.verify.differential import Run, outputs
from optagent.verify.suite import Suite, broken_test
from optagent.workspace.checkouts import Checkouts
from optagent.workspace.text import read_source

T = TypeVar("T")
SECONDS = 15.0
LONGEST_PASS_S = 3.0
SHORT_TESTS_S = 2.0
"""Tests that take longer are not run for every fault: what they would have found counts as a survivor."""

TRACED = 4
"""A traced pass may take so many times as long as another."""

OWN_PHASES = ("call", "encode")
"""A worker that fails in another phase failed before the fault was executed."""

DISTURBED = Unmeasured("the untouched code does not always pass the same checks when two are made at a time")


def or_why_not(take: Callable[[], T | Unmeasured]) -> T | Unmeasured:
    """What it gives, or the reason why it fails."""
    try:
        return take()
    except Misconduct as failed:
        return Unmeasured(f"its worker fails: {failed.phase}: {failed.reason}")
    except Uncomparable as unknown:
        return Unmeasured(f"results hold {unknown}")
    except (OptagentError, OSError, RecursionError) as fault:
        return Unmeasured(str(fault) or type(fault).__name__)


def take_strength(
    shop: Workshop, suite: Suite, checkouts: Checkouts, inputs: tuple[Input, ...], patience_s: float
) -> Strength | Unmeasured:
    """The share of planted faults that these inputs, and tests that are short enough, find. Tests run only for what the
    inputs do not notice.

    The untouched code has to pass the same checks, as many at a time, the inputs before and after and the tests after,
    if there was need for them: what disturbs it is no fault.
    """
    faults = shop.project.faults(shop.base)
    if not faults:
        return oracle.NOTHING_TO_PLANT
    reached = or_why_not(lambda: _reached(shop, shop.base, inputs, patience_s))
    run, began = Run(shop.project, derive(shop.settings.seed, "hash"), patience_s), time.monotonic()
    expected = outputs(run, shop.base, inputs)
    pass_s = time.monotonic() - began
    if pass_s > LONGEST_PASS_S:
        return Unmeasured(f"one pass over the inputs takes {pass_s:.0f} s, which is too long to plant faults")
    run = Run(run.project, run.seed, 2.0 + 10.0 * pass_s)
    tests = suite.reaching if suite.reaching_s <= SHORT_TESTS_S else ()
    source = read_source(shop.base.root / shop.target.path)
    at_once = 1 if shop.sandbox.rung == "none" else min(2, len(os.sched_getaffinity(0)))

    tested: list[bool] = []

    def passes(patch: Patch, only: tuple[str, ...]) -> bool | None:
        with checkouts.lend(patch, f"fault-{patch.digest[:12]}") as tree:
            same = _gives(run, tree, inputs, expected)
            if not same or not only:
                return same
            tested.append(True)
            return _holds(run, tree, suite, only)

    def accepts(fault: Fault) -> bool | None:
        try:
            return passes(fault.patch(source), tests)
        except OptagentError:  # of ours: it says nothing about the fault
            return None

    def is_undisturbed(only: tuple[str, ...]) -> bool:
        with ThreadPoolExecutor(at_once) as pool:
            return all(pool.map(lambda _: passes(EMPTY, only), range(at_once)))

    if not is_undisturbed(()):
        return DISTURBED
    lines = None if isinstance(reached, Unmeasured) else reached
    found = oracle.strength(faults, lines, accepts, SECONDS, derive(shop.settings.seed, "faults"), at_once)
    return found if is_undisturbed(tests if tested else ()) else DISTURBED


def _gives(run: Run, tree: Tree, inputs: tuple[Input, ...], expected: list[bytes]) -> bool | None:
    """Whether the tree gives what is expected; None where that was not to be told."""
    try:
        return outputs(run, tree, inputs) == expected
    except Misconduct as failed:
        return False if failed.phase in OWN_PHASES else None
    except Uncomparable:
        return False


def _holds(run: Run, tree: Tree, suite: Suite, tests: tuple[str, ...]) -> bool | None:
    """Whether these tests pass on the tree; None where that was not to be told."""
    broken = broken_test(run.project, tree, suite, tests)
    if broken is None:
        return True
    return False if broken.name in tests else None


def take_unexecuted(
    shop: Workshop, tree: Tree, inputs: tuple[Input, ...], patience_s: float
) -> Unexecuted | Unmeasured:
    """Statements of the tree's target that are new and that none of these inputs executes."""
    heads = shop.project.touched(shop.base, tree)
    if heads is None:
        return Unmeasured("nobody sees from outside which lines of a program are executed")
    lines = _reached(shop, tree, inputs, patience_s)
    if lines is None:
        return Unmeasured("the body runs only when its result is asked for, which is not traced")
    return Unexecuted(tuple(first for first, last in heads if lines.isdisjoint(range(first, last + 1))))


def _reached(shop: Workshop, tree: Tree, inputs: tuple[Input, ...], patience_s: float) -> frozenset[int] | None:
    """Lines of the target that the inputs execute; None for one whose body runs only when its result is asked for."""
    if shop.target.is_generator or shop.target.is_async:
        return None
    with Scene(shop.project, tree, inputs, TRACED * patience_s) as scene:
        return frozenset(line for line, hits, _ in rows_of(scene) if hits)
