"""Watches a test command that is not pytest's: started by `site/sitecustomize.py` in every Python that it starts.

Runs in the target's interpreter inside the sandbox: standard library only. Tests written with unittest are told one by
one; of any other command it is only known how it ends. The report goes out when the process ends as processes do: one
that leaves early has reported nothing.
"""

from __future__ import annotations

import atexit
import json
import os
import stat
import time
from typing import Any

import optagent_loading
from optagent_probe import MOST_SAID, send
from optagent_watch import Watch

OUTCOMES = {
    "addSuccess": "passed", "addFailure": "failed", "addError": "failed", "addSkip": "skipped",
    "addExpectedFailure": "passed", "addUnexpectedSuccess": "failed",
}  # fmt: skip


class Session:
    """One process of the command."""

    def __init__(self, request: dict[str, Any], descriptor: int) -> None:
        self.request, self.descriptor = request, descriptor
        self.watch = Watch(request["targets"], request["keep"], {os.path.realpath(one) for one in request["tests"]})
        self.tests: dict[str, dict[str, Any]] = {}
        self.began = time.perf_counter()
        self.watch.new_test()
        optagent_loading.announce(self.wants, self.loaded)
        atexit.register(self.end, os.getpid())

    def wants(self, name: str, file: str) -> bool:
        return name == "unittest.result"

    def loaded(self, module: Any) -> None:
        for method, outcome in OUTCOMES.items():
            self.follow(module.TestResult, method, outcome)
        start = module.TestResult.startTest

        def started(result: Any, test: Any) -> None:
            self.watch.new_test()
            self.began = time.perf_counter()
            start(result, test)

        module.TestResult.startTest = started

    def follow(self, kind: Any, method: str, outcome: str) -> None:
        """Every outcome that a result of unittest hears of is noted; a failure is never taken back."""
        original = getattr(kind, method)

        def heard(result: Any, test: Any, *more: Any) -> Any:
            entry = self.tests.setdefault(test.id(), {"outcome": outcome, "seconds": 0.0, "reached": []})
            entry["outcome"] = outcome if entry["outcome"] != "failed" else "failed"
            if outcome == "failed":
                entry.setdefault("said", error_in(*more))
            entry["seconds"] = time.perf_counter() - self.began
            entry["reached"] = [] if outcome == "skipped" else self.watch.touched()  # it may not have been started
            return original(result, test, *more)

        setattr(kind, method, heard)

    def end(self, process: int) -> None:
        if os.getpid() == process:  # a fork inherits what is to be done at the end
            outcome = {"tests": self.tests, "exit": 0, "reached": self.watch.touched()}
            send(self.descriptor, outcome, self.watch, self.request["root"])


def error_in(error: Any = None) -> str:
    """The first line of what unittest was told went wrong."""
    if not error:
        return "it passes, which it is not expected to do"
    import traceback  # not before: the command's own imports are its own

    return traceback.format_exception_only(*error[:2])[-1].partition("\n")[0][:MOST_SAID]


def begin() -> None:
    """Watches this process, when the report's descriptor has come down to it."""
    try:
        descriptor = int(os.environ["OPTAGENT_FD"])
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return
        with open(os.environ["OPTAGENT_PROBE"], encoding="utf-8") as file:
            request = json.load(file)
    except (KeyError, ValueError, OSError):
        return
    Session(request, descriptor)
