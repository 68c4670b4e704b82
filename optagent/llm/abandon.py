"""A call that is left behind when it takes too long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class Outcome(Generic[T]):
    """What became of a call: its `value`, or the `error` that it raised. `done` False: neither, it was left behind."""

    done: bool = False
    value: T | None = None
    error: BaseException | None = None

    def __enter__(self) -> Outcome[T]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        """Nothing is swallowed here: whoever waits for the outcome gets the error as a value."""
        self.error = error
        self.done = True
        return True


def call_within(seconds: float, call: Callable[[], T]) -> Outcome[T]:
    """The outcome of the call, or one that is not done when `seconds` are over.

    The timeouts of HTTP clients count from one byte to the next, and a server that sends a byte now and then keeps
    them waiting for ever; nor can all of litellm's clients be given a total. So the call runs in a thread of its own,
    which is a daemon: left behind, it ends with its connection, and never keeps the process from ending.
    """
    outcome: Outcome[T] = Outcome()
    ended = threading.Event()

    def run() -> None:
        with outcome:
            outcome.value = call()
        ended.set()

    threading.Thread(target=run, name="optagent-llm-call", daemon=True).start()
    if ended.wait(seconds):
        return outcome
    return Outcome()
