"""What is taken from a Judge's answer, whatever it looks like."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optagent.agents.brief import Brief, Listing, Standing
from optagent.agents.judge import LONGEST, read_advice
from optagent.core.advice import Advice

BRIEF = Brief(Standing("", ""), Listing("m.py", "f", "def f(): ...", 1), "performance", (), (), "")
ANSWER = {"bottleneck": "the list is searched", "change": "use a set", "expected_speedup": 2.5}
ADVICE = Advice("the list is searched", "use a set", 2.5)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ANSWER),
        f"```json\n{json.dumps(ANSWER, indent=2)}\n```",
        f"Here is my view:\n{json.dumps(ANSWER)}\nGood luck!",
        f"<think>maybe {{'x': 1}} or {json.dumps({**ANSWER, 'change': 'no'})}</think>{json.dumps(ANSWER)}",
        json.dumps({"bottleneck": 1}) + json.dumps(ANSWER),
        "{ not json } " + json.dumps(ANSWER),
    ],
)
def test_the_first_object_with_the_fields_is_the_advice(text):
    assert read_advice(text, BRIEF) == ADVICE


@pytest.mark.parametrize(
    "text", ["", "Use a set.", "{}", '{"bottleneck": "a"}', '{"bottleneck": "", "change": "b"}', "[" * 9000]
)
def test_an_answer_that_says_nothing_is_no_advice(text):
    assert read_advice(text, BRIEF) is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2.5", 1.0),
        (None, 1.0),
        (True, 1.0),
        (-3, 0.0),
        (float("nan"), 1.0),
        (float("inf"), 1e4),
        (10**400, 1e4),
        (3, 3.0),
    ],
)
def test_a_prediction_that_is_no_sensible_factor_predicts_no_gain(said, expected):
    found = read_advice(json.dumps({**ANSWER, "expected_speedup": said}), BRIEF)
    assert found is not None
    assert found.expected == expected


def test_advice_stays_short_and_on_one_line():
    found = read_advice(json.dumps({**ANSWER, "change": "a\nb " * 5000}), BRIEF)
    assert found is not None
    assert len(found.change) == LONGEST
    assert "\n" not in found.change


@given(st.text(alphabet='{}[]":,abc\\ 1e', max_size=400))
def test_no_text_makes_it_fail(text):
    read_advice(text, BRIEF)


def test_an_answer_full_of_thoughts_that_never_end_is_read_in_no_time():
    import time

    began = time.process_time()
    assert read_advice("<think>" * 60_000 + json.dumps(ANSWER), BRIEF) is None
    assert time.process_time() - began < 1
