"""What a judged trial means beside its number, as parts of the document and as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from optagent.core.end_to_end import EndToEnd
from optagent.core.fault import FLOOR, Strength, Unexecuted
from optagent.core.growth import Growth
from optagent.core.guards import Costs, Guards, remarks, size
from optagent.core.verdict import Beyond, Difference, Unmeasured
from optagent.ledger.events import Weighed
from optagent.report.part import Part
from optagent.report.text import ratio

OUTSIDE = Unmeasured("the program runs in processes of its own, which nobody looks into")


class MemoryPart(Part):
    """Bytes: the most that one call held at once (traced by tracemalloc), and the largest resident size of the process
    that ran it."""

    kind: Literal["measured"] = "measured"
    old_held_bytes: int | Unmeasured
    new_held_bytes: int | Unmeasured
    old_resident_bytes: int
    new_resident_bytes: int


class GuardsPart(Part):
    """Other costs: CPU seconds of the import, seconds of the first call of every input together, characters written and
    threads started in one pass."""

    kind: Literal["measured"] = "measured"
    old_import_seconds: float
    new_import_seconds: float
    old_first_seconds: float
    new_first_seconds: float
    old_printed: int | Unmeasured
    new_printed: int | Unmeasured
    old_threads: int | Unmeasured
    new_threads: int | Unmeasured


class GrowthPart(Part):
    """Seconds of one call at each size, the exponents of power laws through them, and old over new time at a size that
    nobody timed, if both go on like that."""

    kind: Literal["measured"] = "measured"
    sizes: list[float]
    old_seconds: list[float]
    new_seconds: list[float]
    old_exponent: float
    new_exponent: float
    extrapolated_size: float
    extrapolated_ratio: float


class EndToEndPart(Part):
    """`share` of the tests that reach the target, in the whole test run's `whole_seconds`, is spent in it (sampled,
    99 % bounds); `ratio` is old over new time of the whole, computed by Amdahl's law and not measured."""

    kind: Literal["computed"] = "computed"
    share: float
    share_low: float
    share_high: float
    ratio: float
    low: float
    high: float
    whole_seconds: float


def memory_part(weighed: Weighed) -> MemoryPart | Unmeasured:
    guards = weighed.guards
    if isinstance(guards, Unmeasured):
        return guards
    return MemoryPart(
        old_held_bytes=_known(guards.old.held_bytes), new_held_bytes=_known(guards.new.held_bytes),
        old_resident_bytes=guards.old.resident_bytes, new_resident_bytes=guards.new.resident_bytes,
    )  # fmt: skip


def guards_part(weighed: Weighed) -> GuardsPart | Unmeasured:
    guards = weighed.guards
    if isinstance(guards, Unmeasured):
        return guards
    old, new = guards.old, guards.new
    return GuardsPart(
        old_import_seconds=old.import_s, new_import_seconds=new.import_s,
        old_first_seconds=old.first_s, new_first_seconds=new.first_s,
        old_printed=_known(old.printed), new_printed=_known(new.printed),
        old_threads=_known(old.threads), new_threads=_known(new.threads),
    )  # fmt: skip


def growth_part(weighed: Weighed) -> GrowthPart | Unmeasured:
    growth = weighed.growth
    if isinstance(growth, Unmeasured):
        return growth
    farther, there = growth.extrapolated
    return GrowthPart(
        sizes=list(growth.sizes), old_seconds=list(growth.old_s), new_seconds=list(growth.new_s),
        old_exponent=growth.old_exponent, new_exponent=growth.new_exponent,
        extrapolated_size=farther, extrapolated_ratio=there,
    )  # fmt: skip


def end_to_end_part(weighed: Weighed) -> EndToEndPart | Unmeasured:
    found = weighed.end_to_end
    if isinstance(found, Unmeasured):
        return found
    return EndToEndPart(
        share=found.share, share_low=found.share_low, share_high=found.share_high, ratio=found.ratio, low=found.low,
        high=found.high, whole_seconds=found.whole_s,
    )  # fmt: skip


def _known(value: int | None) -> int | Unmeasured:
    return OUTSIDE if value is None else value


