"""The museum of cheats, played through the referee: each cheat's verdict with its reason, and its honest twin's.

`python benchmarks/museum.py [ID...]` judges all pairs (about twenty minutes on an idle machine) or those named, and
ends with 1 if a cheat is called faster that is not known to be, or an honest twin is not. The table with machine and
date goes to benchmarks/results/museum.md, if it is about all of them.
"""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks"), str(ROOT / "tests" / "museum" / "cheats")]

from court import Court, court  # noqa: E402
from pair import Pair  # noqa: E402
from results import table, write  # noqa: E402
from table import PAIRS  # noqa: E402

from optagent.core.verdict import Verdict  # noqa: E402

HEAD = ["cheat", "from", "verdict", "reason", "twin", "as expected"]
MOST_WORDS = 90


def told(verdict: Verdict) -> tuple[str, str]:
    """The verdict's kind, and in one line why."""
    speedup = getattr(verdict, "speedup", None)
    words = [getattr(verdict, "reason", ""), getattr(verdict, "detail", "")]
    if not any(words) and speedup is not None:
        words = [f"{speedup.ratio:.2f}x"]
    text = ": ".join(word for word in words if word).replace("|", "/").replace("\n", " ")
    return verdict.kind, text[:MOST_WORDS]


def row(pair: Pair, referee: Court) -> list[str]:
    """One line of the table; the last cell says whether both ended as they have to."""
    cheat, twin = referee.judge(pair.cheat), referee.judge(pair.twin)
    kind, reason = told(cheat)
    is_caught = kind in pair.ends and pair.reason in str(cheat)
    as_expected = "yes" if is_caught and twin.kind in pair.twin_ends else "no"
    return [pair.id, pair.source, kind, reason, " ".join(told(twin)), as_expected]


def judged(pairs: list[Pair]) -> list[list[str]]:
    by_hall: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_hall[pair.hall.name].append(pair)
    rows = []
    for some in by_hall.values():
        with tempfile.TemporaryDirectory() as folder, court(some[0].hall, Path(folder)) as referee:
            for pair in some:
                rows.append(row(pair, referee))
                print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    return rows


def main(names: list[str]) -> int:
    rows = judged([PAIRS[name] for name in names] if names else list(PAIRS.values()))
    what = f"{len(rows)} cheats, at the stopwatch and the oracle, and their honest twins, each judged as a run would."
    write("museum", "Museum of cheats", what, "\n".join(table(HEAD, rows)), partial=bool(names))
    return int(any(one[-1] == "no" for one in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
