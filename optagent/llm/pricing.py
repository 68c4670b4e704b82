"""What a model costs, from the table inside litellm's wheel (read as a file: importing litellm takes 4 s of CPU).

A price that is not known is None. Zero in the table means nobody entered one, except for models that run locally.
"""

from __future__ import annotations

import importlib.util
import json
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from optagent.llm.base import Price, Request

Row = dict[str, Any]

TABLE = "model_prices_and_context_window_backup.json"
CHAT_MODES = ("chat", "completion", "responses")
LOCAL = ("ollama", "lemonade")
ABOVE = re.compile(r"(?:in|out)put_cost_per_token_above_(\d+)(k?)_tokens")
CHARS_PER_TOKEN = 3.5  # between English prose (4) and dense code (3): for people, never for a budget
REQUEST_TOKENS = 512  # what chat templates and providers put around a conversation: at most a short system prompt
MESSAGE_TOKENS = 32  # role and separators of one message: 3 to 10 in the known templates
SCHEMA_TOKENS = 1024  # the instructions that turn a schema into a forced tool call, where a provider needs that


def price_of(model: str, api_base: str | None = None) -> Price | None:
    """The list price of `model`; at an `api_base` of the user's, that of the OpenAI model of the same name."""
    row = row_of(model, api_base)
    return _price_in(row, model) if row else None


def output_limit(model: str, api_base: str | None = None) -> int | None:
    """The most tokens that the model can answer with, where that is known."""
    limit = (row_of(model, api_base) or {}).get("max_output_tokens")
    return int(limit) if isinstance(limit, int | float) and limit > 0 else None


def worst_case(request: Request, price: Price | None) -> tuple[int, float | None]:
    """(tokens, USD) that one attempt at this request cannot exceed; USD None when the price is unknown."""
    tokens_in = most_tokens_in(request)
    usd = price.at_most(tokens_in, request.max_tokens) if price else None
    return tokens_in + request.max_tokens, usd


def most_tokens_in(request: Request) -> int:
    """An upper bound of the tokens of the prompt, for any tokenizer."""
    tokens = sum(most_tokens(message.text) + MESSAGE_TOKENS for message in request.messages)
    if request.schema is not None:
        tokens += SCHEMA_TOKENS + 2 * most_tokens(json.dumps(request.schema, ensure_ascii=False))
    return tokens + REQUEST_TOKENS


def most_tokens(text: str) -> int:
    """An upper bound of the tokens of a text: its bytes in UTF-8, plus one for a space that some put in front.

    The tokenizers of chat models work on bytes, or on characters and fall back to bytes: no token is shorter than a
    byte. Some normalise the text first, which can make it longer; the longest of the normal forms counts.
    """
    forms = [text] if text.isascii() else [text, *(unicodedata.normalize(f, text) for f in ("NFC", "NFKC", "NFKD"))]
    return max(len(form.encode("utf-8", "surrogatepass")) for form in forms) + 1


def estimate_tokens(text: str) -> int:
    """About how many tokens that is: to show, not to rely on."""
    return round(len(text) / CHARS_PER_TOKEN)


# --- the table -------------------------------------------------------------------------------------------------------


@cache
def table() -> dict[str, Row]:
    """{model: what litellm knows about it}; empty when litellm is not installed."""
    found = importlib.util.find_spec("litellm")
    if found is None or not found.submodule_search_locations:
        return {}
    file = Path(found.submodule_search_locations[0]) / TABLE
    rows: dict[str, Row] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return {name: row for name, row in rows.items() if isinstance(row, dict)}


@cache
def providers() -> frozenset[str]:
    """The names that may stand before the slash."""
    return frozenset(str(row["litellm_provider"]) for row in table().values() if "litellm_provider" in row)


@cache
def _aliases() -> dict[str, str]:
    """{other name: name in the table}."""
    return {str(other): name for name, row in table().items() for other in row.get("aliases") or ()}


