"""The verb `compare`: two revisions or two files, function by function; the first is the reference."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from optagent.cli.comparing import picking
from optagent.cli.comparing.head_tests import HeadTests
from optagent.cli.comparing.picking import Picked
from optagent.cli.comparing.sides import Sides, ends, notes_of, of_files, of_revisions
from optagent.cli.endings import Shown, close_judged, emit, failed, failed_document, gather
from optagent.cli.interruption import interrupted
from optagent.cli.run.judging import ONLY_TRIAL, factor_of, judged
from optagent.cli.run.progress import Progress
from optagent.cli.run.shop import Counter
from optagent.cli.run.workshop import Workshop, new_run
from optagent.cli.settings.config import Config, read
from optagent.core import outcome as codes
from optagent.core.outcome import Outcome
from optagent.core.patch import EMPTY, Candidate
from optagent.core.scope import Scope
from optagent.core.target import Tree
from optagent.core.verdict import Verdict
from optagent.errors import BadSetting, BaselineBroken, OptagentError
from optagent.languages.python.project import PythonProject
from optagent.languages.python.source.changed import Pair
from optagent.ledger.events import Screened
from optagent.report.document import same
from optagent.report.run import document, text
from optagent.report.text import safe
from optagent.search.policy import Proposal
from optagent.workspace.checkout import checkout

HEAD = "head"


@dataclass(frozen=True)
class Wanted:
    """What is on the command line beside the settings."""

    new: Path | None
    base: str | None
    head: str | None
    max_slowdown: str


def compare(first: Path, given: Mapping[str, Any], wanted: Wanted, json: bool) -> int:
    """Every target judged and told; the exit code is that of the worst."""
    target = ", ".join(given.get("target") or ())
    shown: list[Shown] = []
    try:
        most = factor_of(wanted.max_slowdown)
        check(first, wanted)
        asked = read(first if wanted.new is None else first.absolute().parent, given, os.environ)
        check_settings(asked)
        with Progress(asked["max_minutes"], quiet=json) as progress, ExitStack() as stack:
            between = None if wanted.new else ends(first, wanted.base or "", wanted.head or "")
            if between and between.are_same:
                return _nothing_changed(target, notes_of(between), progress, json)
            progress.stage("checking out both sides")
            found = of_revisions(first, between) if between else of_files(first, wanted.new or first)
            sides = stack.enter_context(found)
            picked = picking.picked(asked, sides, progress.stage)
            if picked is None:
                return _nothing_changed(target, sides.notes, progress, json)
            judge = Judge(picked, sides, progress, most, json, asked.state)
            gather(shown, "compare", judge.results(), picked.names)
    except OptagentError as fault:
        return failed("compare", target, fault, json)
    except KeyboardInterrupt:
        return interrupted("compare", target, shown, (), None, json)
    return close_judged("compare", shown, [*picked.untold, *judge.late], json)


def check(first: Path, wanted: Wanted) -> None:
    """Returns when the command line names two sides. Raises BadSetting."""
    revisions = (wanted.base, wanted.head)
    if wanted.new is not None and revisions != (None, None):
        raise BadSetting("two files have no --base and no --head", "Compare either two files or two revisions.")
    if wanted.new is None and os.path.isfile(first):
        raise BadSetting(f"{first} has nothing to be compared with", "Name a second file.")
    if wanted.new is None and None in revisions:
        raise BadSetting("there have to be two revisions to compare", "Give `--base REVISION --head REVISION`.")


def check_settings(asked: Config) -> None:
    """Returns when the settings fit the verb. Raises BadSetting."""
    if asked["top"]:
        raise BadSetting(
            f"top is {asked['top']} ({asked.found['top'].origin}), and what changed is compared, not what is hot",
            "Leave it out, or name functions: `--target FN`.",
        )
    asked.run_settings("").checked()


def _nothing_changed(target: str, notes: tuple[str, ...], progress: Progress, json: bool) -> int:
    if json:
        emit(same("compare", target, list(notes)))
    else:
        told = "equivalent: the code is the same on both sides, so nothing was run\n"
        progress.result(told + "".join(f"note: {safe(note)}\n" for note in notes))
    return codes.OK


@dataclass
class Judge:
    """One run for each target, on the same two trees and over the same survey of the base's tests."""

    picked: Picked
    sides: Sides
    progress: Progress
    max_slowdown: float
    json: bool
    state: Path | None
    tests: HeadTests = field(init=False)
    late: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tests = HeadTests(self.picked)

    def results(self) -> Iterator[Shown]:
        until = self.progress.began + 60 * self.progress.minutes
        for number in self.picked.numbers:
            if not self.picked.is_named and number != self.picked.numbers[0] and time.monotonic() > until:
                self.late.append(f"not judged: {self.picked.targets[number].base} (no time left, see --max-minutes)")
                yield self._undecided(number, "no time was left to judge it")
                continue
            yield self._one(number)

    def _one(self, number: int) -> Shown:
        picked, pair = self.picked, self.picked.targets[number]
        settings = replace(picked.settings(number), scope=Scope.PACKAGE.value)  # a revision may change any file
        workshop = new_run(settings, picked.ground, pair.base, self.sides.base, "compare")
        workshop, head = self._with_head(workshop, pair)
        notes = [*self.sides.notes]
        try:
            report = judged(
                workshop, picked.survey, number, self.progress.stage,
                lambda counter: self._verdict(counter, number, head, notes), self.max_slowdown, notes,
            )  # fmt: skip
        except BaselineBroken as fault:
            return self._broken(number, fault)
        if not self.json:
            self.progress.result(text(report, self.state))
        return Shown(document(report), report.outcome)

    def _with_head(self, workshop: Workshop, pair: Pair) -> tuple[Workshop, Tree]:
        """The head's tree beside the base's, and the workshop that knows where the target stands in it."""
        try:
            head = checkout(self.sides.head, EMPTY, workshop.trees / HEAD)
        except OptagentError:
            workshop.abandon()
            raise
        project = workshop.project
        if isinstance(project, PythonProject) and pair.base != pair.head:
            workshop = replace(workshop, project=replace(project, moved=((head.root, pair.head),)))
        return workshop, head

    def _verdict(self, counter: Counter, number: int, head: Tree, notes: list[str]) -> Verdict:
        """What there is to say of the tests besides is added to the notes."""
        pair = self.picked.targets[number]
        patch = self.sides.patch((pair.base.path, pair.head.path))
        counter.asked(ONLY_TRIAL, Proposal(Candidate(patch, "user", self.sides.idea)))
        counter.record(ONLY_TRIAL, Screened(None))
        told = self.tests.of(number, lambda names: counter.broken(head, names))
        notes += told.notes
        return counter.verify(ONLY_TRIAL, head, told.tested)

    def _broken(self, number: int, fault: BaselineBroken) -> Shown:
        """Of what a person named it is a fault; of what was picked it is what could not be told."""
        if not self.picked.is_named:
            return self._undecided(number, fault.message)
        if len(self.picked.numbers) == 1:
            raise fault
        target, outcome = str(self.picked.targets[number].base), Outcome.BASELINE_BROKEN
        return Shown(failed_document("compare", target, outcome, fault), outcome, fault=fault)

    def _undecided(self, number: int, why: str) -> Shown:
        target, outcome = str(self.picked.targets[number].base), Outcome.CANNOT_COMPARE
        fault = BaselineBroken(why, f"Give it a workload: `--target {target} --workload FILE`.")
        return Shown(failed_document("compare", target, outcome, fault), outcome, fault=fault)
