"""All pairs by id."""

from __future__ import annotations

from memos import MEMOS
from moves import MOVES
from pair import Pair

PAIRS: dict[str, Pair] = {pair.id: pair for pair in [*MEMOS, *MOVES]}
