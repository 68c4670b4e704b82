"""Where the time goes: functions of the project by the time that its tests, or a command, spend in them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from optagent.core import frames
from optagent.core.target import Target, Tree
from optagent.errors import BadSetting, BaselineBroken
from optagent.languages.python.home import PythonHome, join
from optagent.languages.python.pytest_run import PYTEST_ENDINGS, TEST_PROCESSES, TEST_SECONDS, Wish, execute
from optagent.sandbox.base import Command, ExecResult, Limits


@dataclass(frozen=True)
class Hotspot:
    """One function: its calls, the seconds in it alone (`own_s`) and with what it calls (`total_s`), under a profiler
    that slows calls down; `share` is `own_s` over all seconds of the session."""

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
        rows, seconds = header["rows"], float(header["seconds"])
        found = list(_hotspots(home, tree, targets, rows, seconds))
    except (frames.Malformed, LookupError, TypeError, ValueError):
        said = (result.stderr + result.stdout).decode("utf-8", "replace").strip().splitlines()
        raise BaselineBroken(
            f"{what} gave no profile: {said[-1] if said else result.ending}", "Make them run, then try again."
        ) from None
    return sorted(found, key=lambda one: -one.own_s)


def _hotspots(
    home: PythonHome, tree: Tree, targets: Sequence[Target], rows: Sequence[Sequence[object]], seconds: float
) -> Iterator[Hotspot]:
    seen = home.tree(tree)
    known = {(join(seen, one.path), one.first_line): one for one in targets}
    for file, line, _, calls, own, total in rows:
        target = known.get((str(file), int(str(line))))
        if target is not None:
            own_s, total_s = float(str(own)), float(str(total))
            yield Hotspot(target, int(str(calls)), own_s, total_s, own_s / seconds if seconds else 0.0)
