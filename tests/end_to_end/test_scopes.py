"""What a wider scope opens, and which gate closes it: a scripted Coder, everything else real (docs/decisions: scope)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from optagent.cli.run.progress import Progress
from optagent.cli.run.session import Ended, start
from optagent.cli.settings.run_settings import RunSettings
from optagent.core.outcome import Outcome
from optagent.core.patch import Candidate, Change, Patch
from optagent.core.scope import Scope
from optagent.core.verdict import Faster, Incorrect, Rejected, Verdict

pytestmark = [pytest.mark.slow, pytest.mark.sweep]

SCORES = '''"""Scores."""

from pkg.parts import distinct


def score(values, limit):
    """The sum of squares of the distinct values below the limit."""
    return total(distinct(values, limit))


def total(values):
    """Their squares, added up."""
    added = 0
    for value in values:
        added += value * value
    return added


def slow_score(values, limit):
    """What the tests believe."""
    return sum(value * value for value in dict.fromkeys(values) if value < limit)
'''
PARTS = '''"""Parts."""


def distinct(values, limit):
    """The values below the limit, each once, in order."""
    kept = []
    for value in values:
        if value < limit and value not in kept:
            kept.append(value)
    return kept
'''
TESTS = """import random

import pytest

from pkg.parts import distinct
from pkg.scores import score, slow_score

CASES = [(random.Random(n).sample(range(10 * n), n), 9 * n) for n in range(150, 450, 20)]


@pytest.mark.parametrize(("values", "limit"), CASES)
def test_score_is_what_the_slow_one_says(values, limit):
    assert score(values, limit) == slow_score(values, limit)


def test_distinct_keeps_the_order():
    assert distinct([3, 1, 3, 2], 3) == [1, 2]
"""
HERE, THERE, FAST = "pkg/scores.py", "pkg/parts.py", "pkg/_fast.py"
QUICK = "    return list(dict.fromkeys(value for value in values if value < limit))\n"
BODY = PARTS.partition('in order."""\n')[2]
CALL = "    return total(distinct(values, limit))\n"


def edit(path: str, *pairs: tuple[str, str]) -> Change:
    old = {HERE: SCORES, THERE: PARTS}[path]
    new = old
    for before, after in pairs:
        assert new.count(before) == 1
        new = new.replace(before, after)
    return Change(path, old, new)


@pytest.fixture
def judge(tmp_path):
    """The run that judges these changes with a scope."""
    repo = tmp_path / "repo"
    files = {"pkg/__init__.py": "", HERE: SCORES, THERE: PARTS, "tests/test_scores.py": TESTS}
    for name, text in files.items():
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text(text)
    (repo / "conftest.py").write_text("")
    return lambda wide, *changes: run(repo, tmp_path / "state", wide, Patch(changes))


def run(repo: Path, state: Path, wide: Scope, patch: Patch) -> Ended:
    def coder(counter):
        shop = counter.workshop
        counter.workshop = replace(shop, project=replace(shop.project, scope=wide, base=shop.base))
        return lambda parent: [] if parent.patch.changes else [Candidate(patch, "script", "idea", parent.digest)]

    settings = RunSettings(str(repo), "score")
    with Progress(10, quiet=True) as progress:
        (ended,) = start([settings], state, progress, coder)
    assert isinstance(ended, Ended), ended.fault.message
    ended.workshop.ledger.close()
    return ended


def verdicts(ended: Ended) -> list[Verdict]:
    return [*(trial.verdict for trial in ended.trials), *(claim.verdict for claim in ended.claims)]


def test_a_faster_helper_in_another_file_is_confirmed_with_scope_package_only(judge):
    change = edit(THERE, (BODY, QUICK))
    (refused,) = verdicts(judge(Scope.MODULE, change))
    assert isinstance(refused, Rejected)
    ended = judge(Scope.PACKAGE, change)
    assert ended.outcome is Outcome.FASTER, verdicts(ended)


def test_a_new_private_module_is_confirmed(judge):
    new = Change(
        FAST,
        None,
        '"""Fast."""\n\n\ndef score(values, limit):\n    return sum(v * v for v in {v for v in values if v < limit})\n',
    )
    ended = judge(
        Scope.PACKAGE,
        new,
        edit(
            HERE,
            ("import distinct\n", "import distinct\nfrom pkg import _fast\n"),
            (CALL, "    return _fast.score(values, limit)\n"),
        ),
    )
    assert ended.outcome is Outcome.FASTER, verdicts(ended)


def test_an_oracle_of_the_tests_that_is_changed_with_the_target_helps_nobody(judge):
    """Both are wrong alike, so the tests pass; what the old code says is not the candidate's to change."""
    wrong = edit(
        HERE,
        (CALL, "    return len(set(values))\n"),
        (
            "    return sum(value * value for value in dict.fromkeys(values) if value < limit)",
            "    return len(set(values))",
        ),
    )
    (verdict,) = verdicts(judge(Scope.MODULE, wrong))
    assert isinstance(verdict, Incorrect)
    assert verdict.evidence.first_difference is not None


def test_a_helper_that_breaks_for_others_is_found_by_their_tests(judge):
    """The target is right and faster; `distinct` is not what it was, and its own test says so at the claim."""
    change = edit(THERE, (BODY, "    return sorted({value for value in values if value < limit}, reverse=True)\n"))
    ended = judge(Scope.PACKAGE, change)
    assert ended.outcome is not Outcome.FASTER
    (wrong,) = [one for one in verdicts(ended) if isinstance(one, Incorrect)]
    assert "test_distinct" in wrong.reason


TABLE = "TABLE = [sum(range(k)) for k in range(6000)]\n"
READS = "def score(values, limit):\n    TABLE\n    return sum(v * v for v in {v for v in values if v < limit})\n"


def test_a_table_that_a_new_module_builds_at_import_is_work_moved(judge):
    ended = judge(
        Scope.PACKAGE,
        Change(FAST, None, TABLE + READS),
        edit(
            HERE,
            ("import distinct\n", "import distinct\nfrom pkg import _fast\n"),
            (CALL, "    return _fast.score(values, limit)\n"),
        ),
    )
    (verdict,) = verdicts(ended)
    assert isinstance(verdict, Rejected), verdict
    assert verdict.reason == "work moved"
    assert "import" in verdict.detail


def test_a_table_that_is_built_by_a_late_import_counts_as_a_first_call(judge):
    """The first call builds it, so the first call decides: there is no gain."""
    late = edit(HERE, (CALL, "    from pkg import _fast\n    return _fast.score(values, limit)\n"))
    ended = judge(Scope.PACKAGE, Change(FAST, None, TABLE + READS), late)
    assert ended.outcome is not Outcome.FASTER, verdicts(ended)


def test_a_helper_that_remembers_is_told_by_its_first_calls(judge):
    """The same answers for the same arguments, kept in a private constant of the module."""
    head = "_SEEN = {}\n\n\ndef _score(values, limit):\n    key = (tuple(values), limit)\n    if key not in _SEEN:\n        _SEEN[key] = total(distinct(values, limit))\n    return _SEEN[key]\n\n\ndef score("
    change = edit(HERE, ("def score(", head), (CALL, "    return _score(values, limit)\n"))
    ended = judge(Scope.MODULE, change)
    assert ended.outcome is not Outcome.FASTER, verdicts(ended)
    assert not any(isinstance(one, Faster) and not one.speedup.first_call for one in verdicts(ended))
