"""How many planted faults the checks notice, and in what time: on examples, two packages, suites of three kinds.

    .venv/bin/python benchmarks/oracle.py [NAME ...]

For each function: the faults that the tests alone notice, those that old against new on the tests' own calls notices,
and both together with the inputs near them, as a verdict has it (the seconds are of that). The table with machine and
date goes to benchmarks/results/oracle.md.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from packages import PACKAGES, unpacked  # noqa: E402
from results import table, write  # noqa: E402

from optagent.cli.run.evidence import SHORT_TESTS_S, Compared, or_why_not, take_strength  # noqa: E402
from optagent.cli.run.progress import Progress  # noqa: E402
from optagent.cli.run.session import Broken, prepared  # noqa: E402
from optagent.cli.run.shop import Counter  # noqa: E402
from optagent.cli.settings.run_settings import RunSettings  # noqa: E402
from optagent.core.fault import Strength  # noqa: E402
from optagent.core.verdict import Unmeasured  # noqa: E402
from optagent.verify.suite import Suite  # noqa: E402

HEAD = ["code", "function", "faults", "tests alone", "tests' calls compared", "all together", "not noticed", "seconds"]
EXAMPLES = {
    "channel_scaling": "scale_channels",
    "checkpoint_serialise": "serialise",
    "expert_placement": "place_experts",
    "image_extrema": "extrema",
    "nibble_pack": "pack",
    "topk_router": "route_tokens",
}
FUNCTIONS = {
    "sqlparse": ("sqlparse:format", "sqlparse.utils:split_unquoted_newlines", "sqlparse.sql:TokenList.flatten"),
    "toolz": ("toolz.itertoolz:groupby", "toolz.itertoolz:partition_all", "toolz.dicttoolz:merge_with"),
}
"""Chosen before any was looked at: what their users call, and what it calls."""

MODULE = '''"""Where a value belongs."""


def place(values, value):
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low
'''
HEADER = "import bisect\nimport random\n\nimport pytest\n\nfrom places import place\n\n"
CASES = """CASES = [
    (sorted(random.Random(n).choices(range(n), k=n)), random.Random(-n).randrange(n)) for n in range(2, 40)
]


@pytest.mark.parametrize(("values", "value"), CASES)
"""
SUITES = {
    "a suite that checks": HEADER
    + CASES
    + "def test_place(values, value):\n    assert place(values, value) == bisect.bisect_left(values, value)\n",
    "the same calls, nothing checked": HEADER + CASES + "def test_place(values, value):\n    place(values, value)\n",
    "two calls, nothing checked": HEADER
    + "@pytest.mark.parametrize('values', [[], [1]])\ndef test_place(values):\n    place(values, 1)\n",
}


@dataclass(frozen=True)
class Case:
    code: str
    repo: Path
    target: str


def cases(names: list[str], folder: Path) -> Iterator[Case]:
    for name, target in EXAMPLES.items():
        yield Case(f"examples/{name}", ROOT / "examples" / name, target)
    for package in PACKAGES:
        for target in FUNCTIONS.get(package.name, ()):
            yield Case(f"{package.name} {package.version}", unpacked(package), target)
    for number, (name, tests) in enumerate(SUITES.items()):
        repo = folder / str(number)
        (repo / "tests").mkdir(parents=True)
        (repo / "places.py").write_text(MODULE)
        (repo / "tests" / "test_places.py").write_text(tests)
        yield Case(name, repo, "place")


@contextmanager
def counter(case: Case, state: Path) -> Iterator[Counter | str]:
    with Progress(10, quiet=True) as progress:
        (found,) = prepared([RunSettings(str(case.repo), case.target)], state, progress)
        if isinstance(found, Broken):
            yield found.fault.message
            return
        found.store()
        with found.workshop.ledger:
            yield Counter(found.workshop, found.problem, progress.stage)
        found.workshop.clear()


def row(case: Case, state: Path) -> list[str]:
    with counter(case, state) as found:
        if isinstance(found, str):
            return [case.code, f"`{case.target}`", "-", "-", "-", "-", found, "-"]
        suite, workload = found.problem.suite, found.problem.workload
        no_tests = Suite(suite.passing, (), suite.set_aside, suite.seconds, suite.patience_s, inf)
        own = workload.by_tests
        are_run = suite.reaching_s <= SHORT_TESTS_S
        alone = noticed(found, suite, Compared(())) if are_run else Unmeasured("the tests take too long")
        compared = noticed(found, no_tests, Compared(own))
        began = time.perf_counter()
        whole = noticed(found, suite, Compared(own, (workload.varied, found.more)))
        seconds = time.perf_counter() - began
    missed = "; ".join(one.words for one in whole.survivors[:3]) if isinstance(whole, Strength) else whole.reason
    planted = str(whole.planted) if isinstance(whole, Strength) else "-"
    return [case.code, f"`{case.target}`", planted, *map(told, (alone, compared, whole)),
            missed.replace("|", "\\|"), f"{seconds:.1f}"]  # fmt: skip


def noticed(counter: Counter, suite: Suite, compared: Compared) -> Strength | Unmeasured:
    return or_why_not(lambda: take_strength(counter.workshop, suite, counter.checkouts, counter.run, compared))


def told(found: Strength | Unmeasured) -> str:
    return f"{found.found} of {found.planted} ({100 * found.share:.0f} %)" if isinstance(found, Strength) else "-"


def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        place.chmod(0o755)
        rows = []
        for case in cases(names, place):
            if names and not any(name in case.code for name in names):
                continue
            rows.append(row(case, place / "state"))
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    write("oracle", "Strength of the oracle", __doc__ or "", "\n".join(table(HEAD, rows)), partial=bool(names))


if __name__ == "__main__":
    main(sys.argv[1:])
