"""Where planted faults show that the checks notice too little, a model is asked for inputs: paid, sandboxed, admitted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from model_project import TO_CODER, coder, environment, judge, optagent
from scripted_answers import Answer, Tokens
from scripted_server import ScriptedServer

pytestmark = pytest.mark.slow

SLOW = '''"""Counting."""


def over(values, limit):
    found = 0
    for value in values:
        highest = sorted(values, key=abs)[-1]
        if value > limit:
            found += 1
        elif value == -limit:
            found -= 5
        elif highest is None:
            found -= 7
    return found
'''
TESTS = """from counting import over


def test_over():
    for step in range(2, 12):
        over([float(k) for k in range(300, 600, step)], 9.5)
"""
RIGHT = """Idea: nothing is sorted.
```python
def over(values, limit):
    found = 0
    for value in values:
        if value > limit:
            found += 1
        elif value == -limit:
            found -= 5
    return found
```
"""
WRONG_AT_THE_EDGE = RIGHT.replace("value > limit", "value >= limit")
TO_TESTER = "make_inputs(size, rng)"
INPUTS = """Inputs at the edge:

```python
def make_inputs(size, rng):
    calls = [([2.0, 2.0, 3.0], 2.0), ([-2.0, 2.0, -2.0, 9.0], 2.0), ([], 1.0), ([1.0], 1.0), ([-1.0, 1.5], 1.0)]
    for _ in range(12):
        limit = float(rng.randrange(1, 4))
        calls.append(([float(rng.randrange(-4, 5)) for _ in range(rng.randrange(size))], limit))
    return calls
```
"""


@pytest.fixture
def repo(tmp_path):
    folder = tmp_path / "repo"
    (folder / "tests").mkdir(parents=True)
    (folder / "counting.py").write_text(SLOW)
    (folder / "tests" / "test_counting.py").write_text(TESTS)
    return folder


def run(repo: Path, *answers: Answer, words: tuple[object, ...] = ()) -> tuple[int, dict, str, list[str]]:
    """Exit code, document, progress, and what the Tester was asked."""
    with ScriptedServer([*judge(1), *answers]) as server:
        command = ["run", repo, "--target", "over", "--state", repo.parent / "state", "--coder", "llm", "--json"]
        done = optagent([*command, "--max-trials", 1, *words], environment(server.base))
        assert done.stdout, done.stderr
        bodies = [seen.body["messages"] for seen in server.seen]
        asked = [one[1]["content"] for one in bodies if TO_TESTER in one[0]["content"]]
        shown = json.loads(done.stdout)
        assert shown["cost"]["calls"] == sum(1 for _ in server.seen)
        return done.returncode, shown, done.stderr, asked


def to_tester(text: str) -> Answer:
    return Answer(text, when=TO_TESTER)


def test_inputs_that_a_model_writes_count_as_evidence_and_are_paid_once(repo):
    code, shown, said, asked = run(repo, *coder(RIGHT), to_tester(INPUTS))
    assert (code, shown["outcome"]) == (0, "faster"), said
    (question,) = asked
    assert "`value > limit` becomes" in question
    assert "def over(values, limit)" in question
    assert shown["evidence"]["oracle_strength"]["value"] >= 0.8
    assert shown["cost"]["calls"] == 3
    assert shown["cost"]["usd"] == pytest.approx(3 * (11 * 1e-6 + 7 * 2e-6))


def test_a_version_that_is_wrong_on_them_is_not_confirmed(repo):
    code, shown, said, _ = run(repo, *coder(WRONG_AT_THE_EDGE), to_tester(INPUTS))
    assert code == 1, said
    assert shown["outcome"] != "faster"


RAISING = "```python\ndef make_inputs(size, rng):\n    raise RuntimeError('no idea')\n```"
UNFIT = "```python\ndef make_inputs(size, rng):\n    return [(object(), 1)] * 3\n```"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("I would try limits at the edge.", "no code block that defines make_inputs"),
        pytest.param(RAISING, "RuntimeError: no idea", marks=pytest.mark.sweep),
        pytest.param(UNFIT, "0 of ", marks=pytest.mark.sweep),
    ],
)
def test_an_answer_that_is_no_use_costs_its_price_and_nothing_else(repo, answer, why):
    code, shown, said, asked = run(repo, *coder(RIGHT), to_tester(answer))
    assert (code, shown["outcome"]) == (0, "faster"), said
    assert len(asked) == 1
    assert shown["evidence"]["oracle_strength"]["value"] < 0.8
    assert any("weak evidence" in one for one in shown["warnings"])
    told = optagent(["show", repo, "--state", repo.parent / "state"], environment("http://127.0.0.1:9"))
    assert why in told.stdout


def test_no_money_left_for_it_loses_nothing(repo):
    dear = Answer(RIGHT, when=TO_CODER, tokens=Tokens(5000, 8000))  # 0.021 of 0.03: 8192 tokens no longer fit
    code, shown, said, asked = run(repo, dear, words=("--max-usd", 0.03))
    assert (code, shown["outcome"], asked) == (0, "faster", []), said
