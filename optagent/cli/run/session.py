"""The story of one run: baseline, search, claims, end. `run` and `resume` differ only in what they find done."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

from optagent.cli.run import bench
from optagent.cli.run.progress import Progress
from optagent.cli.run.proposing import limit_of, proposers
from optagent.cli.run.reports import ONCE, moved_note
from optagent.cli.run.shop import Coder, Counter, rules_coder
from optagent.cli.run.workshop import Ground, Workshop, look_at, new_run, resumed_run
from optagent.cli.settings.run_settings import RunSettings
from optagent.core.goal import Goal, Spent
from optagent.core.outcome import Outcome, is_drowned
from optagent.core.target import Target
from optagent.core.trial import Trial
from optagent.core.verdict import Faster
from optagent.errors import BaselineBroken, OptagentError, ProviderFault
from optagent.ledger.events import BaselineTaken, Decided, RunEnded
from optagent.ledger.history import Record, replay
from optagent.ledger.store import Ledger
from optagent.search.baseline import Problem, take_baseline
from optagent.search.confirm import MOST_CLAIMS, Claim, confirm
from optagent.search.loop import Past, search
from optagent.search.policy import Proposal
from optagent.search.purse import Purse
from optagent.verify.survey import Survey
from optagent.workspace.presence import Presence


@dataclass(frozen=True)
class Broken:
    """A target that cannot be judged: its untouched code fails, or nothing exercises it."""

    target: Target
    fault: BaselineBroken


@dataclass(frozen=True)
class Ended:
    """How a session ended. `trial` is the one that is kept, if any, and `claim` what confirmed it; `fault` is why
    nobody answered any more, and then the run can be resumed."""

    workshop: Workshop
    problem: Problem
    trials: tuple[Trial, ...]
    claims: tuple[Claim, ...]
    outcome: Outcome
    trial: Trial | None
    claim: Faster | None = None
    fault: ProviderFault | None = None

    @property
    def goal_met(self) -> bool:
        goal = Goal(self.workshop.settings.speedup)
        return self.claim is not None and goal.met_by(self.claim.speedup.ratio)


def start(
    wanted: Sequence[RunSettings], state: Path | None, progress: Progress, coder: Coder = rules_coder
) -> Iterator[Ended | Broken]:
    """One new run for each of the settings (which differ in their target only), from its first event to its last.

    The tests of the untouched code are run for all targets together. Raises what is wrong with all of them.
    """
    with closing(prepared(wanted, state, progress)) as targets:
        for found in targets:
            if isinstance(found, Broken):
                yield found
                continue
            found.store()
            yield _go_on(found.workshop, found.problem, progress, coder)


@dataclass(frozen=True)
class Prepared:
    """A run whose baseline is taken and not yet on record; `seconds` is what that took."""

    workshop: Workshop
    problem: Problem
    survey: Survey
    seconds: float

    def store(self) -> None:
        bench.store(self.workshop, self.problem, self.survey, self.seconds)


def prepared(
    wanted: Sequence[RunSettings], state: Path | None, progress: Progress, verb: str = "run"
) -> Generator[Prepared | Broken]:
    """Each run of a session as its turn comes, up to its baseline. One that is not stored has to be abandoned; of those
    that cannot be resumed nothing is left when their turn does not come."""
    progress.stage("looking at the project")
    ground = look_at(wanted, state)
    progress.stage(f"environment: {ground.adapter.described}")
    waiting: deque[Workshop] = deque()
    with ExitStack() as ending:
        ending.callback(ground.presence.leave)
        if verb in ONCE:
            ending.callback(_abandon_all, waiting)
        survey = _surveyed_together(wanted, ground, waiting, progress, verb)
        for number in range(len(waiting)):
            workshop = waiting.popleft()
            progress.next_target()
            if len(wanted) > 1:
                progress.stage(f"target {number + 1} of {len(wanted)}: {workshop.target}")
            try:
                yield _baseline(workshop.with_folders(survey.folders), survey, number, progress)
            except BaselineBroken as fault:
                yield Broken(workshop.target, fault)


def _surveyed_together(
    wanted: Sequence[RunSettings], ground: Ground, begun: deque[Workshop], progress: Progress, verb: str
) -> Survey:
    """The tests run once for all runs of the session, which have begun; what is wrong with all of them leaves none."""
    try:
        for settings, target in zip(wanted, ground.targets, strict=True):
            first = begun[0] if begun else None
            origin, session = (first.base, first.run) if first else (None, "")
            begun.append(new_run(settings, ground, target, origin, verb, session))
        ground.presence.take(begun[0].run)
        progress.stage("running the tests twice")
        return begun[0].survey(ground.targets)
    except OptagentError:
        _abandon_all(begun)
        raise


def _abandon_all(begun: deque[Workshop]) -> None:
    while begun:
        begun.popleft().abandon()


def resume(run: str, ledger: Ledger, place: Path, progress: Progress, coder: Coder = rules_coder) -> Ended:
    """An interrupted run from where its ledger ends; decided trials keep their verdicts. Raises RunBusy."""
    presence = Presence(place)
    with ExitStack() as ending:
        ending.callback(presence.leave)
        presence.enter()
        presence.take(replay(ledger.events(run)).session or run)
        record = replay(ledger.events(run))  # to which nobody adds any more
        workshop = resumed_run(run, record, ledger, presence)
        if record.baseline:
            return _go_on(workshop, _restored(workshop, record.baseline, progress), progress, coder)
        progress.stage("running the tests twice")
        survey = _surveyed(workshop)
        found = _baseline(workshop.with_folders(survey.folders), survey, 0, progress)
        found.store()
        return _go_on(found.workshop, found.problem, progress, coder)


def _restored(workshop: Workshop, taken: BaselineTaken, progress: Progress) -> Problem:
    """The baseline from the record; on another machine than it was taken on, measured anew."""
    record = _record(workshop)
    if not record.must_measure:
        return bench.restored(workshop, taken)
    progress.note(moved_note(record.moves[-1]))
    progress.stage("measuring the baseline against itself")
    return bench.measured_anew(workshop, taken)


def _surveyed(workshop: Workshop) -> Survey:
    try:
        return workshop.survey((workshop.target,))
    except OptagentError:
        workshop.abandon()
        raise


def _baseline(workshop: Workshop, survey: Survey, number: int, progress: Progress) -> Prepared:
    """The baseline taken; a run whose baseline is broken leaves nothing in the ledger."""
    began = time.monotonic()
    try:
        problem = take_baseline(bench.bench(workshop, survey, number, progress.stage))
    except OptagentError:
        workshop.abandon()
        raise
    seconds = survey.seconds + survey.capture_seconds + time.monotonic() - began
    return Prepared(workshop, problem, survey, seconds)


def _record(workshop: Workshop) -> Record:
    return replay(workshop.ledger.events(workshop.run))


def _go_on(workshop: Workshop, problem: Problem, progress: Progress, coder: Coder) -> Ended:
    return Session(workshop, problem, progress, _record(workshop), coder).go_on()


class Session:
    """The search of one run, and the claims that come of it."""

    def __init__(self, workshop: Workshop, problem: Problem, progress: Progress, record: Record, coder: Coder) -> None:
        self.workshop, self.progress = workshop, progress
        self.counter = Counter(workshop, problem, progress.stage, claims_elsewhere=record.claims_elsewhere)
        self.goal = Goal(workshop.settings.speedup)
        self.trials = list(record.trials)
        self.claims = _past_claims(record)
        spent = replace(record.spent, trials=len(record.trials))
        reserved = Spent(trials=len(record.pending))
        limit = limit_of(workshop.settings, bought_elsewhere(workshop.ledger, workshop.run, record))
        self.purse = Purse(limit, spent, time.monotonic, reserved)
        self.proposers = proposers(self.counter, coder, self.purse, record, progress.note)
        self.shop = self.counter.shop(self.proposers.paid)
        pending = [(number, Proposal(one.candidate, one.fault)) for number, one in sorted(record.pending.items())]
        self.past = Past(record.trials, pending)

    def go_on(self) -> Ended:
        fault = None
        try:
            self._search()
        except ProviderFault as raised:
            fault = raised
        if not self._is_goal_met():
            self._claim(self.trials, MOST_CLAIMS)
        return self._end(fault)

    def _search(self) -> None:
        """Trials until the goal is confirmed, nothing is left to try, or the purse refuses."""
        if self.goal.speedup:  # what an earlier session has decided, and may have met it with
            self._claim([one for one in self.trials if self.goal.met_by(one.ratio)], MOST_CLAIMS - 1)
        if self._is_goal_met():
            return
        width = self.workshop.at_once
        for trial in search(self.proposers.policy, self.shop, self.purse, self.past, width):
            self.workshop.ledger.record(self.workshop.run, Decided(trial.verdict, trial.cost), trial.number)
            self.trials.append(trial)
            self.progress.trial(trial)
            if self.goal.speedup and self.goal.met_by(trial.ratio):
                self._claim([trial], MOST_CLAIMS - 1)  # the last claim is for the best of all
            if self._is_goal_met():
                return

    def _claim(self, trials: Sequence[Trial], most: int) -> None:
        """The best of those that look better than what is confirmed already."""
        best = self._confirmed()
        floor = best.verdict.speedup.ratio if best and isinstance(best.verdict, Faster) else 0.0
        sets = len(self.counter.problem.workload.held_out)
        worth = [trial for trial in trials if trial.ratio > floor]
        for claim in confirm(worth, self.shop, sets, tuple(self.claims), most):
            self.claims.append(claim)

    def _confirmed(self) -> Claim | None:
        """The best claim that held."""
        held = [(one.verdict.speedup.ratio, k) for k, one in enumerate(self.claims) if isinstance(one.verdict, Faster)]
        return self.claims[max(held)[1]] if held else None

    def _is_goal_met(self) -> bool:
        """Whether what was asked for is confirmed: without a goal the best of all is looked for."""
        best = self._confirmed()
        if best is None or not isinstance(best.verdict, Faster) or self.goal.speedup is None:
            return False
        return self.goal.met_by(best.verdict.speedup.ratio)

    def _end(self, fault: ProviderFault | None) -> Ended:
        """The run closed on record, unless nobody answered and nothing was won: then it waits to be resumed."""
        workshop, best = self.workshop, self._confirmed()
        trials, claims = tuple(self.trials), tuple(self.claims)
        won = best.trial if best else None
        held = best.verdict if best and isinstance(best.verdict, Faster) else None
        if fault is not None and won is None:
            return Ended(workshop, self.counter.problem, trials, claims, Outcome.FAILED, None, None, fault)
        outcome = self._outcome(won)
        extra = {"looked_for": self.counter.looked_for, "notes": self._notes(fault)}
        workshop.ledger.record(workshop.run, RunEnded(outcome, won.number if won else 0, extra))
        workshop.clear()
        return Ended(workshop, self.counter.problem, trials, claims, outcome, won, held)

    def _notes(self, fault: ProviderFault | None) -> list[str]:
        """Why the search ended before it had nothing left to try."""
        said = [f"the search ended early: {fault.message}"] if fault else []
        return [*said, f"the search ended early: {self.purse.refusal}"] if self.purse.refusal else said

    def _outcome(self, won: Trial | None) -> Outcome:
        if won is not None:
            return Outcome.FASTER
        if self.purse.refusal:
            return Outcome.BUDGET_EXHAUSTED
        is_open = bool(self.claims) or any(is_drowned(trial.verdict) for trial in self.trials)
        return Outcome.INCONCLUSIVE if is_open else Outcome.NOTHING_FOUND


def bought_elsewhere(ledger: Ledger, run: str, record: Record) -> Spent:
    """What the other runs of the same session have spent, or may have: the cap on money and tokens is the session's."""
    session = record.session
    others = (name for name in ledger.runs() if name != run)
    started = ((name, next(iter(ledger.events(name, "run_started")), None)) for name in others)
    same = [name for name, event in started if event and event.data["settings"].get("session") == session]
    return sum((replay(ledger.events(name)).spent for name in same), Spent())


def _past_claims(record: Record) -> list[Claim]:
    """Claims that stand. The trial of one that was refuted may wait to be measured on another machine."""
    waiting = {number: one.candidate for number, one in record.pending.items()}
    by_number = {number: Trial(number, waiting[number], claim.verdict, claim.cost)
                 for number, claim in record.claims if number in waiting}  # fmt: skip
    by_number |= {trial.number: trial for trial in record.trials}
    return [Claim(by_number[number], claimed.held_out, claimed.verdict) for number, claimed in record.claims]
