"""All pairs by id."""

from __future__ import annotations

from clocks import CLOCKS
from garbage import GARBAGE
from memos import MEMOS
from moves import MOVES
from pair import Pair
from threads import THREADS

PAIRS: dict[str, Pair] = {pair.id: pair for pair in [*MEMOS, *MOVES, *THREADS, *CLOCKS, *GARBAGE]}
