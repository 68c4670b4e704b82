"""The share of a run's CPU time that is spent in one function and what it calls, by sampling.

Runs in the target's interpreter: standard library only. The kernel interrupts the process every few milliseconds of
its CPU time; a function that is called a million times is slowed no more than one that is called once.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import CodeType, FrameType

EVERY_S = 0.002


class Share:
    """Samples of the main thread; `path`, `qualname` and first line say which function is looked for."""

    def __init__(self, path: str, qualname: str, line: int) -> None:
        self.wanted = os.path.realpath(path), qualname, line
        self.known: dict[CodeType, bool] = {}
        self.samples = self.inside = 0
        self.began = 0.0

    def start(self) -> None:
        self.began = time.process_time()
        signal.signal(signal.SIGPROF, self.sample)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def sample(self, number: int, frame: FrameType | None) -> None:
        self.samples += 1
        while frame is not None:
            if self.is_wanted(frame.f_code):
                self.inside += 1
                return
            frame = frame.f_back

    def is_wanted(self, code: CodeType) -> bool:
        if code not in self.known:
            place = os.path.realpath(code.co_filename), code.co_qualname, code.co_firstlineno
            self.known[code] = place == self.wanted
        return self.known[code]

    def stop(self) -> dict[str, Any]:
        """CPU seconds of the process since `start`, samples taken, those inside the function."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_IGN)  # one may still be on its way
        return {"cpu_s": time.process_time() - self.began, "samples": self.samples, "inside": self.inside}
