"""The Coder's reply as an edit, or what is wrong with it. Pure, in time linear in the reply, and never raises."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache

from optagent.agents.cleaning import CUT_OFF, lines_of
from optagent.agents.edits import Block, Blocks, Complaint, Edit, WholeFunction
from optagent.agents.fences import PYTHON, Fenced, fenced
from optagent.agents.markers import Marker, markers, read_blocks

__all__ = ["Block", "Blocks", "Complaint", "Edit", "WholeFunction", "read_reply"]

FORMATS = "Send either one fenced code block with the whole function, or SEARCH/REPLACE blocks"
IDEA = re.compile(r"(?:\d+[.)])?([^\w\n]{0,8})idea[^\w\n:]{0,4}:(.*)", re.IGNORECASE)
MOST_IDEA_CHARS = 300
DIFF_LINE = re.compile(r"@@ .*@@|(?:---|\+\+\+) (?:[ab]/|/dev/null|\S+\.py\b)|diff --git ")


@lru_cache(maxsize=64)  # models repeat themselves
def read_reply(text: str) -> Edit | Complaint:
    """The edit that a reply asks for. SEARCH/REPLACE blocks outside of whole functions count before these; of several
    blocks with the same functions the last one counts."""
    lines = lines_of(text)
    if isinstance(lines, Complaint):
        return lines
    found, code = markers(lines), fenced(lines)
    found = [marker for marker in found if not _is_in_function(marker, code)]
    start = min([*(one.start - 1 for one in code), *(marker.line for marker in found)], default=0)
    if any(marker.kind == "open" for marker in found):
        blocks = read_blocks(lines, found)
        return blocks if isinstance(blocks, Complaint) else Blocks(blocks, _idea(lines[:start]))
    chosen = _whole(code)
    if chosen is None:
        return Complaint(_why_nothing(lines, code, found))
    return chosen if isinstance(chosen, Complaint) else WholeFunction(chosen.code.text, _idea(lines[:start]))


def _is_in_function(marker: Marker, code: Sequence[Fenced]) -> bool:
    """Whether a marker stands in a string of a function: as a statement it would not parse."""
    return any(one.start <= marker.line < one.end and one.code.functions for one in code)


def _whole(code: Sequence[Fenced]) -> Fenced | Complaint | None:
    """The block that holds the function; None where nothing looks like one."""
    cut = [one for one in code if not one.is_closed]
    if cut:
        return Complaint(f"There is no edit: {CUT_OFF}, the code block at its end is not closed by a fence.")
    last = next((one for one in reversed(code) if _may_hold_function(one)), None)
    if last is None or _is_diff(last):
        return None
    if last.code.fault:
        return Complaint(f"The code does not parse: {last.code.fault}.")
    if last.code.elided:
        return Complaint(f"The body of {last.code.elided[0]} is left out (`...`): send the whole function.")
    names = {name for one in code for name in one.code.functions}
    if names != set(last.code.functions):
        every = ", ".join(sorted(names))
        return Complaint(f"Several code blocks define different functions ({every}): send one block with all it needs.")
    return last


def _may_hold_function(one: Fenced) -> bool:
    is_broken = bool(one.code.fault) and one.info in PYTHON and one.code.looks_like_functions
    return bool(one.code.functions or one.code.elided or _is_diff(one) or is_broken)


def _is_diff(one: Fenced) -> bool:
    return not one.code.functions and (one.info in ("diff", "patch") or _looks_like_diff(one.code.text.split("\n")))


def _looks_like_diff(lines: Sequence[str]) -> bool:
    return sum(DIFF_LINE.match(line) is not None for line in lines) > 1


def _why_nothing(lines: Sequence[str], code: Sequence[Fenced], found: Sequence[Marker]) -> str:
    if any(map(_is_diff, code)) or _looks_like_diff(lines):
        return f"The reply is a diff, which is not understood. {FORMATS}."
    if any(marker.kind == "close" for marker in found):
        return f"The reply has a >>>>>>> REPLACE line and no <<<<<<< SEARCH line before it. {FORMATS}."
    if any(map(_is_json, ["\n".join(lines), *(one.code.text for one in code)])):
        return f"The reply is JSON, which is not understood. {FORMATS}."
    if code:
        return f"No code block of the reply defines a function. {FORMATS}."
    return f"The reply has no code block. {FORMATS}."


def _is_json(text: str) -> bool:
    if text.strip()[:1] not in ("{", "["):
        return False
    try:
        json.JSONDecoder(strict=False).decode(text.strip())
    except (ValueError, RecursionError):
        return False
    return True


def _idea(lines: Sequence[str]) -> str:
    """What the model says it does: the sentence after `Idea:` before all code, perhaps over several lines."""
    said: list[str] = []
    for line in lines:
        if found := None if said else IDEA.match(line):
            said.append(found[2].strip("*_ ") if "*" in found[1] or "_" in found[1] else found[2])
        elif said and (not line.strip() or said[-1].rstrip().endswith((".", "!", "?"))):
            break
        elif said:
            said.append(line)
    idea = " ".join(" ".join(said).split())
    return idea if len(idea) <= MOST_IDEA_CHARS else idea[: MOST_IDEA_CHARS - 3] + "..."
