"""What people and programs read at the end of a run, against golden files (rewrite with UPDATE_GOLDEN=1)."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from optagent.core.end_to_end import EndToEnd
from optagent.core.goal import Spent
from optagent.core.growth import Growth
from optagent.core.guards import Costs, Guards
from optagent.core.outcome import Outcome
from optagent.core.patch import Candidate, Change, Patch
from optagent.core.trial import Trial
from optagent.core.verdict import (
    CannotCompare,
    Difference,
    Evidence,
    Faster,
    Inconclusive,
    Incorrect,
    Rejected,
    Slower,
    Speedup,
)
from optagent.ledger.events import Weighed
from optagent.ledger.history import Bought
from optagent.report.document import Document, Documents, schema_text
from optagent.report.run import RunReport, document, text
from optagent.report.text import safe, verdict_line

NOTHING_BOUGHT = Bought()
GOLDEN = Path(__file__).parents[1] / "golden"
SHOWN = Speedup(2.31, 2.24, 2.38, 0.9921875, 96, 8, 0.008, "cpu", 0.0107, 0.00463, 2.28)
OLD, NEW = Costs(0.01, 0.02, 20 << 20, 50_000, 0, 0), Costs(0.011, 0.01, 21 << 20, 99_000, 0, 0)
GROWTH = Growth((250, 500, 1000, 2000), (0.001, 0.004, 0.016, 0.064), (0.0005, 0.001, 0.002, 0.004))
WORTH = EndToEnd(0.25, 0.2, 0.31, 1.165, 1.12, 1.22, 3.5)
WEIGHED = Weighed(Guards(OLD, NEW), GROWTH, WORTH)
DIFFERENCE = Difference("the result[2] of input 4", "int 5", "int 6")
VERDICTS = (
    Rejected("out of scope", "edits tests/test_m.py, which is outside the target's file"),
    Incorrect(Evidence(3, 4, 0, DIFFERENCE), "the result[2] of input 4 differs: 5 before, 6 after"),
    CannotCompare("results hold m.Node, which has no canonical form yet"),
    Slower(SHOWN, Evidence(3, 20)),
    Inconclusive("1.004x is no gain beyond 1.0%", Evidence(3, 20), SHOWN),
    Faster(SHOWN, Evidence(3, 20)),
)


def trials() -> tuple[Trial, ...]:
    patch = Patch((Change("m.py", "def f():\n    return 1\n", "def f():\n    return 1 \n"),))
    found = [Candidate(patch, "rules/x", f"idea {k}\x1b[31m", "") for k in range(len(VERDICTS))]
    return tuple(Trial(k + 1, found[k], verdict, Spent(1.5, 1)) for k, verdict in enumerate(VERDICTS))


def report(outcome: Outcome, won: bool, goal: float | None = None, bought: Bought = NOTHING_BOUGHT) -> RunReport:
    made = trials()
    claim = Faster(SHOWN, Evidence(31, 24, 6)) if won else None
    return RunReport(
        verb="run", run="20260101-000000-abcd", repo="/a b/repo", target="m:f", outcome=outcome, goal=goal, claim=claim,
        winner=made[-1] if won else None, trials=made, sources={"captured from tests": 24}, spent=Spent(12.0, 6), bought=bought,
        sandbox="bwrap", machine={"cores": 2}, weighed=WEIGHED if won else None, reproduced=None, looked_for=("a", "b"), hot_lines=("m.py:2 88 % in 7 visits",),
        warnings=("1 tests fail or flake before any change",),
    )  # fmt: skip


CASES = {
    "run-faster.txt": text(report(Outcome.FASTER, True)),
    "run-below-goal.txt": text(report(Outcome.FASTER, True, 3.0)),
    "run-nothing.txt": text(report(Outcome.NOTHING_FOUND, False)),
    "run-faster.json": document(report(Outcome.FASTER, True)).as_json() + "\n",
    "run-nothing.json": document(report(Outcome.NOTHING_FOUND, False)).as_json() + "\n",
    "schema.json": schema_text(),
}


@pytest.mark.parametrize("name", CASES)
def test_reports_read_as_agreed(name):
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(CASES[name])
    assert CASES[name] == file.read_text()


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda verdict: verdict.kind)
def test_a_verdict_is_one_line(verdict):
    assert "\n" not in verdict_line(verdict)


def test_nothing_that_a_candidate_wrote_moves_the_cursor():
    hostile = "\x1b[2J\x1b]0;title\x07ok\r\x9b31m\u202e"
    shown = safe(hostile)
    assert "ok" in shown
    assert all(character.isprintable() for character in shown)


def test_neither_the_document_nor_the_text_of_a_run_moves_the_cursor():
    hostile = "m\x1b[2J\x9b31m\x7f\u202e.py:f"
    run = replace(report(Outcome.NOTHING_FOUND, False), target=hostile, repo=hostile)
    assert all(one.isprintable() or one == "\n" for one in document(run).as_json() + text(run))
    assert json.loads(document(run).as_json())["target"] == hostile


@pytest.mark.parametrize("outcome", [Outcome.INTERRUPTED, Outcome.FAILED])
def test_a_run_that_can_be_resumed_says_how(outcome):
    assert text(report(outcome, won=False)).endswith("\ngo on with: optagent resume '/a b/repo' 20260101-000000-abcd\n")


def test_what_to_type_names_the_folder_that_runs_are_kept_in():
    kept = Path("/s t")
    assert "\napply it with: optagent apply " in (told := text(report(Outcome.FASTER, won=True), kept))
    assert told.endswith(" --state '/s t'\n")
    assert text(report(Outcome.FAILED, won=False), kept).endswith(" --state '/s t'\n")


def test_a_run_that_looked_for_no_patterns_does_not_say_that_these_were_not_found():
    shown = text(replace(report(Outcome.FAILED, won=False), trials=(), looked_for=()))
    assert "  nothing was tried\n" in shown


def test_an_idea_that_is_a_sentence_is_not_followed_by_two_marks():
    made = report(Outcome.NOTHING_FOUND, won=False)
    spoken = replace(made.trials[0], candidate=replace(made.trials[0].candidate, idea="Keep a running sum."))
    assert "  1. Keep a running sum: rejected" in text(replace(made, trials=(spoken,)))


def test_the_schema_holds_for_one_target_and_for_several():
    one = Document.model_validate(
        json.loads((GOLDEN / "run-faster.json").read_text().replace('"schema"', '"schema_"', 1))
    )
    jsonschema.validate(json.loads(one.as_json()), json.loads(schema_text()))
    several = Documents(verb="run", outcome="faster", results=[one, one])
    jsonschema.validate(json.loads(several.as_json()), json.loads(schema_text()))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"schema": 1, "verb": "run"}, json.loads(schema_text()))


def test_unmeasured_is_named_and_never_null_or_zero():
    shown = json.loads(document(report(Outcome.NOTHING_FOUND, False)).as_json())
    for name in ("speedup", "end_to_end", "memory", "evidence"):
        assert shown[name]["kind"] == "unmeasured"
        assert shown[name]["reason"]


def test_the_document_carries_bytes_that_are_not_utf_8_as_escapes_and_no_number_as_null():
    golden = json.loads((GOLDEN / "run-faster.json").read_text().replace('"schema"', '"schema_"', 1))
    speedup = golden["speedup"] | {"low": float("inf")}
    shown = Document.model_validate(golden | {"patch": "caf\udce9 größe", "speedup": speedup})
    text = shown.as_json()
    assert "caf\\udce9 gr\\u00f6\\u00dfe" in text.encode("ascii").decode()
    again = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert (again["patch"], again["speedup"]["low"]) == ("caf\udce9 größe", None)
