"""What the evidence of a verdict is worth: planted faults that the checks notice, changed lines nobody executed, and
what the code does with inputs that are like none of the tests'.

A number is there before anything here is asked: whatever fails is one that nobody took.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from optagent.cli.run.workshop import Workshop
from optagent.core.fault import Fault, Strength, Unexecuted, fault_of
from optagent.core.patch import EMPTY, Patch
from optagent.core.seeds import derive
from optagent.core.target import Tree
from optagent.core.verdict import Beyond, Difference, Unmeasured
from optagent.core.workload import Input, Workload
from optagent.errors import OptagentError
from optagent.languages.contestant import REFERENCE, Misconduct, Uncomparable
from optagent.ledger.events import Weighed
from optagent.profile.lines import rows_of
from optagent.profile.scene import Scene
from optagent.search.together import each, together
from optagent.verify import oracle
from optagent.verify.differential import Run, compare, outputs
from optagent.verify.suite import Suite, broken_test
from optagent.verify.vary import BEYOND, HINTED, ODD, vary
from optagent.workspace.checkouts import Checkouts
from optagent.workspace.text import read_source

T = TypeVar("T")
SECONDS = 15.0
LONGEST_PASS_S = 3.0
MOST_COURSES_S = 0.3
"""Further inputs near those of the tests are left out once those before them take so long: every fault that survives
has to be called on all of them."""

SHORT_TESTS_S = 2.0
"""Tests that take longer are not run for every fault: what they would have found counts as a survivor."""

START_S = 5.0
"""Tests of a fault may take this, and twice what all tests took."""

TRACED = 4
"""A traced pass may take so many times as long as another."""

BEYOND_S = 10.0
NO_TEST = Unmeasured("nobody knows at which of the calls")
OWN_PHASES = ("call", "encode")
"""A worker that fails in another phase failed before the fault was executed."""

DISTURBED = Unmeasured("the untouched code does not always pass the same checks when two are made at a time")


@dataclass(frozen=True)
class Compared:
    """All inputs on which candidates are compared, as they are numbered: those of the tests, and those near them."""

    by_tests: tuple[Input, ...]
    near: tuple[tuple[Input, ...], ...] = ()

    @property
    def all(self) -> tuple[Input, ...]:
        return (*self.by_tests, *(one for some in self.near for one in some))

    def plus(self, inputs: tuple[Input, ...]) -> Compared:
        return replace(self, near=(inputs, *self.near))

    def courses(self, run: Run) -> list[tuple[Run, tuple[Input, ...]]]:
        """What is given to one worker at a time, as `verify/checks.py` does: state is compared after the tests' own."""
        return [(run, self.by_tests), *((replace(run, watched=()), some) for some in self.near if some)]


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
    shop: Workshop, suite: Suite, checkouts: Checkouts, run: Run, compared: Compared
) -> Strength | Unmeasured:
    """The share of planted faults that these inputs, and tests that are short enough, find. Tests run only for what the
    inputs do not notice.

    The untouched code has to pass the same checks, as many at a time, the inputs before and after and the tests after,
    if there was need for them: what disturbs it is no fault.
    """
    faults = shop.project.faults(shop.base)
    if not faults:
        return oracle.NOTHING_TO_PLANT
    reached = or_why_not(lambda: _reached(shop, shop.base, compared.all, run.patience_s))
    run, began = replace(run, seed=derive(shop.settings.seed, "hash")), time.monotonic()
    courses: list[_Course] = []
    for one, some in compared.courses(run):
        if time.monotonic() - began < MOST_COURSES_S:
            courses.append(_Course(one, some, outputs(one, shop.base, some, REFERENCE)))
    pass_s = time.monotonic() - began
    if pass_s > LONGEST_PASS_S:
        return Unmeasured(f"one pass over the inputs takes {pass_s:.0f} s, which is too long to plant faults")
    source = read_source(shop.base.root / shop.target.path)
    courses = [replace(one, run=replace(one.run, patience_s=2.0 + 10.0 * pass_s)) for one in courses]
    field = _Field(checkouts, suite, courses, source)
    at_once = min(2, shop.at_once)
    if not field.is_undisturbed((), at_once):
        return DISTURBED
    lines = None if isinstance(reached, Unmeasured) or not compared.all else reached
    accepts = partial(field.accepts, time.monotonic() + SECONDS)
    seed, some_at_once = derive(shop.settings.seed, "faults"), partial(each, at_once=at_once)
    found = oracle.strength(faults, lines, accepts, SECONDS, seed, some_at_once)
    return found if field.is_undisturbed(field.tests if field.tested else (), at_once) else DISTURBED


@dataclass(frozen=True)
class _Course:
    """Inputs that one worker is given, and what the untouched code leaves on them."""

    run: Run
    inputs: tuple[Input, ...]
    expected: list[bytes]


