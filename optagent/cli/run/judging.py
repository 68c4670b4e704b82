"""One judgement of code that nobody chose among others: baseline, verdict, record. `verify` and `compare` share it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from optagent.cli.run import bench
from optagent.cli.run.evidence import weakness
from optagent.cli.run.reports import run_report
from optagent.cli.run.shop import Counter
from optagent.cli.run.workshop import Workshop
from optagent.core.fault import fault_of
from optagent.core.goal import Spent
from optagent.core.outcome import Outcome, referee_outcome
from optagent.core.verdict import Verdict
from optagent.errors import BadSetting
from optagent.ledger.events import UNPLANTED, Decided, RunEnded
from optagent.ledger.history import replay
from optagent.report.run import RunReport
from optagent.search.baseline import take_baseline
from optagent.verify.survey import Survey

ONLY_TRIAL = 1
GATED = (Outcome.FASTER, Outcome.EQUIVALENT, Outcome.INCONCLUSIVE)
"""What weak checks make inconclusive, or more so; what is wrong or slower is so all the same."""

PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%")


def factor_of(max_slowdown: str) -> float:
    """`--max-slowdown` as a factor. Raises BadSetting.

    >>> factor_of("5%"), factor_of("0.5 %")
    (1.05, 1.005)
    """
    found = PERCENT.fullmatch(max_slowdown.strip())
    if found is None:
        raise BadSetting(f"--max-slowdown {max_slowdown} means nothing", "Give a percentage, like `5%`.")
    return 1 + float(found[1]) / 100


def judged(
    workshop: Workshop,
    survey: Survey,
    number: int,
    stage: Callable[[str], None],
    judge: Callable[[Counter], Verdict],
    max_slowdown: float,
    notes: Sequence[str] = (),
) -> RunReport:
    """The run from its survey (its target is the one of that number) to its end; `judge` takes the only trial, and may
    add to the notes.

    BaselineBroken when the untouched code cannot be judged against; then nothing is left of the run.
    """
    began = time.monotonic()
    workshop = workshop.with_folders(survey.folders)
    with workshop.or_nothing():
        problem = take_baseline(bench.bench(workshop, survey, number, stage))
        seconds = survey.seconds + survey.capture_seconds + time.monotonic() - began
        bench.store(workshop, problem, survey, seconds)
    began = time.monotonic()
    with ExitStack() as ending:
        ending.callback(workshop.clear)
        verdict = judge(Counter(workshop, problem, stage))
    spent = Spent(seconds=time.monotonic() - began, trials=1)
    workshop.ledger.record(workshop.run, Decided(verdict, spent), ONLY_TRIAL)
    outcome = referee_outcome(verdict, max_slowdown)
    if outcome in GATED and (weakness := _weakness(workshop)):
        is_told = weakness == getattr(verdict, "reason", None)
        outcome, notes = Outcome.INCONCLUSIVE, notes if is_told else [*notes, weakness]
    kept = ONLY_TRIAL if outcome is Outcome.FASTER else 0
    workshop.ledger.record(workshop.run, RunEnded(outcome, kept, {"notes": list(notes)}))
    with workshop.ledger:
        record = replay(workshop.ledger.events(workshop.run))
        return run_report(record.started.verb, workshop.run, record, workshop.sandbox.rung)


def _weakness(workshop: Workshop) -> str | None:
    """Why the evidence does not suffice for what was asked."""
    weighed = replay(workshop.ledger.events(workshop.run)).weighed.get(ONLY_TRIAL)
    least = workshop.settings.min_oracle
    return weakness(weighed, least) if weighed else fault_of(UNPLANTED, least)
