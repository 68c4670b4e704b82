"""Asks the real model of a scripted server, and keeps everything that can be seen from outside."""

from __future__ import annotations

import random
import time
import traceback
from dataclasses import dataclass, field

from scripted_server import ScriptedServer

from optagent.errors import ProviderFault
from optagent.llm.base import Message, Reply, Request
from optagent.llm.litellm_model import LitellmModel
from optagent.llm.route import Access

KEY = "sk-proj-Zq81vVbn20xKJd7w"
REQUEST = Request("openai/gpt-4o-mini", (Message("system", "Be brief."), Message("user", "Say ok.")))


@dataclass
class Asked:
    """What came of it: a reply or a fault, how often the provider may have been paid in vain, and the pauses (s)."""

    reply: Reply | None = None
    fault: ProviderFault | None = None
    attempts: int = 0
    lost: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    told: str = ""


def model_at(base: str | None, asked: Asked, **settings: object) -> LitellmModel:
    """The real model; between attempts it only writes down how long it would wait."""
    access = settings.pop("access", None) or Access(api_base=base)
    return LitellmModel(access, sleep=asked.pauses.append, rng=random.Random(0), **settings)


def ask(
    server: ScriptedServer | str, request: Request = REQUEST, deadline_s: float = 60.0, **settings: object
) -> Asked:
    asked = Asked()
    model = model_at(server if isinstance(server, str) else server.base, asked, **settings)

    def count() -> None:
        asked.attempts += 1

    started = time.monotonic()
    try:
        asked.reply = model.complete(request, deadline_s, count, asked.lost.append)
    except ProviderFault as fault:
        asked.fault = fault
        asked.told = "".join(traceback.format_exception(fault)) + repr(fault) + fault.hint
    asked.seconds = time.monotonic() - started
    asked.told += repr(model)
    if asked.fault:  # what led to it is full of the provider's words
        assert asked.fault.__cause__ is asked.fault.__context__ is None
    return asked
