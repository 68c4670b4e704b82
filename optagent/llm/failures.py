"""What went wrong in one attempt: told as a fault of ours, with whether to try again and whether it may be billed.

litellm's own classes are not enough: a reset connection comes as status 500, a timeout as 408. The exceptions that it
hides tell the truth, and they are known by their names, since every provider's client brings its own.
"""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from optagent.errors import (
    ContextTooLong,
    KeyMissing,
    KeyRefused,
    ModelUnknown,
    ProviderFault,
    ProviderUnreachable,
    QuotaSpent,
    RateLimited,
    RequestRefused,
)

NEVER_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ConnectionRefusedError", "gaierror", "ProxyError"}
NEVER_SENT |= {"EndpointConnectionError", "ClientConnectorError", "UnsupportedProtocol", "InvalidURL"}
# litellm gives these a status of its own making when nobody answered, so their status proves nothing
STATUS_MADE_UP = {"InternalServerError", "Timeout", "APIConnectionError", "APIError", "ServiceUnavailableError"}
UNREADABLE = {"JSONDecodeError", "ValidationError"}
# litellm itself stumbled over a whole answer, and would again; each time it is billed
STUMBLED = {"AttributeError", "TypeError"}
TRY_AGAIN = {408, 409, 425, 429}
# a gateway gave up waiting: the model behind it may have answered, and that is billed
MAY_BE_BILLED = {408, 502, 504, 520, 522, 524}
NO_CREDIT = ("insufficient_quota", "credit balance", "billing_hard_limit", "exceeded your current quota")
TOO_LONG = ("context_length_exceeded", "maximum context length", "prompt is too long")
NO_KEY = ("Missing credentials", "api_key client option must be set", "api key is required", "Missing API Key")
SHORTEST_MESSAGE = 8  # what is shorter is the key of a KeyError and the like
PREFIX = re.compile(r"^(?:litellm\.)?(?:\w+(?:Error|Timeout|Exception):? ?(?:- )?)+")


@dataclass(frozen=True)
class Setback:
    """An attempt without a reply. `lost`: why it may have been billed all the same; "" when it cannot have been."""

    kind: type[ProviderFault]
    what: str
    hint: str
    again: bool = False
    lost: str = ""
    after_s: float | None = None


@dataclass(frozen=True)
class Answered:
    """What the provider said in place of a reply: an HTTP status, its message, all of its words, and how long to wait
    (seconds)."""

    status: int
    text: str
    body: str
    after_s: float | None = None


def setback_of(error: BaseException, model: str, place: str) -> Setback:
    """What that exception of litellm's means. Its texts are the provider's: not yet safe to show."""
    names = {name for one in chain(error) for name in _class_names(one)}
    answered = _answered(error)
    if answered and ("ContextWindowExceededError" in names or _has(answered.body, TOO_LONG)):
        return _too_long(answered, model, place)
    if answered:
        return _of_status(answered, model, place)
    said = _said(error)
    if _has(said, NO_KEY):
        return Setback(KeyMissing, f"There is no key for {model}: {said}", "Set the variable that holds the key.")
    if isinstance(error, ImportError):
        return Setback(RequestRefused, f"{model} needs a package that is not installed: {said}", "Install it.")
    return _of_transport(names, error, place)


def nothing_came(seconds: float, place: str) -> Setback:
    """The attempt was left behind after so many seconds."""
    what = f"{place} gave no whole answer within {seconds:.3g} s."
    return Setback(ProviderUnreachable, what, _reach_hint(place), again=True, lost=f"no answer within {seconds:.3g} s")


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and those that led to it, as a traceback would show them."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def seconds_to_wait(headers: Any) -> float | None:
    """What Retry-After asks for, in seconds or as a date; None when it asks for nothing that can be read."""
    milliseconds = headers.get("retry-after-ms")
    value = str(headers.get("retry-after") or "").strip()
    try:
        if milliseconds:
            return max(0.0, float(milliseconds) / 1000)
        if value.replace(".", "", 1).isdigit():
            return float(value)
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time()) if value else None
    except ValueError:
        return None


