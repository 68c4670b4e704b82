"""What `apply` does: the patch of a finished run into the user's files, onto a branch, and out again."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from optagent.cli.run.reports import run_report
from optagent.core.patch import Patch
from optagent.errors import BadSetting, RunNotFound
from optagent.ledger.events import Applied, Undone, stage_of
from optagent.ledger.history import replay
from optagent.ledger.store import Ledger
from optagent.report.commit import message
from optagent.report.document import Document, WrittenPart
from optagent.report.run import RunReport, document
from optagent.report.text import one_line, safe
from optagent.workspace import apply as files
from optagent.workspace.branch import commit_patch

SHOWN_ID = 12


@dataclass(frozen=True)
class Done:
    """What was written, for the run it came from."""

    report: RunReport
    written: WrittenPart
    warnings: tuple[str, ...] = ()

    def document(self) -> Document:
        shown = document(self.report)
        return shown.model_copy(update={"written": self.written, "warnings": [*shown.warnings, *self.warnings]})

    def text(self) -> str:
        made = self.written
        word = "restored" if made.action == "undone" else "changed"
        lines = [f"{word} {path}" for path in made.files]
        if made.branch:
            lines = [f"committed {made.commit[:SHOWN_ID]} on the new branch {made.branch}"]
        return "".join(f"{safe(line)}\n" for line in [*lines, *(f"warning: {one}" for one in self.warnings)])


def check_flags(branch: str | None, undo: bool) -> None:
    """BadSetting for what cannot be asked for at once."""
    if undo and branch is not None:
        raise BadSetting("--undo takes a patch out of your files, not off a branch", f"Run `git branch -D {branch}`.")


def write(ledger: Ledger, repo: Path, run: str) -> Done:
    """The patch is in the user's files and the ledger knows; or neither, and the fault says why."""
    report, patch = _won(ledger, repo, run)
    with ExitStack() as back:
        written = files.apply(repo, patch)
        back.callback(files.undo, repo, patch)
        ledger.record(run, Applied(patch.paths))
        back.pop_all()
    return Done(report, WrittenPart(action="applied", files=[str(path) for path in written]))


def commit(ledger: Ledger, repo: Path, run: str, branch: str) -> Done:
    """The patch is a commit on the new branch, and the user's files are untouched."""
    report, patch = _won(ledger, repo, run)
    made = commit_patch(repo, patch, branch, message(report))
    ledger.record(run, Applied(made.files, made.branch, made.id))
    written = WrittenPart(action="committed", files=list(made.files), branch=made.branch, commit=made.id)
    return Done(report, written, _missing(made.missing))


def _missing(paths: tuple[str, ...]) -> tuple[str, ...]:
    if not paths:
        return ()
    who = "another file of yours differs" if len(paths) == 1 else f"{len(paths)} other files of yours differ"
    return (
        one_line(f"{who} from HEAD: the run may have seen that, the commit has none of it (first: {paths[0]})", 400),
    )


def undo(ledger: Ledger, repo: Path, run: str) -> Done:
    """The patch is out of the user's files and the ledger knows; or neither, and the fault says why."""
    report, patch = _won(ledger, repo, run)
    with ExitStack() as back:
        written = files.undo(repo, patch)
        back.callback(files.apply, repo, patch)
        ledger.record(run, Undone(patch.paths))
        back.pop_all()
    return Done(report, WrittenPart(action="undone", files=[str(path) for path in written]))


def last_applied(ledger: Ledger, repo: Path) -> str:
    """The run whose patch went into the user's files last and was not taken out again; RunNotFound for none."""
    steps = [event for run in ledger.runs() for kind in ("applied", "undone") for event in ledger.events(run, kind)]
    inside: list[str] = []
    branch = ""
    for event in sorted(steps, key=lambda event: event.number):
        stage = stage_of(event)
        if isinstance(stage, Applied) and stage.branch:
            branch = stage.branch
            continue
        inside = [run for run in inside if run != event.run]
        inside += [event.run] * isinstance(stage, Applied)
    if not inside:
        told = f"A branch is deleted by git: `git branch -D {branch}`." if branch else ""
        raise RunNotFound(f"no patch has been applied to {repo}, so there is nothing to undo", told)
    return inside[-1]


def _won(ledger: Ledger, repo: Path, run: str) -> tuple[RunReport, Patch]:
    """The run's report and its confirmed patch."""
    report = run_report("apply", run, replay(ledger.events(run)))
    if report.winner is None:
        raise RunNotFound(f"run {run} has no confirmed patch", _instead(ledger, repo, run))
    return report, report.winner.candidate.patch


def _instead(ledger: Ledger, repo: Path, run: str) -> str:
    """What to type where a run has no patch: the latest that has one, if there is any."""
    won = (name for name in ledger.runs() if run_report("apply", name, replay(ledger.events(name))).winner)
    other = next(won, None)
    see = f"See what it tried with `optagent show {repo} {run}`"
    return f"{see}, or take the latest that has one: `optagent apply {repo} {other}`." if other else f"{see}."
