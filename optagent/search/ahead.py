"""Answers that are asked for before it is their turn, so that nobody waits for one while another is judged."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import ExitStack
from threading import Thread
from typing import Generic, TypeVar

from optagent.core.goal import BudgetSpent

T = TypeVar("T")


class Ahead(Generic[T]):
    """What `make` gives for a number. Up to `most` further numbers are begun at once, each in a thread of its own.

    The threads are daemons: where the process ends with answers under way, they do not keep it.
    """

    def __init__(self, make: Callable[[int], T], most: int) -> None:
        self.make = make
        self.most = most
        self.begun: dict[int, Future[T]] = {}

    def get(self, number: int, further: int) -> T:
        """The answer for that number, or what was raised instead, while at most `further` more are wanted at all."""
        numbers = range(number, number + 1 + min(self.most, further))
        if len(numbers) > 1 or number in self.begun:
            self.begun.update({one: self._begun(one) for one in numbers if one not in self.begun})
        early = self.begun.pop(number, None)
        if early is None:
            return self.make(number)
        try:
            return early.result()
        except BudgetSpent:
            return self.make(number)  # what was set aside for those before it may be free again

    def settle(self) -> None:
        """Nothing is under way any more."""
        wait(self.begun.values())

    def _begun(self, number: int) -> Future[T]:
        answer: Future[T] = Future()

        def raised(kind: object, error: BaseException | None, trace: object) -> bool:
            if error is not None:
                answer.set_exception(error)  # it is raised again where the answer is asked for
            return True

        def run() -> None:
            with ExitStack() as stack:
                stack.push(raised)
                answer.set_result(self.make(number))

        Thread(target=run, name=f"optagent-trial-{number}", daemon=True).start()
        return answer