def _class_names(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _answered(error: BaseException) -> Answered | None:
    """The provider's answer, from the HTTP client's own exception or, failing that, from litellm's."""
    for one in chain(error):
        if type(one).__name__ == "HTTPStatusError":
            response: Any = one.response  # type: ignore[attr-defined]
            return Answered(
                int(response.status_code), _message(response.text), response.text, seconds_to_wait(response.headers)
            )
    if any(_class_names(one) & UNREADABLE for one in chain(error)):  # litellm calls that a 422
        return None
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and type(error).__name__ not in STATUS_MADE_UP:
        headers = getattr(getattr(error, "response", None), "headers", None) or {}
        return Answered(status, _said(error), str(error), seconds_to_wait(headers))
    return None


def _message(body: str) -> str:
    """The message of an error document; else the body as it is."""
    try:
        return str(json.loads(body)["error"]["message"]) or body
    except (ValueError, LookupError, TypeError):
        return body


def _of_status(answered: Answered, model: str, place: str) -> Setback:
    said = f"{place} answers {answered.status}: {answered.text}"
    if answered.status == 402 or _has(answered.body, NO_CREDIT):
        return Setback(QuotaSpent, f"The account has no credit left. {said}", "Add credit with the provider.")
    if answered.status == 413:
        return _too_long(answered, model, place)
    if answered.status in TRY_AGAIN or answered.status >= 500:
        return _passing(answered, said, place)
    if answered.status in (401, 403):
        hint = "Check the key and what it may be used for (`optagent doctor` shows which variable is read)."
        return Setback(KeyRefused, f"The key is not accepted for {model}. {said}", hint)
    if answered.status == 404:
        hint = f"Check the name, and the address: a server lists its models at {place}/models."
        hint = hint if "://" in place else "Check the name in the provider's list of models."
        return Setback(ModelUnknown, f"There is no model {model}. {said}", hint)
    return Setback(RequestRefused, f"The request is refused. {said}", "Try another model, or fewer settings.")


def _too_long(answered: Answered, model: str, place: str) -> Setback:
    what = f"The prompt is too long for {model}. {place} answers {answered.status}: {answered.text}"
    return Setback(ContextTooLong, what, "Take a model with more context, or a smaller scope.")


def _passing(answered: Answered, said: str, place: str) -> Setback:
    lost = f"{place} answers {answered.status}" if answered.status in MAY_BE_BILLED else ""
    if answered.status == 429:
        hint = "Wait a little and resume the run, or take a model with a higher limit."
        return Setback(RateLimited, f"Too many requests. {said}", hint, again=True, after_s=answered.after_s)
    hint = "Wait a little and resume the run."
    return Setback(ProviderUnreachable, said, hint, again=True, lost=lost, after_s=answered.after_s)


def _of_transport(names: set[str], error: BaseException, place: str) -> Setback:
    told = [text for one in chain(error) if len(text := _said(one)) >= SHORTEST_MESSAGE]
    said = told[-1] if told else type(error).__name__
    if names & NEVER_SENT:
        what = f"{place} cannot be reached: {said}"
        return Setback(ProviderUnreachable, what, _reach_hint(place), again=True)
    why = "no answer in time" if "TimeoutError" in names or "Timeout" in names else "the answer did not arrive whole"
    again = not names & STUMBLED
    return Setback(ProviderUnreachable, f"{place}: {why}: {said}", _reach_hint(place), again=again, lost=why)


def _reach_hint(place: str) -> str:
    if "://" in place:
        return f"Check that the server runs: `curl {place}/models`."
    return "Check the network, then resume the run."


def _said(error: BaseException) -> str:
    """The text of an exception, without the class names that litellm writes before it."""
    return PREFIX.sub("", str(error))


def _has(text: str, words: tuple[str, ...]) -> bool:
    return any(word.lower() in text.lower() for word in words)
