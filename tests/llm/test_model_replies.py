"""Whole answers: what a reply says, what it costs, and what was sent for it. Real HTTP, nothing patched."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace

import pytest
from asking import KEY, REQUEST, Asked, ask, model_at
from scripted_answers import Answer, Tokens
from scripted_server import ScriptedServer

from optagent.llm.base import Message, Price, Request, Usage
from optagent.llm.pricing import worst_case
from optagent.llm.route import Access

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("litellm")]


def asked_once(answer: Answer | str, request: Request = REQUEST, **settings: object):
    with ScriptedServer([answer]) as server:
        asked = ask(server, request, **settings)
    (seen,) = server.seen
    return asked, seen


# --- the reply -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "text", "finish"),
    [
        (Answer("yes"), "yes", "stop"),
        (Answer("half an", finish="length"), "half an", "length"),
        (Answer(None, finish="length"), "", "length"),
        (Answer("", finish="content_filter"), "", "filtered"),
        (Answer("said so far", finish="content_filter"), "said so far", "filtered"),
        (Answer(None), "", "empty"),
        (Answer(""), "", "empty"),
        (Answer(how="no_choices"), "", "empty"),
    ],
)
def test_every_whole_answer_is_a_reply_and_is_billed(answer, text, finish):
    asked, _ = asked_once(replace(answer, tokens=Tokens(100, 20)))
    assert (asked.reply.text, asked.reply.finish) == (text, finish)
    assert asked.reply.usage == Usage(100, 20)
    assert asked.reply.usd == pytest.approx(100 * 0.15e-6 + 20 * 0.60e-6, rel=1e-12)
    assert asked.lost == []


def test_cached_and_reasoning_tokens_are_counted_and_cached_ones_cost_less(litellm):
    asked, _ = asked_once(Answer(tokens=Tokens(1000, 200, cached=800, reasoning=150)))
    assert asked.reply.usage == Usage(1000, 200, cached=800, reasoning=150)
    by_hand = 200 * 0.15e-6 + 800 * 0.075e-6 + 200 * 0.60e-6
    assert asked.reply.usd == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize("model", ["gpt-4o-mini", "o3", "gpt-5", "gpt-4.1"])
@pytest.mark.parametrize("tokens", [Tokens(1234, 77), Tokens(1234, 77, cached=1000, reasoning=50)])
def test_our_figure_is_the_one_litellm_has(litellm, model, tokens):
    request = replace(REQUEST, model=model)
    with ScriptedServer([Answer(tokens=tokens), Answer(tokens=tokens)]) as server:
        ours = ask(server, request).reply
        theirs = litellm.completion(
            model=f"openai/{model}", messages=[{"role": "user", "content": "x"}], api_base=server.base, max_retries=0
        )
    assert ours.usd == pytest.approx(litellm.completion_cost(theirs), rel=1e-9)


def test_an_unknown_price_is_not_zero():
    asked, _ = asked_once("ok", replace(REQUEST, model="our-own-model"))
    assert asked.reply.usd is None


def test_the_users_price_is_used():
    with ScriptedServer([Answer(tokens=Tokens(10, 5))]) as server:
        access = Access(server.base, price=Price.per_million(2.0, 8.0))
        asked = ask(server, replace(REQUEST, model="our-own-model"), access=access)
    assert asked.reply.usd == pytest.approx(10 * 2e-6 + 5 * 8e-6, rel=1e-12)


def test_usage_that_no_server_counted_is_an_upper_bound_and_says_so():
    asked, _ = asked_once(Answer("four words of text", how="no_usage"))
    reply = asked.reply
    assert reply.usage_estimated
    assert reply.usage.tokens_out >= len("four words of text")
    most, usd = worst_case(REQUEST, Price.per_million(0.15, 0.60))
    assert reply.usage.tokens <= most
    assert 0 < reply.usd <= usd


def test_a_text_that_was_billed_with_no_tokens_counts_as_if_nobody_had_counted():
    asked, _ = asked_once(Answer("four words of text", tokens=Tokens(11, 0)))
    assert asked.reply.usage_estimated
    assert asked.reply.usage.tokens_out >= len("four words of text")


def test_what_an_odd_answer_says_is_never_quoted_in_a_warning():
    raw = json.dumps({"choices": [{"index": 0, "message": {"role": "assistant", "content": [KEY]}}], "model": "m"})
    with warnings.catch_warnings(record=True) as shown, ScriptedServer([Answer(raw=raw)], repeat=True) as server:
        warnings.simplefilter("always")
        asked = ask(server)
    assert asked.fault
    assert KEY not in asked.told + "".join(str(one.message) for one in shown)


def test_the_model_of_the_reply_is_the_one_the_provider_names():
    asked, _ = asked_once(Answer(model="gpt-4o-mini-2024-07-18"))
    assert asked.reply.model == "gpt-4o-mini-2024-07-18"


# --- the request -----------------------------------------------------------------------------------------------------


def test_a_name_without_provider_goes_to_the_address_as_it_is():
    for name in ("qwen3", "meta-llama/Llama-3.1-8B", "openai/qwen3", "hosted_vllm/qwen3"):
        _, seen = asked_once("ok", replace(REQUEST, model=name))
        assert seen.body["model"] == name.removeprefix("openai/").removeprefix("hosted_vllm/")
        assert seen.path == "/v1/chat/completions"


def test_what_is_sent_is_what_was_asked():
    request = Request("qwen3", (Message("system", "Be \u2713."), Message("user", "a\udc80b")), 33, 0.5)
    _, seen = asked_once("ok", request)
    assert seen.body["messages"] == [{"role": "system", "content": "Be \u2713."}, {"role": "user", "content": "a?b"}]
    assert (seen.body["max_tokens"], seen.body["temperature"]) == (33, 0.5)
    assert not seen.body.get("stream")
    assert "reasoning_effort" not in seen.body


def test_what_a_model_does_not_take_is_left_out():
    reasoning = Request("o3", (Message("user", "x"),), 50, 0.5, "low")
    _, seen = asked_once("ok", reasoning)
    assert "temperature" not in seen.body
    assert seen.body["reasoning_effort"] == "low"
    assert seen.body["max_completion_tokens"] == 50
    _, seen = asked_once("ok", replace(reasoning, model="gpt-4o-mini"))
    assert seen.body["temperature"] == 0.5
    assert "reasoning_effort" not in seen.body


def test_no_more_tokens_are_asked_for_than_the_model_can_say():
    _, seen = asked_once("ok", replace(REQUEST, model="gpt-4o-mini", max_tokens=100_000))
    assert seen.body["max_tokens"] == 16_384


def test_a_schema_is_sent_as_one():
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    _, seen = asked_once('{"a": 1}', replace(REQUEST, schema=schema))
    assert seen.body["response_format"]["json_schema"]["schema"] == schema


# --- the key ---------------------------------------------------------------------------------------------------------


def test_the_key_of_the_environment_is_sent():
    assert asked_once("ok")[1].key == KEY


def test_a_server_of_ones_own_needs_no_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    asked, seen = asked_once("ok")
    assert asked.reply.text == "ok"
    assert seen.key == "no-key-needed"


def test_the_key_command_runs_once_and_comes_before_the_environment(tmp_path):
    command = f"echo ran >> {tmp_path}/runs; echo '  sk-other-9Fq2Lw81  '"
    with ScriptedServer(["a", "b"]) as server:
        model = model_at(None, Asked(), access=Access(server.base, command))
        for name in ("openai/gpt-4o-mini", "openai/gpt-4o"):
            model.complete(replace(REQUEST, model=name), 60)
    assert [seen.key for seen in server.seen] == ["sk-other-9Fq2Lw81"] * 2
    assert (tmp_path / "runs").read_text() == "ran\n"
