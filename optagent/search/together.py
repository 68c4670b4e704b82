"""Several things done at once, a thread for each."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from threading import Lock, get_ident
from typing import TypeVar

T = TypeVar("T")


def together(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """What each of them gives, in their order. Where one raises, or we are interrupted, the others are interrupted in
    turn, and have ended when that error leaves here."""
    at_work = _AtWork()
    with ThreadPoolExecutor(len(tasks), "optagent-search") as pool, ExitStack() as undo:
        undo.callback(at_work.interrupt)
        futures = [pool.submit(at_work.do, task) for task in tasks]
        for one in as_completed(futures):
            one.result()
        undo.pop_all()
    return [one.result() for one in futures]


class _AtWork:
    """The threads that are at a task."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._threads: set[int] = set()
        self._is_over = False

    def do(self, task: Callable[[], T]) -> T:
        with self._lock:
            if self._is_over:
                raise KeyboardInterrupt
            self._threads.add(get_ident())
        try:
            return task()
        finally:
            with self._lock:
                self._threads.discard(get_ident())

    def interrupt(self) -> None:
        """KeyboardInterrupt in each, as soon as it is back in Python code: an answer or the end of a command is awaited
        for half a second at a time, the start of a sandbox for up to 30 s."""
        with self._lock:
            self._is_over = True
            for ident in self._threads:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(KeyboardInterrupt))
