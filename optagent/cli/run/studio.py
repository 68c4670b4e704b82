"""Coder and Judge put to work on one run: its code and profiles in their words, their edits as candidates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from optagent.agents import coder, judge, tester
from optagent.agents.apply_edit import apply_blocks
from optagent.agents.asking import Ask
from optagent.agents.brief import Brief, Listing, Standing
from optagent.agents.prompts import Prompts
from optagent.agents.reply import Blocks, Complaint, Edit
from optagent.agents.unseen import lost
from optagent.cli.run.shop import Counter
from optagent.core.advice import Advice
from optagent.core.fault import Survivor
from optagent.core.patch import EMPTY, Candidate
from optagent.core.profile import Profile
from optagent.core.scope import Scope
from optagent.core.target import Target
from optagent.core.verdict import Rejected
from optagent.languages.python.edit.context import shown
from optagent.languages.python.edit.edited import import_effect, trouble
from optagent.languages.python.edit.graft import Refused, graft
from optagent.languages.python.targets.locate import line_of
from optagent.profile import facts
from optagent.search.policy import Proposal
from optagent.search.refine import BY_MODEL, Studio

LIMITS = {
    Scope.FUNCTION: "Only this function may be edited; new imports (standard library, or packages the project imports "
    "already) and new private constants at the top of the file are allowed, helper functions beside it are not.",
    Scope.MODULE: "This function may be edited, and private helper functions, classes and constants of its file may be "
    "added or edited; new imports (standard library, or packages the project imports already) are allowed.",
    Scope.PACKAGE: "This function and private helpers of its file may be edited or added; new imports (standard "
    "library, or packages the project imports already) are allowed.",
}


@dataclass
class Atelier:
    """Where proposals of a model are made for one run."""

    counter: Counter
    prompts: Prompts
    ask: Ask
    author: str
    budget: Callable[[], str]
    profiles: dict[str, Profile] = field(default_factory=dict)
    listings: dict[str, Listing] = field(default_factory=dict)
    made: dict[tuple[str, Edit], str | Complaint] = field(default_factory=dict)
    """Edits of a file's text: models repeat themselves."""

    def studio(self) -> Studio:
        return Studio(self._standing(), self.listing, self.profile, self.advise, self.write, self.budget)

    def _standing(self) -> Standing:
        settings = self.counter.workshop.settings
        types = self.counter.problem.workload.observed_types
        arguments = tuple(f"{name}: {', '.join(kinds)}" for name, kinds in types)
        return Standing(LIMITS[Scope(settings.scope)], self.counter.workshop.runtime, arguments, settings.hint)

    def write_inputs(self, number: int, survivors: Sequence[Survivor]) -> str | Complaint:
        """Code that makes inputs for what the checks did not notice in the untouched function."""
        standing, listing = self._standing(), self._listing(self.counter.original)
        words = tuple(f"line {one.line}: {one.words}" for one in survivors)
        return tester.write(
            number, tester.Gap(listing, standing.runtime, standing.arguments, words), self.prompts, self.ask
        )

    def listing(self, candidate: Candidate) -> Listing:
        return self._listing(self.counter.source_of(candidate))

    def _listing(self, source: str) -> Listing:
        if source not in self.listings:
            self.listings[source] = self._listed(source)
        return self.listings[source]

    def _listed(self, source: str) -> Listing:
        target = self.counter.workshop.target
        found = shown(source, target.qualname, line_of(source, target))
        calls = (*(one.source for one in found.calls), *([f"# left out: {found.left_out}"] if found.left_out else []))
        return Listing(
            target.path, target.qualname, found.function, found.start_line, found.imports, found.around, calls
        )

    def profile(self, candidate: Candidate) -> Profile:
        """Of this very code: the source that was profiled is the source that is shown."""
        if candidate.patch == EMPTY:
            return self.counter.problem.profile
        if candidate.digest not in self.profiles:
            counter = self.counter
            with counter.checkout(candidate) as tree:
                taken = facts.take(counter.workshop.project, tree, counter.problem.timed, counter.run.patience_s)
            source = self.counter.source_of(candidate).encode("utf-8", "surrogateescape")
            assert taken.source == hashlib.sha256(source).hexdigest(), "the profile is of other code than is shown"
            self.profiles[candidate.digest] = taken
        return self.profiles[candidate.digest]

    def advise(self, number: int, brief: Brief) -> Advice | None:
        return judge.advise(number, brief, self.prompts, self.ask)

    def write(self, number: int, parent: Candidate, brief: Brief) -> Proposal:
        """The Coder's edit as a candidate; an answer nobody can use is one too, with its fault."""
        answer = coder.write(number, brief, self.prompts, self.ask, partial(self._use, parent))
        author = f"{BY_MODEL}{self.author}"
        if isinstance(answer, coder.Unusable):
            nothing = Candidate(EMPTY, author, "an answer that could not be used", parent.digest, brief.advice)
            return Proposal(nothing, Rejected("unusable answer", answer.reason), is_answer=True)
        patch = self.counter.patch_to(answer.source)
        return Proposal(Candidate(patch, author, answer.idea, parent.digest, brief.advice), is_answer=True)

    def _use(self, parent: Candidate, edit: Edit) -> str | Complaint:
        source = self.counter.source_of(parent)
        if (source, edit) not in self.made:
            self.made[source, edit] = self._made(source, edit)
        return self.made[source, edit]

    def _made(self, source: str, edit: Edit) -> str | Complaint:
        made = _placed(source, self.counter.workshop.target, edit)
        if isinstance(made, Complaint):
            return made
        if unseen := lost(source, made):
            return Complaint(unseen)
        effect = import_effect(source, made)
        return Complaint(f"The code {effect}: nothing may happen there but building a value.") if effect else made


def _placed(source: str, target: Target, edit: Edit) -> str | Complaint:
    """The file with the edit in it; what it means is looked at later."""
    if isinstance(edit, Blocks):
        placed = apply_blocks(source, edit.blocks)
        wrong = None if isinstance(placed, Complaint) else trouble(placed, target)
        return Complaint(f"With these blocks {wrong}.") if wrong else placed
    made = graft(source, target.qualname, line_of(source, target), edit.code)
    return Complaint(made.reason) if isinstance(made, Refused) else made
