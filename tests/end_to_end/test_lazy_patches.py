"""Work put off is not work saved: an iterator is read to its end while the clock runs."""

from __future__ import annotations

import pytest
from small_project import run, small_project

from optagent.core.outcome import Outcome
from optagent.core.verdict import Faster, Incorrect

pytestmark = pytest.mark.slow

EAGER = '''"""Squares of lists."""


def square(value):
    total = 0
    for _ in range(value):
        total += value
    return total


def score(values):
    """An iterator over the squares of the values."""
    return iter(list(map(square, values)))
'''
TESTS = """import pytest

from scores import score


@pytest.mark.parametrize("n", range(40, 100, 4))
def test_score(n):
    assert next(score(list(range(n)))) == 0
"""
LATER = "    return map(square, values)\n"
GENERATOR = "    return (square(value) for value in values)\n"
NESTED = '''"""Squares of lists."""


def square(value):
    total = 0
    for _ in range(value):
        total += value
    return total


def score(values):
    """How many, and an iterator over the squares of the values."""
    return len(values), iter(list(map(square, values)))
'''


def with_last_line(text: str, line: str) -> str:
    return "".join([*text.splitlines(keepends=True)[:-1], line])


@pytest.fixture
def repo(tmp_path):
    return small_project(tmp_path / "repo", EAGER, TESTS)


def test_a_patch_that_only_puts_the_work_off_is_not_faster(repo, tmp_path):
    ended = run(repo, tmp_path / "state", with_last_line(EAGER, LATER))
    assert ended.outcome is not Outcome.FASTER
    assert not isinstance(ended.trials[0].verdict, Incorrect)  # it does give the same


def test_a_patch_that_gives_a_generator_for_an_iterator_is_incorrect(repo, tmp_path):
    (trial,) = run(repo, tmp_path / "state", with_last_line(EAGER, GENERATOR)).trials
    assert isinstance(trial.verdict, Incorrect)
    assert "generator" in trial.verdict.reason


def test_a_patch_that_does_less_work_for_the_same_iterator_is_faster(repo, tmp_path):
    fast = with_last_line(EAGER, "    return iter([value * max(value, 0) for value in values])\n")
    ended = run(repo, tmp_path / "state", fast)
    assert ended.outcome is Outcome.FASTER
    assert isinstance(ended.claims[-1].verdict, Faster)


def test_work_put_off_into_an_iterator_inside_the_result_is_not_faster(tmp_path):
    repo = small_project(
        tmp_path / "repo", NESTED, TESTS.replace("next(score(list(range(n))))", "next(score(list(range(n)))[1])")
    )
    ended = run(repo, tmp_path / "state", with_last_line(NESTED, "    return len(values), map(square, values)\n"))
    assert ended.outcome is not Outcome.FASTER
    assert not isinstance(ended.trials[0].verdict, Faster)
