"""What the scripted server can answer, and how that looks on the wire of an OpenAI-compatible endpoint."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Literal

How = Literal[
    "whole",  # as it should be
    "hang",  # the request is read, nothing ever comes back
    "reset",  # the connection is reset before the first byte
    "reset_after_headers",  # the connection is reset in the middle of the body
    "cut",  # the connection ends in order, but before the promised length
    "half_json",  # the promised length, and half of a document
    "dribble",  # a byte now and then: it never ends within any deadline, and never times out between two bytes
    "no_choices",
    "no_usage",
]


@dataclass(frozen=True)
class Tokens:
    """`cached` is part of `prompt`, `reasoning` is part of `completion`."""

    prompt: int = 11
    completion: int = 7
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True)
class Answer:
    """One answer. `{key}` in `message` is the key that came with the request. `when`: only for bodies with that text."""

    text: str | None = "ok"
    finish: str = "stop"
    tokens: Tokens = field(default_factory=Tokens)
    how: How = "whole"
    status: int = 200
    message: str = ""
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: str | None = None
    model: str | None = None
    delay_s: float = 0.0
    when: str = ""


def answer_of(value: str | dict[str, Any] | Answer) -> Answer:
    """A text is the answer with that text; a dict holds the fields of an Answer (as in a script file)."""
    if isinstance(value, str):
        return Answer(value)
    if isinstance(value, Answer):
        return value
    fields = dict(value)
    if "tokens" in fields:
        fields["tokens"] = Tokens(**fields["tokens"])
    return Answer(**fields)


def refused(status: int, message: str, code: str | None = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, message=message, code=code, headers=named)


def rate_limited(after: str | None = None) -> Answer:
    return refused(429, "Rate limit reached", "rate_limit_exceeded", **({"Retry_After": after} if after else {}))


def http_date(seconds_from_now: float) -> str:
    return formatdate(time.time() + seconds_from_now, usegmt=True)


HTML = Answer(raw="<html><body>502 Bad Gateway</body></html>", headers={"Content-Type": "text/html"})
BAD_KEY = refused(401, "Incorrect API key provided: {key}.", "invalid_api_key")
NO_SUCH_MODEL = refused(404, "The model `x` does not exist or you do not have access to it.", "model_not_found")
TOO_LONG = refused(
    400,
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
    "context_length_exceeded",
)


def payload(answer: Answer, model: str, key: str) -> bytes:
    """The body of the answer."""
    if answer.raw is not None:
        return answer.raw.encode()
    if answer.status >= 400:
        error = {"message": answer.message.replace("{key}", key), "type": "error", "param": None, "code": answer.code}
        return json.dumps({"error": error}).encode()
    message = {"role": "assistant", "content": answer.text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": answer.finish, "logprobs": None}
    document = head("chat.completion", answer.model or model)
    document["choices"] = [] if answer.how == "no_choices" else [choice]
    if answer.how != "no_usage":
        document["usage"] = usage(answer.tokens)
    return json.dumps(document).encode()


def events(answer: Answer, model: str, with_usage: bool) -> list[bytes]:
    """The same as a stream of server-sent events, word by word."""
    name = answer.model or model
    deltas: list[tuple[dict[str, Any], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": part}, None) for part in (answer.text or "").splitlines(keepends=True)]
    deltas.append(({}, answer.finish))
    chunks = []
    for delta, finish in deltas:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        chunks.append({**head("chat.completion.chunk", name), "choices": [choice]})
    if with_usage and answer.how != "no_usage":
        chunks.append({**head("chat.completion.chunk", name), "choices": [], "usage": usage(answer.tokens)})
    return [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks] + [b"data: [DONE]\n\n"]


def head(kind: str, model: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": int(time.time()), "model": model}


def usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "prompt_tokens": tokens.prompt,
        "completion_tokens": tokens.completion,
        "total_tokens": tokens.prompt + tokens.completion,
        "prompt_tokens_details": {"cached_tokens": tokens.cached},
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
    }
