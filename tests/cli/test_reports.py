"""What a report says of a machine: which one it was, that a run went on elsewhere, and why it could not tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from optagent.cli.run.reports import run_report
from optagent.core.fault import Strength, Unexecuted
from optagent.core.goal import Spent
from optagent.core.outcome import Outcome, is_drowned
from optagent.core.patch import EMPTY, Candidate
from optagent.core.target import Target
from optagent.core.trial import Trial
from optagent.core.verdict import Evidence, Faster, Inconclusive, Rejected, Speedup, Unmeasured
from optagent.core.workload import State
from optagent.ledger.events import BaselineTaken, Claimed, RunEnded, RunStarted, Weighed
from optagent.ledger.history import Record
from optagent.report.beside import beside_warnings
from optagent.report.run import document, text
from optagent.verify.admit import Admitted

SPEEDUP = Speedup(1.04, 0.9, 1.2, 0.99, 30, 17, 0.08, "cpu", 2.0, 1.9, 1.0)
UNTOLD = Inconclusive("within the noise", Evidence(1, 5, 3), SPEEDUP)
STARTED = RunStarted("run", "/repo", "f", Target("m.py", "f", "m", ".", 1), 1, "0.1.0", "ab" * 32, {}, {"cores": 2})
BASELINE = BaselineTaken(("t.py::a",), (), (), (), 0.08, extra={"system": {"seconds": 2.0, "load": 3.0}})
RECORD = Record(STARTED, BASELINE, ended=RunEnded(Outcome.INCONCLUSIVE))


def warnings(record: Record) -> list[str]:
    return [one for one in run_report("run", "r", record).warnings if "cannot tell" in one]


def test_what_the_system_did_during_the_claim_is_the_reason_that_is_told():
    stolen = Claimed(UNTOLD, 0, system={"seconds": 3.0, "load": 0.4, "steal": 0.3})
    (said,) = warnings(replace(RECORD, claims=((1, stolen),)))
    assert said.startswith(
        "this machine cannot tell now (the untouched code deviates from itself by 8.0%): the host took"
    )
    assert "30%" in said
    assert said.endswith("on a machine that shares its cores with nobody.")


def test_without_a_claim_it_is_what_it_did_while_the_baseline_was_measured_against_itself():
    (said,) = warnings(RECORD)
    assert "3.0 programs wanted each core" in said
    assert "warning: this machine cannot tell now" in text(run_report("run", "r", RECORD))


def test_where_the_system_shows_nothing_that_is_said_too():
    (said,) = warnings(replace(RECORD, baseline=replace(BASELINE, extra={})))
    assert "nothing that the system tells of itself explains it" in said
    assert "--thorough" in said


@pytest.mark.parametrize("outcome", [one for one in Outcome if one is not Outcome.INCONCLUSIVE])
def test_any_other_outcome_blames_no_machine(outcome):
    assert warnings(replace(RECORD, ended=RunEnded(outcome))) == []


def test_checks_that_are_too_weak_for_what_was_asked_are_no_fault_of_the_machine():
    weak = Weighed(*[Unmeasured("no time")] * 3, Strength(20, 10, ()))
    asked = replace(STARTED, settings={"min_oracle": 90.0})
    record = replace(RECORD, started=asked, weighed={1: weak})
    assert warnings(record) == []
    assert warnings(replace(record, started=STARTED)) != []


def test_a_run_that_ended_without_a_winner_has_none_whatever_was_claimed():
    trial = Trial(1, Candidate(EMPTY, "user", "a patch"), Faster(SPEEDUP, Evidence()), Spent())
    record = replace(RECORD, trials=(trial,), claims=((1, Claimed(trial.verdict, 0)),))
    assert run_report("verify", "r", replace(record, ended=RunEnded(Outcome.FASTER, 1))).winner is trial
    assert run_report("verify", "r", record).winner is None


def test_a_run_that_went_on_elsewhere_says_so_and_shows_the_machine_it_was_last_on():
    record = replace(RECORD, moves=("kernel was 6.1, is 6.8",), resumed_on={"cores": 8})
    report = run_report("run", "r", record)
    assert report.warnings[0].startswith("the run went on on another machine or runtime (kernel was 6.1, is 6.8)")
    assert document(report).machine == {"cores": 8}


@pytest.mark.parametrize(
    ("verdict", "drowned"),
    [
        (UNTOLD, True),
        (replace(UNTOLD, speedup=replace(SPEEDUP, ratio=1.005)), False),
        (replace(UNTOLD, speedup=replace(SPEEDUP, ratio=1.2)), False),
        (replace(UNTOLD, speedup=replace(SPEEDUP, noise=0.004, ratio=1.004)), False),
        (replace(UNTOLD, speedup=None), False),
        (Faster(SPEEDUP, Evidence()), False),
        (Rejected("scope"), False),
    ],
)
def test_a_gain_is_drowned_when_it_is_one_and_the_noise_is_larger(verdict, drowned):
    assert is_drowned(verdict) is drowned


def test_state_that_cannot_be_compared_is_told_by_reason_and_within_bounds():
    untold = [(f"m:clock_{n}", "not the same twice") for n in range(9)] + [(f"m:{n}", f"a lock {n}") for n in range(7)]
    record = replace(RECORD, baseline=replace(BASELINE, state=State((), tuple(untold))))
    said = [one for one in run_report("run", "r", record).warnings if "compared with nothing" in one]
    assert len(said) == 6
    assert said[0].endswith(
        "in `m:clock_0`, `m:clock_1`, `m:clock_2` and 6 more is compared with nothing: not the same twice"
    )
    assert said[1].endswith("in `m:0` is compared with nothing: a lock 0")
    assert said[-1].endswith("in 3 more places is compared with nothing: 3 other reasons")


def test_inputs_that_do_not_serve_are_counted_together_wherever_their_objects_lie():
    admitted = Admitted()
    for n in range(19):
        admitted.lose(f"cannot be opened again: ValueError: <object object at 0x7f6ca85a5{n:02}0> is not a valid Kind")
    assert admitted.lost == {"cannot be opened again: ValueError: <object object> is not a valid Kind": 19}


NOTHING = [Unmeasured("no time")] * 3


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((7,), "in line 7: nothing"),
        ((12, 3, 4, 5), "in lines 3-5, 12: nothing"),
        (tuple(range(60, 0, -2)), "in lines 2, 4, 6, 8, 10, 12, 14, 16 and 22 more places: nothing"),
    ],
)
def test_lines_that_no_input_executes_are_told_in_order_and_within_bounds(lines, said):
    (warning,) = beside_warnings(Weighed(*NOTHING, unexecuted=Unexecuted(lines)))
    assert said in warning
