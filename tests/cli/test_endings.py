"""A fault that ends a session takes nothing back of what was found before it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from optagent.cli.endings import Shown, close_judged, gather
from optagent.core.outcome import Outcome
from optagent.errors import BaselineBroken, OptagentError, SandboxBroken
from optagent.report.document import failure

BROKEN = SandboxBroken("the sandbox ended before its time", "Type `optagent doctor`.")


def results(*before: Outcome, fault: OptagentError = BROKEN) -> Iterator[Shown]:
    for number, outcome in enumerate(before):
        yield Shown(failure("compare", f"m:f{number}", outcome.value), outcome)
    raise fault


def closed(*before: Outcome, fault: OptagentError = BROKEN, as_json: bool = True) -> int:
    shown: list[Shown] = []
    gather(shown, "compare", results(*before, fault=fault), ["m:f0", "m:f1", "m:f2"])
    return close_judged("compare", shown, [], as_json)


@pytest.mark.parametrize(
    ("before", "code", "outcome"),
    [(Outcome.INCORRECT, 6, "incorrect"), (Outcome.EQUIVALENT, 3, "failed"), (Outcome.CANNOT_COMPARE, 3, "failed")],
)
def test_the_worst_of_results_and_fault_decides(before, code, outcome, capsys):
    assert closed(before) == code
    said = json.loads(capsys.readouterr().out)
    assert said["outcome"] == outcome
    assert [one["outcome"] for one in said["results"]] == [before.value, "failed", "failed"]
    assert [one["target"] for one in said["results"]] == ["m:f0", "m:f1", "m:f2"]
    assert said["results"][0]["error"] is None
    for one in said["results"][1:]:
        assert (one["error"]["slug"], one["error"]["hint"]) == ("sandbox-broken", "Type `optagent doctor`.")


def test_a_baseline_that_is_broken_is_told_as_that(capsys):
    assert closed(Outcome.EQUIVALENT, fault=BaselineBroken("no test passes")) == 3
    assert json.loads(capsys.readouterr().out)["outcome"] == "baseline_broken"


def test_people_get_a_line_for_each_and_what_to_type(capsys):
    assert closed(Outcome.INCORRECT, Outcome.FASTER, as_json=False) == 6
    said = "m:f2 failed: the sandbox ended before its time. Type `optagent doctor`."
    assert capsys.readouterr().out.splitlines() == ["m:f0 incorrect", "m:f1 faster", said]


def test_before_any_result_a_fault_is_raised():
    with pytest.raises(SandboxBroken):
        closed()
