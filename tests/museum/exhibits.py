"""What an exhibit of the museum is: a repository that somebody really has, and what a run makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from repositories import commit, write

SOURCE = '''"""Scores."""


def score(values):
    """How many distinct values there are."""
    kept = []
    for value in values:
        if value not in kept:
            kept.append(value)
    return len(kept)


def plain(values):
    """Nothing here can be made faster by a rule."""
    return sorted(values, key=abs)
'''
TESTS = """import random

from scores import plain, score


def test_score():
    for n in range(200, 260, 10):
        values = random.Random(n).sample(range(-n, n), n)
        assert score(values) == n
        assert abs(plain(values)[0]) <= abs(plain(values)[-1])
"""
PROJECT: dict[str, bytes | str] = {"scores.py": SOURCE, "tests/test_scores.py": TESTS}


@dataclass(frozen=True)
class Exhibit:
    """`build` makes the repository below a folder and gives what the user names as REPO.

    `target` is what the user types, `path` the file it is in, relative to the top. `holds` and `lacks` are paths of
    the copy. With a `refusal` the run ends with `code` and a sentence that has these words.
    """

    name: str
    build: Callable[[Path], Path]
    target: str = "plain"
    path: str = "scores.py"
    holds: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    refusal: str = ""
    code: int = 0
    python: Callable[[Path], Path] | None = None

    def __str__(self) -> str:
        return self.name


def project(folder: Path) -> Path:
    """The small project without git."""
    write(folder / "repo", PROJECT)
    return folder / "repo"


def repository(folder: Path, more: dict[str, bytes | str] | None = None) -> Path:
    """The small project in git, all of it committed, with more files."""
    return commit(folder / "repo", {**PROJECT, **(more or {})})
