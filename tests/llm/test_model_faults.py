"""What goes wrong on the wire: how often we try, what we say, what may be billed. Real HTTP, nothing patched."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest
from asking import REQUEST, ask
from scripted_answers import (
    BAD_KEY,
    HTML,
    NO_SUCH_MODEL,
    TOO_LONG,
    Answer,
    rate_limited,
    refused,
)
from scripted_server import ScriptedServer

from optagent import errors
from optagent.llm.litellm_model import ATTEMPTS

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("litellm")]

# (answer, fault, whether the provider may have billed what we did not get)
PASSING = {
    "429": (rate_limited(), errors.RateLimited, False),
    "429 with Retry-After": (rate_limited("2"), errors.RateLimited, False),
    "500": (refused(500, "boom"), errors.ProviderUnreachable, False),
    "503": (refused(503, "busy"), errors.ProviderUnreachable, False),
    "529": (refused(529, "overloaded"), errors.ProviderUnreachable, False),
    "502": (refused(502, "bad gateway"), errors.ProviderUnreachable, True),
    "504": (refused(504, "gateway timeout"), errors.ProviderUnreachable, True),
    "reset before headers": (Answer(how="reset"), errors.ProviderUnreachable, True),
    "reset after headers": (Answer(how="reset_after_headers"), errors.ProviderUnreachable, True),
    "cut short": (Answer(how="cut"), errors.ProviderUnreachable, True),
    "half a document": (Answer(how="half_json"), errors.ProviderUnreachable, True),
    "a page of HTML": (HTML, errors.ProviderUnreachable, True),
}
FINAL = {
    "401": (BAD_KEY, errors.KeyRefused),
    "403": (refused(403, "not for you"), errors.KeyRefused),
    "402": (refused(402, "pay first"), errors.QuotaSpent),
    "quota": (refused(429, "You exceeded your current quota", "insufficient_quota"), errors.QuotaSpent),
    "404": (NO_SUCH_MODEL, errors.ModelUnknown),
    "too long": (TOO_LONG, errors.ContextTooLong),
    "413": (refused(413, "payload too large"), errors.ContextTooLong),
    "400": (refused(400, "unknown parameter"), errors.RequestRefused),
    "422": (refused(422, "unprocessable"), errors.RequestRefused),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_may_pass_is_tried_again_and_each_attempt_that_may_be_billed_is_told(name):
    answer, kind, billed = PASSING[name]
    with ScriptedServer([answer] * 9) as server:
        asked = ask(server)
    assert type(asked.fault) is kind
    assert asked.fault.exit_code == 4
    assert len(server.seen) == asked.attempts == ATTEMPTS
    assert len(asked.lost) == (ATTEMPTS if billed else 0)
    assert f"{ATTEMPTS} attempts" in asked.fault.message
    assert asked.fault.hint


@pytest.mark.parametrize("name", PASSING)
def test_a_whole_answer_after_a_fault_is_a_reply(name):
    answer, _, billed = PASSING[name]
    with ScriptedServer([answer, "at last"]) as server:
        asked = ask(server)
    assert asked.reply.text == "at last"
    assert len(server.seen) == asked.attempts == 2
    assert len(asked.lost) == billed


@pytest.mark.parametrize("name", FINAL)
def test_what_the_provider_refuses_is_asked_once(name):
    answer, kind = FINAL[name]
    with ScriptedServer([answer] * 9) as server:
        asked = ask(server)
    assert type(asked.fault) is kind
    assert asked.fault.exit_code == 4
    assert len(server.seen) == asked.attempts == 1
    assert asked.lost == asked.pauses == []
    assert asked.fault.hint


def test_where_nobody_listens_nothing_can_have_been_billed():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    asked = ask(f"http://127.0.0.1:{port}/v1")
    assert type(asked.fault) is errors.ProviderUnreachable
    assert asked.attempts == ATTEMPTS
    assert asked.lost == []
    assert f"127.0.0.1:{port}" in asked.fault.message


# --- other providers, whose errors litellm makes into others -----------------------------------------------------------

ELSEWHERE = {"anthropic/claude-sonnet-4-5": "ANTHROPIC", "gemini/gemini-2.5-pro": "GEMINI", "mistral/m": "MISTRAL"}
ALIKE = {
    "429": (rate_limited("2"), errors.RateLimited, ATTEMPTS, False),
    "500": (refused(500, "boom"), errors.ProviderUnreachable, ATTEMPTS, False),
    "529": (refused(529, "overloaded"), errors.ProviderUnreachable, ATTEMPTS, False),
    "401": (BAD_KEY, errors.KeyRefused, 1, False),
    "404": (NO_SUCH_MODEL, errors.ModelUnknown, 1, False),
    "too long": (refused(400, "prompt is too long: 9 tokens > 8 maximum"), errors.ContextTooLong, 1, False),
    "reset": (Answer(how="reset"), errors.ProviderUnreachable, ATTEMPTS, True),
    "half a document": (Answer(how="half_json"), errors.ProviderUnreachable, ATTEMPTS, True),
    "a page of HTML": (HTML, errors.ProviderUnreachable, ATTEMPTS, True),
}


@pytest.mark.parametrize("name", ALIKE)
@pytest.mark.parametrize("model", ELSEWHERE)
def test_other_providers_are_treated_alike(model, name, monkeypatch):
    monkeypatch.setenv(f"{ELSEWHERE[model]}_API_KEY", "q8Zr2Lm5Xw9Tt4Kb7")
    answer, kind, attempts, billed = ALIKE[name]
    with ScriptedServer([answer] * 9) as server:
        asked = ask(server, replace(REQUEST, model=model))
    assert type(asked.fault) is kind
    assert len(server.seen) == asked.attempts == attempts
    assert len(asked.lost) == (attempts if billed else 0)
    assert "q8Zr2Lm5" not in asked.told
