"""A run rebuilt from its events alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar, get_args

from optagent.core.goal import Spent
from optagent.core.patch import Candidate
from optagent.core.trial import Trial
from optagent.errors import LedgerCorrupt, RunNotFound
from optagent.ledger.events import (
    NOTHING,
    Applied,
    Asked,
    BaselineTaken,
    Claimed,
    Decided,
    Event,
    Replied,
    Resumed,
    RunEnded,
    RunStarted,
    Stage,
    Undone,
    stage_of,
)

T = TypeVar("T")

KINDS = frozenset(stage.kind for stage in get_args(Stage))


@dataclass(frozen=True)
class Record:
    """What is known of one run.

    `trials` in the order decided; `pending` are asked but not decided, by number; `claims` with the
    number of their trial; `ended` is None while the run can go on (a resume opens it again);
    `written` is what was last done with the winner's patch in the user's files.
    """

    started: RunStarted
    baseline: BaselineTaken | None = None
    trials: tuple[Trial, ...] = ()
    pending: dict[int, Candidate] = field(default_factory=dict)
    claims: tuple[tuple[int, Claimed], ...] = ()
    ended: RunEnded | None = None
    settled: Spent = NOTHING
    unsettled: dict[int, Spent] = field(default_factory=dict)
    written: Applied | Undone | None = None

    @property
    def spent(self) -> Spent:
        """What the baseline, the decided trials and the claims cost, and the replies of trials not yet decided."""
        return sum(self.unsettled.values(), self.settled)

    @property
    def burnt(self) -> frozenset[int]:
        """The held-out sets that have served a claim."""
        return frozenset(claim.held_out for _, claim in self.claims)


def replay(events: Iterable[Event]) -> Record:
    """The record of the run whose events these are, in order. Kinds we do not know are passed over.

    RunNotFound without any event, LedgerCorrupt when they do not tell a run.
    """
    steps = [(event, stage_of(event)) for event in events if event.kind in KINDS]
    if not steps:
        raise RunNotFound("There is no such run.", "List the runs with `optagent runs`.")
    (event, started), *rest = steps
    if not isinstance(started, RunStarted):
        raise LedgerCorrupt(f"Run {event.run} has no beginning: its first event is {event.kind}.", "Start a new run.")
    record = Record(started)
    for event, stage in rest:
        record = after(record, event.trial, stage)
    return record


def after(record: Record, trial: int, stage: Stage) -> Record:
    """The record with one more event."""
    match stage:
        case BaselineTaken():
            return replace(record, baseline=stage, settled=record.settled + stage.cost)
        case Asked():
            return replace(record, pending={**record.pending, trial: stage.candidate})
        case Replied():
            paid = record.unsettled.get(trial, NOTHING) + stage.cost
            return replace(record, unsettled={**record.unsettled, trial: paid})
        case Decided():
            return after_decision(record, trial, stage)
        case Claimed():
            claims = (*record.claims, (trial, stage))
            return replace(record, claims=claims, settled=record.settled + stage.cost)
        case RunEnded():
            return replace(record, ended=stage)
        case Resumed():
            return replace(record, ended=None)
        case Applied() | Undone():
            return replace(record, written=stage)
    return record


def after_decision(record: Record, number: int, stage: Decided) -> Record:
    """The trial is done, and its replies are part of its cost. A verdict stands: a second one counts for nothing."""
    if any(trial.number == number for trial in record.trials):
        return replace(record, pending=without(record.pending, number), unsettled=without(record.unsettled, number))
    if number not in record.pending:
        raise LedgerCorrupt(f"Trial {number} was decided and never asked.", "Start a new run.")
    trial = Trial(number, record.pending[number], stage.verdict, stage.cost)
    return replace(
        record,
        trials=(*record.trials, trial),
        pending=without(record.pending, number),
        settled=record.settled + stage.cost,
        unsettled=without(record.unsettled, number),
    )


def without(mapping: dict[int, T], number: int) -> dict[int, T]:
    return {key: value for key, value in mapping.items() if key != number}
