"""From the ledger (and what a session still knows) to a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optagent.core.fault import fault_of
from optagent.core.outcome import Outcome
from optagent.core.strain import UNKNOWN, likeliest, strain_of
from optagent.core.trial import Trial
from optagent.core.verdict import Faster, Rejected, Verdict
from optagent.languages.command.project import COMMAND_MODULE
from optagent.languages.python.scope.others import also_changed
from optagent.ledger.history import Record
from optagent.report.beside import beside_warnings
from optagent.report.run import RunReport

UNTOLD = "what the untouched code leaves in {} is compared with nothing: {}"
MOST_HOT_LINES = 3
MOST_REASONS = 5
MOST_NAMES = 3
JUDGING = ("verify", "compare")
SELFTEST = "selftest"
"""Verb of a run whose candidates are cheats of ours."""

REHEARSAL = "dry-run"
ONCE = (*JUDGING, SELFTEST, REHEARSAL, "profile")
"""Verbs of runs that `resume` does not take up again."""


def run_report(verb: str, run: str, record: Record, sandbox: str = "") -> RunReport:
    """The report of a run, from its record alone. A run that has not ended is interrupted."""
    kept = record.confirmed or (record.claims[-1] if record.claims else None)
    claim = kept[1].verdict if kept else None
    winner = _winner(record)
    started = record.started
    weighed = record.weighed.get(kept[0]) if kept else None
    costs = beside_warnings(weighed) if weighed else ()
    return RunReport(
        verb=verb,
        run=run,
        repo=started.repo,
        target=str(started.target),
        outcome=record.ended.outcome if record.ended else Outcome.INTERRUPTED,
        goal=started.settings.get("speedup"),
        claim=claim,
        winner=winner,
        trials=record.trials,
        sources=_sources(record),
        spent=record.spent,
        bought=record.bought,
        sandbox=sandbox or str(started.settings.get("rung", "")),
        machine=record.machine,
        weighed=weighed,
        reproduced=record.reproduced[kept[0]].test if kept and kept[0] in record.reproduced else None,
        looked_for=tuple(record.ended.extra.get("looked_for", ())) if record.ended else (),
        hot_lines=_hot_lines(record),
        warnings=(*_warnings(record), *_beside(record, winner), *_thin(claim), *_cannot_tell(record), *costs),
        written=record.written,
        judged=started.verb in JUDGING,
        can_go_on=started.verb not in ONCE,
    )


def moved_note(what: str) -> str:
    """What it means that a run went on elsewhere."""
    return (
        f"the run went on on another machine or runtime ({what}): nothing measured before counts, it is measured anew"
    )


FEW_HELD_OUT = 3


def _thin(claim: Verdict | None) -> tuple[str, ...]:
    """A gain that was shown on very few inputs: they may be like no others."""
    if not isinstance(claim, Faster) or claim.evidence.held_out >= FEW_HELD_OUT:
        return ()
    count = claim.evidence.held_out
    inputs = "1 input that was" if count == 1 else f"{count} inputs that were"
    return (
        f"time and results were confirmed on {inputs} held out, which may be like no others: with a workload file "
        "(`--workload FILE`) there are more",
    )


def _cannot_tell(record: Record) -> tuple[str, ...]:
    """Why this machine could not say, and what to do: by what the system did during the last claim, else while the
    baseline was measured against itself."""
    if record.ended is None or record.ended.outcome is not Outcome.INCONCLUSIVE or record.baseline is None:
        return ()
    if record.claims and getattr(record.claims[-1][1].verdict, "speedup", None) is None:
        return ()  # it was measured, and what it showed was no gain of the code
    asked = record.started.settings.get("min_oracle")
    if any(fault_of(one.oracle, asked) for one in record.weighed.values()):
        return ()  # it was measured, and the checks were too weak for what was asked
    told = [record.baseline.extra.get("system", {}), *(claim.system for _, claim in record.claims)]
    strains = [strain for one in reversed(told) if (strain := strain_of(one)) is not None]
    cause = next((cause for one in strains if (cause := likeliest(one))), UNKNOWN)
    noise = f"the untouched code deviates from itself by {record.baseline.noise:.1%}"
    return (f"this machine cannot tell now ({noise}): {cause.what}. {cause.remedy}",)


def _winner(record: Record) -> Trial | None:
    """The trial whose patch can be applied; what a revision changes is in the repository already."""
    if record.confirmed is None or record.started.verb in ("compare", SELFTEST):
        return None
    if record.ended is not None and not record.ended.winner:
        return None
    number = record.confirmed[0]
    return next(trial for trial in record.trials if trial.number == number)


def _sources(record: Record) -> dict[str, int]:
    counts: dict[str, int] = {}
    if record.baseline:
        for stored in [
            *record.baseline.search,
            *record.baseline.varied,
            *(one for held in record.baseline.held_out for one in held),
        ]:
            counts[stored.source] = counts.get(stored.source, 0) + 1
    return counts


def _hot_lines(record: Record) -> tuple[str, ...]:
    """The lines of the target that took most of its traced time."""
    if record.baseline is None:
        return ()
    lines = record.baseline.profile.get("lines", [])[:MOST_HOT_LINES]
    path = record.started.target.path
    return tuple(f"{path}:{one['line']} {100 * one['share']:.0f} % in {one['hits']} visits" for one in lines)


def _warnings(record: Record) -> tuple[str, ...]:
    if record.baseline is None:
        return ()
    notes = (record.started.settings.get(name) for name in ("note", "passed_over"))
    said = [str(one) for one in notes if one]
    said += [moved_note(one) for one in record.moves]
    if record.baseline.set_aside:
        first = record.baseline.set_aside[0]
        said.append(
            f"{len(record.baseline.set_aside)} tests fail or flake before any change and count as no evidence "
            f"(first: {first})"
        )
    said += _untold(record.baseline.state.untold)
    said += _lost(record.baseline.extra.get("lost", {}))
    said += record.ended.extra.get("notes", []) if record.ended else []
    if not record.baseline.tests:
        said.append("no test reaches the target: only old against new on the workload's inputs was checked")
    return tuple(said)


def _beside(record: Record, winner: Trial | None) -> tuple[str, ...]:
    """What the patch that is shown changes beside the target: nothing compares that on its own."""
    shown = winner or (record.trials[0] if record.started.verb in JUDGING and record.trials else None)
    target = record.started.target
    if shown is None or isinstance(shown.verdict, Rejected) or target.module == COMMAND_MODULE:
        return ()
    names = also_changed(target, shown.candidate.patch)
    if not names:
        return ()
    return (f"the patch also changes {_listed(names)}: only the target is compared, of the rest only the tests say",)


def _untold(state: Sequence[tuple[str, str]]) -> list[str]:
    """What is not compared of what calls leave behind: the names for each reason, the most frequent reasons first."""
    reasons: dict[str, list[str]] = {}
    for name, why in state:
        reasons.setdefault(why, []).append(name)
    rows = sorted(reasons.items(), key=lambda row: -len(row[1]))
    said = [UNTOLD.format(_listed([f"`{name}`" for name in names]), why) for why, names in rows[:MOST_REASONS]]
    rest = sum(len(names) for _, names in rows[MOST_REASONS:])
    return said + ([UNTOLD.format(f"{rest} more places", f"{len(rows) - MOST_REASONS} other reasons")] if rest else [])


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _lost(lost: Mapping[str, int]) -> list[str]:
    """Why calls of the tests could not serve as inputs, the most frequent reasons first."""
    rows = sorted(lost.items(), key=lambda row: (-row[1], row[0]))
    said = [f"{count} calls in the tests could not serve as inputs: {reason}" for reason, count in rows[:MOST_REASONS]]
    rest = sum(count for _, count in rows[MOST_REASONS:])
    return said + (
        [f"{rest} calls in the tests could not serve for {len(rows) - MOST_REASONS} other reasons"] if rest else []
    )
