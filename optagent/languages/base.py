"""The seam between the referee and a kind of target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from optagent.core.end_to_end import Sampled
from optagent.core.fault import Fault
from optagent.core.patch import Patch
from optagent.core.target import Target, Tree
from optagent.core.verdict import Unmeasured
from optagent.core.workload import Input
from optagent.languages.contestant import Contestant
from optagent.languages.tests import TestReport


class Project(Protocol):
    """One target with everything that stays the same about running it."""

    @property
    def target(self) -> Target: ...

    def contestant(
        self,
        tree: Tree,
        hash_seed: int,
        seconds: float,
        name: str = "candidate",
        workload: Path | None = None,
        warm: bool = False,
    ) -> Contestant:
        """A worker that sees only this tree (and that workload file) and has imported nothing of it. The caller
        closes it. A `warm` one may be a fork of one that has started: its addresses are like those of other forks."""

    def under(self, words: tuple[str, ...]) -> Project:
        """The same, with its workers started by that command: words that take the rest of a command line. Raises
        Misconduct where there is no worker in which the target itself runs."""

    def load(self, contestant: Contestant, tree: Tree, padding: int) -> None:
        """The target imported, checked to be this tree's. Raises Misconduct."""

    def workload_path(self, workload: Path) -> str:
        """Where a contestant sees the workload file it was given."""

    def run_tests(self, tree: Tree, only: Sequence[str], seconds: float = ...) -> TestReport:
        """The named tests on this tree."""

    def sample_tests(self, tree: Tree, only: Sequence[str], seconds: float) -> Sampled | None:
        """The share of the target in the named tests; None where there is no way to tell."""

    def faults(self, tree: Tree) -> Sequence[Fault]:
        """Small mistakes that can be planted in the tree's target; none in a language that nobody knows here."""

    def touched(self, old: Tree, new: Tree) -> Sequence[tuple[int, int]] | None:
        """First and last line of every statement of the new tree's target that is not like that in the old one; None
        in a language that nobody knows here."""

    def reaching(self, old: Tree, new: Tree) -> str | None:
        """A place in code that only the new tree has which has hold of what runs its tests, or None."""

    def failing_test(self, old: Tree, new: Tree, given: Input) -> str | Unmeasured:
        """A test to paste, of that input, which the target of one tree passes and that of the other does not; or why
        there is none. Raises Misconduct."""

    def scope_fault(self, patch: Patch) -> str | None:
        """Why a patch may not be tried, or None."""

    def normal_form(self, patch: Patch) -> str:
        """The same for patches that differ in layout only."""
