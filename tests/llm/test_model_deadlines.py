"""How long it takes: pauses, deadlines, the guard before each attempt, interruptions. Real HTTP, nothing patched."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from asking import REQUEST, Asked, ask, model_at
from scripted_answers import Answer, http_date, rate_limited, refused
from scripted_server import ScriptedServer

from optagent import errors
from optagent.llm.base import Message
from optagent.llm.litellm_model import ATTEMPTS

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("litellm")]

# --- pauses ----------------------------------------------------------------------------------------------------------


def test_pauses_grow_and_are_never_longer_than_twice_the_last():
    with ScriptedServer([refused(500, "boom")] * 9) as server:
        pauses = ask(server).pauses
    assert [0.5 <= pause / 2**n <= 1.0 for n, pause in enumerate(pauses)] == [True] * (ATTEMPTS - 1)


@pytest.mark.parametrize("status", [429, 503])
def test_the_provider_says_how_long_to_wait(status):
    with ScriptedServer([refused(status, "later", Retry_After="7"), "ok"]) as server:
        assert ask(server).pauses == [7.0]


def test_the_provider_says_until_when_to_wait():
    with ScriptedServer([rate_limited(http_date(30)), "ok"]) as server:
        (pause,) = ask(server).pauses
    assert 25 < pause <= 30


def test_a_wait_beyond_the_deadline_is_not_begun():
    with ScriptedServer([rate_limited("120"), "ok"]) as server:
        asked = ask(server, deadline_s=60)
    assert type(asked.fault) is errors.RateLimited
    assert "120 s" in asked.fault.message
    assert len(server.seen) == 1
    assert asked.pauses == []


# --- the deadline ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["hang", "dribble"])
def test_a_server_that_does_not_come_to_an_end_is_left_at_the_deadline(how):
    with ScriptedServer([Answer(how=how)] * 9) as server:
        asked = ask(server, deadline_s=0.6)
    assert type(asked.fault) is errors.ProviderUnreachable
    assert len(server.seen) == len(asked.lost) == 1
    assert 0.5 < asked.seconds < 1.6


@pytest.mark.parametrize("how", ["hang", "dribble"])
def test_one_attempt_does_not_eat_the_whole_deadline(how):
    with ScriptedServer([Answer(how=how), "ok"]) as server:
        asked = ask(server, deadline_s=60, attempt_s=0.5)
    assert asked.reply.text == "ok"
    assert len(asked.lost) == 1
    assert asked.seconds < 5


def test_without_any_time_nothing_is_sent():
    with ScriptedServer(["ok"]) as server:
        asked = ask(server, deadline_s=0)
    assert type(asked.fault) is errors.ProviderUnreachable
    assert server.seen == []


# --- the guard before each attempt -----------------------------------------------------------------------------------


class Spent(Exception):
    """Stands for whatever the budget raises."""


@pytest.mark.parametrize("allowed", [0, 1, 2])
def test_what_the_guard_raises_passes_through_and_nothing_more_is_sent(allowed):
    asked = Asked()

    def guard() -> None:
        asked.attempts += 1
        if asked.attempts > allowed:
            raise Spent

    with ScriptedServer([refused(500, "boom")] * 9) as server, pytest.raises(Spent):
        model_at(server.base, asked).complete(REQUEST, 60, guard, asked.lost.append)
    assert len(server.seen) == allowed


# --- interrupted, and many at once -----------------------------------------------------------------------------------


def test_an_answer_awaited_when_the_user_interrupts_is_told_as_lost():
    asked = Asked()
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with ScriptedServer([Answer(how="hang")]) as server, pytest.raises(KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, 0.4)
            model_at(server.base, asked).complete(REQUEST, 60, lambda: None, asked.lost.append)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(asked.lost) == 1


def test_many_threads_may_ask_one_model():
    asked = Asked()
    with ScriptedServer([lambda seen: seen.body["messages"][0]["content"]] * 16) as server:
        model = model_at(server.base, asked)
        requests = [replace(REQUEST, messages=(Message("user", str(number)),)) for number in range(16)]
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda request: model.complete(request, 60), requests))
    assert [reply.text for reply in replies] == [str(number) for number in range(16)]
