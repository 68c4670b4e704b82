"""The Judge's second half: from facts to one piece of advice with a prediction. Its first half is `facts.py`."""

from __future__ import annotations

import json
import math
from typing import Any

from optagent.agents.asking import Ask, Purpose, Question, opening
from optagent.agents.brief import Brief
from optagent.agents.prompts import Prompts
from optagent.core.advice import Advice

LONGEST = 600
"""Characters of a sentence of advice that are kept."""

MOST_EXPECTED = 10_000.0
MOST_CHARS = 100_000
"""Of an answer that are read: advice has a few hundred."""


def question(brief: Brief, prompts: Prompts) -> Question:
    """What the Judge is asked."""
    return opening("judge", prompts, brief=brief)


def advise(number: int, brief: Brief, prompts: Prompts, ask: Ask) -> Advice | None:
    """What should be tried in the trial of that number; None when the Judge's answer says nothing."""
    reply = ask(Purpose(number, "judge"), question(brief, prompts))
    return read_advice(reply.text, brief)


def read_advice(text: str, brief: Brief) -> Advice | None:
    """The advice in an answer: the first JSON object that has the fields it was asked for."""
    for found in _objects(_spoken(text[:MOST_CHARS])):
        words = [found.get("bottleneck"), found.get("change")]
        expected = found.get("expected_speedup")
        if not all(isinstance(one, str) and one.strip() for one in words):
            continue
        bottleneck, change = (" ".join(str(one).split())[:LONGEST] for one in words)
        return Advice(bottleneck, change, _number(expected), brief.mode)
    return None


def _spoken(text: str) -> str:
    """The text without what was thought aloud."""
    first, *rest = text.split("<think>")
    return first + "".join(part.partition("</think>")[2] for part in rest)


def _objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects in a text, wherever they begin; what is inside one is not looked at again."""
    decoder, found, position = json.JSONDecoder(), [], 0
    for _ in range(MOST_TRIES):
        start = text.find("{", position)
        if start < 0:
            break
        try:
            value, position = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            position = start + 1
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


MOST_TRIES = 50


def _number(value: object) -> float:
    """The predicted factor; 1, no gain, for what is no sensible one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value := min(value, MOST_EXPECTED)):
        return 1.0
    return max(float(value), 0.0)
