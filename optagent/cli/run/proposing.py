"""Who proposes in one run: the rules first, then a model when one was named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from optagent.agents.brief import UNBOUNDED, budget_line
from optagent.agents.edits import Complaint
from optagent.cli.run import models
from optagent.cli.run.buying import Buyer, Recorded, Seat
from optagent.cli.run.shop import Coder, Counter
from optagent.cli.run.studio import Atelier
from optagent.cli.settings.run_settings import RunSettings
from optagent.core.fault import Survivor
from optagent.core.goal import Spent
from optagent.ledger.history import Record
from optagent.search.policy import Greedy, InTurn, Policy
from optagent.search.purse import Purse
from optagent.search.refine import Refine, Sample

NOTHING = Spent()
CLAIM_RESERVE = 0.25
"""Share of the minutes that the search may not use: a claim must always be affordable."""


def limit_of(settings: RunSettings, bought: Spent = NOTHING) -> Spent:
    """The ceilings of one run's search, when the session's other runs have `bought` so much."""
    seconds = settings.minutes * 60 * (1 - CLAIM_RESERVE)
    tokens = UNBOUNDED if settings.max_tokens is None else max(0, settings.max_tokens - bought.tokens)
    return Spent(seconds, settings.trials, max(0.0, settings.max_usd - bought.usd), tokens)


def asks_a_model(counter: Counter) -> bool:
    """Models write Python only, so far."""
    return counter.workshop.settings.has_model and counter.workshop.target.path.endswith(".py")


@dataclass
class Proposers:
    """The policy of one run and, where a model is asked, who buys its replies."""

    policy: Policy
    buyer: Buyer | Recorded | None = None

    def paid(self, number: int) -> Spent:
        """What was, or may have been, paid for a trial before anybody judged it."""
        return self.buyer.paid[number] if self.buyer else Spent()


def proposers(counter: Counter, coder: Coder, purse: Purse, record: Record, tell: Callable[[str], None]) -> Proposers:
    rules = Greedy(coder(counter))
    if not asks_a_model(counter):
        return Proposers(rules)
    buyer = models.buyer(counter.workshop, record, purse, _told_once(counter, tell))
    return Proposers(InTurn(rules, model_policy(counter, buyer, purse)), buyer)


def model_policy(counter: Counter, buyer: Buyer | Recorded, purse: Purse) -> Refine | Sample:
    settings = counter.workshop.settings
    limit = limit_of(settings)
    asked = Atelier(
        counter, models.prompts(settings), buyer.ask, settings.model or "", lambda: budget_line(purse.left(), limit)
    )

    def write_inputs(number: int, survivors: Sequence[Survivor]) -> str | Complaint:
        """The search is over by then: what does not fit here is no reason for its end."""
        refusal = purse.refusal
        try:
            return asked.write_inputs(number, survivors)
        finally:
            purse.refusal = refusal

    counter.tester = write_inputs
    return Sample(asked.studio()) if settings.policy == "sample" else Refine(asked.studio())


def _told_once(counter: Counter, tell: Callable[[str], None]) -> Callable[[Seat], None]:
    """Before the first request to a model: what is sent, and to whom. While it thinks, launches are warmed up."""
    told: set[str] = set()

    def consent(seat: Seat) -> None:
        if seat.name not in told:
            told.add(seat.name)
            counter.warm_up()
            target, settings = counter.workshop.target, counter.workshop.settings
            where = f" at {settings.api_base}" if settings.api_base else ""
            tell(
                f"sending `{target.qualname}` of {target.path}, what it uses in that file, measurements, results of "
                f"trials and planted mistakes to the model {seat.name}{where} (`--dry-run` shows the text; "
                "`--coder rules` sends nothing)"
            )

    return consent
