"""Where the time goes: functions of the project by the time that its tests, or a command, spend in them."""

from __future__ import annotations

import shlex
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from optagent.core import frames
from optagent.core.target import Target, Tree
from optagent.errors import BadSetting, BaselineBroken
from optagent.languages.python.environment.home import PythonHome, join
from optagent.languages.python.testing.pytest_run import PYTEST_ENDINGS, TEST_PROCESSES, TEST_SECONDS, Wish, execute
from optagent.languages.python.testing.report_rows import amount, count, text
from optagent.sandbox.base import Command, ExecResult, Limits


@dataclass(frozen=True)
class Hotspot:
    """One function: its calls, the seconds in it alone (`own_s`) and with what it calls (`total_s`), under a profiler
    that slows calls down; `share` is `own_s` over all seconds of the session. What stands in it (a lambda, a
    generator expression, a nested function) is part of it: it cannot be exchanged alone."""

    target: Target
    calls: int
    own_s: float
    total_s: float
    share: float


def of_tests(home: PythonHome, tree: Tree, targets: Sequence[Target]) -> list[Hotspot]:
    """The hottest first, by their own time in one run of the tests. Raises BaselineBroken when they cannot be run."""
    return _read(home, tree, targets, execute(home, tree, Wish(hot=True)), "the tests")


def of_command(home: PythonHome, tree: Tree, targets: Sequence[Target], line: str) -> list[Hotspot]:
    """The hottest first, by their own time in one run of a Python command, in the project's folder."""
    words = shlex.split(line)
    if len(words) < 2 or not words[0].rpartition("/")[2].startswith("python"):
        raise BadSetting(f"{line!r} is no Python command", "Give one like `python script.py` or `python -m module`.")
    folders = [*(one.import_root for one in targets), *home.import_roots]
    roots = dict.fromkeys(join(home.tree(tree), one) for one in folders)
    command = Command(
        (str(home.interpreter.executable), "-B", home.tool("optagent_hot.py"), *words[1:]),
        join(home.tree(tree), tree.project),
        home.mounts(tree),
        {**home.environment(), "PYTHONPATH": ":".join(roots)},
    )
    result = home.sandbox.run(command, Limits(seconds=TEST_SECONDS, processes=TEST_PROCESSES))
    return _read(home, tree, targets, result, f"`{line}`")


def _read(home: PythonHome, tree: Tree, targets: Sequence[Target], result: ExecResult, what: str) -> list[Hotspot]:
    try:
        header, _ = frames.read_bytes(result.report)
        if header.get("exit", 0) not in PYTEST_ENDINGS:
            raise ValueError("the tests did not run")
        rows, seconds = header["rows"], amount(header["seconds"])
        found = list(_hotspots(home, tree, targets, rows, seconds))
    except (frames.Malformed, LookupError, TypeError, ValueError):
        said = (result.stderr + result.stdout).decode("utf-8", "replace").strip().splitlines()
        raise BaselineBroken(
            f"{what} gave no profile: {said[-1] if said else result.ending}", "Make them run, then try again."
        ) from None
    return sorted(found, key=lambda one: -one.own_s)


def _hotspots(
    home: PythonHome, tree: Tree, targets: Sequence[Target], rows: Sequence[Sequence[Any]], seconds: float
) -> Iterator[Hotspot]:
    seen = home.tree(tree)
    known = {(join(seen, one.path), one.first_line): one for one in targets}
    starts = sorted((join(seen, one.path), one.qualname, one.first_line) for one in targets)
    calls: dict[Target, int] = {}
    own_s: dict[Target, float] = {}
    total_s: dict[Target, float] = {}
    for file, line, name, times, own, total in rows:
        around, _, inner = text(name).partition(".<locals>.")
        first_line = _start(starts, text(file), around, count(line)) if inner else line
        target = known.get((text(file), first_line))
        if target is not None:
            own_s[target] = own_s.get(target, 0.0) + amount(own)
            if not inner:
                calls[target], total_s[target] = count(times), amount(total)
    for target, own in own_s.items():
        total = max(own, total_s.get(target, 0.0))
        yield Hotspot(target, calls.get(target, 0), own, total, own / seconds if seconds else 0.0)


def _start(starts: Sequence[tuple[str, str, int]], file: str, qualname: str, line: int) -> int:
    """The first line of the function of that name in which `line` stands (several may share a name); 0 for none."""
    place = bisect_right(starts, (file, qualname, line)) - 1
    return starts[place][2] if place >= 0 and starts[place][:2] == (file, qualname) else 0