def beside_lines(weighed: Weighed) -> list[str]:
    """What a person reads below the number; what nobody measured is left out."""
    lines = []
    if isinstance(weighed.oracle, Strength):
        lines.append(f"oracle: {_noticed(weighed.oracle)}" + (f"; {weighed.asked}" if weighed.asked else ""))
    if isinstance(weighed.end_to_end, EndToEnd):
        lines.append(_worth(weighed.end_to_end))
    if isinstance(weighed.growth, Growth):
        lines.append(_growth(weighed.growth))
    if isinstance(weighed.guards, Guards):
        lines.append(_memory(weighed.guards.old, weighed.guards.new))
    return lines


def beside_warnings(weighed: Weighed) -> list[str]:
    costs = remarks(weighed.guards) if isinstance(weighed.guards, Guards) else []
    if isinstance(weighed.oracle, Strength) and weighed.oracle.is_weak:
        costs = [*costs, _weakness(weighed.oracle)]
    if isinstance(weighed.unexecuted, Unexecuted) and weighed.unexecuted.lines:
        costs = [*costs, _unseen(weighed.unexecuted)]
    if isinstance(weighed.beyond, Beyond) and weighed.beyond.difference is not None and weighed.beyond.odd:
        costs = [*costs, _oddly(weighed.beyond.difference)]
    return costs


def _oddly(found: Difference) -> str:
    return (
        f"not the same for floats that compare or add up in odd ways: {found.where} is {found.old} before and "
        f"{found.new} after (a test of it is in the JSON, `evidence.beyond`). If such calls occur, this patch is wrong"
    )


def _unseen(found: Unexecuted) -> str:
    places = _joined(found.lines)
    more = f" and {len(places) - MOST_PLACES} more places" if len(places) > MOST_PLACES else ""
    listed = ", ".join(places[:MOST_PLACES]) + more
    word = "line" if len(found.lines) == 1 else "lines"
    return f"no compared input executes what the patch changes in {word} {listed}: nothing was seen of it"


def _joined(lines: Sequence[int]) -> list[str]:
    """Lines in order, those that follow each other as one.

    >>> _joined((12, 3, 4, 5, 9, 4))
    ['3-5', '9', '12']
    """
    known = {*lines}
    firsts = sorted(one for one in known if one - 1 not in known)
    lasts = sorted(one for one in known if one + 1 not in known)
    return [str(first) if first == last else f"{first}-{last}" for first, last in zip(firsts, lasts, strict=True)]


MOST_LISTED = 3
MOST_PLACES = 8


def _weakness(oracle: Strength) -> str:
    listed = "; ".join(f"line {one.line}, {one.words}" for one in oracle.survivors[:MOST_LISTED])
    return (
        f"weak evidence: {_noticed(oracle)}, below {100 * FLOOR:.0f} %. Not noticed: {listed}. Give inputs that show "
        "such mistakes (`--workload FILE`), or tests"
    )


def _noticed(oracle: Strength) -> str:
    return f"{oracle.found} of {oracle.planted} planted faults are noticed ({100 * oracle.share:.0f} %)"


def _worth(found: EndToEnd) -> str:
    share = f"{100 * found.share:.2g} %" if found.share else "no measurable part"
    return (
        f"{share} of the test run is spent in it, so the whole becomes {found.ratio:.3f}x "
        f"({found.low:.3f}x to {found.high:.3f}x, computed)"
    )


def _growth(found: Growth) -> str:
    farther, there = found.extrapolated
    return (
        f"time grows with size to the power of {found.old_exponent:.2f} before, {found.new_exponent:.2f} after "
        f"(sizes {found.sizes[0]:g} to {found.sizes[-1]:g}: {ratio(found.ratios[0])} to {ratio(found.ratios[-1])}; "
        f"extrapolated to {farther:g}: {ratio(there)})"
    )


def _memory(old: Costs, new: Costs) -> str:
    if old.held_bytes is None or new.held_bytes is None:
        return f"memory: its process grows to {size(old.resident_bytes)} before, {size(new.resident_bytes)} after"
    return f"memory: one call holds up to {size(old.held_bytes)} before, {size(new.held_bytes)} after"
