"""`--dry-run`: the first questions of a run as they would be sent, and what they could cost. Nothing leaves."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from optagent.agents import coder, judge
from optagent.agents.asking import Purpose, Question
from optagent.agents.brief import budget_line
from optagent.agents.secrets import without_secrets
from optagent.cli.run import models
from optagent.cli.run.buying import MOST_TOKENS, Seat
from optagent.cli.run.progress import Progress
from optagent.cli.run.proposing import limit_of
from optagent.cli.run.reports import REHEARSAL
from optagent.cli.run.session import Broken, Prepared, prepared
from optagent.cli.run.shop import Counter
from optagent.cli.run.studio import Atelier
from optagent.cli.settings.run_settings import RunSettings
from optagent.core.goal import Spent
from optagent.errors import BadSetting
from optagent.llm.base import Reply, Request
from optagent.llm.pricing import estimate_tokens, worst_case
from optagent.llm.secrets import known_secrets
from optagent.search.purse import Purse
from optagent.search.refine import Refine

Rehearsal = dict[str, Any]


def rehearse(wanted: Sequence[RunSettings], state: Path | None, progress: Progress) -> Iterator[Rehearsal]:
    """For each target what Judge and Coder would be asked first. The baseline is taken, and no run is kept."""
    if not wanted[0].has_model:
        raise BadSetting("there is no model to ask, so nothing would be sent", "Name one: `--model NAME`.")
    with closing(prepared([one.checked() for one in wanted], state, progress, REHEARSAL)) as targets:
        for found in targets:
            if isinstance(found, Broken):
                raise found.fault
            try:
                yield _questions(found)
            finally:
                found.workshop.abandon()


def _questions(found: Prepared) -> Rehearsal:
    settings = found.workshop.settings
    limit = limit_of(settings)
    purse = Purse(limit, Spent(), time.monotonic)
    counter = Counter(found.workshop, found.problem, lambda what: None)
    prompts, seats = models.prompts(settings), models.seats(settings)
    made = Atelier(counter, prompts, _nobody, settings.model or "", lambda: budget_line(purse.left(), limit))
    brief = Refine(made.studio()).first_brief()
    asked = {"judge": judge.question(brief, prompts), "coder": coder.question(brief, prompts)}
    if settings.policy == "sample":
        del asked["judge"]
    return {
        "target": str(found.workshop.target),
        "calls": [_call(role, question, seats[role]) for role, question in asked.items()],
    }


def _call(role: str, question: Question, seat: Seat) -> Rehearsal:
    secrets = known_secrets()
    messages = [{"role": one.role, "text": without_secrets(one.text, secrets)} for one in question.messages]
    tokens, usd = worst_case(Request(seat.name, question.messages, MOST_TOKENS), seat.price)
    return {
        "role": role,
        "model": seat.name,
        "messages": messages,
        "tokens_in_about": sum(estimate_tokens(one.text) for one in question.messages),
        "tokens_at_most": tokens,
        "usd_at_most": {"kind": "unmeasured", "reason": "nobody knows its price"} if usd is None else usd,
    }


def told(rehearsal: Rehearsal) -> str:
    """A rehearsal for people."""
    parts = [f"{rehearsal['target']}\n"]
    for call in rehearsal["calls"]:
        usd = call["usd_at_most"]
        cost = f"${usd:.4f} at most" if isinstance(usd, float) else "nobody knows its price"
        parts.append(
            f"\n=== {call['role']}: {call['model']}, about {call['tokens_in_about']} tokens in, "
            f"{call['tokens_at_most']} in all at most, {cost}\n"
        )
        parts += [f"--- {one['role']}\n{one['text'].rstrip()}\n" for one in call["messages"]]
    return "".join([*parts, "\nnothing was sent\n"])


def _nobody(purpose: Purpose, question: Question) -> Reply:
    raise AssertionError(f"a rehearsal asks nobody, and {purpose} was asked")
