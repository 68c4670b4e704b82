"""The story of one run: baseline, search, claims, end. `run` and `resume` differ only in what they find done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from optagent.cli import bench
from optagent.cli.progress import Progress
from optagent.cli.settings import RunSettings
from optagent.cli.shop import Counter, Propose, rules_coder
from optagent.cli.workshop import Workshop, look_at, new_run, resumed_run
from optagent.core.goal import Budget, Goal, Spent
from optagent.core.outcome import Outcome
from optagent.core.target import Target
from optagent.core.trial import Trial
from optagent.core.verdict import Faster
from optagent.errors import BaselineBroken, OptagentError
from optagent.ledger.events import Decided, RunEnded
from optagent.ledger.history import Record, replay
from optagent.ledger.store import Ledger
from optagent.search.baseline import Problem, take_baseline
from optagent.search.confirm import Claim, confirm
from optagent.search.loop import Past, search
from optagent.search.policy import Greedy
from optagent.verify.survey import Survey

CLAIM_RESERVE = 0.25
"""Share of the minutes that the search may not use: a claim must always be affordable."""

UNBOUNDED = 10**12
Coder = Callable[[Counter], Propose]


@dataclass(frozen=True)
class Broken:
    """A target that cannot be judged: its untouched code fails, or nothing exercises it."""

    target: Target
    fault: BaselineBroken


@dataclass(frozen=True)
class Ended:
    """How a session ended. `trial` is the one that is kept, if any."""

    workshop: Workshop
    problem: Problem
    trials: tuple[Trial, ...]
    claims: tuple[Claim, ...]
    outcome: Outcome
    trial: Trial | None

    @property
    def goal_met(self) -> bool:
        verdict = self.claims[-1].verdict if self.claims else None
        goal = Goal(self.workshop.settings.speedup)
        return isinstance(verdict, Faster) and goal.met_by(verdict.speedup.ratio)


def start(
    wanted: Sequence[RunSettings], state: Path | None, progress: Progress, coder: Coder = rules_coder
) -> Iterator[Ended | Broken]:
    """One new run for each of the settings (which differ in their target only), from its first event to its last.

    The tests of the untouched code are run for all targets together. Raises what is wrong with all of them.
    """
    progress.stage("looking at the project")
    ground = look_at(wanted, state)
    progress.stage(f"environment: {ground.adapter.described}")
    runs: list[Workshop] = []
    try:
        for settings, target in zip(wanted, ground.targets, strict=True):
            runs.append(new_run(settings, ground, target, runs[0].base if runs else None))
        progress.stage("running the tests twice")
        survey = runs[0].survey(ground.targets)
    except OptagentError:
        for workshop in runs:
            workshop.abandon()
        raise
    for number, workshop in enumerate(runs):
        yield _one(workshop.with_folders(survey.folders), survey, number, progress, coder)


def _one(workshop: Workshop, survey: Survey, number: int, progress: Progress, coder: Coder) -> Ended | Broken:
    try:
        problem = _baseline(workshop, survey, number, progress)
    except BaselineBroken as fault:
        return Broken(workshop.target, fault)
    return _go_on(workshop, problem, _record(workshop), progress, coder)


def resume(run: str, ledger: Ledger, place: Path, progress: Progress, coder: Coder = rules_coder) -> Ended:
    """An interrupted run from where its ledger ends; decided trials keep their verdicts."""
    record = replay(ledger.events(run))
    workshop = resumed_run(run, record, ledger, place)
    if record.baseline:
        problem = bench.restored(workshop, record.baseline)
    else:
        progress.stage("running the tests twice")
        survey = _surveyed(workshop)
        workshop = workshop.with_folders(survey.folders)
        problem = _baseline(workshop, survey, 0, progress)
    return _go_on(workshop, problem, _record(workshop), progress, coder)


def _surveyed(workshop: Workshop) -> Survey:
    try:
        return workshop.survey((workshop.target,))
    except OptagentError:
        workshop.abandon()
        raise


def _baseline(workshop: Workshop, survey: Survey, number: int, progress: Progress) -> Problem:
    """The baseline taken and recorded; a run whose baseline is broken leaves nothing in the ledger."""
    began = time.monotonic()
    try:
        problem = take_baseline(bench.bench(workshop, survey, number, progress.stage))
    except OptagentError:
        workshop.abandon()
        raise
    bench.store(workshop, problem, survey, survey.seconds + survey.capture_seconds + time.monotonic() - began)
    return problem


def _record(workshop: Workshop) -> Record:
    return replay(workshop.ledger.events(workshop.run))


def _go_on(workshop: Workshop, problem: Problem, record: Record, progress: Progress, coder: Coder) -> Ended:
    counter = Counter(workshop, problem, progress.stage)
    propose = coder(counter)
    parts = counter.shop(propose)
    trials = list(record.trials)
    past = Past(record.trials, sorted(record.pending.items()))
    for trial in search(Greedy(propose), parts, _budget(workshop.settings, record), past):
        workshop.ledger.record(workshop.run, Decided(trial.verdict, trial.cost), trial.number)
        trials.append(trial)
        progress.trial(trial)
    claims = _past_claims(record)
    if not (claims and isinstance(claims[-1].verdict, Faster)):
        for claim in confirm(trials, parts, len(problem.workload.held_out), claims):
            claims.append(claim)
    return _end(counter, tuple(trials), tuple(claims))


def _budget(settings: RunSettings, record: Record) -> Budget:
    """What is left for the search, a claim's share set aside. Money and tokens come with models (step 3)."""
    seconds = settings.minutes * 60 * (1 - CLAIM_RESERVE)
    limit = Spent(seconds=seconds, trials=settings.trials, usd=UNBOUNDED, tokens=UNBOUNDED)
    return Budget(limit, replace(record.spent, trials=len(record.trials)))


def _past_claims(record: Record) -> list[Claim]:
    by_number = {trial.number: trial for trial in record.trials}
    return [Claim(by_number[number], claimed.held_out, claimed.verdict) for number, claimed in record.claims]


def _end(counter: Counter, trials: tuple[Trial, ...], claims: tuple[Claim, ...]) -> Ended:
    workshop = counter.workshop
    won = claims[-1].trial if claims and isinstance(claims[-1].verdict, Faster) else None
    outcome = _outcome(workshop, trials, claims, won)
    ended = RunEnded(outcome, won.number if won else 0, {"looked_for": counter.looked_for})
    workshop.ledger.record(workshop.run, ended)
    workshop.clear()
    return Ended(workshop, counter.problem, trials, claims, outcome, won)


def _outcome(workshop: Workshop, trials: tuple[Trial, ...], claims: tuple[Claim, ...], won: Trial | None) -> Outcome:
    if won is not None:
        return Outcome.FASTER
    if len(trials) >= workshop.settings.trials:
        return Outcome.BUDGET_EXHAUSTED
    return Outcome.INCONCLUSIVE if claims else Outcome.NOTHING_FOUND
