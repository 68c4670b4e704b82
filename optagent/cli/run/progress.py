"""Progress on standard error: a live line on a terminal, plain lines otherwise. Results go to standard output only."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self

from optagent.core.trial import Trial
from optagent.report.text import idea_line, one_line, safe, verdict_line

if TYPE_CHECKING:
    from rich.live import Live
    from rich.spinner import Spinner


@dataclass
class Progress:
    """Says the stage, and with it what is best so far, how many trials there were and how much time is left."""

    minutes: float
    quiet: bool = False
    began: float = field(default_factory=time.monotonic)
    best: float = 1.0
    trials: int = 0
    _live: Live | None = None

    def __enter__(self) -> Self:
        if not self.quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            console, first = Console(stderr=True), _spinner("starting")
            self._live = Live(first, console=console, refresh_per_second=12.5, transient=True, redirect_stdout=False)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def next_target(self) -> None:
        """What is best so far, and the trials, are those of the target whose turn it is."""
        self.best, self.trials = 1.0, 0

    def stage(self, what: str) -> None:
        if self.quiet:
            return
        text = f"{safe(one_line(what))}{self._so_far()}"
        if self._live is not None:
            self._live.update(_spinner(text))
        else:
            print(text, file=sys.stderr, flush=True)

    def result(self, text: str) -> None:
        """Whole lines on standard output, as they are; where that is the same terminal, above the live line."""
        with self.paused():
            sys.stdout.write(text)
            sys.stdout.flush()

    def note(self, what: str) -> None:
        """One line that stays. It is shown with `--json` too: it may be about what leaves the machine."""
        with self.paused():
            print(safe(what), file=sys.stderr, flush=True)

    def trial(self, trial: Trial) -> None:
        self.trials += 1
        self.best = max(self.best, trial.ratio)
        if self.quiet:
            return
        text = f"  {trial.number}. {idea_line(trial.candidate.idea)}: {verdict_line(trial.verdict)}"
        with self.paused():
            print(text, file=sys.stderr, flush=True)

    def paused(self) -> AbstractContextManager[object]:
        """Nothing to pause: rich moves its live line below what is printed through its console only."""
        if self._live is None:
            return nullcontext()
        self._live.stop()
        return _Restart(self._live)

    def _so_far(self) -> str:
        left = max(0.0, self.minutes * 60 - (time.monotonic() - self.began))
        best = f"best {self.best:.2f}x, " if self.best > 1 else ""
        trials = f"{self.trials} trial{'s' if self.trials != 1 else ''}, " if self.trials else ""
        return f" ({best}{trials}{left / 60:.1f} min left)"


def _spinner(text: str) -> Spinner:
    from rich.spinner import Spinner
    from rich.text import Text

    return Spinner("dots", Text(text), style="status.spinner")


class _Restart:
    def __init__(self, live: Live) -> None:
        self.live = live

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.live.start()
