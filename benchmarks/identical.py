"""How often identical code is called faster or slower: by us, and by what others use, on the same pairs in one run.

`python benchmarks/identical.py [REPETITIONS [METHOD...]]` holds every kernel against itself (two copies of one file),
quiet, with two busy loops, and with a busy loop on the other core, so many times (28 unless given: 1,008 looks).
Each is judged as a candidate of a run: a look (`look`), and a claim where that said "faster" (`run`, both together);
every third time as a claim that nobody has screened (`claim`), and every 21st as `optagent compare` judges (`compare`).
The others are asked as often as their time allows (EVERY; pyperf about two kernels of all). On a machine with many
cores, parts run at once on two each. The table with machine and date goes to benchmarks/results/identical.md.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from kernels import CONDITIONS, KERNELS, Kernel, kernels, load  # noqa: E402
from parts import Part, in_parts, with_parts  # noqa: E402
from peers import METHODS, Duel, Said, ask  # noqa: E402
from results import table, write  # noqa: E402

from optagent.core.effort import EFFORTS  # noqa: E402
from optagent.core.seeds import derive  # noqa: E402
from optagent.measure import speed  # noqa: E402

REPETITIONS = 28
EFFORT = EFFORTS["normal"]
EVERY = {
    "look": 1,
    "claim": 3,
    "compare": 21,
    "minimum of loops, 5 %": 28,
    "timeit, best of 5, 2 %": 28,
    "hyperfine": 28,
    "pyperf compare_to": 28,
}
OURS = ("look", "run", "claim", "compare")
SLOWEST, ASKED = "pyperf compare_to", ("loop", "sort")
HEAD = ["condition", "method", "comparisons", "faster", "slower", "rate", "median s", "90 % of them within s"]
Table = dict[tuple[str, str], list[Said]]
Seen = tuple[str, str, str, Said]
"""Condition, method, kernel, and what was said."""


def ours(decide: Callable[[], speed.Found]) -> Said:
    began = time.perf_counter()
    found = decide()
    answer = "faster" if found.is_faster else "slower" if found.is_slower else "same"
    return Said(answer, time.perf_counter() - began)


def told(method: str, kernel: Kernel, seed: int) -> Said:
    race, noise = kernel.race(), kernel.noise
    if method == "look":
        return ours(lambda: speed.estimate(race, noise, seed, EFFORT))
    if method == "claim":
        return ours(lambda: speed.claim(race, noise, seed, EFFORT))
    if method == "compare":
        return ours(lambda: speed.compare(race, noise, seed, EFFORT))
    return ask(method, Duel(race.old.root, race.new.root, kernel.name, KERNELS[kernel.name][1]))


def confirmed(kernel: Kernel, look: Said, seed: int) -> Said:
    """What a run says in the end: nothing is faster without a claim."""
    if look.answer != "faster":
        return look
    said = told("claim", kernel, seed)
    return Said(said.answer, look.seconds + said.seconds)


def methods_at(turn: int, kernel: str, asked: Sequence[str]) -> list[str]:
    """Who is asked about that kernel in that turn (of kernel and repetition: so that every part gets its share)."""
    here = [name for name, every in EVERY.items() if turn % every == 0 and (name in METHODS or name in OURS)]
    return [name for name in here if name in asked and (name != SLOWEST or kernel in ASKED)]


def compared(part: Part, repetitions: int, asked: Sequence[str]) -> list[Seen]:
    """What was said of every kernel against itself in that part's repetitions."""
    seen: list[Seen] = []
    with kernels() as found:
        for condition in CONDITIONS:
            with load(condition):
                here = [replace(one, noise=speed.measure_noise(one.race(), 1)) for one in found]
                for k in part.of(repetitions):
                    for place, kernel in enumerate(here):
                        for method in methods_at(k + place, kernel.name, asked):
                            said = told(method, kernel, derive(k, condition, kernel.name))
                            seen.append((condition, method, kernel.name, said))
                            if method == "look":
                                whole = confirmed(kernel, said, derive(k, condition, kernel.name, "claim"))
                                seen.append((condition, "run", kernel.name, whole))
            show(condition, seen)
    return seen


def by_method(seen: list[Seen]) -> Table:
    table: Table = defaultdict(list)
    for condition, method, _, said in seen:
        table[condition, method].append(said)
    return table


def by_kernel(seen: list[Seen]) -> Table:
    """Ours alone, all conditions together."""
    table: Table = defaultdict(list)
    for _, method, kernel, said in seen:
        if method in OURS:
            table[kernel, method].append(said)
    return table


def show(condition: str, seen: list[Seen]) -> None:
    rows = [row(key, said) for key, said in by_method(seen).items() if key[0] == condition]
    print("\n".join(table(HEAD, rows)), flush=True)


def row(key: tuple[str, str], said: list[Said]) -> list[str]:
    faster, slower = (sum(one.answer == word for one in said) for word in ("faster", "slower"))
    seconds = sorted(one.seconds for one in said)
    rate = f"{100 * (faster + slower) / len(said):.1f} %"
    most = seconds[int(0.9 * (len(seconds) - 1))]
    return [*key, str(len(said)), str(faster), str(slower), rate, f"{median(seconds):.2f}", f"{most:.2f}"]


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else REPETITIONS
    seen = in_parts(compared, repetitions, sys.argv[2:] or tuple(EVERY))
    methods = by_method([("all three", *one[1:]) for one in seen]) | by_method(seen)
    page = [*table(HEAD, [row(*item) for item in methods.items()])]
    page += table(["kernel", *HEAD[1:]], [row(*item) for item in by_kernel(seen).items()])
    write("identical", "Identical code", with_parts(__doc__ or ""), "\n".join(page), partial=len(sys.argv) > 2)


if __name__ == "__main__":
    main()
