"""Runs the project's tests by pytest, tells what each test reached, and reports when the session ends.

Runs in the target's interpreter inside the sandbox: standard library and the target's own pytest only. What to watch
stands in a JSON file named by OPTAGENT_PROBE; the report goes to the descriptor OPTAGENT_FD when the session ends,
and only then: a process that leaves early has reported nothing.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

import optagent_frames

if TYPE_CHECKING:
    from optagent_watch import Watch

    Pytest = Any  # its classes; nothing but the standard library is imported here, not even for types

USAGE_ERROR = 4
MOST_CORRECTIONS = 5
MOST_SAID = 1_000
IN_THE_WAY = {"xdist": ("-n0",), "pytest_cov": ("--no-cov",), "pytest_randomly": ("-p", "no:randomly"),
              "random_order": ("-p", "no:random_order"), "pytest_reverse": ("-p", "no:reverse"),
              "pytest_sugar": ("-p", "no:sugar"), "pytest_benchmark": ("--benchmark-disable",),
              "pytest_rerunfailures": ("--reruns=0",)}  # fmt: skip
"""Plugins by module that spread tests over processes, trace them, shuffle them, time them or run them again, and how
each is told to stay out of this session."""


class Probe:
    """The plugin: one entry per test, then one report."""

    def __init__(self, request: dict[str, Any], descriptor: int) -> None:
        self.only = None if request["only"] is None else set(request["only"])
        self.keep = request["keep"]
        self.root = request["root"]
        self.benches = request["suites"], request["scripts"]
        self.watch: Watch | None = None
        if request["targets"]:
            from optagent_watch import Watch

            self.watch = Watch(request["targets"], request["keep"], {os.path.realpath(one) for one in request["tests"]})
        self.hot: Any = None
        if request["hot"]:
            from optagent_hot import Hot

            self.hot = Hot()
        if request["share"]:
            from optagent_share import Share

            self.hot = Share(*request["share"])
        self.descriptor = descriptor
        self.tests: dict[str, dict[str, Any]] = {}

    def pytest_collection_modifyitems(self, config: Pytest, items: list[Pytest]) -> None:
        if self.only is not None:
            out = [item for item in items if item.nodeid not in self.only]
            items[:] = [item for item in items if item.nodeid in self.only]
            config.hook.pytest_deselected(items=out)

    def pytest_collection_finish(self, session: Pytest) -> None:
        if self.hot is not None:
            self.hot.start()

    def pytest_runtest_setup(self, item: Pytest) -> None:
        if self.watch is not None:
            self.watch.new_test()
        self.tests[item.nodeid] = {"outcome": "unfinished", "seconds": 0.0, "reached": []}

    def pytest_runtest_logreport(self, report: Pytest) -> None:
        # a skip mark acts before our setup hook does: nothing of that test has run
        new = {"outcome": "unfinished", "seconds": 0.0, "reached": []}
        entry = self.tests.setdefault(report.nodeid, new)
        entry["seconds"] += report.duration
        if report.outcome == "failed":
            entry["outcome"] = "failed"
            entry.setdefault("said", error_in(str(report.longrepr)))
        elif entry["outcome"] != "failed" and (report.when == "call" or report.outcome == "skipped"):
            entry["outcome"] = report.outcome
        if report.when == "teardown" and self.watch is not None and entry["outcome"] != "skipped":
            entry["reached"] = self.watch.touched()

    def pytest_sessionfinish(self, session: Pytest, exitstatus: int) -> None:
        if self.watch is not None and self.benches != ({}, []):
            from optagent_benches import run_all

            run_all(*self.benches, self.watch.new_test)
        hot = self.hot.stop() if self.hot is not None else {}
        send(self.descriptor, {"tests": self.tests, "exit": int(exitstatus), **hot}, self.watch, self.root)


def error_in(told: str) -> str:
    """The line of what pytest tells of one failure that says what went wrong: its first "E" line, else its last."""
    lines = [line for line in told.splitlines() if line.strip()]
    errors = [line.removeprefix("E ") for line in lines if line.startswith("E ")]
    return (errors or lines[-1:] or [""])[0].strip()[:MOST_SAID]


def send(descriptor: int, outcome: dict[str, Any], watch: Watch | None, root: str) -> None:
    """One frame: the tests, and for every watched function its calls, what was lost, and its inputs as blobs."""
    recorders = [one.recorder for one in watch.all] if watch is not None else []
    blobs = [data for recorder in recorders for _, data in recorder.inputs]
    top = os.path.realpath(root)
    folders = [os.path.relpath(os.path.realpath(one or "."), top) for one in sys.path if one]
    header = {
        **outcome,
        "targets": [[one.calls, one.lost, [codec for codec, _ in one.inputs]] for one in recorders],
        "folders": [one for one in folders if not one.startswith("..")],
    }
    report = memoryview(optagent_frames.pack(header, blobs))
    while report:
        report = report[os.write(descriptor, report) :]


def main(arguments: list[str]) -> int:
    """pytest's exit code. A command line that pytest refuses because of the project's own settings is tried again
    without the refused options."""
    import importlib.util

    if "OPTAGENT_TOOLS" in os.environ:
        sys.path.append(os.environ["OPTAGENT_TOOLS"])  # last: what the environment has is never shadowed
    import pytest

    with open(os.environ["OPTAGENT_PROBE"], encoding="utf-8") as file:
        request = json.load(file)
    switches = [word for name, words in IN_THE_WAY.items() if importlib.util.find_spec(name) for word in words]
    descriptor = int(os.environ["OPTAGENT_FD"])
    probe = Probe(request, descriptor)
    options: list[str] = []
    plugins: list[Any] = []
    while True:
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            code = int(pytest.main([*switches, *options, *arguments], [probe, *plugins]))
        without = corrections(said.getvalue()) if code == USAGE_ERROR and len(plugins) < MOST_CORRECTIONS else None
        if without is None or (without[0] and without[0][-1] in options):
            sys.stderr.write(said.getvalue())
            return code
        options += without[0]
        plugins += without[1]


def corrections(said: str) -> tuple[list[str], list[Any]] | None:
    """What makes pytest take the project's own settings after all: options of plugins that are not here are taken and
    ignored, plugins that are required and not here are not required. None when it complains of something else."""
    unknown = re.search(r"unrecognized arguments: (.*)", said)
    if unknown:
        names = {word.partition("=")[0] for word in unknown[1].split() if re.match(r"--?[a-zA-Z]", word)}
        return ([], [Ignored(names)]) if names else (["-o", "addopts="], [])
    return (["-o", "required_plugins="], []) if "required plugins" in said.lower() else None


class Ignored:
    """A plugin that takes options and does nothing about them."""

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def pytest_addoption(self, parser: Pytest) -> None:
        group = parser.getgroup("ignored")
        for name in sorted(self.names):
            add = group.addoption if name.startswith("--") else group._addoption  # short ones are kept for pytest
            add(name, nargs="?", dest=f"ignored {name}", help="belongs to a plugin that is not installed")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
