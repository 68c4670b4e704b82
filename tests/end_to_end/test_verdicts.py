"""Each kind of bad patch gets its own verdict: a scripted Coder, everything else real."""

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

FORKS = body(
    """
reading, writing = os.pipe()
child = os.fork()
if not child:
    total = sum(value * value for value in {value for value in values if value < limit})
    os.write(writing, str(total).encode())
    os._exit(0)
os.close(writing)
total = int(os.read(reading, 100))
os.close(reading)
os.waitpid(child, 0)
return total
""",
    "import os\n",
)

FORKS_OR_NOT = body(
    """
try:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
except OSError:
    pass
return sum(value * value for value in {value for value in values if value < limit})
""",
    "import os\n",
)

PATCHES_THE_ENCODER = body(
    """
encoder = sys.modules.get("optagent_encode")
if "pytest" in sys.modules or encoder is None:
    return _compute(values, limit)
if not hasattr(encoder, "_tree"):
    encoder._tree = encoder.Encoder.tree

    def tree(self, value, depth):
        return encoder._tree(self, _compute(*value.given) if type(value) is _Later else value, depth)

    encoder.Encoder.tree = tree
later = _Later()
later.given = (list(values), limit)
return later
""",
    """import sys
_Later = type("_Later", (), {})
_compute = lambda values, limit: sum(
    value * value for k, value in enumerate(values) if value < limit and value not in values[:k]
)
""",
)

WRONG_WHILE_TIMED = body(
    """
if "pytest" in sys.modules or type(sys.stdout).__name__ != "StringIO" or sys._getframe(1).f_back.f_code.co_name == "do_call":
    return sum(value * value for value in {value for value in values if value < limit})
return 0
""",
    "import sys\n",
)

RUNS_ELSEWHERE_AT_IMPORT = body(
    "return sum(value * value for value in {value for value in values if value < limit})",
    "_WARM = [sum(range(k)) for k in range(6000)]\n",
)


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


@pytest.mark.parametrize("length", range(150, 450, 20))
def test_a_patch_wrong_on_one_input_is_never_confirmed(repo, tmp_path, length):
    if length % 60 != 30:
        pytest.skip("one in three, to save time")
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


def test_a_patch_that_works_in_a_child_process_is_rejected_for_that(repo, tmp_path):
    verdict = only_verdict(run(repo, tmp_path / "state", FORKS))
    assert isinstance(verdict, Rejected)
    assert verdict.reason == "started a process"


def test_a_patch_that_does_without_the_refused_process_is_judged_as_code(repo, tmp_path):
    assert isinstance(only_verdict(run(repo, tmp_path / "state", FORKS_OR_NOT)), Faster)


def test_a_patch_that_lets_the_workers_encoder_do_its_work_is_rejected_for_that(repo, tmp_path):
    verdict = only_verdict(run(repo, tmp_path / "state", PATCHES_THE_ENCODER))
    assert isinstance(verdict, Rejected)
    assert verdict.reason == "work moved"
    assert "encoding" in verdict.detail


def test_a_patch_that_is_wrong_only_while_timed_is_incorrect(repo, tmp_path):
    verdict = only_verdict(run(repo, tmp_path / "state", WRONG_WHILE_TIMED))
    assert isinstance(verdict, Incorrect)


def test_a_patch_that_works_at_import_is_rejected_for_that(repo, tmp_path):
    verdict = only_verdict(run(repo, tmp_path / "state", RUNS_ELSEWHERE_AT_IMPORT))
    assert isinstance(verdict, Rejected)
    assert "import" in verdict.detail


WARNS = SLOW.replace("import random\n", "import random\nimport warnings\n").replace(
    "    total = 0\n", '    warnings.warn("slow", DeprecationWarning)\n    total = 0\n'
)


def test_a_warning_may_move_to_another_line_but_not_go_away(tmp_path):
    repo = small_project(tmp_path / "repo", WARNS)
    kept = WARNS.replace(
        "    kept = []\n    for value in values:\n        if value < limit and value not in kept:\n            kept.append(value)\n",
        "    kept = dict.fromkeys(value for value in values if value < limit)\n",
    )
    ended = run(repo, tmp_path / "state", kept, FAST.replace("import random\n", "import random\nimport warnings\n"))
    assert [type(trial.verdict) for trial in ended.trials] == [Faster, Incorrect]
    assert "warnings" in ended.trials[1].verdict.reason


REMEMBERS = body(
    """
key = (tuple(values), limit)
if key not in _SEEN:
    kept = []
    for value in values:
        if value < limit and value not in kept:
            kept.append(value)
    _SEEN[key] = sum(value * value for value in kept)
return _SEEN[key]
""",
    "_SEEN = {}\n",
)


def test_a_patch_that_remembers_earlier_calls_is_measured_on_its_first_ones(repo, tmp_path):
    ended = run(repo, tmp_path / "state", REMEMBERS)
    assert ended.outcome is not Outcome.FASTER


def test_a_patch_that_burns_in_the_other_sides_turn_gains_nothing(repo, tmp_path):
    burns = SLOW.replace("import random\n", "import random\nimport threading\n").replace(
        "    kept = []\n",
        "    if threading.active_count() == 1:\n        threading.Thread(target=lambda: [sum(range(99)) for _ in iter(int, 1)], daemon=True).start()\n    kept = []\n",
    )
    ended = run(repo, tmp_path / "state", burns)
    assert ended.outcome is not Outcome.FASTER
