"""How a session ends that a person ends: what was found is told, and what to type to go on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from optagent.cli.endings import Shown, emit
from optagent.cli.run.reports import run_report
from optagent.core import outcome as codes
from optagent.core.outcome import Outcome, best
from optagent.errors import RunNotFound
from optagent.ledger.history import replay
from optagent.ledger.store import Ledger
from optagent.report.document import Documents, failure
from optagent.report.run import RunReport, command, document
from optagent.report.text import safe


def waiting(verb: str, place: Path, since: float = 0.0, only: str = "") -> list[RunReport]:
    """The runs that began since that time and that `resume` takes up, in their order; `only` names one of them."""
    try:
        ledger = Ledger.open(place, create=False)
    except RunNotFound:
        return []
    with ledger:
        names = [only] if only else reversed(ledger.runs())
        starts = [event for run in names for event in ledger.events(run, "run_started") if event.at >= since]
        reports = [run_report(verb, one.run, replay(ledger.events(one.run))) for one in starts]
    return [one for one in reports if one.can_go_on and one.outcome is Outcome.INTERRUPTED]


def interrupted(
    verb: str, target: str, shown: Sequence[Shown], left: Sequence[RunReport], state: Path | None, json: bool
) -> int:
    """The end of a session in which `shown` was found (and told to people) and `left` waits to be resumed."""
    if json:
        told = [*(one.document for one in shown), *map(document, left)] or [failure(verb, target, "interrupted")]
        outcome = best([*(one.outcome for one in shown), Outcome.INTERRUPTED])
        emit(Documents(verb=verb, outcome=outcome.value, results=told) if len(told) > 1 else told[0])
    else:
        lines = [f"interrupted; go on with: {command('resume', one, state)}" for one in left]
        print(safe("\n".join(lines) or "interrupted"), file=sys.stderr)
    return codes.INTERRUPTED
