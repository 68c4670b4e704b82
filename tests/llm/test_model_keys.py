"""A key is in no fault, traceback, log, repr or reply, whatever a provider says; and a missing one is named."""

from __future__ import annotations

import logging

import pytest
from asking import KEY, REQUEST, Asked, ask, model_at
from scripted_answers import BAD_KEY, Answer, refused
from scripted_server import ScriptedServer

from optagent import errors
from optagent.llm.base import Request
from optagent.llm.route import Access
from optagent.llm.secrets import from_command

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("litellm")]

ECHOES = {
    "whole": BAD_KEY,
    "in a list of headers": refused(400, "bad header Authorization: 'Bearer {key}'"),
    "masked": refused(401, f"Incorrect API key provided: {KEY[:7]}****{KEY[-4:]}."),
    "by its end": refused(403, f"The key ending in {KEY[-4:]} may not do this."),
    "by its beginning": refused(403, f"The key {KEY[:12]}... is revoked"),
    "in a document without a message": Answer(status=500, raw=f'{{"key": "{KEY}"}}'),
    "in a page": Answer(raw=f"<html>{KEY}</html>"),
    "with colours": refused(401, "Incorrect \x1b[31mkey: " + KEY[:9] + "\x1b[0m" + KEY[9:]),
    "while limiting": refused(429, "limit for {key}"),
}


def pieces_in(text: str) -> list[str]:
    return [KEY[start : start + 6] for start in range(len(KEY) - 5) if KEY[start : start + 6] in text]


@pytest.mark.parametrize("name", ECHOES)
def test_no_piece_of_the_key_is_told(name, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    with ScriptedServer([ECHOES[name]] * 9) as server:
        asked = ask(server)
    assert isinstance(asked.fault, errors.ProviderFault)
    assert server.seen[0].key == KEY
    printed = "".join(capfd.readouterr())
    assert pieces_in(asked.told + caplog.text + printed) == []
    assert f" {KEY[-4:]} " not in asked.told
    assert "\x1b" not in asked.told
    assert printed == ""


def test_a_reply_that_repeats_the_key_is_served_without_it():
    with ScriptedServer([lambda seen: f"your key is {seen.key}, keep it"]) as server:
        reply = ask(server).reply
    assert reply.text == "your key is [key], keep it"


def test_the_key_of_a_command_is_as_secret_as_any(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    with ScriptedServer([BAD_KEY]) as server:
        asked = ask(server, access=Access(server.base, f"printf {KEY}"))
    assert type(asked.fault) is errors.KeyRefused
    assert server.seen[0].key == KEY
    assert pieces_in(asked.told) == []


def test_a_key_that_no_header_can_carry_is_not_shown(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\nsecond line")
    with ScriptedServer(["ok"]) as server:
        asked = ask(server)
    assert isinstance(asked.fault, errors.ProviderFault)
    assert server.seen == []
    assert pieces_in(asked.told) == []


def test_a_login_in_the_address_is_not_shown():
    with ScriptedServer([refused(500, "boom")] * 9) as server:
        asked = ask(server.base.replace("//", "//me:hunter22hunter@"))
    assert "hunter22" not in asked.fault.message + asked.fault.hint


# --- no key ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "variable"),
    [("gpt-4o-mini", "OPENAI_API_KEY"), ("anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY")],
)
def test_a_missing_key_is_named_before_anything_is_sent(model, variable, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(errors.KeyMissing, match=variable) as caught:
        model_at(None, Asked(), access=Access()).complete(Request(model, REQUEST.messages), 5)
    assert f"export {variable}=" in caught.value.hint
    assert caught.value.exit_code == 4


def test_a_name_that_belongs_to_no_provider_is_refused_before_anything_is_sent():
    with pytest.raises(errors.ModelUnknown, match="nonsense"):
        model_at(None, Asked(), access=Access()).complete(Request("nonsense", REQUEST.messages), 5)


@pytest.mark.parametrize(
    ("command", "trouble"),
    [
        (f"echo {KEY}; exit 3", "exit code 3"),
        ("true", "printed nothing"),
        (f"echo {KEY}; echo more", "more than a key"),
        ("/no/such/program " + KEY, "exit code"),
    ],
)
def test_a_key_command_that_prints_no_key_is_told_and_not_shown(command, trouble):
    with pytest.raises(errors.KeyMissing, match=trouble) as caught:
        from_command(command)
    assert pieces_in(caught.value.message + caught.value.hint) == []
    assert caught.value.__context__ is None
