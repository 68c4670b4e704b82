"""Replies are paid once, on record before they are read, and never beyond the cap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optagent.agents.asking import Purpose, Question
from optagent.cli.run import models
from optagent.cli.run.buying import Buyer, Recorded, Seat, stored_replies
from optagent.cli.run.session import bought_elsewhere
from optagent.cli.settings.run_settings import RunSettings
from optagent.core.goal import BudgetSpent, Spent
from optagent.core.target import Target
from optagent.errors import ProviderUnreachable
from optagent.ledger.events import Called, CallFailed, Replied, RunStarted, stage_of
from optagent.ledger.history import Record, replay
from optagent.ledger.store import Ledger
from optagent.llm.base import Message, Price, Reply, Request, Usage
from optagent.search.purse import Purse

STARTED = RunStarted("run", "/repo", "f", Target("m.py", "f", "m", ".", 1), 7, "0.1.0", "ab" * 32)
PRICE = Price.per_million(1.0, 2.0)
QUESTION = Question((Message("system", "be brief"), Message("user", "why? token = 'abc123abc123abc'")), "v1")
Attempt = str  # "ok", "refused" (not billed), "lost" (maybe billed), "killed"


class Killed(BaseException):
    """The program ends here, as by kill -9: nobody gets to clean up."""


class Provider:
    """A model that does as it is told for each attempt: the last one decides. Its replies cost what PRICE says."""

    def __init__(self, *calls: list[Attempt]) -> None:
        self.calls = list(calls)
        self.requests: list[Request] = []

    def complete(
        self,
        request: Request,
        deadline_s: float,
        before_attempt: Callable[[], None] = lambda: None,
        lost: Callable[[str], None] = lambda why: None,
    ) -> Reply:
        assert deadline_s > 0
        for attempt in self.calls.pop(0):
            before_attempt()
            self.requests.append(request)
            if attempt == "killed":
                raise Killed
            if attempt == "lost":
                lost("hung")
            if attempt == "ok":
                usage = Usage(20, 5, 3)
                return Reply(f"answer {len(self.requests)}", "m", usage, PRICE.cost(usage), 0.5, "stop")
        raise ProviderUnreachable("nobody answers", "wait")


class Desk:
    """One run in a real ledger, with a cap."""

    def __init__(self, folder, usd: float = 1.0, price: Price | None = PRICE) -> None:
        self.ledger = Ledger.open(folder)
        if not self.ledger.runs():
            self.ledger.record("r", STARTED)
        self.cap, self.price, self.told = usd, price, 0

    def buyer(self, provider: Provider) -> Buyer:
        """As a session makes it: with what earlier ones left."""
        record = self.record
        self.purse = Purse(Spent(1e9, 99, self.cap, 10**9), Spent(usd=record.spent.usd), lambda: 0.0)
        seat = Seat("m", provider, self.price)
        made = Buyer(
            self.ledger, "r", self.purse, {"coder": seat, "judge": seat}, stored_replies(record),
            frozenset(), self.tell,
        )  # fmt: skip
        made.paid.update({number: record.paid(number) for number in {*record.unsettled, *record.open}})
        return made

    def tell(self, seat: Seat) -> None:
        self.told += 1

    @property
    def record(self) -> Record:
        return replay(self.ledger.events("r"))

    @property
    def stages(self) -> list[object]:
        return [stage_of(event) for event in self.ledger.events("r")][1:]


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.ledger.close()


def test_a_reply_is_on_record_with_its_cost_and_settles_what_was_reserved(desk):
    buyer = desk.buyer(Provider(["ok"]))
    reply = buyer.ask(Purpose(1, "coder"), QUESTION)
    called, replied = desk.stages
    assert isinstance(called, Called)
    assert isinstance(replied, Replied)
    assert (called.role, called.prompt) == ("coder", "v1")
    assert replied.reply == reply.text == "answer 1"
    assert (replied.tokens_in, replied.tokens_out, replied.cached) == (20, 5, 3)
    assert desk.record.spent.usd == pytest.approx(reply.usd) == pytest.approx(1.0 - desk.purse.left().usd)
    assert called.worst.usd > replied.cost.usd


def test_what_is_sent_is_on_record_without_its_secrets(desk):
    provider = Provider(["ok"])
    desk.buyer(provider).ask(Purpose(1, "coder"), QUESTION)
    called = desk.stages[0]
    assert isinstance(called, Called)
    assert "abc123abc123abc" not in str(called.messages)
    assert "abc123abc123abc" not in provider.requests[0].messages[1].text


def test_the_same_purpose_is_never_bought_twice_also_in_a_later_session(desk):
    desk.buyer(Provider(["ok"])).ask(Purpose(1, "coder"), QUESTION)
    provider = Provider()
    again = desk.buyer(provider).ask(Purpose(1, "coder"), Question((), "another text"))
    assert (again.text, provider.requests) == ("answer 1", [])
    assert desk.told == 1


def test_attempts_that_were_refused_cost_nothing_and_those_that_may_be_billed_cost_the_worst_case(desk):
    buyer = desk.buyer(Provider(["refused", "lost", "ok"]))
    reply = buyer.ask(Purpose(1, "coder"), QUESTION)
    refused, lost = (one for one in desk.stages if isinstance(one, CallFailed))
    worst = next(one.worst for one in desk.stages if isinstance(one, Called))
    assert (refused.cost, lost.cost) == (Spent(), worst)
    assert buyer.paid[1].usd == desk.record.paid(1).usd == pytest.approx(worst.usd + reply.usd)


def test_a_provider_that_never_answers_leaves_nothing_reserved(desk):
    with pytest.raises(ProviderUnreachable):
        desk.buyer(Provider(["refused", "refused"])).ask(Purpose(1, "coder"), QUESTION)
    assert desk.purse.left().usd == desk.cap
    assert desk.record.spent == Spent()


def test_a_call_that_is_cut_short_by_the_end_of_the_runs_time_is_a_budget_spent_and_no_providers_fault(desk):
    provider = Provider(["lost"])
    buyer = desk.buyer(provider)
    buyer.purse = Purse(Spent(60.0, 99, 1.0, 10**9), Spent(), lambda: 61.0 if provider.requests else 0.0)
    with pytest.raises(BudgetSpent, match=r"1\.0 minutes are over"):
        buyer.ask(Purpose(1, "coder"), QUESTION)
    assert [one.kind for one in desk.stages] == ["called", "call_failed"]


def test_a_call_that_does_not_fit_is_neither_announced_nor_sent_nor_on_record(tmp_path, desk):
    desk.cap = 0.001
    provider = Provider(["ok"])
    with pytest.raises(BudgetSpent, match=r"could cost \$"):
        desk.buyer(provider).ask(Purpose(1, "coder"), QUESTION)
    assert (provider.requests, desk.stages, desk.told) == ([], [], 0)


def test_a_retry_that_does_not_fit_any_more_is_not_made(desk):
    worst = 1.2 * 2.0 * 8192 / 1e6
    desk.cap = worst * 1.5
    provider = Provider(["lost", "ok"])
    with pytest.raises(BudgetSpent):
        desk.buyer(provider).ask(Purpose(1, "coder"), QUESTION)
    assert len(provider.requests) == 1
    assert desk.record.spent.usd <= desk.cap


def test_a_reply_whose_price_nobody_knows_counts_its_tokens_and_says_so(desk):
    desk.price = None

    class Free(Provider):
        def complete(self, *given, **named):
            reply = super().complete(*given, **named)
            return Reply(reply.text, reply.model, reply.usage, None, reply.seconds, reply.finish)

    desk.buyer(Free(["ok"])).ask(Purpose(1, "coder"), QUESTION)
    assert not desk.record.bought.is_priced
    assert desk.record.spent.tokens == 25


def test_recorded_replies_are_given_out_by_role_and_cost_nothing(desk):
    usage = Usage(20, 5)
    replies = [
        (role, Reply(text, "m", usage, 0.5, 1.0, "stop"))
        for role, text in [("judge", "j1"), ("coder", "c1"), ("coder", "c2")]
    ]
    recorded = Recorded(desk.ledger, "r", "earlier", replies, {})
    asked = [recorded.ask(Purpose(k, role), QUESTION).text for k, role in enumerate(["coder", "judge", "coder"], 1)]
    assert asked == ["c1", "j1", "c2"]
    with pytest.raises(BudgetSpent, match="earlier"):
        recorded.ask(Purpose(4, "coder"), QUESTION)
    assert desk.record.spent == Spent()


def test_a_replay_that_was_interrupted_goes_on_with_the_replies_that_are_left_and_buys_none(desk):
    desk.buyer(Provider(["ok"], ["ok"], ["ok"])).ask(Purpose(1, "coder"), QUESTION)
    earlier = desk.buyer(Provider(["ok"]))
    assert earlier.ask(Purpose(2, "coder"), QUESTION).text == "answer 1"
    settings = RunSettings("/repo", "f", model="m", replies_of="r")
    desk.ledger.record("again", replace(STARTED, settings=settings.as_json()))
    workshop = SimpleNamespace(ledger=desk.ledger, run="again", settings=settings)

    def session() -> Buyer | Recorded:
        return models.buyer(workshop, replay(desk.ledger.events("again")), desk.purse, desk.tell)

    first = session().ask(Purpose(1, "coder"), QUESTION)
    resumed = session()
    assert resumed.ask(Purpose(1, "coder"), QUESTION) == replace(first, usage=Usage(0, 0), usd=0.0, seconds=0.0)
    resumed.ask(Purpose(2, "coder"), QUESTION)
    with pytest.raises(BudgetSpent, match="used up"):
        resumed.ask(Purpose(3, "coder"), QUESTION)
    assert len([one for one in desk.ledger.events("again") if one.kind == "replied"]) == 2


OUTCOMES = st.lists(st.sampled_from(["refused", "lost", "ok", "killed"]), min_size=1, max_size=4)


@settings(deadline=None, max_examples=40)
@given(st.lists(OUTCOMES, min_size=1, max_size=8), st.floats(0.0, 0.12))
def test_no_course_of_events_spends_more_than_the_cap_and_the_record_agrees(tmp_path_factory, calls, cap):
    desk = Desk(tmp_path_factory.mktemp("ledger"), cap)
    truth = 0.0
    provider = Provider(*calls)
    buyer = desk.buyer(provider)
    for number in range(1, len(calls) + 1):
        try:
            buyer.ask(Purpose(number, "coder"), QUESTION)
        except (BudgetSpent, ProviderUnreachable):
            pass
        except Killed:  # a new session takes over
            buyer = desk.buyer(provider)
    spent = desk.record.spent.usd
    for stage in desk.stages:
        truth += stage.cost.usd if isinstance(stage, Replied) else 0.0
    assert truth <= spent <= cap + 1e-12
    assert desk.purse.left().usd == pytest.approx(max(0.0, cap - spent), abs=1e-9)
    desk.ledger.close()


def test_the_cap_is_the_session_s_also_for_a_run_that_is_resumed_later(desk):
    def started(session: str | None) -> RunStarted:
        return replace(STARTED, settings={} if session is None else {"session": session})

    spent = Replied("as it came", "m", Spent(1.0, 0, 0.25, 10))
    open_call = Called("coder", 0, "m", (("user", "why?"),), "v1", Spent(usd=0.5, tokens=900))
    for run, session in (("a", "a"), ("b", "a"), ("c", "a"), ("other", "other"), ("old", None)):
        desk.ledger.record(run, started(session))
    desk.ledger.record("a", spent, 1)
    desk.ledger.record("b", open_call, 1)
    desk.ledger.record("other", spent, 1)
    desk.ledger.record("old", spent, 1)
    elsewhere = bought_elsewhere(desk.ledger, "c", replay(desk.ledger.events("c")))
    assert (elsewhere.usd, elsewhere.tokens) == (0.75, 910)
    alone = bought_elsewhere(desk.ledger, "other", replay(desk.ledger.events("other")))
    assert alone == bought_elsewhere(desk.ledger, "old", replay(desk.ledger.events("old"))) == Spent()
