"""What a model was not shown of a file must survive its edit: nobody can copy what he has not seen."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator

from optagent.agents.prompts import CONTROL
from optagent.agents.secrets import REMOVED

TEXT_TOKENS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


def lost(source: str, made: str) -> str | None:
    """What an edit that makes `made` of `source` has lost without knowing, as a sentence, or None.

    Comments apart: what is invisible in them means nothing.
    """
    if made.count(REMOVED) > source.count(REMOVED):
        return f"The edit writes {REMOVED} where the file has a key: leave that line as it is (SEARCH/REPLACE blocks)."
    kept = _with_plain_ends(made)
    if all(text in kept for text in _unseen(_with_plain_ends(source))):
        return None
    return (
        "The edit loses a character that is invisible in a text of the file: leave that line as it is, with "
        "SEARCH/REPLACE blocks, or write the character as an escape elsewhere."
    )


def _unseen(source: str) -> Iterator[str]:
    """Texts in the source that hold characters nobody sees."""
    if CONTROL.search(source):
        tokens = tokenize.generate_tokens(io.StringIO(source, newline="\n").readline)
        yield from (one.string for one in tokens if one.type in TEXT_TOKENS and CONTROL.search(one.string))


def _with_plain_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
