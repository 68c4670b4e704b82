"""What the verbs do once their flags are read: call, print, and the exit code."""

from __future__ import annotations

import json as jsonlib
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from optagent.cli import applying, exporting
from optagent.cli.endings import Shown, emit, error_part, failed, failed_document, gather, row
from optagent.cli.interruption import interrupted, waiting
from optagent.cli.run import models
from optagent.cli.run.hotspots import hottest
from optagent.cli.run.progress import Progress
from optagent.cli.run.rehearsal import rehearse, told
from optagent.cli.run.reports import ONCE, run_report
from optagent.cli.run.session import Broken, Ended, start
from optagent.cli.run.session import resume as resume_session
from optagent.cli.run.workshop import place_of
from optagent.cli.settings.config import Config, read
from optagent.cli.settings.run_settings import RunSettings
from optagent.core import outcome as codes
from optagent.core.outcome import Outcome, best, run_exit_code
from optagent.errors import BadSetting, OptagentError, RunNotFound
from optagent.ledger.history import Record, replay
from optagent.ledger.store import Ledger
from optagent.report.document import SCHEMA, Documents, schema_text
from optagent.report.run import RunReport, document, text
from optagent.report.text import one_line, ratio, safe


def run(repo: Path, given: Mapping[str, Any], json: bool, write: bool = False) -> int:
    """A run for each target that flags, environment and files name, or for the hottest functions. With `write`, what is
    confirmed goes into the user's files."""
    began, state = time.time(), Path(given["state"]) if given.get("state") else None

    def story(shown: list[Shown]) -> None:
        asked = read(repo, given, os.environ)
        with Progress(asked["max_minutes"], quiet=json) as progress:
            wanted = _wanted(asked, progress)
            ended = start(wanted, asked.state, progress)
            results = (_shown("run", one, json, progress, asked.state, repo if write else None) for one in ended)
            gather(shown, "run", results, [one.target for one in wanted])

    target = ", ".join(given.get("target") or ())
    return _session("run", target, json, story, lambda: waiting("run", place_of(repo, state), began), state)


def _session(
    verb: str,
    target: str,
    json: bool,
    story: Callable[[list[Shown]], None],
    left: Callable[[], list[RunReport]],
    state: Path | None,
) -> int:
    """The story told into a list of results, and its end, also where a fault or the user ends it; then `left` are the
    runs that can be gone on with."""
    shown: list[Shown] = []
    try:
        story(shown)
    except OptagentError as fault:
        return failed(verb, target, fault, json)
    except KeyboardInterrupt:
        return interrupted(verb, target, shown, left(), state, json)
    return _close(verb, shown, json)


def dry_run(repo: Path, given: Mapping[str, Any], json: bool) -> int:
    """What a run would send to its models, and what that could cost; nothing is sent and no run is kept."""
    try:
        asked = read(repo, given, os.environ)
        with Progress(asked["max_minutes"], quiet=json) as progress:
            rehearsals = [*rehearse(_wanted(asked, progress), asked.state, progress)]
    except OptagentError as fault:
        return failed("run", ", ".join(given.get("target") or ()), fault, json)
    if json:
        sys.stdout.write(jsonlib.dumps({"schema": SCHEMA, "verb": "run", "dry_run": rehearsals}, indent=2) + "\n")
    else:
        sys.stdout.writelines(safe(told(one)) for one in rehearsals)
    return codes.OK


def _wanted(asked: Config, progress: Progress) -> list[RunSettings]:
    settings = asked.run_settings("").checked()
    if settings.has_model:
        models.check(settings)
    targets = asked.targets or (("",) if asked.command else hottest(asked, progress))
    return [asked.run_settings(one) for one in targets]


def _shown(
    verb: str, ended: Ended | Broken, json: bool, progress: Progress, state: Path | None, write_to: Path | None = None
) -> Shown:
    """One target's end, printed for people as soon as it is there."""
    if isinstance(ended, Broken):
        outcome, fault = Outcome.BASELINE_BROKEN, ended.fault
        return Shown(failed_document(verb, str(ended.target), outcome, fault), outcome, fault=fault)
    workshop = ended.workshop
    with workshop.ledger as ledger:
        report = run_report(verb, workshop.run, replay(ledger.events(workshop.run)), workshop.sandbox.rung)
        report = replace(report, outcome=ended.outcome)
        done = applying.write(ledger, write_to, workshop.run) if write_to and ended.trial else None
    if not json:
        progress.result(text(report, state) + (done.text() if done else ""))
    told = document(report)
    if done:
        told = told.model_copy(update={"written": done.written})
    if ended.fault:
        told = told.model_copy(update={"error": error_part(ended.fault)})
    return Shown(told, report.outcome, ended.goal_met, ended.fault)


