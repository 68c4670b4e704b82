"""One run of the project's tests in the sandbox, with a watch on functions."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from optagent.core import frames
from optagent.core.target import Target, Tree
from optagent.errors import ToolMissing
from optagent.languages.python.environment.home import TOOLS, PythonHome, join
from optagent.languages.python.testing import (
    discover,
)  # by its module: pytest would take `test_files` for a test of ours
from optagent.languages.python.testing.command_report import told_by_command
from optagent.languages.python.testing.report_rows import MOST_SAID, captured_of, result_of
from optagent.languages.tests import TestReport
from optagent.sandbox.base import Command, ExecResult, Limits, Mount, Stopped

REQUEST = "/optagent/request"
TEST_SECONDS = 600.0
TEST_PROCESSES = 512
TELLING = re.compile(r"E |ERROR|INTERNALERROR|.*: error: ")
PYTEST_ENDINGS = (0, 1, 5)
"""All passed, some failed, there are none: the endings after which the report says what happened."""

NO_PYTEST = b"ModuleNotFoundError: No module named 'pytest'"
"""The last words where pytest could not be started."""

NO_BENCHMARKS = discover.Benchmarks()


@dataclass(frozen=True)
class Wish:
    """What a run of the tests is for: the tests named (None: all), the functions to watch, whether their arguments
    are wanted too, and whether all functions are timed by a profiler."""

    only: tuple[str, ...] | None = None
    targets: tuple[Target, ...] = ()
    keep: bool = False
    seconds: float = TEST_SECONDS
    hot: bool = False
    share: Target | None = None
    """The function whose share of the run's CPU time is wanted."""
    benchmarks: discover.Benchmarks = NO_BENCHMARKS
    """Those whose arguments are wanted too: they are run once when the tests have ended."""
    roots: tuple[str, ...] = ()
    """Folders of the tree that have to be on the import path besides those of the watched functions."""


def run_tests(home: PythonHome, tree: Tree, wish: Wish) -> TestReport:
    """The project's tests run on this tree. What the tests do wrong is in the report; ToolMissing without pytest."""
    if wish.keep:
        wish = replace(wish, benchmarks=discover.benchmarks(tree))
    report = _tested(home, tree, wish)
    if report.broken and not home.test_command and wish.benchmarks != NO_BENCHMARKS:  # one may have ended it all
        wish = replace(wish, benchmarks=NO_BENCHMARKS)
        report = _tested(home, tree, wish)
    return report


def _tested(home: PythonHome, tree: Tree, wish: Wish) -> TestReport:
    result, command = execute(home, tree, wish), " ".join(home.test_command)
    is_first = wish.only is None  # later it may be a candidate that says so
    if is_first and not command and not result.report and result.stderr.rstrip().endswith(NO_PYTEST):
        raise ToolMissing(
            "the target's interpreter has no pytest, so its tests cannot run",
            "Install pytest into it, or choose another interpreter with `--python PATH`.",
        )
    return _read_report(result, len(wish.targets), command)


def execute(home: PythonHome, tree: Tree, wish: Wish) -> ExecResult:
    with tempfile.TemporaryDirectory(prefix="request-", dir=home.toolbox.parent) as folder:
        Path(folder).chmod(0o755)
        request = Path(folder, "request.json")
        request.write_text(json.dumps(_request(home, tree, wish)), "utf-8")
        request.chmod(0o644)
        limits = Limits(seconds=wish.seconds, processes=TEST_PROCESSES)
        return home.sandbox.run(_command(home, tree, wish, request), limits)


def _request(home: PythonHome, tree: Tree, wish: Wish) -> dict[str, Any]:
    seen = home.tree(tree)
    rows = [[join(seen, one.path), one.qualname, one.first_line] for one in wish.targets]
    suites = {join(seen, path): join(seen, folder) for path, folder in wish.benchmarks.suites}
    scripts = [join(seen, path) for path in wish.benchmarks.scripts]
    tests = [join(seen, path) for path in discover.test_files(tree)] if wish.keep else []
    only = None if wish.only is None else list(wish.only)
    share = wish.share and [join(seen, wish.share.path), wish.share.qualname, wish.share.first_line]
    return {
        "root": seen, "targets": rows, "keep": wish.keep, "hot": wish.hot, "share": share, "only": only,
        "tests": [*tests, *suites, *scripts], "suites": suites, "scripts": scripts,
    }  # fmt: skip


def _command(home: PythonHome, tree: Tree, wish: Wish, request: Path) -> Command:
    seen = join(home.tree(tree), tree.project)
    own = () if not home.test_command else (home.tool("site"),)
    return Command(
        home.test_command or _pytest(home, wish),
        seen,
        (*home.mounts(tree), Mount(request, REQUEST)),
        {
            **home.environment(),
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": ":".join([*own, *_roots(home, tree, wish), seen]),
            "OPTAGENT_PROBE": home.inside(request, REQUEST),
            **({"OPTAGENT_TOOLS": home.inside(home.tools, TOOLS)} if home.tools else {}),
        },
    )


def _pytest(home: PythonHome, wish: Wish) -> tuple[str, ...]:
    files = sorted({name.partition("::")[0] for name in wish.only or ()})
    options = ("-p", "no:cacheprovider", "-q", "--tb=short", "--color=no")
    python = (str(home.interpreter.executable), "-B", home.tool("optagent_probe.py"))
    return (*python, *options, *home.test_arguments, *files)


def _roots(home: PythonHome, tree: Tree, wish: Wish) -> list[str]:
    """The folders that targets are imported from, and those that stand for the user's own, each once."""
    folders = [*(one.import_root for one in wish.targets), *wish.roots, *home.import_roots]
    return list(dict.fromkeys(join(home.tree(tree), one) for one in folders))


def _read_report(result: ExecResult, targets: int, command: str = "") -> TestReport:
    """What the probe said. Without its report nothing passed: it left early, was stopped, or never began."""
    said = _telling_line((result.stdout + result.stderr).decode("utf-8", "replace"))
    if isinstance(result.ending, Stopped):
        return TestReport((), (), f"the tests were stopped at their limit of {result.ending.limit}", result.seconds)
    try:
        return told_by_command(result, command, said, targets) if command else _told(result, said, targets)
    except (frames.Malformed, LookupError, TypeError, ValueError, AttributeError):  # whatever the tests wrote there
        return TestReport((), (), said or "the tests ended without a report", result.seconds)


def _told(result: ExecResult, said: str, targets: int) -> TestReport:
    header, blobs = frames.read_bytes(result.report)
    if len(header["targets"]) != targets:
        raise ValueError("not one row for each target")
    tests = tuple(result_of(name, entry) for name, entry in header["tests"].items())
    broken = "" if header["exit"] in PYTEST_ENDINGS else said or f"pytest ended with {header['exit']}"
    folders = tuple(str(one) for one in header["folders"])
    return TestReport(tests, captured_of(header["targets"], blobs), broken, result.seconds, said, folders)


def _telling_line(output: str) -> str:
    """The line of pytest's output that says what went wrong: its first "E" line, else its last line. Of one without end
    only the beginning: it is kept with the verdict."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.startswith("ERROR: usage:")]
    errors = [line.removeprefix("E ").strip() for line in lines if TELLING.match(line)]
    return (errors or lines[-1:] or [""])[0][:MOST_SAID]
