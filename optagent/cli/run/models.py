"""From settings to whoever answers: models with their prices, or the replies of an earlier run."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

from optagent.agents.prompt_check import check as check_prompts
from optagent.agents.prompts import Prompts, our_folder
from optagent.agents.secrets import without_secrets
from optagent.cli.run.buying import Buyer, Recorded, Seat, recorded, stored_replies
from optagent.cli.run.workshop import Workshop
from optagent.cli.settings.run_settings import RunSettings
from optagent.errors import BadSetting
from optagent.ledger.history import Record
from optagent.llm.base import Price
from optagent.llm.installed import require_clean
from optagent.llm.route import Access, price_for
from optagent.llm.secrets import known_secrets
from optagent.search.purse import Purse

SAMPLE_TEMPERATURE = 1.0
"""Independent answers to one question have to differ."""

Tell = Callable[[Seat], None]


def buyer(workshop: Workshop, record: Record, purse: Purse, tell: Tell) -> Buyer | Recorded:
    """Who buys replies for a run, with what earlier sessions have bought; or who repeats those of another run."""
    settings = workshop.settings
    if settings.replies_of:
        return recorded(workshop.ledger, workshop.run, settings.replies_of, record)
    paid = {number: record.paid(number) for number in {*record.unsettled, *record.open}}
    made = Buyer(
        workshop.ledger, workshop.run, purse, seats(settings), stored_replies(record),
        known_secrets(), tell,
    )  # fmt: skip
    made.paid.update(paid)
    return made


def seats(settings: RunSettings) -> dict[str, Seat]:
    """The models of Coder, Judge and Tester. Raises BadSetting when nobody knows what one costs and nothing else bounds
    it."""
    from optagent.llm.litellm_model import LitellmModel

    model = LitellmModel(access(settings))
    temperature = SAMPLE_TEMPERATURE if settings.policy == "sample" else None
    (coder, coder_price), (judge, judge_price) = prices(settings)
    return {
        "coder": Seat(coder, model, coder_price, temperature),
        "judge": Seat(judge, model, judge_price),
        "tester": Seat(coder, model, coder_price),
    }


def prices(settings: RunSettings) -> tuple[tuple[str, Price | None], tuple[str, Price | None]]:
    """The models of Coder and Judge with their prices. Raises BadSetting for one that no ceiling bounds."""
    assert settings.model is not None, "a model is asked for"
    judge = settings.judge_model or settings.model
    return (settings.model, known_price(settings.model, settings)), (judge, known_price(judge, settings))


def access(settings: RunSettings) -> Access:
    price = own_price(settings.price) if settings.price else None
    base = settings.api_base or ""
    if set(base) & set("@?#") or without_secrets(base, known_secrets()) != base:
        hint = "Give the plain address, and the key in a variable (OPENAI_API_KEY) or with --key-command."
        raise BadSetting("--api-base holds a login or a key, which would be written down", hint)
    return Access(settings.api_base, settings.key_command, price)


def known_price(name: str, settings: RunSettings) -> Price | None:
    """The price of a model, None when nobody knows it and tokens are bounded instead. BadSetting when nothing is."""
    price = price_for(name, access(settings))
    if price is None and settings.max_tokens is None:
        raise BadSetting(
            f"nobody knows what {name} costs, so that --max-usd {settings.max_usd:g} cannot be kept",
            "Give its price (`--price 0.15,0.6`, US dollars for a million tokens in and out; `--price 0,0` for one of "
            "your own), or `--max-tokens N` to be bounded by tokens instead.",
        )
    return price


def price_line(price: Price | None) -> str:
    """A price as people write it.

    >>> price_line(Price.per_million(0.15, 0.6))
    '$0.15 in, $0.6 out for a million tokens'
    """
    if price is None:
        return "nobody knows its price"
    return f"${price.usd_in * 1e6:g} in, ${price.usd_out * 1e6:g} out for a million tokens"


def own_price(text: str) -> Price:
    """The price that a user names. Raises BadSetting."""
    try:
        usd_in, usd_out = (float(part) for part in text.split(","))
    except ValueError:
        usd_in = usd_out = math.nan
    if not (math.isfinite(usd_in) and math.isfinite(usd_out) and min(usd_in, usd_out) >= 0):
        raise BadSetting(
            f"--price {text} means nothing", "Give US dollars for a million tokens in and out, like `--price 0.15,0.6`."
        )
    return Price.per_million(usd_in, usd_out)


def prompts(settings: RunSettings) -> Prompts:
    """The prompts in force. Raises BadSetting for a folder of the user's that holds none."""
    if settings.prompts is None:
        return Prompts((our_folder(),))
    own, names = Path(settings.prompts), sorted(file.name for file in our_folder().glob("*_*.md"))
    if not any(os.path.isfile(own / name) for name in names):
        raise BadSetting(
            f"the folder {own} holds no prompts, or is not there", f"A prompt is one of {', '.join(names)}."
        )
    return Prompts((own, our_folder()))


def check(settings: RunSettings) -> None:
    """Returns when a model can be asked, as far as can be told without asking: what is wrong is told before anything
    is run."""
    require_clean()
    prices(settings)
    check_prompts(prompts(settings))
