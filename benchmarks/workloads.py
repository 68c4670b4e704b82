"""How many functions of real packages get a workload from their own tests, and what looking for it costs.

`python benchmarks/workloads.py [PACKAGE...]` unpacks the packages' source distributions (`packages.py`), takes the
survey that a session takes for all functions at once, admits up to twelve inputs of every function that a test reaches,
and writes the table with machine and date to benchmarks/results/workloads.md.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from packages import Package, chosen, unpacked  # noqa: E402
from results import write  # noqa: E402

from optagent.cli.run.hotspots import Look, open_look  # noqa: E402
from optagent.cli.settings.config import read  # noqa: E402
from optagent.core.target import Target  # noqa: E402
from optagent.errors import OptagentError  # noqa: E402
from optagent.languages.contestant import Misconduct, Uncomparable  # noqa: E402
from optagent.languages.python.project import PythonProject  # noqa: E402
from optagent.languages.python.testing.pytest_run import TEST_SECONDS, Wish, run_tests  # noqa: E402
from optagent.languages.tests import TestReport  # noqa: E402
from optagent.verify.admit import admit  # noqa: E402
from optagent.verify.differential import Run  # noqa: E402
from optagent.verify.survey import Survey, take_survey  # noqa: E402

INPUTS_EACH = 12
SECONDS_EACH = 10.0
ONCE = "the tests call it in one way only"
HEAD = (
    "| package | environment | tests pass / set aside | functions | reached | with a workload | share | index s "
    "| tests s | watched | with capture | admission s |"
)


@dataclass
class Row:
    """What one package gave; seconds of stages, and of test runs as factors of a plain one (in turn, same machine)."""

    package: Package
    environment: str = ""
    functions: int = 0
    reached: int = 0
    served: int = 0
    passing: int = 0
    aside: int = 0
    index_s: float = 0.0
    plain_s: float = 0.0
    watched: float = 0.0
    captured: float = 0.0
    admission_s: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def line(self) -> str:
        share = 100 * self.served / max(1, self.reached)
        return (
            f"| {self.package.name} {self.package.version} | {self.environment} | {self.passing} / {self.aside} "
            f"| {self.functions} | {self.reached} | {self.served} | {share:.0f} % | {self.index_s:.2f} "
            f"| {self.plain_s:.1f} | {self.watched:.2f}x | {self.captured:.2f}x | {self.admission_s:.0f} |"
        )

    def count(self, target: Target, reason: str) -> None:
        """One more function that a test reaches: served, or not for that reason."""
        self.reached += 1
        self.served += not reason
        if reason:
            self.reasons[reason] += 1
            self.examples.setdefault(reason, str(target))


def look_at(package: Package, state: Path) -> Row:
    row = Row(package)
    asked = read(unpacked(package), {"state": str(state)}, {})
    began = time.perf_counter()
    with open_look(asked) as look:
        row.index_s = time.perf_counter() - began
        row.environment = look.home.interpreter.origin
        row.functions = len(look.functions)
        survey = surveyed(look, row)
        row.passing, row.aside = len(survey.passing), len(survey.set_aside)
        began = time.perf_counter()
        reached = [number for number in range(len(look.functions)) if survey.reaching[number]]
        with ThreadPoolExecutor(os.cpu_count()) as several:  # the work is in the workers' own processes
            for number, reason in zip(reached, several.map(lambda k: lacks(look, survey, k), reached), strict=True):
                row.count(look.functions[number], reason)
        row.admission_s = time.perf_counter() - began
    return row


def surveyed(look: Look, row: Row) -> Survey:
    """The survey of all functions, with plain runs (nothing watched) before and after it to compare with."""

    def run(only: tuple[str, ...] | None, keep: bool, seconds: float | None) -> TestReport:
        return run_tests(look.home, look.tree, Wish(only, look.functions, keep, seconds or TEST_SECONDS))

    plain = [run_tests(look.home, look.tree, Wish()).seconds]
    survey = take_survey(run, len(look.functions))
    plain.append(run_tests(look.home, look.tree, Wish()).seconds)
    row.plain_s = min(plain)
    row.watched, row.captured = survey.seconds / row.plain_s, survey.capture_seconds / row.plain_s
    return survey


def lacks(look: Look, survey: Survey, number: int) -> str:
    """Why a function has no workload; nothing when it has one."""
    captured = survey.captured[number]
    if len(captured.inputs) < 2:
        return max(captured.lost, key=lambda one: captured.lost[one]) if captured.lost else ONCE
    project = PythonProject(look.home, look.functions[number], survey.folders)
    try:
        admitted = admit(Run(project, 1, 60.0), look.tree, captured.inputs[:INPUTS_EACH], SECONDS_EACH)
    except Misconduct as failed:
        return f"its worker fails: {failed.phase}: {failed.reason[:80]}"
    except Uncomparable as unknown:
        return f"not the same way twice: {unknown}"
    if len(admitted.inputs) >= 2:
        return ""
    return str(admitted.lost.most_common(1)[0][0]) if admitted.lost else ONCE


def page(rows: list[Row]) -> str:
    reached, served = sum(row.reached for row in rows), sum(row.served for row in rows)
    lines = [HEAD, "|" + "---|" * HEAD.count(" |"), *[row.line() for row in rows], ""]
    lines += [
        f"**{served} of {reached} functions that a test reaches have a workload: {100 * served / reached:.1f} %.**",
        "",
    ]
    lines += [
        "Reasons for the rest (with one example each):",
        "",
        "| functions | reason | for instance |",
        "|---|---|---|",
    ]
    reasons: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for row in rows:
        reasons += row.reasons
        examples = {**row.examples, **examples}
    lines += [
        f"| {count} | {reason.replace('|', '/')} | `{examples[reason]}` |" for reason, count in reasons.most_common(40)
    ]
    return "\n".join(lines)


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as state:
        Path(state).chmod(0o755)
        for package in chosen(sys.argv[1:]):
            try:
                rows.append(look_at(package, Path(state)))
            except OptagentError as fault:
                print(f"{package.name}: {fault.message}", file=sys.stderr)
                raise
            print(rows[-1].line(), flush=True)
    write(
        "workloads", "Workloads from the tests of real packages", __doc__ or "", page(rows), partial=len(sys.argv) > 1
    )


if __name__ == "__main__":
    main()
