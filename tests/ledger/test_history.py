from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_samples import BASELINE, CANDIDATE, EVIDENCE, FASTER, STARTED

from optagent.core.fingerprint import sealed
from optagent.core.goal import Spent
from optagent.core.outcome import Outcome
from optagent.core.trial import Trial
from optagent.core.verdict import Incorrect, Rejected
from optagent.errors import LedgerCorrupt, RunNotFound
from optagent.ledger.events import (
    Asked,
    Called,
    CallFailed,
    Claimed,
    Compared,
    Decided,
    Event,
    Replied,
    Resumed,
    RunEnded,
)
from optagent.ledger.history import Bought, Record, replay
from optagent.ledger.store import Ledger

REJECTED = Rejected("scope")


@pytest.fixture
def tell(tmp_path):
    """The record of a run of (stage, trial) pairs that went through a real ledger."""
    with Ledger.open(tmp_path) as ledger:

        def record(*steps):
            ledger.forget("r")
            for stage, trial in steps:
                ledger.record("r", stage, trial)
            return replay(ledger.events("r"))

        yield record


def test_a_run_that_only_started(tell):
    assert tell((STARTED, 0)) == Record(STARTED)


def test_a_whole_run(tell):
    record = tell(
        (STARTED, 0),
        (BASELINE, 0),
        (Asked(CANDIDATE), 1),
        (Asked(CANDIDATE), 2),
        (Compared(EVIDENCE), 2),
        (Decided(REJECTED, Spent(1.0, 1)), 2),
        (Decided(FASTER, Spent(3.0, 1)), 1),
        (Claimed(FASTER, 1, Spent(4.0)), 1),
        (RunEnded(Outcome.FASTER, 1), 0),
    )
    assert record.baseline == BASELINE
    assert record.trials == (
        Trial(2, CANDIDATE, REJECTED, Spent(1.0, 1)),
        Trial(1, CANDIDATE, FASTER, Spent(3.0, 1)),
    )
    assert (record.pending, record.burnt) == ({}, {1})
    assert record.claims == ((1, Claimed(FASTER, 1, Spent(4.0))),)
    assert record.ended == RunEnded(Outcome.FASTER, 1)
    assert record.spent == Spent(2.0 + 1.0 + 3.0 + 4.0, 2)


def test_what_was_asked_and_not_decided_is_pending_and_its_reply_is_paid(tell):
    reply = Replied("as it came", "gpt", Spent(1.0, 0, 0.25, 10))
    record = tell((STARTED, 0), (Asked(CANDIDATE), 1), (reply, 1), (reply, 1))
    assert record.pending == {1: Asked(CANDIDATE)}
    assert record.spent == Spent(2.0, 0, 0.5, 20)


WORST = Spent(0.0, 0, 0.5, 900)
CALLED = Called("coder", 0, "gpt", (("user", "why?"),), "v1", WORST)


def test_a_call_whose_end_nobody_heard_counts_as_its_worst_case(tell):
    assert tell((STARTED, 0), (CALLED, 1)).spent == WORST
    assert tell((STARTED, 0), (CALLED, 1), (CALLED, 1)).spent == WORST + WORST


def test_a_reply_or_a_failure_settles_the_call_before_it(tell):
    reply = Replied("as it came", "gpt", Spent(1.0, 0, 0.25, 10))
    assert tell((STARTED, 0), (CALLED, 1), (reply, 1)).spent == reply.cost
    assert tell((STARTED, 0), (CALLED, 1), (CallFailed("429"), 1), (CALLED, 1), (reply, 1)).spent == reply.cost
    assert tell((STARTED, 0), (CALLED, 1), (CallFailed("hung", WORST), 1)).spent == WORST


def test_what_was_paid_for_a_trial_that_was_never_asked_stays_spent(tell):
    reply = Replied("as it came", "gpt", Spent(1.0, 0, 0.25, 10))
    record = tell((STARTED, 0), (CALLED, 3), (reply, 3), (RunEnded(Outcome.BUDGET_EXHAUSTED), 0))
    assert record.spent == record.paid(3) == reply.cost


def test_replies_are_counted_with_their_tokens(tell):
    one = Replied("as it came", "gpt", Spent(1.0, 0, 0.25, 10), "judge", 0, 7, 3, 2)
    two = Replied("as it came", "gpt", Spent(1.0, 0, 0.0, 10), "coder", 0, 6, 4, 0, is_priced=False)
    assert tell((STARTED, 0), (one, 1), (two, 1)).bought == Bought(2, 13, 7, 2, is_priced=False)


def test_the_best_claim_that_held_is_the_confirmed_one(tell):
    better = replace(FASTER, speedup=replace(FASTER.speedup, ratio=3.0))
    steps = [(STARTED, 0)]
    claims = [(Claimed(FASTER, 0), 1), (Claimed(better, 1), 2), (Claimed(REJECTED, 0), 3)]
    assert tell(*steps, *claims).confirmed == (2, Claimed(better, 1))
    assert tell(*steps, claims[2]).confirmed is None


def test_a_decision_names_all_of_its_trial_s_cost(tell):
    reply = Replied("as it came", "gpt", Spent(1.0, 0, 0.25, 10))
    cost = Spent(5.0, 1, 0.25, 10)
    assert tell((STARTED, 0), (reply, 1), (Asked(CANDIDATE), 1), (Decided(REJECTED, cost), 1)).spent == cost


