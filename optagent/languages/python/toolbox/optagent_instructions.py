"""How many instructions one pass takes, and in which compiled functions: callgrind, under which this process runs.

Runs in the target's interpreter: standard library only. The referee starts it under callgrind with MARK as the function
at whose call counts are written out and begin anew; calling it before and after the pass leaves one file that holds the
pass and nothing else.
"""

from __future__ import annotations

import glob
import os
from typing import TYPE_CHECKING, Any

from optagent_target import run_block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from optagent_target import Call

OUT = f"{os.environ.get('TMPDIR', '/tmp')}/optagent-callgrind.{os.getpid()}"
MOST_FUNCTIONS = 20
mark = os.getloadavg
"""Of all that Python can call: in every C library, called by nothing else, and quick."""


def rows(target: Callable[..., Any], block: list[Call]) -> list[list[Any]]:
    """First the whole pass: ["", instructions]. Then the compiled functions with the most of their own."""
    mark()
    run_block(target, block)
    mark()
    parts = sorted(glob.glob(f"{OUT}.*"), key=lambda name: int(name.rpartition(".")[2]))
    with open(parts[-1], encoding="utf-8", errors="replace") as file:
        total, own = read(file)
    for part in glob.glob(f"{OUT}*"):  # also the one that its end would have filled
        os.remove(part)
    return [["", total], *([name, count] for name, count in own[:MOST_FUNCTIONS])]


def read(lines: Iterable[str]) -> tuple[int, list[tuple[str, int]]]:
    """A file of callgrind's: all instructions, and those of each function itself, the most first.

    A name is written out once, as `fn=(7) name`, and later as `fn=(7)`. The line after `calls=` is what the called one
    took, which is not the caller's own.
    """
    names: dict[str, str] = {}
    own: dict[str, int] = {}
    total, current, is_call = 0, "", False
    for line in lines:
        key, is_pair, value = line.rstrip("\n").partition("=")
        if line[:1].isdigit() or line[:1] in "+-*":
            if not is_call:
                own[current] = own.get(current, 0) + int(line.split()[1])
            is_call = False
        elif is_pair and key in ("fn", "cfn"):
            number, _, name = value.partition(" ")
            names.setdefault(number, name)
            current = number if key == "fn" else current
        elif key == "calls":
            is_call = True
        elif line.startswith(("summary:", "totals:")):
            total = int(line.split()[1])
    merged: dict[str, int] = {}
    for number, count in own.items():
        name = names.get(number) or number
        merged[name] = merged.get(name, 0) + count
    return total, sorted(merged.items(), key=lambda one: (-one[1], one[0]))
