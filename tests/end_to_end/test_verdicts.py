"""Each kind of bad patch gets its own verdict: a scripted Coder, everything else real. Cheats at the stopwatch are in
tests/museum/cheats."""

from __future__ import annotations

import pytest
from small_project import FAST, SLOW, TESTS, body, edit_of, run, small_project

from optagent.core.outcome import Outcome
from optagent.core.verdict import Faster, Incorrect, Rejected, Slower

pytestmark = pytest.mark.slow

WRONG_ON_ONE = body("""
total = sum(value * value for value in {value for value in values if value < limit})
return total + 1 if len(values) in WRONG else total
""")

SLOWER = body("""
kept = []
for value in values:
    if value < limit and value not in kept and value not in list(kept):
        kept.append(value)
return sum(value * value for value in kept)
""")


@pytest.fixture
def repo(tmp_path):
    return small_project(tmp_path / "repo")


def only_verdict(ended):
    (trial,) = ended.trials
    return trial.verdict


def test_an_honest_edit_is_confirmed_on_held_out_inputs(repo, tmp_path):
    ended = run(repo, tmp_path / "state", FAST)
    assert ended.outcome is Outcome.FASTER
    claim = ended.claims[-1].verdict
    assert isinstance(claim, Faster)
    assert claim.speedup.launches >= 8
    assert claim.speedup.low > 1.01
    assert claim.evidence.tests == 16
    assert claim.evidence.held_out > 0


def test_the_untouched_code_under_another_name_is_not_faster(repo, tmp_path):
    ended = run(repo, tmp_path / "state", SLOW.replace("kept", "held"))
    assert ended.outcome is Outcome.NOTHING_FOUND


@pytest.mark.parametrize("length", range(150, 450, 60))
def test_a_patch_wrong_on_one_input_is_never_confirmed(repo, tmp_path, length):
    ended = run(repo, tmp_path / "state", WRONG_ON_ONE.replace("WRONG", f"({length},)"))
    assert ended.outcome is not Outcome.FASTER
    verdicts = [only_verdict(ended), *(claim.verdict for claim in ended.claims)]
    (wrong,) = [one for one in verdicts if isinstance(one, Incorrect)]
    assert wrong.evidence.first_difference is not None


def test_a_slower_patch_is_called_slower(repo, tmp_path):
    verdict = only_verdict(run(repo, tmp_path / "state", SLOWER))
    assert isinstance(verdict, Slower)
    assert verdict.speedup.ratio < 0.8


def test_a_patch_that_does_not_parse_is_rejected_for_that(repo, tmp_path):
    verdict = only_verdict(
        run(repo, tmp_path / "state", SLOW.replace("def score(values, limit):", "def score(values, limit:"))
    )
    assert isinstance(verdict, Rejected)
    assert verdict.reason == "does not parse"


def test_a_patch_that_edits_a_test_is_rejected_before_it_runs(repo, tmp_path):
    patch = edit_of("tests/test_scores.py", TESTS, TESTS.replace(">= 0", "== 0"))
    verdict = only_verdict(run(repo, tmp_path / "state", patch))
    assert isinstance(verdict, Rejected)
    assert "tests/test_scores.py" in verdict.detail
