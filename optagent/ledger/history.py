"""A run rebuilt from its events alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar, get_args

from optagent.core.fingerprint import SEAL, differences, is_same
from optagent.core.goal import Spent
from optagent.core.trial import Trial
from optagent.core.verdict import Faster, Inconclusive, Slower
from optagent.errors import LedgerCorrupt, RunNotFound
from optagent.ledger.events import (
    NOTHING,
    Applied,
    Asked,
    BaselineTaken,
    Called,
    CallFailed,
    Claimed,
    Decided,
    Event,
    Json,
    Replied,
    Reproduced,
    Resumed,
    RunEnded,
    RunStarted,
    Stage,
    Undone,
    Weighed,
    stage_of,
)

T = TypeVar("T")

MEASURED = Faster | Slower | Inconclusive
"""Verdicts that hold for the machine they were reached on."""

KINDS = frozenset(stage.kind for stage in get_args(Stage))


@dataclass(frozen=True)
class Bought:
    """Replies of models and their tokens. `is_priced` is False when nobody knows what one of them cost."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cached: int = 0
    is_priced: bool = True


@dataclass(frozen=True)
class Record:
    """What is known of one run.

    `trials` in the order decided; `pending` are asked but not decided, by number; `claims` with the number of their
    trial, `weighed` and `reproduced` by it; `replies` with the number of the trial they were bought for; `ended` is
    None while the run can go on (a resume opens it again). `unsettled` is what was paid for trials not yet decided,
    and `open` what calls may cost that nobody has heard the end of; `written` is what was last done with the
    winner's patch in the user's files.

    `moves` say what differed each time the run went on with another machine, interpreter or packages. What was
    measured before is then not in the record any more: its trials are pending again, its claims are
    `claims_elsewhere`, and the baseline's noise counts for nothing while it `must_measure`.
    """

    started: RunStarted
    baseline: BaselineTaken | None = None
    trials: tuple[Trial, ...] = ()
    pending: dict[int, Asked] = field(default_factory=dict)
    claims: tuple[tuple[int, Claimed], ...] = ()
    weighed: dict[int, Weighed] = field(default_factory=dict)
    reproduced: dict[int, Reproduced] = field(default_factory=dict)
    replies: tuple[tuple[int, Replied], ...] = ()
    ended: RunEnded | None = None
    settled: Spent = NOTHING
    unsettled: dict[int, Spent] = field(default_factory=dict)
    open: dict[int, Spent] = field(default_factory=dict)
    written: Applied | Undone | None = None
    resumed_on: Json | None = None
    moves: tuple[str, ...] = ()
    must_measure: bool = False
    claims_elsewhere: int = 0

    @property
    def machine(self) -> Json:
        """The fingerprint of the machine that the run was last on: that of every measurement in this record."""
        return self.started.machine if self.resumed_on is None else self.resumed_on

    @property
    def session(self) -> str:
        """By the name of its first run; empty where versions before sessions wrote it."""
        return str(self.started.settings.get("session", ""))

    @property
    def spent(self) -> Spent:
        """What the baseline, the decided trials and the claims cost, and what was or may have been paid for others."""
        return sum([*self.unsettled.values(), *self.open.values()], self.settled)

    def paid(self, trial: int) -> Spent:
        """What was, or may have been, paid for a trial that is not decided yet."""
        return self.unsettled.get(trial, NOTHING) + self.open.get(trial, NOTHING)

    @property
    def bought(self) -> Bought:
        """What models gave."""
        replies = [one for _, one in self.replies]
        return Bought(
            calls=len(replies),
            tokens_in=sum(one.tokens_in for one in replies),
            tokens_out=sum(one.tokens_out for one in replies),
            cached=sum(one.cached for one in replies),
            is_priced=all(one.is_priced for one in replies),
        )

    @property
    def burnt(self) -> frozenset[int]:
        """The held-out sets that have served a claim."""
        return frozenset(claim.held_out for _, claim in self.claims)

    @property
    def confirmed(self) -> tuple[int, Claimed] | None:
        """The best claim that held, with the number of its trial."""
        held = [(row[1].verdict.speedup.ratio, row) for row in self.claims if isinstance(row[1].verdict, Faster)]
        return max(held, key=lambda one: one[0])[1] if held else None


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
            return replace(record, baseline=stage, must_measure=False, settled=record.settled + stage.cost)
        case Asked():
            return replace(record, pending={**record.pending, trial: stage})
        case Called() | CallFailed() | Replied():
            return after_call(record, trial, stage)
        case Decided():
            return after_decision(record, trial, stage)
        case Claimed():
            claims = (*record.claims, (trial, stage))
            return replace(record, claims=claims, settled=record.settled + stage.cost)
        case Weighed() | Reproduced():
            return after_looking_on(record, trial, stage)
        case RunEnded():
            return replace(record, ended=stage)
        case Resumed():
            return after_resume(replace(record, ended=None), stage)
        case Applied() | Undone():
            return replace(record, written=stage)
    return record


def after_looking_on(record: Record, trial: int, stage: Weighed | Reproduced) -> Record:
    """What was found of a trial that is judged already."""
    if isinstance(stage, Weighed):
        return replace(record, weighed={**record.weighed, trial: stage})
    return replace(record, reproduced={**record.reproduced, trial: stage})


def after_resume(record: Record, stage: Resumed) -> Record:
    """On another machine nothing stands that was measured: those trials wait to be decided again. Versions that sealed
    no fingerprint measured nothing anew, so in their files nothing waits."""
    before, record = record.machine, replace(record, resumed_on=stage.machine)
    if SEAL not in stage.machine or is_same(before, stage.machine):
        return record
    measured = {one.number: Asked(one.candidate) for one in record.trials if isinstance(one.verdict, MEASURED)}
    claims = tuple(row for row in record.claims if not isinstance(row[1].verdict, MEASURED))
    return replace(
        record,
        trials=tuple(one for one in record.trials if one.number not in measured),
        pending={**record.pending, **measured},
        claims=claims,
        weighed={},
        claims_elsewhere=record.claims_elsewhere + len(record.claims) - len(claims),
        moves=(*record.moves, differences(before, stage.machine)),
        must_measure=record.baseline is not None,
    )


def after_call(record: Record, trial: int, stage: Called | CallFailed | Replied) -> Record:
    """The call that was open is closed: what came of it was its cost, the worst case when nobody heard of it."""
    cost = record.open.get(trial, NOTHING) if isinstance(stage, Called) else stage.cost
    paid = {**record.unsettled, trial: record.unsettled.get(trial, NOTHING) + cost}
    record = replace(record, unsettled=paid, open=without(record.open, trial))
    if isinstance(stage, Called):
        return replace(record, open={**record.open, trial: stage.worst})
    return replace(record, replies=(*record.replies, (trial, stage))) if isinstance(stage, Replied) else record


def after_decision(record: Record, number: int, stage: Decided) -> Record:
    """The trial is done, and its replies are part of its cost. A verdict stands: a second one counts for nothing."""
    if any(trial.number == number for trial in record.trials):
        return replace(record, pending=without(record.pending, number))
    if number not in record.pending:
        raise LedgerCorrupt(f"Trial {number} was decided and never asked.", "Start a new run.")
    trial = Trial(number, record.pending[number].candidate, stage.verdict, stage.cost)
    return replace(
        record,
        trials=(*record.trials, trial),
        pending=without(record.pending, number),
        settled=record.settled + stage.cost,
        unsettled=without(record.unsettled, number),
        open=without(record.open, number),
    )


def without(mapping: dict[int, T], number: int) -> dict[int, T]:
    return {key: value for key, value in mapping.items() if key != number}