def _close(verb: str, shown: list[Shown], json: bool) -> int:
    """The end of a session: the document (with `--json`), and the exit code of the best outcome."""
    several, fault = len(shown) > 1, shown[0].fault
    outcome = best([one.outcome for one in shown])
    if json:
        documents = [one.document for one in shown]
        shown_document = Documents(verb=verb, outcome=outcome.value, results=documents) if several else documents[0]
        sys.stdout.write(shown_document.as_json() + "\n")
    elif several:
        sys.stdout.writelines(row(one) for one in shown)
    elif fault is not None:
        raise fault
    ended_by = next((one.fault for one in shown if one.fault is not None and one.outcome is outcome), None)
    return ended_by.exit_code if ended_by else run_exit_code(outcome, any(one.goal_met for one in shown))


def resume(repo: Path, run: str, state: Path | None, json: bool) -> int:
    ledger, place, name = _open(repo, run, state)
    record = replay(ledger.events(name))
    if record.ended is None and record.started.verb in ONCE:
        ledger.close()
        raise RunNotFound(f"run {name} is a `{record.started.verb}`, which cannot go on", "Start it anew.")
    if record.ended is not None:
        with ledger:
            return _print(run_report("resume", name, record), _met(record), json, state)

    def story(shown: list[Shown]) -> None:
        with Progress(float(record.started.settings.get("minutes", 10)), quiet=json) as progress:
            shown.append(_shown("resume", resume_session(name, ledger, place, progress), json, progress, state))

    left = partial(waiting, "resume", place, only=name)
    return _session("resume", record.started.spec, json, story, left, state)


def replay_run(repo: Path, run: str, state: Path | None, json: bool) -> int:
    """A new run with the settings of an earlier one and the replies that were bought for it; no network."""
    began = time.time()
    ledger, place, name = _open(repo, run, state)
    with ledger:
        record = replay(ledger.events(name))
    settings = RunSettings.from_json(record.started.settings)  # of what is asked nobody reads a word
    settings = replace(settings, repo=str(repo.absolute()), replies_of=name, prompts=None)
    if not record.replies:
        raise RunNotFound(f"run {name} bought no replies, so that there is nothing to replay", "Start it anew: `run`.")

    def story(shown: list[Shown]) -> None:
        with Progress(settings.minutes, quiet=json) as progress:
            shown += [_shown("replay", one, json, progress, state) for one in start([settings], state, progress)]

    left = partial(waiting, "replay", place, began)
    return _session("replay", record.started.spec, json, story, left, state)


def _print(report: RunReport, goal_met: bool, json: bool, state: Path | None) -> int:
    if json:
        emit(document(report))
    else:
        sys.stdout.write(text(report, state))
    return run_exit_code(report.outcome, goal_met)


def _met(record: Record) -> bool:
    report = run_report("show", "", record)
    won = report.confirmed
    return won is not None and won.speedup.ratio >= (report.goal or 1.0)


def show(repo: Path, run: str, state: Path | None, json: bool) -> int:
    ledger, _, name = _open(repo, run, state)
    with ledger:
        report = run_report("show", name, replay(ledger.events(name)))
    _print(report, False, json, state)
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
        emit(done.document())
    else:
        sys.stdout.write(done.text())
    return codes.OK


def export(repo: Path, run: str, pyperf: Path, side: str | None, state: Path | None) -> int:
    """What a run measured in a new file for pyperf's tools. A first argument that is no folder is a run of this one."""
    if not run and not os.path.isdir(repo):
        repo, run = Path("."), str(repo)
    ledger, _, name = _open(repo, run, state)
    with ledger:
        said = exporting.to_pyperf(name, replay(ledger.events(name)), pyperf, side)
    sys.stdout.write(safe(said))
    return codes.OK


def schema() -> int:
    sys.stdout.write(schema_text())
    return codes.OK


def _open(repo: Path, run: str, state: Path | None) -> tuple[Ledger, Path, str]:
    """The ledger of a repository and one of its runs, by name or the latest. Makes nothing."""
    if not os.path.isdir(repo):
        raise BadSetting(f"there is no folder {repo}", "Name the project's folder.")
    none = RunNotFound(f"there are no runs of {repo} yet", f"Start one with `optagent run {repo} --target FN`.")
    place = place_of(repo, state)
    try:
        ledger = Ledger.open(place, create=False)
    except RunNotFound:
        raise none from None
    names = ledger.runs()
    if run and run not in names:
        ledger.close()
        raise RunNotFound(f"there is no run {run} of {repo}", f"List them with `optagent runs {repo}`.")
    if not names:
        ledger.close()
        raise none
    return ledger, place, run or names[0]
