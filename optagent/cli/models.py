"""From settings to whoever answers: models with their prices, or the replies of an earlier run."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from optagent.agents.prompts import Prompts, our_folder
from optagent.cli.buying import Buyer, Recorded, Seat, stored_replies
from optagent.cli.settings import RunSettings
from optagent.cli.workshop import Workshop
from optagent.errors import BadSetting
from optagent.ledger.history import Record
from optagent.llm.base import Price, Reply
from optagent.llm.pricing import price_of
from optagent.search.purse import Purse

SAMPLE_TEMPERATURE = 1.0
"""Independent answers to one question have to differ."""

SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD")
SHORTEST_SECRET = 12


Tell = Callable[[Seat], None]


def buyer(workshop: Workshop, record: Record, purse: Purse, tell: Tell) -> Buyer:
    """Who buys replies for a run, with what earlier sessions have bought."""
    settings = workshop.settings
    paid = {number: record.paid(number) for number in {*record.unsettled, *record.open}}
    made = Buyer(
        workshop.ledger, workshop.run, purse, seats(settings), stored_replies(workshop.ledger, record),
        secrets_of(os.environ), tell,
    )  # fmt: skip
    made.paid.update(paid)
    return made


def seats(settings: RunSettings) -> dict[str, Seat]:
    """The models of Coder and Judge. Raises BadSetting when nobody knows what one costs and nothing else bounds it."""
    assert settings.model is not None
    temperature = SAMPLE_TEMPERATURE if settings.policy == "sample" else None
    return {
        "coder": seat(settings.model, settings, temperature),
        "judge": seat(settings.judge_model or settings.model, settings, None),
    }


def seat(name: str, settings: RunSettings, temperature: float | None) -> Seat:
    from optagent.llm.litellm_model import LitellmModel

    price = own_price(settings.price) if settings.price else price_of(name, settings.api_base)
    if price is None and settings.max_tokens is None:
        raise BadSetting(
            f"nobody knows what {name} costs, so that --max-usd {settings.max_usd:g} cannot be kept",
            "Give its price (`--price 0.15,0.6`, US dollars for a million tokens in and out; `--price 0,0` for one of "
            "your own), or `--max-tokens N` to be bounded by tokens instead.",
        )
    model = LitellmModel(settings.api_base, settings.key_command, price)
    return Seat(name, model, price, temperature)


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
    own = (Path(settings.prompts),) if settings.prompts else ()
    return Prompts((*own, our_folder()))


def recorded_buyer(
    run: str, replies: Sequence[tuple[str, Reply]], workshop: Workshop, record: Record, purse: Purse, tell: Tell
) -> Recorded:
    """Who answers with the replies of an earlier run."""
    return Recorded(workshop.ledger, workshop.run, run, replies)


def secrets_of(environment: Mapping[str, str]) -> frozenset[str]:
    """The values of variables that are named like secrets: they are taken out of whatever is sent."""
    named = (value for name, value in environment.items() if name.upper().endswith(SECRET_NAMES))
    return frozenset(value for value in named if len(value) >= SHORTEST_SECRET)
