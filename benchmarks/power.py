"""How often a true gain is confirmed, how long that takes, and whether its size is read back.

`python benchmarks/power.py [REPETITIONS]` races versions of each kernel that do a known share of their work twice
against plain ones: the true ratio is 1 plus that share for the kernels whose time is proportional to their work
(EXACT). Quiet, with two busy loops, and with a busy loop on the other core. Every race is judged as `run` judges a
candidate that goes all the way: one look (`estimate`), then a claim on launches of their own; `thorough` where the
gain is 2 or 3 %. pyperf is asked about one pair of every kernel for its time. On a machine with many cores, parts run
at once on two each. The table with machine and date goes to benchmarks/results/power.md.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from kernels import CONDITIONS, KERNELS, Kernel, kernels, load  # noqa: E402
from parts import Part, in_parts, with_parts  # noqa: E402
from peers import Duel, ask  # noqa: E402
from results import table, write  # noqa: E402

from optagent.core.effort import EFFORTS  # noqa: E402
from optagent.core.seeds import derive  # noqa: E402
from optagent.measure import speed  # noqa: E402

GAINS = (0.02, 0.03, 0.05, 0.1, 0.5, 1.0)
THOROUGH = (0.02, 0.03)
EXACT = ("loop", "recursion", "files", "long")
NAMES = tuple(name for name in KERNELS if name != "tiny")  # its work does not grow with its size
OFTEN, MANY = 0.05, {"quiet": 13}
"""This gain is raced so many times as often as the others (elsewhere four times): it is the one that is promised."""

HEAD = ["condition", "gain", "races", "confirmed", "called slower", "median s", "90 % of them within s", "read back as"]


@dataclass(frozen=True)
class Raced:
    """One race: what was said, the ratio that was reported, seconds for the look and the claim."""

    condition: str
    gain: float
    kernel: str
    is_faster: bool
    is_slower: bool
    ratio: float
    seconds: float


def raced(kernel: Kernel, noise: speed.Noise, condition: str, gain: float, seed: int) -> Raced:
    effort = EFFORTS["thorough" if gain in THOROUGH else "normal"]
    race = kernel.race(gain)
    began = time.perf_counter()
    found = speed.estimate(race, noise, derive(seed, "estimate"), effort)
    if found.is_faster:
        found = speed.claim(race, noise, derive(seed, "claim"), effort)
    seconds = time.perf_counter() - began
    return Raced(condition, gain, kernel.name, found.is_faster, found.is_slower, found.speedup.ratio, seconds)


def all_raced(part: Part, repetitions: int, _: Sequence[str]) -> list[Raced]:
    seen: list[Raced] = []
    with kernels(GAINS, NAMES) as found:
        for condition in CONDITIONS:
            with load(condition):
                noise = {one.name: speed.measure_noise(one.race(), 1) for one in found}
                for k in part.of(MANY.get(condition, 4) * repetitions):
                    for gain in GAINS if k < repetitions else (OFTEN,):
                        for kernel in found:
                            seed = derive(k, condition, str(gain), kernel.name)
                            seen.append(raced(kernel, noise[kernel.name], condition, gain, seed))
            print("\n".join(table(HEAD, by_gain(seen))), flush=True)
    return seen


def by_gain(seen: list[Raced]) -> list[list[str]]:
    sorted_out: dict[tuple[str, float], list[Raced]] = defaultdict(list)
    for one in seen:
        sorted_out[one.condition, one.gain].append(one)
    return [row(*item) for item in sorted_out.items()]


def by_kernel(seen: list[Raced]) -> list[list[str]]:
    """The gain that is promised, kernel by kernel."""
    return by_gain([replace(one, condition=f"{one.condition}, {one.kernel}") for one in seen if one.gain == OFTEN])


def row(key: tuple[str, float], races: list[Raced]) -> list[str]:
    condition, gain = key
    held = sum(one.is_faster for one in races)
    seconds = sorted(one.seconds for one in races)
    told = [100 * (one.ratio - 1) for one in races if one.kernel in EXACT and one.is_faster]
    return [
        condition,
        f"{100 * gain:.0f} %",
        str(len(races)),
        f"{held} ({100 * held / len(races):.0f} %)",
        str(sum(one.is_slower for one in races)),
        f"{median(seconds):.2f}",
        f"{seconds[int(0.9 * (len(seconds) - 1))]:.2f}",
        f"{median(told):.2f} % (median of {len(told)} confirmed)" if told else "",
    ]


def pyperf_seconds(part: Part, _: int, names: Sequence[str]) -> list[float]:
    """What pyperf takes for both sides of that part's share of the kernels."""
    with kernels((OFTEN,), tuple(names[k] for k in part.of(len(names)))) as found:
        return [ask("pyperf compare_to", duel(one)).seconds for one in found]


def duel(kernel: Kernel) -> Duel:
    race = kernel.race(OFTEN)
    return Duel(race.old.root, race.new.root, kernel.name, KERNELS[kernel.name][1])


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    seen = in_parts(all_raced, repetitions, ())
    slow = median(in_parts(pyperf_seconds, 1, NAMES))
    quiet = median(one.seconds for one in seen if (one.condition, one.gain) == ("quiet", OFTEN))
    page = [*table(HEAD, by_gain(seen)), *table(["condition, kernel", *HEAD[1:]], by_kernel(seen))]
    page.append(
        f"pyperf's `timeit` of both sides and `compare_to` took {slow:.1f} s (median over the kernels, quiet) where "
        f"look and claim of 5 % took {quiet:.1f} s: {slow / quiet:.0f} times as long."
    )
    write("power", "Power", with_parts(__doc__ or ""), "\n".join(page))


if __name__ == "__main__":
    main()
