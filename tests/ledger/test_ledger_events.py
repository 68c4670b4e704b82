import dataclasses
import json
import math
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from ledger_samples import CANDIDATES, SPEEDUP, SPENT, STAGES, STARTED, TEXT, VERDICTS

from optagent.core.verdict import Measured as Number
from optagent.core.verdict import Rejected, Unmeasured
from optagent.core.workload import Input
from optagent.errors import LedgerCorrupt
from optagent.ledger.events import Asked, BaselineTaken, Claimed, Decided, Event, Measured, stage_of, to_text
from optagent.ledger.inputs import keep_inputs, load_workload
from optagent.ledger.store import Ledger

RUNS = count()


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    with Ledger.open(tmp_path_factory.mktemp("ledger")) as ledger:
        yield ledger


def through(ledger, stage):
    """The stage as it comes back from the disk."""
    run = f"run {next(RUNS)}"
    ledger.record(run, stage)
    (event,) = ledger.events(run)
    return stage_of(event)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.kind)
def test_every_stage_comes_back_as_it_was(ledger, stage):
    assert through(ledger, stage) == stage


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(VERDICTS, SPENT)
def test_every_verdict_comes_back_as_it_was(ledger, verdict, cost):
    assert through(ledger, Decided(verdict, cost)) == Decided(verdict, cost)


@settings(deadline=None, max_examples=60)
@given(CANDIDATES)
def test_every_patch_comes_back_with_the_same_bytes(ledger, candidate):
    assert through(ledger, Asked(candidate)) == Asked(candidate)


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinities_are_kept_by_name(ledger, value):
    stage = Measured(dataclasses.replace(SPEEDUP, high=value))
    assert through(ledger, stage) == stage


def test_a_claim_of_a_version_that_kept_no_launches_has_none():
    written = json.loads(to_text(Claimed(Rejected("scope"), 1)))
    for name in ("launches", "system", "metadata"):
        del written[name]
    assert stage_of(Event(1, "r", 1, "claimed", 0.0, written)) == Claimed(Rejected("scope"), 1, launches=(), system={})


def test_nan_stays_nan_wherever_it_stands(ledger):
    stage = dataclasses.replace(STARTED, settings={"a": [math.nan, math.inf]})
    first, second = through(ledger, stage).settings["a"]
    assert (math.isnan(first), second) == (True, math.inf)


def test_json_is_ascii_and_unmeasured_is_a_named_variant():
    text = to_text({"memory": Unmeasured("no /proc").__dict__, "cpu": Number(0.0, "s").__dict__, "x": "\udcff€"})
    assert text.isascii()
    assert '"memory": {"reason": "no /proc", "kind": "unmeasured"}' in text


@pytest.mark.parametrize("value", [{1, 2}, Path("a"), b"x", object()])
def test_what_json_cannot_hold_is_refused_at_the_append(ledger, value):
    with pytest.raises(TypeError):
        ledger.append("other", "note", {"value": value})
    assert list(ledger.events("other")) == []


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("decided", {"verdict": {"kind": "splendid"}, "cost": {}}),
        ("asked", {}),
        ("nonsense", {}),
        ("tested", {"passed": "x"}),
    ],
)
def test_an_event_that_is_not_ours_is_told_in_a_sentence(kind, data):
    with pytest.raises(LedgerCorrupt, match=f"Event 3 of run r \\({kind}\\) is not what we wrote"):
        stage_of(Event(3, "r", 0, kind, 0.0, data))


@settings(deadline=None, max_examples=30)
@given(TEXT)
def test_a_field_of_a_later_optagent_is_passed_over(text):
    assert stage_of(Event(1, "r", 0, "tested", 0.0, {"passed": 1, "mood": text})).passed == 1


def test_a_target_written_before_targets_had_kinds_is_a_plain_function():
    data = json.loads(to_text(STARTED))
    for name in ("kind", "is_async", "is_generator"):
        del data["target"][name]
    target = stage_of(Event(1, "r", 0, "run_started", 0.0, data)).target
    assert (target.kind, target.is_async, target.is_generator) == ("function", False, False)


def test_a_workload_comes_back_from_the_ledger_alone(ledger):
    inputs = [Input(b"\x00\xff", "captured"), Input(b"", "workload file", "pickle")]
    baseline = BaselineTaken(
        (), (), keep_inputs(ledger, inputs), (keep_inputs(ledger, inputs[:1]),), 0.0, (("x", ("int",)),)
    )
    workload = load_workload(ledger, through(ledger, baseline))
    assert (workload.search, workload.held_out) == (tuple(inputs), (tuple(inputs[:1]),))
    assert workload.observed_types == (("x", ("int",)),)
