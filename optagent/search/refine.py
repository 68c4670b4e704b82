"""Policies with a model. `refine`: Judge and Coder in turn, from the best that was verified. `sample`: best of n."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from optagent.agents.brief import Brief, Listing, Standing
from optagent.agents.facts import lessons, profile_facts, verdict_facts
from optagent.core.advice import Advice, Mode
from optagent.core.patch import Candidate
from optagent.core.profile import Profile
from optagent.core.trial import Trial
from optagent.core.verdict import Incorrect, Rejected
from optagent.search.policy import BASELINE, Proposal, better

MENDABLE = ("does not parse", "out of scope")
"""Rejections that are slips in the writing, not in the idea."""


@dataclass(frozen=True)
class Studio:
    """The parts that make a proposal. `listing` and `profile` are of a candidate's own code; `advise` is the Judge,
    `write` the Coder, each for the trial of that number; `budget` tells what is left, in one line."""

    standing: Standing
    listing: Callable[[Candidate], Listing]
    profile: Callable[[Candidate], Profile]
    advise: Callable[[int, Brief], Advice | None]
    write: Callable[[int, Candidate, Brief], Proposal]
    budget: Callable[[], str]


class Refine:
    """The Judge looks at facts and says one thing to try; the Coder writes it on top of the best verified candidate.
    One that does something else is mended once before it is left."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.trials: list[Trial] = []
        self.best: Trial | None = None

    def ask(self, number: int) -> Proposal | None:
        brief, parent = self._brief()
        advice = self.studio.advise(number, brief)
        return self.studio.write(number, parent, replace(brief, advice=advice))

    def ahead(self) -> None:
        """What is proposed next depends on what became of the last one."""

    def tell(self, trial: Trial) -> None:
        self.trials.append(trial)
        if better(trial, self.best):
            self.best = trial

    def first_brief(self) -> Brief:
        """What Judge and Coder would be told now."""
        return self._brief()[0]

    def _brief(self) -> tuple[Brief, Candidate]:
        failed = self.trials[-1] if self.trials and is_mendable(self.trials) else None
        kept = self.best.candidate if self.best else BASELINE
        parent = failed.candidate if failed else kept
        mode: Mode = "repair" if failed else "performance"
        listing = self.studio.listing(parent)
        facts = verdict_facts(failed.verdict) if failed else self._facts(listing, kept)
        original = self.studio.listing(BASELINE).function if failed else ""
        told = lessons(self.trials)
        return Brief(
            self.studio.standing, listing, mode, tuple(facts), told, self.studio.budget(), original=original
        ), parent

    def _facts(self, listing: Listing, kept: Candidate) -> list[str]:
        """The profile of the very code that is shown, and how fast that code is."""
        facts = profile_facts(self.studio.profile(kept), listing)
        return [*facts, *verdict_facts(self.best.verdict)] if self.best else facts


def is_mendable(trials: Sequence[Trial]) -> bool:
    """Whether the last trial is a model's, went wrong in a way that can be mended, and was no attempt at mending."""
    last, wrong = trials[-1], {trial.candidate.digest for trial in trials if went_wrong(trial)}
    return went_wrong(last) and is_by_model(last) and last.candidate.parent not in wrong


def went_wrong(trial: Trial) -> bool:
    """Whether it has an edit that does something else, or that is written outside of what may be edited."""
    verdict = trial.verdict
    is_slip = isinstance(verdict, Rejected) and verdict.reason in MENDABLE
    return bool(trial.candidate.patch.changes) and (isinstance(verdict, Incorrect) or is_slip)


def is_by_model(trial: Trial) -> bool:
    return trial.candidate.author.startswith(BY_MODEL)


BY_MODEL = "model/"
"""How the authors begin that are models; the rest is the model's name."""


class Sample:
    """Every trial is a fresh answer to the same question about the untouched code: the honest baseline."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def ask(self, number: int) -> Proposal | None:
        listing = self.studio.listing(BASELINE)
        facts = profile_facts(self.studio.profile(BASELINE), listing)
        brief = Brief(self.studio.standing, listing, "performance", tuple(facts), (), self.studio.budget())
        return self.studio.write(number, BASELINE, brief)

    def ahead(self) -> None:
        """An answer is paid for: it may not be wanted any more once those in flight are judged."""

    def tell(self, trial: Trial) -> None:
        """A sample depends on nothing that came before."""
