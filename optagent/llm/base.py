"""What is asked of a model, what it answers, and what that costs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

Role = Literal["system", "user", "assistant"]
Finish = Literal["stop", "length", "filtered", "empty", "other"]


@dataclass(frozen=True)
class Message:
    role: Role
    text: str


@dataclass(frozen=True)
class Request:
    """`max_tokens` bounds the answer, hidden reasoning included. `schema` is a JSON schema that the answer must fit."""

    model: str
    messages: tuple[Message, ...]
    max_tokens: int = 8192
    temperature: float | None = None
    effort: str | None = None
    schema: dict[str, Any] | None = None

    @property
    def digest(self) -> str:
        """SHA-256 in hex; equal requests have equal digests, in every process."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Usage:
    """Tokens as billed: `cached` and `written` (to the provider's cache) are part of `tokens_in`, `reasoning` of
    `tokens_out`."""

    tokens_in: int
    tokens_out: int
    cached: int = 0
    reasoning: int = 0
    written: int = 0

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out


@dataclass(frozen=True)
class Price:
    """USD per token. `tiers`: (n, price): a request of more than n tokens in is billed at that price, all of it."""

    usd_in: float
    usd_cached: float
    usd_out: float
    usd_written: float | None = None
    tiers: tuple[tuple[int, Price], ...] = ()

    @classmethod
    def per_million(cls, usd_in: float, usd_out: float) -> Price:
        """A price as people write it; what is read from a cache counts in full."""
        return cls(usd_in / 1e6, usd_in / 1e6, usd_out / 1e6)

    def cost(self, usage: Usage) -> float:
        """USD for that usage."""
        rate = max((tier for tier in self.tiers if usage.tokens_in > tier[0]), key=lambda tier: tier[0], default=None)
        if rate:
            return rate[1].cost(usage)
        usd_written = self.usd_in if self.usd_written is None else self.usd_written
        fresh = max(0, usage.tokens_in - usage.cached - usage.written)
        tokens_in = fresh * self.usd_in + usage.cached * self.usd_cached + usage.written * usd_written
        return tokens_in + usage.tokens_out * self.usd_out

    def at_most(self, tokens_in: int, tokens_out: int) -> float:
        """USD that no usage of up to so many tokens can exceed, whatever part of it is cached and whatever its tier."""
        reached = [self, *(price for above, price in self.tiers if tokens_in > above)]
        dearest_in = max(max(one.usd_in, one.usd_cached, one.usd_written or 0.0) for one in reached)
        return tokens_in * dearest_in + tokens_out * max(one.usd_out for one in reached)


@dataclass(frozen=True)
class Reply:
    """A whole answer, useless ones included: they are billed.

    `usd` None: the price is unknown, which is not 0. `usage_estimated`: the provider named no usage, and the tokens
    are an upper bound of what the texts can be. `finish` is `empty` when there is no text and no better reason known.
    """

    text: str
    model: str
    usage: Usage
    usd: float | None
    seconds: float
    finish: Finish
    usage_estimated: bool = False


def nothing_before() -> None:
    """For who keeps no budget."""


def nothing_lost(reason: str) -> None:
    """For who keeps no account."""


class Model(Protocol):
    def complete(
        self,
        request: Request,
        deadline_s: float,
        before_attempt: Callable[[], None] = nothing_before,
        lost: Callable[[str], None] = nothing_lost,
    ) -> Reply:
        """The reply, at most `deadline_s` seconds later; a ProviderFault when there is none.

        `before_attempt` runs before each attempt over the network; what it raises passes through, and nothing is sent.
        `lost(why)` runs after each attempt that may have been billed though its answer never arrived whole.
        """
