"""The gates of verification: evidence when they stay open, a verdict when they close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from optagent.core.canonical import is_state, without_names
from optagent.core.target import Tree
from optagent.core.verdict import CannotCompare, Evidence, Inconclusive, Incorrect, Rejected
from optagent.core.workload import Input
from optagent.languages.base import Project
from optagent.languages.contestant import REFERENCE, Misconduct, Uncomparable
from optagent.verify.differential import Run, compare, outputs
from optagent.verify.state import differing, unsteady
from optagent.verify.suite import Suite, TestsBroken, broken_test


def check_tests(project: Project, tree: Tree, suite: Suite, names: tuple[str, ...]) -> Evidence | Incorrect:
    """The named tests, all of which passed on the baseline, on this tree."""
    return tests_say(broken_test(project, tree, suite, names), names)


def tests_say(broken: TestsBroken | None, names: tuple[str, ...]) -> Evidence | Incorrect:
    if broken is None:
        return Evidence(tests=len(names))
    return Incorrect(Evidence(), broken_words(broken))


def broken_words(broken: TestsBroken) -> str:
    """Which test is broken, by its own error, and how many more are."""
    more = "" if broken.is_whole or len(broken.lost) == 1 else f", and {len(broken.lost) - 1} more"
    return f"{broken.name} no longer passes: {broken.said}{more}"


def check_outputs(
    run: Run,
    tree: Tree,
    inputs: Sequence[Input],
    expected: Sequence[bytes],
    evidence: Evidence,
    before: int = 0,
    base: Tree | None = None,
) -> Evidence | Rejected | Incorrect | CannotCompare | Inconclusive:
    """Every input called on this tree and compared with what the reference gave under the same hash seed. So many
    inputs stand `before` them: they are numbered on. The reference on `base` is asked again before what all calls
    leave is held against the tree."""
    try:
        got = outputs(run, tree, inputs)
    except Misconduct as failed:
        return failed.verdict(evidence)
    except Uncomparable as unknown:
        return CannotCompare(f"results hold {unknown}, which has no canonical form yet")
    difference = compare(expected, got, before)
    if difference is None:
        return replace(evidence, inputs=evidence.inputs + len(inputs))
    if base is not None and list(expected[:-1]) == got[:-1] and is_state(expected[-1]):
        names = unsteady(run, base, inputs, expected[-1], differing(expected[-1], got[-1]))
        rest = [without_names(one, names) for one in (expected[-1], got[-1])]
        if names and rest[0] == rest[1]:
            return Inconclusive(f"{', '.join(sorted(names))} after all calls {NOT_STEADY}", evidence)
        difference = compare(rest[:1], rest[1:]) or difference
    reason = f"{difference.where} differs: {difference.old} before, {difference.new} after"
    return Incorrect(replace(evidence, first_difference=difference), reason)


NOT_STEADY = "differs, and is not always the same in the untouched code either"
NEAR = " (an input of the tests, changed a little)"


def expected_varied(run: Run, base: Tree, inputs: Sequence[Input]) -> list[bytes] | None:
    """What the untouched code gives on inputs near those; None where it does not serve under this hash seed."""
    try:
        return outputs(replace(run, watched=()), base, inputs, REFERENCE) if inputs else None
    except (Misconduct, Uncomparable):
        return None


def check_varied(
    run: Run, tree: Tree, inputs: Sequence[Input], expected: Sequence[bytes] | None, evidence: Evidence, before: int
) -> Evidence | Rejected | Incorrect | CannotCompare | Inconclusive:
    """The same for inputs near those: in a worker of their own, so that what an odd call leaves behind is seen by no
    other. Where nothing is expected of them they say nothing."""
    if expected is None:
        return evidence
    said = check_outputs(replace(run, watched=()), tree, inputs, expected, evidence, before)
    if isinstance(said, Evidence):
        return replace(evidence, varied=evidence.varied + len(inputs))
    return replace(said, reason=said.reason + NEAR)
