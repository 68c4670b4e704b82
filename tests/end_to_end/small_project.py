"""A small project with a slow function, and a Coder that proposes what it is told to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from optagent.cli.run.progress import Progress
from optagent.cli.run.session import Broken, Ended, start
from optagent.cli.settings.run_settings import RunSettings
from optagent.core.patch import Candidate, Change, Patch

SLOW = '''"""Scores of a list of values."""

import random


def score(values, limit):
    """The sum of squares of the distinct values below the limit."""
    kept = []
    for value in values:
        if value < limit and value not in kept:
            kept.append(value)
    total = 0
    for value in kept:
        total += value * value
    return total


def other():
    return random.random()
'''

TESTS = """import random

import pytest

from scores import score

CASES = [
    ([random.Random(n).randrange(10 * n) for _ in range(0)] + random.Random(n).sample(range(10 * n), n), 9 * n)
    for n in range(150, 450, 20)
]


@pytest.mark.parametrize(("values", "limit"), CASES)
def test_score_is_a_number(values, limit):
    assert score(values, limit) >= 0


def test_small_cases():
    assert score([1, 2, 2, 9], 5) == 5
    assert score([], 5) == 0
"""


def small_project(folder: Path, slow: str = SLOW, tests: str = TESTS) -> Path:
    folder.mkdir(parents=True)
    (folder / "scores.py").write_text(slow)
    (folder / "tests").mkdir()
    (folder / "tests" / "test_scores.py").write_text(tests)
    return folder


def body(text: str, head: str = "") -> str:
    """The slow module with another body for `score`, and lines of its own at the top."""
    before, _, rest = SLOW.partition('    """The sum of squares of the distinct values below the limit."""\n')
    _, _, after = rest.partition("\n\ndef other():")
    indented = "".join(f"    {line}\n" if line else "\n" for line in text.strip("\n").split("\n"))
    return before.replace("import random\n", f"import random\n{head}") + indented + "\n\ndef other():" + after


FAST = body("return sum(value * value for value in {value for value in values if value < limit})")


def scripted(*sources: str | Patch) -> Callable[[object], Callable[[Candidate], Sequence[Candidate]]]:
    """A Coder that proposes these texts of the target's file (or whole patches), on the untouched code only."""

    def coder(counter):
        def propose(parent: Candidate) -> list[Candidate]:
            if parent.patch.changes:
                return []
            patches = [one if isinstance(one, Patch) else counter.patch_to(one) for one in sources]
            return [Candidate(patch, "script", f"idea {k + 1}", parent.digest) for k, patch in enumerate(patches)]

        return propose

    return coder


def run(repo: Path, state: Path, *sources: str | Patch, **settings: object) -> Ended:
    """One run with a scripted Coder and real everything else."""
    asked = RunSettings(str(repo), "score", **settings)
    with Progress(10, quiet=True) as progress:
        (ended,) = start([asked], state, progress, scripted(*sources))
    if isinstance(ended, Broken):
        raise ended.fault
    ended.workshop.ledger.close()
    return ended


def edit_of(path: str, old: str, new: str) -> Patch:
    return Patch((Change(path, old, new),))
