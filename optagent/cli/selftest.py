"""`verify --selftest`: cheats are planted in the user's own function, and have to lose, before any money is spent."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from optagent.cli.endings import failed
from optagent.cli.run.progress import Progress
from optagent.cli.run.reports import SELFTEST, run_report
from optagent.cli.run.session import Broken, Prepared, prepared
from optagent.cli.run.shop import Counter
from optagent.cli.settings.config import read
from optagent.core.goal import Spent
from optagent.core.outcome import Outcome, referee_exit_code
from optagent.core.patch import Candidate
from optagent.core.verdict import Faster, Verdict
from optagent.errors import BadTarget, OptagentError
from optagent.languages.python.cheats import Cheat, cheats
from optagent.ledger.events import Decided, RunEnded
from optagent.ledger.history import replay
from optagent.report.run import RunReport, document
from optagent.report.selftest import selftest_text
from optagent.search.decide import decide
from optagent.search.policy import Proposal


def selftest(repo: Path, given: Mapping[str, Any], json: bool) -> int:
    """Every cheat judged as a candidate of a run would be; success when none is called faster."""
    asked = read(repo, given, os.environ)
    target = asked.only_target() if asked.command is None or asked.targets else ""
    settings = asked.run_settings(target)
    try:
        with Progress(settings.minutes, quiet=json) as progress:
            (found,) = prepared([settings], asked.state, progress, SELFTEST)
            if isinstance(found, Broken):
                raise found.fault
            report = _report(found, progress)
    except OptagentError as fault:
        return failed("verify", target, fault, json)
    sys.stdout.write(document(report).as_json() + "\n" if json else selftest_text(report))
    return referee_exit_code(report.outcome)


def _report(found: Prepared, progress: Progress) -> RunReport:
    workshop = found.workshop
    counter = Counter(workshop, found.problem, progress.stage)
    planted = cheats(counter.original, workshop.target) if workshop.target.path.endswith(".py") else []
    if not planted:
        workshop.abandon()
        raise BadTarget(
            f"no cheat can be planted in {workshop.target}",
            "Give a Python function that is neither a generator nor async (those run when somebody asks), and has no "
            "chain of hundreds of terms.",
        )
    found.store()
    verdicts = [_judged(counter, number, cheat) for number, cheat in enumerate(planted, 1)]
    is_fooled = any(isinstance(one, Faster) for one in verdicts)
    outcome = Outcome.INCORRECT if is_fooled else Outcome.EQUIVALENT
    workshop.ledger.record(workshop.run, RunEnded(outcome, 0, {"notes": []}))
    workshop.clear()
    with workshop.ledger:
        record = replay(workshop.ledger.events(workshop.run))
        return run_report("verify", workshop.run, record, workshop.sandbox.rung)


def _judged(counter: Counter, number: int, cheat: Cheat) -> Verdict:
    """As a run would judge it, but for its scope: which lines it touches is not what is asked here."""
    began, shop = time.monotonic(), replace(counter.shop(lambda _: Spent()), screen=lambda number, candidate: None)
    candidate = Candidate(counter.patch_to(cheat.text), SELFTEST, f"{cheat.name}: {cheat.words}")
    shop.asked(number, Proposal(candidate))
    verdict = decide(number, candidate, shop)
    if isinstance(verdict, Faster):
        with shop.checkout(candidate) as tree:
            verdict = shop.claim(number, tree, 0, 0)
    counter.record(number, Decided(verdict, Spent(seconds=time.monotonic() - began, trials=1)))
    return verdict
