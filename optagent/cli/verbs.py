"""What the verbs do once their flags are read: call, print, and the exit code."""

from __future__ import annotations

import json as jsonlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from optagent.cli import applying
from optagent.cli.progress import Progress
from optagent.cli.reports import run_report
from optagent.cli.session import Ended, start
from optagent.cli.session import resume as resume_session
from optagent.cli.settings import RunSettings
from optagent.cli.workshop import place_of
from optagent.core import outcome as codes
from optagent.core.outcome import Outcome, run_exit_code
from optagent.errors import BaselineBroken, OptagentError, RunNotFound
from optagent.ledger.history import Record, replay
from optagent.ledger.store import Ledger
from optagent.report.document import Document, ErrorPart, failure
from optagent.report.run import RunReport, document, text
from optagent.report.text import one_line, ratio, safe


def run(settings: RunSettings, state: Path | None, json: bool) -> int:
    def go(progress: Progress) -> Ended:
        return start(settings, state, progress)

    return _session("run", settings.target, settings.minutes, json, go)


def resume(repo: Path, run: str, state: Path | None, json: bool) -> int:
    ledger, place, name = _open(repo, run, state)
    record = replay(ledger.events(name))
    if record.ended is not None:
        with ledger:
            return _print(run_report("resume", name, record), _met(record), json)

    def go(progress: Progress) -> Ended:
        return resume_session(name, ledger, place, progress)

    return _session("resume", record.started.spec, float(record.started.settings.get("minutes", 10)), json, go)


def _session(verb: str, target: str, minutes: float, json: bool, go: Callable[[Progress], Ended]) -> int:
    """A run or its continuation; with `--json` a fault is a document too."""
    try:
        with Progress(minutes, quiet=json) as progress:
            ended = go(progress)
    except OptagentError as fault:
        if not json:
            raise
        outcome = Outcome.BASELINE_BROKEN if isinstance(fault, BaselineBroken) else Outcome.FAILED
        error = ErrorPart(slug=fault.slug, message=fault.message, hint=fault.hint)
        _emit(failure(verb, target, outcome.value, error))
        return fault.exit_code
    workshop = ended.workshop
    with workshop.ledger:
        record = replay(workshop.ledger.events(workshop.run))
    return _print(run_report(verb, workshop.run, record, workshop.sandbox.rung), ended.goal_met, json)


def _print(report: RunReport, goal_met: bool, json: bool) -> int:
    if json:
        _emit(document(report))
    else:
        sys.stdout.write(text(report))
    return run_exit_code(report.outcome, goal_met)


def _met(record: Record) -> bool:
    report = run_report("show", "", record)
    won = report.confirmed
    return won is not None and won.speedup.ratio >= (report.goal or 1.0)


def show(repo: Path, run: str, state: Path | None, json: bool) -> int:
    ledger, _, name = _open(repo, run, state)
    with ledger:
        report = run_report("show", name, replay(ledger.events(name)))
    _print(report, False, json)
    return codes.OK


def runs(repo: Path, state: Path | None, json: bool) -> int:
    """One line for each run; an empty list is an answer too."""
    try:
        ledger, _, _ = _open(repo, "", state)
    except RunNotFound:
        sys.stdout.write("[]\n" if json else "no runs yet\n")
        return codes.OK
    with ledger:
        reports = [run_report("runs", name, replay(ledger.events(name))) for name in ledger.runs()]
    if json:
        rows = [{"run": one.run, "target": one.target, "outcome": one.outcome.value} for one in reports]
        sys.stdout.write(jsonlib.dumps(rows, indent=2) + "\n")
    else:
        sys.stdout.writelines(_row(one) for one in reports)
    return codes.OK


def _row(report: RunReport) -> str:
    won = f" {ratio(report.confirmed.speedup.ratio)}" if report.confirmed else ""
    return safe(one_line(f"{report.run}  {report.target}  {report.outcome.value}{won}")) + "\n"


def apply(repo: Path, run: str, branch: str | None, undo: bool, state: Path | None, json: bool) -> int:
    """The confirmed patch in the user's files, on a branch or out again; refuses when it does not fit."""
    applying.check_flags(branch, undo)
    ledger, _, name = _open(repo, run, state)
    with ledger:
        if undo:
            done = applying.undo(ledger, repo, run or applying.last_applied(ledger, repo))
        elif branch is not None:
            done = applying.commit(ledger, repo, name, branch)
        else:
            done = applying.write(ledger, repo, name)
    if json:
        _emit(done.document())
    else:
        sys.stdout.write(done.text())
    return codes.OK


def schema() -> int:
    sys.stdout.write(jsonlib.dumps(Document.model_json_schema(), indent=2).replace('"schema_"', '"schema"') + "\n")
    return codes.OK


def _emit(shown: Document) -> None:
    sys.stdout.write(shown.as_json() + "\n")


def _open(repo: Path, run: str, state: Path | None) -> tuple[Ledger, Path, str]:
    """The ledger of a repository and one of its runs, by name or the latest. Makes nothing."""
    if not os.path.isdir(repo):
        raise RunNotFound(f"there is no folder {repo}", "Name the project's folder.")
    place = place_of(repo, state)
    ledger = Ledger.open(place, create=False)
    names = ledger.runs()
    if run and run not in names:
        ledger.close()
        raise RunNotFound(f"there is no run {run} of {repo}", f"List them with `optagent runs {repo}`.")
    if not names:
        ledger.close()
        raise RunNotFound(f"there are no runs of {repo} yet", f"Start one with `optagent run {repo} --target FN`.")
    return ledger, place, run or names[0]