@dataclass
class _Field:
    """Where faults are planted, and what has to notice them."""

    checkouts: Checkouts
    suite: Suite
    courses: list[_Course]
    source: str
    tested: bool = False
    """Whether a fault came as far as the tests."""

    @property
    def tests(self) -> tuple[str, ...]:
        return self.suite.reaching if self.suite.reaching_s <= SHORT_TESTS_S else ()

    def accepts(self, until: float, fault: Fault) -> bool | None:
        """None where that could not be told until then: the tests of one that loops end there at the latest."""
        try:
            return self.passes(fault.patch(self.source), self.tests, until)
        except OptagentError:  # of ours: it says nothing about the fault
            return None

    def passes(self, patch: Patch, tests: tuple[str, ...], until: float = math.inf) -> bool | None:
        with self.checkouts.lend(patch, f"fault-{patch.digest[:12]}") as tree:
            for one in self.courses:
                same = _gives(one, tree)
                if not same:
                    return same
            if not tests:
                return True
            patience_s = min(self.suite.patience_s, until - time.monotonic())
            if until < math.inf:
                patience_s = min(patience_s, START_S + 2 * self.suite.seconds)
            if patience_s <= 0:
                return None
            self.tested = True
            return _holds(self.courses[0].run, tree, replace(self.suite, patience_s=patience_s), tests)

    def is_undisturbed(self, tests: tuple[str, ...], at_once: int) -> bool:
        return all(together([lambda: self.passes(EMPTY, tests)] * at_once))


def take_beyond(
    shop: Workshop, tree: Tree, run: Run, workload: Workload, known: tuple[Input, ...], written: tuple[Input, ...]
) -> Beyond | Unmeasured:
    """Inputs beyond all that the tests show, on which the untouched code gives an answer: whether the tree gives the
    same. Those that a model has `written` come first; odd ones are tried where the others show nothing."""
    if shop.workload is not None:
        return Unmeasured("the workload file says which inputs there are")
    run = replace(run, watched=())
    tried = 0
    for wanted in (None, BEYOND, HINTED, ODD):
        inputs = written
        if wanted is not None:
            seed = derive(shop.settings.seed, wanted.reach)
            inputs = tuple(vary(run, shop.base, workload.search, known, seed, wanted))
        if not inputs:
            continue
        found = _beyond(shop, tree, replace(run, patience_s=BEYOND_S), inputs)
        tried += len(inputs)
        if found.difference is not None:
            return replace(found, inputs=tried, odd=wanted is ODD)
    if not tried:
        return Unmeasured("there is no input beyond those seen that the untouched code answers the same way twice")
    return Beyond(tried)


def _beyond(shop: Workshop, tree: Tree, run: Run, inputs: tuple[Input, ...]) -> Beyond:
    expected = outputs(run, shop.base, inputs, REFERENCE)
    try:
        difference = compare(expected, outputs(run, tree, inputs))
    except Misconduct as failed:
        return Beyond(len(inputs), Difference("one of the calls", "an answer", failed.reason), NO_TEST)
    except Uncomparable as unknown:
        return Beyond(len(inputs), Difference("one of the results", "comparable", str(unknown)), NO_TEST)
    if difference is None:
        return Beyond(len(inputs))
    test = or_why_not(lambda: shop.project.failing_test(shop.base, tree, inputs[difference.input - 1]))
    return Beyond(len(inputs), difference, test)


def weakness(weighed: Weighed, least: float | None) -> str | None:
    """Why the evidence of a verdict does not suffice; `least` is the oracle strength that is asked for."""
    return _elsewhere(weighed.beyond) or fault_of(weighed.oracle, least)


def _elsewhere(beyond: Beyond | Unmeasured) -> str | None:
    """What is not the same there; odd values are only warned of."""
    if not isinstance(beyond, Beyond) or beyond.difference is None or beyond.odd:
        return None
    found = beyond.difference
    return (
        f"not the same on calls that no test shows: {found.where} is {found.old} before and {found.new} after; if such "
        "calls do not occur, say which do in a workload file (`--workload FILE`)"
    )


def _gives(course: _Course, tree: Tree) -> bool | None:
    """Whether the tree gives what is expected; None where that was not to be told."""
    try:
        return outputs(course.run, tree, course.inputs) == course.expected
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
    return Unexecuted(tuple(sorted(first for first, last in heads if lines.isdisjoint(range(first, last + 1)))))


def _reached(shop: Workshop, tree: Tree, inputs: tuple[Input, ...], patience_s: float) -> frozenset[int] | None:
    """Lines of the target that the inputs execute; None for one whose body runs only when its result is asked for."""
    if shop.target.is_generator or shop.target.is_async:
        return None
    with Scene(shop.project, tree, inputs, TRACED * patience_s) as scene:
        return frozenset(line for line, hits, _ in rows_of(scene) if hits)
