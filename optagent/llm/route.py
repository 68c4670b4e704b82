"""From a model's name to where its requests go, with which key, and at what price."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from optagent.errors import KeyMissing, ModelUnknown
from optagent.llm import door
from optagent.llm.base import Price
from optagent.llm.pricing import output_limit, price_of
from optagent.llm.secrets import PLACEHOLDER, known_secrets


@dataclass(frozen=True)
class Access:
    """How to reach a provider: its address when it is not the usual one, the command that prints the key (else a
    variable of the environment holds it), and the price when the table does not know it or knows another."""

    api_base: str | None = field(default=None, repr=False)  # it may hold a login
    key_command: str | None = field(default=None, repr=False)  # it may hold the key itself
    price: Price | None = None


@dataclass(frozen=True)
class Route:
    """`model` as litellm wants it; `place` for people; `key` None: litellm reads the provider's variable; `limit`: the
    most tokens of an answer, where known; `secrets` are blanked out in whatever comes back."""

    model: str
    place: str
    key: str | None = field(repr=False)
    price: Price | None
    limit: int | None
    secrets: tuple[str, ...] = field(repr=False)


def price_for(model: str, access: Access) -> Price | None:
    """USD per token, without importing litellm; None when nobody knows."""
    return access.price or price_of(model, access.api_base)


def route_for(model: str, access: Access, key: str | None) -> Route:
    """The route; ModelUnknown when no provider goes by that name, KeyMissing when there is no key to send.

    With an address of the user's, a name that no provider stands before is an OpenAI-compatible server's, and no key
    is needed: local servers have none.
    """
    routed = _routed(model, access.api_base)
    if not door.can_name_provider(routed):
        raise ModelUnknown(
            f"No provider is known for the model {model}.",
            "Put the provider before it (as in `openai/gpt-4o-mini`), or give the address of a server (`api_base`).",
        )
    missing = door.missing_keys(routed) if key is None else ()
    if missing and not access.api_base:
        raise KeyMissing(
            f"There is no key for {model}: {' or '.join(missing)} is not set.",
            f"Type `export {missing[0]}=...`, or name a command that prints the key in the setting `key_command`.",
        )
    key = PLACEHOLDER if missing else key
    return Route(
        model=routed,
        place=_without_login(access.api_base) if access.api_base else f"the provider of {model}",
        key=key,
        price=price_for(model, access),
        limit=output_limit(model, access.api_base),
        secrets=known_secrets(key),
    )


def _routed(model: str, api_base: str | None) -> str:
    prefix, slash, _ = model.partition("/")
    return model if not api_base or (slash and door.is_provider(prefix)) else f"openai/{model}"


def _without_login(address: str) -> str:
    """The address as it may be shown: `http://name:password@host/` holds a secret."""
    return re.sub(r"//[^/@]*@", "//", address)
