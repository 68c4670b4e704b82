"""A model that says again what was once said: for `replay`, and for tests of other rooms."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from optagent.errors import RecordingOver
from optagent.llm.base import Reply, Request, nothing_before, nothing_lost


class Recorded:
    """Serves replies in their order, to any number of threads; RecordingOver when there are no more.

    Nothing goes over a network, so `before_attempt` and `lost` are never called.
    """

    def __init__(self, replies: Iterable[Reply]) -> None:
        self._replies = list(replies)
        self._served = 0
        self._lock = threading.Lock()

    def complete(
        self,
        request: Request,
        deadline_s: float,
        before_attempt: Callable[[], None] = nothing_before,
        lost: Callable[[str], None] = nothing_lost,
    ) -> Reply:
        with self._lock:
            if self._served == len(self._replies):
                raise RecordingOver(
                    f"The run asks for reply {self._served + 1}, and only {len(self._replies)} were recorded.",
                    "Replay with the version and the settings that recorded it, or start a new run.",
                )
            self._served += 1
            return self._replies[self._served - 1]
