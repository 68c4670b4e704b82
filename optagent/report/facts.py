"""Facts of profilers as people read them, and as documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optagent.core.profile import Fact
from optagent.report.text import safe

MOST_SHOWN = 12
SCALES = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")),
    "bytes": ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "bytes")),
}


def quantity(value: float, unit: str) -> str:
    """A value with its unit, in four digits where there is a larger or smaller unit for it.

    >>> quantity(0.00123, "s"), quantity(3 << 20, "bytes"), quantity(12345678, "instructions"), quantity(0.5, "J")
    ('1.230 ms', '3.000 MiB', '12,345,678 instructions', '0.5 J')
    """
    for size, name in SCALES.get(unit, ()):
        if abs(value) >= size:
            return f"{value:,} bytes" if name == "bytes" else f"{value / size:.3f} {name}"
    digits = f"{value:,.3f}".rstrip("0").rstrip(".")
    return f"{digits} {unit}"


def facts_text(facts: Sequence[Fact]) -> str:
    """A line for each of the first facts."""
    lines = [f"  {_line(one)}\n" for one in facts[:MOST_SHOWN]]
    more = len(facts) - MOST_SHOWN
    return "".join(lines) + (f"  and {more} more, see --json\n" if more > 0 else "")


def _line(fact: Fact) -> str:
    times = f"{fact.count} times" if fact.count is not None else ""
    callees = f"  ({quantity(fact.with_callees, fact.unit)} with callees)" if fact.with_callees is not None else ""
    where = f"  {safe(fact.place)}" if fact.place else ""
    return f"{quantity(fact.value, fact.unit):>24}  {times:>14}  {safe(fact.name)}{where}{callees}"


def facts_document(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """What a profiler does not tell is left out."""
    return [{name: value for name, value in vars(one).items() if value is not None} for one in facts]
