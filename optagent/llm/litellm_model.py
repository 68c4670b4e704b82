"""A model behind litellm: one whole answer per request, with our own retries, deadline and price.

Answers are not streamed: of a stream that breaks off litellm makes a finished answer with a usage of its own invention,
and half an edit looks like a whole one.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_result

from optagent.errors import ProviderFault, ProviderUnreachable, RateLimited
from optagent.llm import door
from optagent.llm.abandon import Outcome, call_within
from optagent.llm.answers import reply_of
from optagent.llm.base import Reply, Request, nothing_before, nothing_lost
from optagent.llm.failures import Setback, nothing_came, setback_of
from optagent.llm.route import Access, Route, route_for
from optagent.llm.secrets import from_command, scrub

ATTEMPTS = 4
ATTEMPT_S = 300.0  # the longest wait for one answer: a reasoning model may think for minutes before its first byte
PAUSE_S = 1.0  # before the second attempt; twice as long before each further one, less up to a half by chance
LONGEST_PAUSE_S = 20.0
NO_TIME = Setback(ProviderUnreachable, "No time was left to ask the model.", "Allow more time (`--max-minutes`).")

Result = Reply | Setback


@dataclass
class LitellmModel:
    """Every model that litellm knows, and every OpenAI-compatible endpoint. Any number of threads may ask at once.

    Only what transport did is tried again (429, 5xx, lost connections, broken answers), at most `ATTEMPTS` times and
    never beyond the deadline; what the provider refuses fails at once. `sleep` and `rng` are there for tests.
    """

    access: Access = field(default_factory=Access)
    attempt_s: float = ATTEMPT_S
    sleep: Callable[[float], None] = time.sleep
    rng: random.Random = field(default_factory=random.Random)
    _routes: dict[str, Route] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def complete(
        self,
        request: Request,
        deadline_s: float,
        before_attempt: Callable[[], None] = nothing_before,
        lost: Callable[[str], None] = nothing_lost,
    ) -> Reply:
        """See `Model`. What the first call does besides (importing litellm, the key command) is not in the deadline."""
        route = self._route(request.model)
        wanted = replace(request, max_tokens=min(request.max_tokens, route.limit or request.max_tokens))
        started = time.monotonic()

        def attempt() -> Result:
            left_s = started + deadline_s - time.monotonic()
            if left_s <= 0:
                return NO_TIME
            before_attempt()
            return self._attempt(wanted, route, min(left_s, self.attempt_s), lost)

        retrying = self._retrying(started + deadline_s)
        result = retrying(attempt)
        if isinstance(result, Reply):
            return result
        raise _fault(result, route, retrying.statistics["attempt_number"], time.monotonic() - started)

    def _route(self, model: str) -> Route:
        with self._lock:  # the key command runs once, also when several threads ask first
            if model not in self._routes:
                known = next((route.key for route in self._routes.values()), None)
                command = self.access.key_command
                key = known or from_command(command) if command else None
                self._routes[model] = route_for(model, self.access, key)
            return self._routes[model]

    def _attempt(self, request: Request, route: Route, seconds: float, lost: Callable[[str], None]) -> Result:
        """One HTTP request. Whatever ends it (also Ctrl-C), an answer that may be billed and is not here is told."""
        base, key = self.access.api_base, route.key
        started = time.monotonic()
        why_lost = "interrupted while the answer was awaited"
        try:
            outcome = call_within(seconds, lambda: door.ask(request, route.model, base, key, seconds))
            result = _result(outcome, request, route, time.monotonic() - started)
            why_lost = result.lost if isinstance(result, Setback) else ""
        finally:
            if why_lost:
                lost(why_lost)
        return result

    def _retrying(self, ends: float) -> Retrying:
        def is_over(state: RetryCallState) -> bool:
            return state.attempt_number >= ATTEMPTS or time.monotonic() + state.upcoming_sleep >= ends

        return Retrying(
            retry=retry_if_result(lambda result: isinstance(result, Setback) and result.again),
            wait=self._pause,
            stop=is_over,
            sleep=self.sleep,
            retry_error_callback=_last,
        )

    def _pause(self, state: RetryCallState) -> float:
        """Seconds until the next attempt: what the provider asks for, else longer each time and never quite the same
        (many workers that failed together must not come back together)."""
        setback = _last(state)
        if isinstance(setback, Setback) and setback.after_s is not None:
            return setback.after_s
        longest = min(LONGEST_PAUSE_S, PAUSE_S * 2.0 ** (state.attempt_number - 1))
        return longest * self.rng.uniform(0.5, 1.0)


def _last(state: RetryCallState) -> Result:
    assert state.outcome is not None
    result: Result = state.outcome.result()
    return result


def _result(outcome: Outcome[Any], request: Request, route: Route, seconds: float) -> Result:
    if not outcome.done:
        return nothing_came(seconds, route.place)
    if outcome.error is not None:
        return setback_of(outcome.error, request.model, route.place)
    return reply_of(outcome.value, request, route.price, seconds, route.secrets)


def _fault(setback: Setback, route: Route, attempts: int, seconds: float) -> ProviderFault:
    """The fault to raise, without any key in it: providers echo them."""
    what = scrub(setback.what, route.secrets, keep=f"{route.model} {route.place}")
    if setback.kind is RateLimited and setback.after_s is not None and attempts < ATTEMPTS:
        what += f" It asks to wait {setback.after_s:.0f} s, more than there is time for."
    if attempts > 1:
        what += f" ({attempts} attempts in {seconds:.0f} s)"
    return setback.kind(what, setback.hint)
