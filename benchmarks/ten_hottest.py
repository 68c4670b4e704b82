"""What the built-in rules find in the hottest functions of real packages, and whether any claim falls later.

`python benchmarks/ten_hottest.py [PACKAGE...]` runs `optagent run PACKAGE --top 10` (one session each); since the rules
are few and real hot functions are seldom that simple, it also runs the first ten functions of each package in which a
rule finds anything at all. Then it looks at every claim again: the package's whole suite on a checkout with the patch,
and two fresh measurements with other seeds on all of its inputs, the old code against itself (which must not look
faster) and the old against the new (which must not look slower, and should confirm the gain). Writes the table with
machine and date to benchmarks/results/ten_hottest.md.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from packages import Package, chosen, unpacked  # noqa: E402
from results import write  # noqa: E402

from optagent.cli.run.hotspots import hottest, open_look, spec  # noqa: E402
from optagent.cli.run.progress import Progress  # noqa: E402
from optagent.cli.run.session import Broken, Ended, start  # noqa: E402
from optagent.cli.settings.config import Config, read  # noqa: E402
from optagent.core.effort import EFFORTS  # noqa: E402
from optagent.core.patch import Patch  # noqa: E402
from optagent.core.target import Target, Tree  # noqa: E402
from optagent.core.verdict import Faster  # noqa: E402
from optagent.core.workload import Input  # noqa: E402
from optagent.languages.python.project import PythonProject  # noqa: E402
from optagent.languages.python.targets.index import index  # noqa: E402
from optagent.languages.python.testing.pytest_run import Wish, run_tests  # noqa: E402
from optagent.measure import speed  # noqa: E402
from optagent.measure.launch import Race  # noqa: E402
from optagent.rules.base import Site  # noqa: E402
from optagent.rules.registry import proposals  # noqa: E402
from optagent.workspace.checkout import checkout  # noqa: E402
from optagent.workspace.text import read_source  # noqa: E402

MINUTES = 20.0
"""For all targets of a session together: a survey of the slowest suites alone takes five, on a busy machine."""

TOP = 10
CORE = 1


@dataclass
class Claim:
    """One confirmed speedup, as it was claimed."""

    target: Target
    folders: tuple[str, ...]
    patch: Patch
    ratio: float
    low: float
    inputs: tuple[Input, ...]
    noise: speed.Noise


@dataclass
class Row:
    package: Package
    outcomes: Counter[str] = field(default_factory=Counter)
    elsewhere: Counter[str] = field(default_factory=Counter)
    trials: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)
    contradicted: int = 0
    seconds: float = 0.0

    def line(self) -> str:
        outcomes, elsewhere, trials = map(told, (self.outcomes, self.elsewhere, self.trials))
        return (
            f"| {self.package.name} {self.package.version} | {outcomes} | {elsewhere} | {trials} | {len(self.claims)} "
            f"| {self.contradicted} | {self.seconds:.0f} |"
        )


def told(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.most_common()) or "none"


def look_at(package: Package, state: Path) -> Row:
    row = Row(package)
    began = time.perf_counter()
    given = {"state": str(state), "top": TOP, "max_minutes": MINUTES}
    asked = read(unpacked(package), given, {})
    progress = Progress(MINUTES, quiet=True)
    targets = hottest(asked, progress)
    claims = []
    for ended in start([asked.run_settings(one) for one in targets], asked.state, progress):
        claims.append(noted(ended, row, row.outcomes))
    more = [one for one in promising(asked) if one not in targets]
    if more:
        progress = Progress(MINUTES, quiet=True)
        sessions = start([asked.run_settings(one) for one in more], asked.state, progress)
        claims += [noted(ended, row, row.elsewhere) for ended in sessions]
    for claim in claims:
        if claim is not None:
            look_again(asked, claim, row)
    row.seconds = time.perf_counter() - began
    return row


def promising(asked: Config) -> list[str]:
    """Functions of the package in which a rule finds something, wherever they stand."""
    tree = Tree(asked.repo)
    found = []
    for target in index(tree, None):
        site = Site(read_source(tree.root / target.path), target.qualname, {}, target.line)
        if proposals(site):
            found.append(spec(target))
    return found[:TOP]


def noted(ended: Ended | Broken, row: Row, outcomes: Counter[str]) -> Claim | None:
    """The end of one run counted; its claim, if it made one."""
    if isinstance(ended, Broken):
        outcomes["no baseline"] += 1
        row.broken.append(f"{ended.target}: {ended.fault.message}")
        return None
    workshop = ended.workshop
    workshop.ledger.close()
    outcomes[ended.outcome.value] += 1
    row.trials += Counter(trial.verdict.kind for trial in ended.trials)
    if ended.trial is None:
        return None
    verdict = ended.claims[-1].verdict
    assert isinstance(verdict, Faster)
    workload = ended.problem.workload
    inputs = (*workload.search, *(one for held in workload.held_out for one in held))
    shown, patch = verdict.speedup, ended.trial.candidate.patch
    assert isinstance(workshop.project, PythonProject)
    folders = workshop.project.folders
    return Claim(workshop.target, folders, patch, shown.ratio, shown.low, inputs, ended.problem.noise)


def look_again(asked: Config, claim: Claim, row: Row) -> None:
    """The claim held against the whole suite, and against two measurements that know nothing of it."""
    with open_look(asked) as look, tempfile.TemporaryDirectory(dir=look.tree.root.parent) as folder:
        Path(folder).chmod(0o755)
        new = checkout(look.tree, claim.patch, Path(folder) / "new")
        before, after = (run_tests(look.home, tree, Wish()) for tree in (look.tree, new))
        lost = sorted(before.names("passed") - after.names("passed"))
        project = PythonProject(look.home, claim.target, claim.folders)
        timed = speed.affordable(project, look.tree, claim.inputs, 77, CORE, 60.0)
        same = speed.claim(Race(project, look.tree, look.tree, timed, CORE), claim.noise, 7001, EFFORTS["normal"])
        again = speed.estimate(Race(project, look.tree, new, timed, CORE), claim.noise, 7002, EFFORTS["normal"])
    ratio = again.speedup.ratio
    fallen = bool(lost) or same.is_faster or ratio < 1.0
    row.contradicted += fallen
    row.claims.append(
        f"| {row.package.name} | `{claim.target}` | {claim.ratio:.2f}x (from {claim.low:.2f}x) | {ratio:.2f}x "
        f"| {same.speedup.ratio:.3f}x, {'claimed' if same.is_faster else 'not claimed'} "
        f"| {len(after.names('passed'))} pass, {len(lost)} lost | {'FELL' if fallen else 'holds'} |"
    )


def page(rows: list[Row]) -> str:
    head = (
        "| package | ten hottest | where a rule finds something | verdicts of candidates | claims | contradicted | s |"
    )
    lines = [head, "|---|---|---|---|---|---|---|", *[row.line() for row in rows], ""]
    claims = [claim for row in rows for claim in row.claims]
    lines += [f"**{len(claims)} claims, {sum(row.contradicted for row in rows)} contradicted.**", ""]
    lines += ["| package | target | claimed | measured again | old against itself | whole suite | |"]
    lines += ["|---|---|---|---|---|---|---|", *claims, "", "Targets without a baseline:", ""]
    return "\n".join([*lines, *(f"- {one}" for row in rows for one in row.broken)])


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as state:
        Path(state).chmod(0o755)
        for package in chosen(sys.argv[1:]):
            rows.append(look_at(package, Path(state)))
            print(rows[-1].line(), flush=True)
    title = "The rules on the ten hottest functions of real packages"
    write("ten_hottest", title, __doc__ or "", page(rows), partial=len(sys.argv) > 1)


if __name__ == "__main__":
    main()
