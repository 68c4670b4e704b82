"""What became of one run, as a document and as text. Reads values; decides and computes nothing."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from optagent.core.goal import Spent
from optagent.core.outcome import Outcome
from optagent.core.trial import Trial
from optagent.core.verdict import Evidence, Faster, Speedup, Unmeasured, Verdict
from optagent.ledger.events import Applied, Undone, Weighed
from optagent.ledger.history import Bought
from optagent.report.beside import beside_lines, end_to_end_part, growth_part, guards_part, memory_part
from optagent.report.document import (
    NO_DIFFERENCE,
    NOTHING,
    Document,
    EvidencePart,
    WrittenPart,
    cost_part,
    evidence_part,
    speedup_part,
    trial_part,
)
from optagent.report.text import evidence_line, idea_line, one_line, ratio, safe, speedup_line, verdict_line

UNFINISHED = (Outcome.INTERRUPTED, Outcome.FAILED)
"""Runs that `resume` goes on with."""


@dataclass(frozen=True)
class RunReport:
    """A run as it ended. `claim` is the last confirmation's verdict; `winner` the trial that is kept."""

    verb: str
    run: str
    repo: str
    target: str
    outcome: Outcome
    goal: float | None
    claim: Verdict | None
    winner: Trial | None
    trials: tuple[Trial, ...]
    sources: dict[str, int]
    spent: Spent
    bought: Bought
    sandbox: str
    machine: dict[str, Any]
    weighed: Weighed | None
    """What the winner, or what was judged, means beside its number."""
    reproduced: str | Unmeasured | None
    """A test that what was judged fails; None where nothing differed."""
    looked_for: tuple[str, ...]
    hot_lines: tuple[str, ...]
    warnings: tuple[str, ...]
    written: Applied | Undone | None = None
    """What was last done with the winner's patch in the user's files."""
    can_go_on: bool = True
    """Whether `resume` takes it up again when it was interrupted."""
    judged: bool = False
    """Whether somebody else's code was judged (`verify`, `compare`), and nothing was searched for."""

    @property
    def confirmed(self) -> Faster | None:
        return self.claim if isinstance(self.claim, Faster) else None

    @property
    def shown_speedup(self) -> Speedup | None:
        """Of a run what it confirmed; of a patch that was judged what was measured, whatever it says."""
        if self.judged:
            return getattr(self.claim, "speedup", None)
        return self.confirmed.speedup if self.confirmed else None

    @property
    def shown_patch(self) -> str:
        """The patch that is kept, or that was judged."""
        judged = self.trials[0] if self.judged and self.trials else self.winner
        return judged.candidate.patch.diff() if judged else ""


def document(report: RunReport) -> Document:
    """The JSON document of a run."""
    evidence, weighed = getattr(report.claim, "evidence", None), report.weighed
    return Document(
        verb=report.verb,
        run=report.run,
        target=report.target,
        outcome=report.outcome.value,
        speedup=speedup_part(report.shown_speedup),
        end_to_end=end_to_end_part(weighed) if weighed else NOTHING,
        memory=memory_part(weighed) if weighed else NOTHING,
        guards=guards_part(weighed) if weighed else NOTHING,
        growth=growth_part(weighed) if weighed else NOTHING,
        failing_test=NO_DIFFERENCE if report.reproduced is None else report.reproduced,
        evidence=_evidence(evidence, report) if evidence else Unmeasured("nothing came to a claim"),
        patch=report.shown_patch,
        cost=cost_part(report.spent, report.bought),
        sandbox=report.sandbox,
        machine=report.machine,
        trials=[trial_part(trial) for trial in report.trials],
        warnings=list(report.warnings),
        written=_written(report.written),
    )


def _evidence(evidence: Evidence, report: RunReport) -> EvidencePart:
    weighed = report.weighed
    if weighed is None:
        return evidence_part(evidence, report.sources)
    return evidence_part(evidence, report.sources, weighed.oracle, weighed.unexecuted, weighed.beyond)


def _written(done: Applied | Undone | None) -> WrittenPart | None:
    if done is None:
        return None
    if isinstance(done, Undone):
        return WrittenPart(action="undone", files=list(done.files))
    action: Literal["committed", "applied"] = "committed" if done.branch else "applied"
    return WrittenPart(action=action, files=list(done.files), branch=done.branch, commit=done.commit)


def text(report: RunReport, state: Path | None = None) -> str:
    """What a person reads at the end of a run, and again with `show`; `state` is where they said that runs be kept."""
    body = _judged(report) if report.judged and report.trials else [*_result(report), *_tried(report)]
    return safe("\n".join([*body, *_footer(report, state)])) + "\n"


