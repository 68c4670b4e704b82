"""The tests of the base on the head: run once, and told to each target as far as they are about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from optagent.cli.comparing.picking import Picked
from optagent.cli.run.shop import Tested
from optagent.core.verdict import Evidence, Inconclusive
from optagent.verify.checks import broken_words, tests_say
from optagent.verify.suite import TestsBroken

Run = Callable[[tuple[str, ...]], TestsBroken | None]
"""The named tests on the head: those that no longer pass."""


@dataclass(frozen=True)
class Told:
    """What the tests say of one target, and what people are told besides."""

    tested: Tested
    notes: tuple[str, ...] = ()


@dataclass
class HeadTests:
    """A broken test counts for the targets that it calls. One that was not seen to call any counts against none that is
    the same on both sides; of one that changed nobody can tell, since a call while a module is imported is not seen.
    Where nobody named a target it counts against all: then the revision is judged."""

    picked: Picked
    is_run: bool = False
    broken: TestsBroken | None = None

    def of(self, number: int, run: Run) -> Told:
        """What they say of the target of that number."""
        survey = self.picked.survey
        own = survey.reaching[number]
        if not self.is_run:
            self.broken, self.is_run = run(survey.passing), True
        if self.broken is None:
            return Told(Evidence(tests=len(survey.passing)))
        if broken := run(own) if self.broken.is_whole else self.broken.among(own):
            return Told(tests_say(broken, own))
        return self._beside(number, self.broken)

    def _beside(self, number: int, broken: TestsBroken) -> Told:
        """The same where all tests pass that were seen to call the target."""
        survey = self.picked.survey
        passed = Evidence(tests=len(survey.reaching[number] if broken.is_whole else {*survey.passing} - {*broken.lost}))
        of_targets = {name for names in survey.reaching for name in names}
        stray = broken if broken.is_whole else broken.among({*survey.passing} - of_targets)
        if stray is None:
            return Told(passed)
        if not self.picked.is_named:
            return Told(tests_say(stray, survey.passing))
        if self.picked.targets[number].is_unchanged:
            return Told(passed, (f"not counted, since no call of the target was seen in it: {broken_words(stray)}",))
        return Told(Inconclusive(f"{broken_words(stray)}: {UNCLEAR}", passed))


UNCLEAR = (
    "it was not seen to call the target, whose own code changed too, so nobody can tell whether that is why; name the "
    "function that it is about as well (`--target FN`)"
)