def row_of(model: str, api_base: str | None = None) -> Row | None:
    """What the table says about a chat model under this name, at this provider and no other."""
    for name, provider in _names(model, api_base):
        row = _follow(name)
        if row and row.get("mode") in CHAT_MODES and _is_of(row, provider):
            return row
    return None


def _follow(name: str) -> Row | None:
    row = table().get(_aliases().get(name, name))
    return table().get(str(row["alias_of"])) if row and "alias_of" in row else row


def _is_of(row: Row, provider: str | None) -> bool:
    """Whether a row is that provider's; some have several names there (bedrock, bedrock_converse)."""
    return provider is None or re.split(r"[-_]", provider)[0] == re.split(r"[-_]", str(row.get("litellm_provider")))[0]


def _names(model: str, api_base: str | None) -> Iterator[tuple[str, str | None]]:
    """(name in the table, the provider that its row must be of)."""
    prefix, slash, rest = model.partition("/")
    prefix = prefix.removesuffix("_chat")  # ollama_chat/x is ollama/x by another door
    if api_base and not (slash and prefix in providers()):
        yield from ((name, "openai") for name in _plain(model))
        return
    yield model, None
    if slash:
        yield f"{prefix}/{rest}", None
        yield from ((name, prefix) for name in _plain(rest))
    else:
        yield from ((name, None) for name in _plain(model))


def _plain(name: str) -> tuple[str, ...]:
    """A fine-tuned model (ft:base:owner::id) costs what its base costs when fine-tuned."""
    parts = name.split(":")
    return (name, ":".join(parts[:2])) if parts[0] == "ft" and len(parts) > 2 else (name,)


# --- a row -----------------------------------------------------------------------------------------------------------


def _price_in(row: Row, model: str) -> Price | None:
    if "input_cost_per_request" in row:  # a part that tokens do not show
        return None
    base, tiers = _tiers_listed(row) if row.get("tiered_pricing") else (_rates(row, ""), _tiers_named(row))
    if base is None or any(price is None for _, price in tiers):
        return None
    is_local = str(row.get("litellm_provider")) in LOCAL and not model.endswith("-cloud")
    if base.usd_in == base.usd_out == 0 and not is_local:
        return None
    known = tuple((above, price) for above, price in tiers if price)
    return Price(base.usd_in, base.usd_cached, base.usd_out, base.usd_written, known)


def _rates(row: Row, suffix: str) -> Price | None:
    """The rates of a row under one suffix; what a tier does not name costs what it costs below it.

    Where reasoning has a price of its own (a few models), the dearer one counts for the whole answer.
    """

    def rate(name: str) -> float | None:
        found = row.get(name + suffix, row.get(name))
        return float(found) if isinstance(found, int | float) else None

    usd_in, usd_out = rate("input_cost_per_token"), rate("output_cost_per_token")
    if usd_in is None or usd_out is None:
        return None
    usd_cached = rate("cache_read_input_token_cost")
    usd_out = max(usd_out, rate("output_cost_per_reasoning_token") or 0.0)
    return Price(usd_in, usd_in if usd_cached is None else usd_cached, usd_out, rate("cache_creation_input_token_cost"))


def _tiers_named(row: Row) -> tuple[tuple[int, Price | None], ...]:
    """From keys such as input_cost_per_token_above_200k_tokens."""
    found = {(match[1], match[2]) for key in row if (match := ABOVE.fullmatch(key))}
    steps = [(int(n) * (1000 if k else 1), _rates(row, f"_above_{n}{k}_tokens")) for n, k in found]
    return tuple(sorted(steps, key=lambda step: step[0]))


def _tiers_listed(row: Row) -> tuple[Price | None, tuple[tuple[int, Price | None], ...]]:
    """From a list of {range: [above, to], rates}; below the first range counts as the first."""
    steps = [(int(step["range"][0]), _rates(step, "")) for step in row["tiered_pricing"] if "range" in step]
    steps.sort(key=lambda step: step[0])
    return (steps[0][1], tuple(steps[1:])) if steps else (None, ())
