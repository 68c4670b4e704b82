"""How a session ends: a document or text for each target, and the exit code of the one that counts."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from optagent.cli.shortages import shortages
from optagent.core.outcome import Outcome, referee_exit_code, worst
from optagent.errors import BaselineBroken, OptagentError
from optagent.report.document import Document, Documents, ErrorPart, SpeedupPart, failure
from optagent.report.text import one_line, ratio, safe


@dataclass(frozen=True)
class Shown:
    """What became of one target: its document, whether the goal was met, and the fault that ended it, if one did."""

    document: Document
    outcome: Outcome
    goal_met: bool = False
    fault: OptagentError | None = None


def failed(verb: str, target: str, fault: OptagentError, json: bool) -> int:
    """The end of a session that found nothing out: its exit code, or the fault itself where people read."""
    if not json:
        raise fault
    emit(failed_document(verb, target, _outcome_of(fault), fault))
    return fault.exit_code


def gather(shown: list[Shown], verb: str, results: Iterable[Shown], targets: Sequence[str]) -> None:
    """What became of each of the targets is in `shown`, as soon as it is known. A fault that ends the session behind a
    result is what became of all that are left; before any result it is raised."""
    try:
        with shortages():
            for one in results:
                shown.append(one)
    except OptagentError as fault:
        if not shown:
            raise
        outcome = _outcome_of(fault)
        left = targets[len(shown) :]
        shown += [Shown(failed_document(verb, one, outcome, fault), outcome, fault=fault) for one in left]


def _outcome_of(fault: OptagentError) -> Outcome:
    return Outcome.BASELINE_BROKEN if isinstance(fault, BaselineBroken) else Outcome.FAILED


def failed_document(verb: str, target: str, outcome: Outcome, fault: OptagentError) -> Document:
    return failure(verb, target, outcome.value, error_part(fault))


def error_part(fault: OptagentError) -> ErrorPart:
    return ErrorPart(slug=fault.slug, message=fault.message, hint=fault.hint)


def row(shown: Shown) -> str:
    """One line of the table below the results of several targets."""
    said = f": {shown.fault.message}" if shown.fault else ""
    if shown.fault and shown.outcome is Outcome.FAILED:
        said += f". {shown.fault.hint}"
    won = shown.document.speedup
    factor = f" {ratio(won.ratio)}" if isinstance(won, SpeedupPart) else ""
    return safe(one_line(f"{shown.document.target}  {shown.outcome.value}{factor}{said}", 400)) + "\n"


def emit(shown: Document | Documents) -> None:
    sys.stdout.write(shown.as_json() + "\n")


def close_judged(verb: str, shown: Sequence[Shown], notes: Sequence[str], json: bool) -> int:
    """The end of a session that judged: the document (with `--json`), else a table and the notes; the exit code of the
    worst outcome. The text of each result has been printed."""
    outcome = worst([one.outcome for one in shown])
    several = len(shown) > 1
    if json:
        documents = [one.document for one in shown]
        together = Documents(verb=verb, outcome=outcome.value, results=documents, warnings=list(notes))
        emit(together if several else with_warnings(documents[0], notes))
    else:
        sys.stdout.writelines(row(one) for one in shown if several or one.fault)
        sys.stdout.writelines(f"note: {safe(one_line(note, 400))}\n" for note in notes)
    fault = next((one.fault for one in shown if one.fault is not None and one.outcome is outcome), None)
    is_fault = outcome in (Outcome.BASELINE_BROKEN, Outcome.FAILED)
    return fault.exit_code if fault and is_fault else referee_exit_code(outcome)


def with_warnings(document: Document, notes: Sequence[str]) -> Document:
    return document.model_copy(update={"warnings": [*document.warnings, *notes]})
