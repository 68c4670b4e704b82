"""Replies bought for a run: first the purse, then the ledger, then the request; and none is bought twice."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from optagent.agents.asking import Purpose, Question
from optagent.agents.secrets import without_secrets
from optagent.core.goal import BudgetSpent, Spent
from optagent.errors import ProviderFault
from optagent.ledger.events import Called, CallFailed, Replied, Stage
from optagent.ledger.history import Record, replay
from optagent.ledger.store import Ledger
from optagent.llm.base import Message, Model, Price, Reply, Request, Usage
from optagent.llm.pricing import worst_case
from optagent.search.purse import Purse

MOST_TOKENS = 8192
"""Of one reply: a long function with its reasoning; the worst case of a call is reserved for it."""

LONGEST_CALL_S = 300.0


@dataclass(frozen=True)
class Seat:
    """Who answers in a role: the name of a model, what reaches it, and what it costs (None: nobody knows)."""

    name: str
    model: Model
    price: Price | None
    temperature: float | None = None


@dataclass
class Buyer:
    """`seats` by role. `stored` are replies that an earlier session of the run has paid for; `secrets` never leave;
    `tell` says once where the code goes. `paid` is what was, or may have been, paid for each trial."""

    ledger: Ledger
    run: str
    purse: Purse
    seats: Mapping[str, Seat]
    stored: Mapping[Purpose, Reply]
    secrets: Collection[str]
    tell: Callable[[Seat], None]
    paid: dict[int, Spent] = field(default_factory=lambda: defaultdict(Spent))

    def ask(self, purpose: Purpose, question: Question) -> Reply:
        """The reply, on record before anybody reads it. Raises BudgetSpent before anything leaves and when the time
        ends before there is a reply, ProviderFault when none is to be had."""
        if (known := self.stored.get(purpose)) is not None:
            return known
        seat = self.seats[purpose.role]
        request = self._request(seat, question)
        call = Call(self, purpose, seat, request, question.prompt)
        self.purse.require(call.worst)
        self.tell(seat)
        try:
            reply = seat.model.complete(request, self._deadline_s(), call.begin, call.lose)
        except ProviderFault as fault:
            call.fail(fault.message)
            self.purse.require(Spent())  # an answer that our own time cut short is no fault of the provider's
            raise
        call.end(reply)
        return reply

    def _request(self, seat: Seat, question: Question) -> Request:
        messages = tuple(Message(one.role, without_secrets(one.text, self.secrets)) for one in question.messages)
        return Request(seat.name, messages, MOST_TOKENS, seat.temperature)

    def _deadline_s(self) -> float:
        return min(LONGEST_CALL_S, self.purse.left().seconds)

    def record(self, trial: int, event: Stage) -> None:
        self.ledger.record(self.run, event, trial)


class Call:
    """One request and its attempts: each is reserved and on record before it leaves, and closed by what came of it."""

    def __init__(self, buyer: Buyer, purpose: Purpose, seat: Seat, request: Request, prompt: str) -> None:
        tokens, usd = worst_case(request, seat.price)
        self.buyer, self.purpose = buyer, purpose
        self.worst = Spent(tokens=tokens, usd=usd or 0.0)
        messages = tuple((one.role, one.text) for one in request.messages)
        self.event = Called(purpose.role, purpose.turn, seat.name, messages, prompt, self.worst)
        self.is_open = False

    def begin(self) -> None:
        """An attempt may leave. Raises BudgetSpent when its worst case does not fit."""
        if self.is_open:
            self._close("the service refused it", Spent())
        self.buyer.purse.reserve(self.worst)
        self.is_open = True
        self.buyer.record(self.purpose.trial, self.event)

    def lose(self, reason: str) -> None:
        """No reply came, and it may have been billed: booked as the worst case."""
        self._close(reason, self.worst)

    def fail(self, reason: str) -> None:
        """No reply will come. What is still open was refused, so that nothing is owed for it."""
        if self.is_open:
            self._close(reason, Spent())

    def end(self, reply: Reply) -> None:
        cost = Spent(reply.seconds, 0, reply.usd or 0.0, reply.usage.tokens)
        event = Replied(
            reply.text, reply.model, cost, self.purpose.role, self.purpose.turn, reply.usage.tokens_in,
            reply.usage.tokens_out, reply.usage.cached, reply.finish, reply.usd is not None,
        )  # fmt: skip
        self.buyer.record(self.purpose.trial, event)
        self._settle(cost)

    def _close(self, reason: str, cost: Spent) -> None:
        self.buyer.record(self.purpose.trial, CallFailed(reason, cost))
        self._settle(cost)

    def _settle(self, cost: Spent) -> None:
        self.buyer.purse.settle(self.worst, cost)
        self.buyer.paid[self.purpose.trial] += cost
        self.is_open = False


class Recorded:
    """Answers each role with the replies that an earlier run bought for it, in their order; they cost nothing. `given`
    are those that an earlier session has used for this run."""

    def __init__(
        self,
        ledger: Ledger,
        run: str,
        source: str,
        replies: Sequence[tuple[str, Reply]],
        given: Mapping[Purpose, Reply],
    ) -> None:
        self.ledger, self.run, self.source, self.given = ledger, run, source, given
        self.left = {role: deque(one for its, one in replies if its == role) for role, _ in replies}
        for purpose in given:
            self.left[purpose.role].popleft()
        self.paid: dict[int, Spent] = defaultdict(Spent)

    def ask(self, purpose: Purpose, question: Question) -> Reply:
        """The next reply of that role. Raises BudgetSpent when there is none left."""
        if (known := self.given.get(purpose)) is not None:
            return known
        if not self.left.get(purpose.role):
            raise BudgetSpent(f"the replies that run {self.source} bought are used up")
        reply = self.left[purpose.role].popleft()
        event = Replied(reply.text, reply.model, Spent(), purpose.role, purpose.turn, finish=reply.finish)
        self.ledger.record(self.run, event, purpose.trial)
        return reply


def recorded(ledger: Ledger, run: str, source: str, record: Record) -> Recorded:
    """Who answers in a run, as far as its `record` goes, with the replies of the run `source`."""
    replies = [(one.role, reply_of(one)) for _, one in replay(ledger.events(source)).replies]
    return Recorded(ledger, run, source, replies, stored_replies(record))


def stored_replies(record: Record) -> dict[Purpose, Reply]:
    """What earlier sessions have bought, by what it was for."""
    return {Purpose(trial, one.role, one.turn): reply_of(one) for trial, one in record.replies}


def reply_of(stored: Replied) -> Reply:
    """A reply as it came, from the ledger."""
    usage = Usage(stored.tokens_in, stored.tokens_out, stored.cached)
    usd = stored.cost.usd if stored.is_priced else None
    return Reply(stored.reply, stored.author, usage, usd, stored.cost.seconds, stored.finish)
