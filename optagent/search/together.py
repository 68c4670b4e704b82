"""Several things done at once, a thread for each."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from threading import Lock, Thread
from types import TracebackType
from typing import Generic, TypeVar

LOOK_S = 0.1
"""For so long the error of one may wait for the others."""
T = TypeVar("T")
U = TypeVar("U")


def together(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """What each of them gives, in their order. Where one raises, or we are interrupted, the others are interrupted in
    turn, and have ended when that error leaves here. A thread that ends without a word, as it does where there is no
    memory left to keep its error in, is a MemoryError."""
    parts = [_Part(task) for task in tasks]
    with ExitStack() as undo:
        undo.callback(_end, parts)
        for one in parts:
            one.start()
        while running := [one for one in parts if one.is_alive()]:
            running[0].join(LOOK_S)
            for one in parts:
                if not one.is_alive():
                    one.given()
        undo.pop_all()
    return [one.given() for one in parts]


def each(work: Callable[[T], U], items: Sequence[T], at_once: int) -> list[U]:
    """What `work` gives for each of them, in their order, so many at a time."""
    left, done = iter(range(len(items))), dict[int, U]()

    def some() -> None:
        for number in left:  # nobody gets a number that another one got
            done[number] = work(items[number])

    together([some] * at_once)
    return [done[number] for number in range(len(items))]


def _end(parts: Sequence[_Part[T]]) -> None:
    for one in parts:
        one.interrupt()
    for one in parts:
        if one.is_alive():
            one.join()


class _Part(Thread, Generic[T]):
    """A thread for one task."""

    def __init__(self, task: Callable[[], T]) -> None:
        super().__init__(name="optagent-together")
        self._task = task
        self._lock = Lock()
        self._is_at_work = self._is_over = False
        self._found: tuple[T, ...] = ()
        self._error: BaseException | None = None

    def given(self) -> T:
        """What the task gave, once the thread has ended; its error is raised."""
        if self._error is not None:
            raise self._error
        if not self._found:
            raise MemoryError("a thread ended without a word")
        return self._found[0]

    def run(self) -> None:
        with self:
            with self._lock:
                if self._is_over:
                    raise KeyboardInterrupt
                self._is_at_work = True
            try:
                self._found = (self._task(),)
            finally:
                with self._lock:
                    self._is_at_work = False

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        """Nothing is swallowed here: whoever waits gets the error."""
        self._error = error
        return True

    def interrupt(self) -> None:
        """KeyboardInterrupt in the task, as soon as it is back in Python code: an answer or the end of a command is
        awaited for half a second at a time, the start of a sandbox for up to 30 s."""
        with self._lock:
            self._is_over = True
            if self._is_at_work and self.ident is not None:
                ident, error = ctypes.c_ulong(self.ident), ctypes.py_object(KeyboardInterrupt)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, error)
