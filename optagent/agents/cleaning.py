"""A reply's text as lines that can be looked at: without what a model thought aloud, or why it cannot be read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from optagent.agents.edits import Complaint

MOST_CHARS = 200_000
"""A reply of the longest models' output limit (64,000 tokens) is as long; it bounds all that follows."""

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters (tab, form feed and line ends apart), marks that reorder what people see, halves of surrogates."""

INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
THOUGHT = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>")
CODE = ("```", "~~~", "<<<<<")  # begin a fence or a block
CUT_OFF = "the reply is cut off"


def lines_of(text: str) -> list[str] | Complaint:
    """The lines of a reply without their ends; a byte order mark and thoughts are left out."""
    if len(text) > MOST_CHARS:
        return Complaint(f"The reply has {len(text):,} characters and at most {MOST_CHARS:,} are read.")
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = without_thoughts(lines)
    if isinstance(kept, Complaint):
        return kept
    if found := FORBIDDEN.search("\n".join(kept)):
        return Complaint(f"The reply holds the control character U+{ord(found[0]):04X}: write it as an escape.")
    return kept


def plain(line: str) -> str:
    """The line as markers are recognised: lookalikes as what they look like, nothing invisible.

    >>> plain("\\ufeff\\uff1c\\uff1c SEARCH")
    '<< SEARCH'
    """
    return line if line.isascii() else unicodedata.normalize("NFKC", line.translate(INVISIBLE))


def without_thoughts(lines: list[str]) -> list[str] | Complaint:
    """The lines outside `<think>` parts. A tag counts at the start of a line before all code only, so that code may
    speak of tags; a closing one alone ends thoughts that began in the prompt."""
    kept: list[str] = []
    rest = iter(_answer(lines))
    for line in rest:
        found = THOUGHT.match(line.lstrip())
        if found is None or found[1]:
            kept.append(line)
            if plain(line).lstrip().startswith(CODE):
                break
            continue
        after = _after_thought(line, rest)
        if after is None:
            return Complaint(f"There is no edit: {CUT_OFF} inside {found[0]}.")
        if after.strip():
            kept.append(after.lstrip())
    return [*kept, *rest]


def _after_thought(line: str, rest: Iterator[str]) -> str | None:
    """What follows the end of a thought on its line; None where it has no end."""
    while True:
        closing = [found for found in THOUGHT.finditer(line) if found[1]]
        if closing:
            return line[closing[-1].end() :]
        following = next(rest, None)
        if following is None:
            return None
        line = following


def _answer(lines: list[str]) -> list[str]:
    """The lines after thoughts whose opening tag the reply does not show."""
    for number, line in enumerate(lines):
        found = THOUGHT.search(line)
        if found and found[1] and (not found.start() or line.rstrip().endswith(found[0])):
            return [line[found.end() :], *lines[number + 1 :]]
        if found:
            break
    return lines