def _judged(report: RunReport) -> list[str]:
    """What became of a patch that somebody else wrote."""
    verdict = report.claim or report.trials[0].verdict
    lines = [f"{report.target}: {report.outcome.value.replace('_', ' ')}"]
    shown = report.shown_speedup
    if shown is not None:
        lines.append(f"  {speedup_line(shown)}")
        lines.append(
            f"  {_time(shown.old_s)} before, {_time(shown.new_s)} after, for one pass over the held-out inputs"
        )
    evidence = getattr(verdict, "evidence", None)
    if evidence is not None and evidence.inputs:
        lines.append(f"  {evidence_line(evidence)}")
    lines += _beside(report)
    return lines if isinstance(verdict, Faster) else [*lines, f"  {verdict_line(verdict)}", *_reproduced(report)]


def _reproduced(report: RunReport) -> list[str]:
    if not isinstance(report.reproduced, str):
        return []
    return [
        "",
        "A test that the untouched code passes and the patch does not:",
        "",
        *report.reproduced.splitlines(),
        "",
    ]


def _beside(report: RunReport) -> list[str]:
    return [f"  {line}" for line in beside_lines(report.weighed)] if report.weighed else []


def _result(report: RunReport) -> list[str]:
    won = report.confirmed
    if won is None or report.winner is None:
        lines = [f"{report.target}: no confirmed speedup ({report.outcome.value.replace('_', ' ')})"]
        return lines + ([f"  last claim: {verdict_line(report.claim)}"] if report.claim else [])
    shown = won.speedup
    return [
        f"{report.target}: {speedup_line(shown)}",
        f"  {_time(shown.old_s)} before, {_time(shown.new_s)} after, for one pass over the held-out inputs",
        f"  {evidence_line(won.evidence)}",
        *_beside(report),
        *(_goal(report.goal, shown.ratio)),
        "",
        safe(report.winner.candidate.patch.diff()).rstrip("\n"),
        "",
    ]


def _goal(goal: float | None, reached: float) -> list[str]:
    return [f"  the goal was {ratio(goal)}: not reached"] if goal and reached < goal else []


def _tried(report: RunReport) -> list[str]:
    if not report.trials:
        looked_for = [f"    {safe(one)}" for one in report.looked_for]
        head = "  nothing was tried" + (": none of these was found in the target" if looked_for else "")
        return [head, *looked_for, *_hot(report)]
    shown = report.trials if report.confirmed is None else ()
    lines = [f"  {one.number}. {idea_line(one.candidate.idea)}: {verdict_line(one.verdict)}" for one in shown]
    return (["  tried:", *lines, *_hot(report)]) if lines else []


def _hot(report: RunReport) -> list[str]:
    return ["  where the time goes:", *(f"    {safe(line)}" for line in report.hot_lines)] if report.hot_lines else []


def _footer(report: RunReport, state: Path | None) -> list[str]:
    count = len(report.trials)
    cost = f"{count} candidate{'' if count == 1 else 's'}, {_money(report)}, {report.spent.seconds:.0f} s"
    lines = [f"warning: {safe(one_line(one, 400))}" for one in report.warnings]
    lines.append(f"run {report.run}: {cost}, sandbox {report.sandbox}")
    if report.written is not None:
        lines.append(_done(report.written))
    if report.winner is not None and not isinstance(report.written, Applied):
        lines.append(f"apply it with: {command('apply', report, state)}")
    elif report.can_go_on and report.outcome in UNFINISHED:
        lines.append(f"go on with: {command('resume', report, state)}")
    return lines


def command(verb: str, report: RunReport, state: Path | None) -> str:
    """What to type to do that with the run."""
    kept = ["--state", str(state)] if state else []
    return shlex.join(["optagent", verb, report.repo, report.run, *kept])


def _money(report: RunReport) -> str:
    """What models cost; where nobody knows, what was used."""
    bought, spent = report.bought, report.spent
    if not bought.is_priced:
        return f"{spent.tokens} tokens (nobody knows their price)"
    return f"${spent.usd:.2f}" if not spent.usd or spent.usd >= 0.01 else f"${spent.usd:.4f}"


def _done(written: Applied | Undone) -> str:
    files = safe(", ".join(written.files))
    if isinstance(written, Undone):
        return f"applied and taken back: {files}"
    return f"committed on {safe(written.branch)}: {files}" if written.branch else f"applied: {files}"


def _time(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