def test_a_trial_asked_again_after_a_crash_is_one_trial(tell):
    decided = Decided(REJECTED, Spent(1.0, 1))
    record = tell((STARTED, 0), (Asked(CANDIDATE), 1), (Resumed("0.1"), 0), (Asked(CANDIDATE), 1), (decided, 1))
    assert ([trial.number for trial in record.trials], record.pending) == ([1], {})


def test_a_verdict_stands(tell):
    first, second = Decided(FASTER, Spent(1.0, 1)), Decided(REJECTED, Spent(9.0, 1))
    record = tell((STARTED, 0), (Asked(CANDIDATE), 1), (first, 1), (Asked(CANDIDATE), 1), (second, 1))
    assert record.trials == (Trial(1, CANDIDATE, FASTER, Spent(1.0, 1)),)
    assert (record.pending, record.spent) == ({}, Spent(1.0, 1))


def test_a_resume_opens_an_ended_run_again(tell):
    ended = RunEnded(Outcome.INTERRUPTED)
    assert tell((STARTED, 0), (ended, 0)).ended == ended
    assert tell((STARTED, 0), (ended, 0), (Resumed("0.1"), 0)).ended is None


def test_kinds_of_a_later_optagent_are_passed_over():
    started = Event(1, "r", 0, "run_started", 0.0, STARTED.__dict__ | {"target": STARTED.target.__dict__})
    assert replay([started, Event(2, "r", 0, "mused", 0.0, {})]) == Record(STARTED)


def test_no_events_are_no_run():
    with pytest.raises(RunNotFound):
        replay([])


@pytest.mark.parametrize("steps", [[(Asked(CANDIDATE), 1)], [(STARTED, 0), (Decided(REJECTED, Spent()), 1)]])
def test_events_that_tell_no_run_are_told_in_a_sentence(tell, steps):
    with pytest.raises(LedgerCorrupt):
        tell(*steps)


@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.sampled_from([Asked(CANDIDATE), Replied("a", "b", Spent(1.0))])), max_size=12
    )
)
def test_every_beginning_of_a_run_is_a_record(steps):
    events = [Event(1, "r", 0, "run_started", 0.0, STARTED.__dict__ | {"target": STARTED.target.__dict__})]
    record = replay([*events, *(Event(2, "r", trial, stage.kind, 0.0, as_json(stage)) for trial, stage in steps)])
    assert set(record.pending) == {trial for trial, stage in steps if isinstance(stage, Asked)}
    assert record.spent.seconds == sum(isinstance(stage, Replied) for _, stage in steps)


def as_json(stage):
    if isinstance(stage, Asked):
        return {"candidate": {"patch": {"changes": []}, "author": "", "idea": ""}}
    return {"reply": "a", "author": "b", "cost": {"seconds": 1.0}}


HERE, THERE = sealed({"cores": 2}), sealed({"cores": 8})
MEASURED_RUN = (
    (replace(STARTED, machine=HERE), 0),
    (BASELINE, 0),
    (Asked(CANDIDATE), 1),
    (Decided(FASTER, Spent(3.0, 1)), 1),
    (Asked(CANDIDATE), 2),
    (Decided(REJECTED, Spent(1.0, 1)), 2),
    (Asked(CANDIDATE), 3),
    (Decided(FASTER, Spent(3.0, 1)), 3),
    (Claimed(FASTER, 0, Spent(4.0)), 1),
    (Claimed(Incorrect(EVIDENCE, "differs"), 1), 3),
)


def test_on_another_machine_nothing_stands_that_was_measured(tell):
    record = tell(*MEASURED_RUN, (Resumed("0.1.0", THERE), 0))
    assert record.machine == THERE
    assert record.moves == ("cores was 2, is 8",)
    assert record.must_measure
    assert [trial.number for trial in record.trials] == [2]
    assert sorted(record.pending) == [1, 3]
    assert (record.confirmed, record.claims_elsewhere, record.burnt) == (None, 1, {1})
    assert record.spent == Spent(2.0 + 3.0 + 1.0 + 3.0 + 4.0, 3)


def test_what_is_measured_anew_there_counts_again(tell):
    anew = (Resumed("0.1.0", THERE), 0), (replace(BASELINE, noise=0.5), 0), (Decided(FASTER, Spent(5.0, 1)), 1)
    record = tell(*MEASURED_RUN, *anew, (Claimed(FASTER, 0), 1))
    assert (record.must_measure, record.baseline.noise) == (False, 0.5)
    assert record.confirmed == (1, Claimed(FASTER, 0))
    assert [trial.number for trial in record.trials] == [2, 1]


def test_on_the_same_machine_everything_stands(tell):
    record = tell(*MEASURED_RUN, (Resumed("0.1.0", HERE), 0))
    assert (len(record.trials), record.moves, record.must_measure) == (3, (), False)
    assert record.confirmed is not None


def test_a_file_of_a_version_without_fingerprints_is_read_as_it_was_written(tell):
    record = tell(*MEASURED_RUN, (Resumed("0.1.0", {"cores": 8}), 0))
    assert (len(record.trials), record.moves) == (3, ())
