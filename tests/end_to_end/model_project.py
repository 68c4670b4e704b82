"""A project whose slow function no rule of ours can help, and what a model may answer about it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from scripted_answers import Answer

SLOW = '''"""Gaps between values."""


def closest(values):
    """The smallest gap between two of the values; None for less than two."""
    best = None
    for i, one in enumerate(values):
        for k, other in enumerate(values):
            if i != k:
                gap = abs(one - other)
                if best is None or gap < best:
                    best = gap
    return best
'''

TESTS = """import random

import pytest

from gaps import closest

CASES = [random.Random(n).sample(range(100 * n), n) for n in range(30, 130, 5)]


@pytest.mark.parametrize("values", CASES)
def test_closest_is_positive(values):
    assert closest(values) > 0


def test_small_cases():
    assert closest([1, 9, 4]) == 3
    assert closest([5]) is None
    assert closest([2, 2]) == 0
"""

PROSE = "You could sort the values first. Shall I write it?"
WRONG = """Idea: sort and look at neighbours.
```python
def closest(values):
    ordered = sorted(values)
    return max((b - a for a, b in zip(ordered, ordered[1:])), default=None)
```
"""
SLOWER = """Idea: look at every pair twice to be sure.
```python
def closest(values):
    best = None
    for _ in range(2):
        for i, one in enumerate(values):
            for k, other in enumerate(values):
                if i != k:
                    gap = abs(one - other)
                    if best is None or gap < best:
                        best = gap
    return best
```
"""
FASTER = """Idea: every pair once.

<<<<<<< SEARCH
        for k, other in enumerate(values):
            if i != k:
                gap = abs(one - other)
                if best is None or gap < best:
                    best = gap
=======
        for other in values[i + 1 :]:
            gap = abs(one - other)
            if best is None or gap < best:
                best = gap
>>>>>>> REPLACE
"""
FASTEST = """Idea: neighbours in sorted order are the closest.
```python
from itertools import pairwise

def closest(values):
    ordered = sorted(values)
    return min((b - a for a, b in pairwise(ordered)), default=None)
```
"""
TO_CODER, TO_JUDGE = "<<<<<<< SEARCH", "expected_speedup"
"""What stands in every question to the Coder, and to the Judge only."""


def advice(change: str = "sort the values", expected: float = 4.0) -> str:
    return json.dumps({"bottleneck": "every pair is looked at twice", "change": change, "expected_speedup": expected})


def coder(*texts: str) -> list[Answer]:
    return [Answer(text, when=TO_CODER) for text in texts]


def judge(count: int) -> list[Answer]:
    return [Answer(advice(f"change {k + 1}"), when=TO_JUDGE) for k in range(count)]


def model_project(folder: Path, slow: str = SLOW) -> Path:
    folder.mkdir(parents=True)
    (folder / "gaps.py").write_text(slow)
    (folder / "tests").mkdir()
    (folder / "tests" / "test_gaps.py").write_text(TESTS)
    return folder


KEY = "sk-test-4f9a8b7c6d5e4f3a2b1c"


def environment(base: str, **more: str) -> dict[str, str]:
    """What a user with a key has set, and nothing of other providers."""
    ours = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    named = {"OPTAGENT_API_BASE": base, "OPTAGENT_MODEL": "scripted", "OPENAI_API_KEY": KEY, "OPTAGENT_PRICE": "1,2"}
    return {**ours, **named, **more}


def optagent(words: Sequence[object], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "optagent", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=env)
