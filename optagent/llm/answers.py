"""From litellm's response to a Reply: nothing in it is taken for granted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from optagent.llm.base import Finish, Price, Reply, Request, Usage
from optagent.llm.pricing import most_tokens, most_tokens_in
from optagent.llm.secrets import scrub, without_keys

FINISHES: dict[str, Finish] = {"stop": "stop", "length": "length", "content_filter": "filtered"}


def reply_of(response: Any, request: Request, price: Price | None, seconds: float, secrets: Iterable[str]) -> Reply:
    """The reply, with its cost at that price. No choice, no text: an empty reply, and billed like any other."""
    choices = list(getattr(response, "choices", None) or ())
    text = without_keys(_text_in(choices), secrets)
    named = _usage_in(getattr(response, "usage", None), text)
    usage = named or Usage(most_tokens_in(request), most_tokens(text))
    model = str(getattr(response, "model", None) or request.model)
    return Reply(
        text=text,
        model=scrub(model, secrets, keep=f"{model} {request.model}"),
        usage=usage,
        usd=price.cost(usage) if price else None,
        seconds=seconds,
        finish=_finish_of(choices, text),
        usage_estimated=named is None,
    )


def _text_in(choices: list[Any]) -> str:
    message = getattr(choices[0], "message", None) if choices else None
    text = getattr(message, "content", None)
    return text if isinstance(text, str) else ""


def _finish_of(choices: list[Any], text: str) -> Finish:
    named = str(getattr(choices[0], "finish_reason", None)) if choices else ""
    finish = FINISHES.get(named, "other")
    if not text and finish not in ("length", "filtered"):
        message = getattr(choices[0], "message", None) if choices else None
        return "filtered" if getattr(message, "refusal", None) else "empty"
    return finish


def _usage_in(usage: Any, text: str) -> Usage | None:
    """What the provider counted; None when it left something out (litellm then says 0, and neither a prompt nor a text
    has 0 tokens)."""
    tokens_in, tokens_out = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    if not tokens_in or (text and not tokens_out):
        return None
    details_in = getattr(usage, "prompt_tokens_details", None)
    details_out = getattr(usage, "completion_tokens_details", None)
    written = _count(usage, "cache_creation_input_tokens") or _count(details_in, "cache_creation_tokens")
    cached = min(_count(details_in, "cached_tokens"), tokens_in)
    return Usage(
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cached=cached,
        reasoning=_count(details_out, "reasoning_tokens"),
        written=min(written, tokens_in - cached),
    )


def _count(holder: Any, name: str) -> int:
    value = getattr(holder, name, None)
    return max(0, int(value)) if isinstance(value, int | float) else 0
