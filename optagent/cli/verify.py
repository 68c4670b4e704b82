"""The verb `verify`: a patch that somebody else wrote is judged like any candidate, and nothing is searched for."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from optagent.cli import bench
from optagent.cli.config import Config, read
from optagent.cli.progress import Progress
from optagent.cli.reports import run_report
from optagent.cli.settings import RunSettings
from optagent.cli.shop import Counter
from optagent.cli.workshop import Ground, Workshop, look_at, new_run
from optagent.core.goal import Spent
from optagent.core.outcome import Outcome, referee_exit_code, referee_outcome
from optagent.core.patch import Candidate
from optagent.core.scope import Scope
from optagent.core.verdict import Faster, Verdict
from optagent.errors import BadPatch, BaselineBroken, OptagentError
from optagent.ledger.events import Decided, RunEnded
from optagent.ledger.history import replay
from optagent.report.document import Document, ErrorPart, failure
from optagent.report.run import RunReport, document, text
from optagent.search.baseline import take_baseline
from optagent.search.policy import Proposal
from optagent.workspace.patching import diff_to, patch_from_diff

ONLY_TRIAL = 1


def verify(repo: Path, given: Mapping[str, Any], patch: Path | None, revision: str | None, json: bool) -> int:
    """The patch judged and told; the exit code says whether it may be merged."""
    asked = read(repo, given, os.environ)
    target = asked.only_target() if asked.command is None or asked.targets else ""
    settings = _settings(asked, target)
    try:
        with Progress(settings.minutes, quiet=json) as progress:
            ground = look_at([settings], asked.state)
            candidate = _candidate(ground, patch, revision)
            report = _judged(new_run(settings, ground, ground.targets[0], verb="verify"), candidate, progress)
    except OptagentError as fault:
        if not json:
            raise
        return _print_fault(target, fault)
    sys.stdout.write(document(report).as_json() + "\n" if json else text(report))
    return referee_exit_code(report.outcome)


def _settings(asked: Config, target: str) -> RunSettings:
    """What somebody else wrote may touch the package, unless the user says otherwise."""
    settings = asked.run_settings(target)
    is_default = asked.found["scope"].origin == "default"
    return replace(settings, scope=Scope.PACKAGE.value) if is_default else settings


def _candidate(ground: Ground, file: Path | None, revision: str | None) -> Candidate:
    if (file is None) == (revision is None):
        raise BadPatch("there has to be one patch to judge", "Give `--patch FILE` or `--ref REVISION`.")
    if file is not None:
        try:
            diff, name = file.read_bytes(), str(file)
        except OSError as error:
            raise BadPatch(f"{file} cannot be read: {error.strerror}", "Name a file with a unified diff.") from None
    else:
        assert revision is not None
        diff, name = diff_to(ground.tree.root, revision), revision
    return Candidate(patch_from_diff(ground.tree, diff), "user", name)


def _judged(workshop: Workshop, candidate: Candidate, progress: Progress) -> RunReport:
    """The run from its baseline to its end."""
    began = time.monotonic()
    try:
        progress.stage("running the tests twice")
        survey = workshop.survey((workshop.target,))
        workshop = workshop.with_folders(survey.folders)
        problem = take_baseline(bench.bench(workshop, survey, 0, progress.stage))
    except OptagentError:
        workshop.abandon()
        raise
    bench.store(workshop, problem, survey, time.monotonic() - began, Spent(trials=ONLY_TRIAL))
    began = time.monotonic()  # the baseline's seconds are stored with it
    counter = Counter(workshop, problem, progress.stage)
    verdict = _verdict(counter, candidate)
    spent = Spent(seconds=time.monotonic() - began, trials=1)
    workshop.ledger.record(workshop.run, Decided(verdict, spent), ONLY_TRIAL)
    outcome = referee_outcome(verdict)
    kept = ONLY_TRIAL if isinstance(verdict, Faster) else 0
    workshop.ledger.record(workshop.run, RunEnded(outcome, kept))
    workshop.clear()
    with workshop.ledger:
        return run_report("verify", workshop.run, replay(workshop.ledger.events(workshop.run)), workshop.sandbox.rung)


def _verdict(counter: Counter, candidate: Candidate) -> Verdict:
    counter.asked(ONLY_TRIAL, Proposal(candidate))
    if rejected := counter.screen(ONLY_TRIAL, candidate):
        return rejected
    with counter.checkout(candidate) as tree:
        return counter.verify(ONLY_TRIAL, tree)


def _print_fault(target: str, fault: OptagentError) -> int:
    outcome = Outcome.BASELINE_BROKEN if isinstance(fault, BaselineBroken) else Outcome.FAILED
    error = ErrorPart(slug=fault.slug, message=fault.message, hint=fault.hint)
    shown: Document = failure("verify", target, outcome.value, error)
    sys.stdout.write(shown.as_json() + "\n")
    return fault.exit_code
