"""Judges patches to one hall: a real baseline taken once, then real trials and claims, each on fresh launches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hall import Hall

from optagent.cli.run.progress import Progress
from optagent.cli.run.session import Broken, prepared
from optagent.cli.run.shop import Counter
from optagent.cli.settings.run_settings import RunSettings
from optagent.core.goal import Spent
from optagent.core.patch import Candidate
from optagent.core.verdict import Faster, Verdict
from optagent.search.decide import decide
from optagent.search.policy import Proposal


class Court:
    """The referee of one hall. The same text is judged once."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self.judged: dict[str, Verdict] = {}

    def judge(self, text: str) -> Verdict:
        """What a run would say of the file with this text: its trial's verdict, or its claim's when that was a gain."""
        if text not in self.judged:
            self.judged[text] = self._judge(len(self.judged) + 1, text)
        return self.judged[text]

    def _judge(self, number: int, text: str) -> Verdict:
        shop = self.counter.shop(lambda _: Spent())
        candidate = Candidate(self.counter.patch_to(text), "museum", f"exhibit {number}")
        shop.asked(number, Proposal(candidate))
        verdict = decide(number, candidate, shop)
        if not isinstance(verdict, Faster):
            return verdict
        with shop.checkout(candidate) as tree:
            return shop.claim(number, tree, 0, 0)


@contextmanager
def court(hall: Hall, folder: Path) -> Iterator[Court]:
    """A court that sits in a folder of its own; the sandbox's user can read what is in it."""
    for one in (folder, *folder.parents[:2]):
        one.chmod(one.stat().st_mode | 0o755)
    settings = RunSettings(str(hall.build(folder / "repo")), "score")
    with Progress(10, quiet=True) as progress:
        (found,) = prepared([settings], folder / "state", progress)
        if isinstance(found, Broken):
            raise found.fault
        found.store()
        with found.workshop.ledger:
            yield Court(Counter(found.workshop, found.problem, progress.stage))
        found.workshop.clear()
