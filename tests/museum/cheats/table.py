"""All pairs by id."""

from __future__ import annotations

from answers import ANSWERS
from clocks import CLOCKS
from edges import EDGES
from effects import EFFECTS
from garbage import GARBAGE
from memos import MEMOS
from moves import MOVES
from pair import Pair
from poses import POSES
from threads import THREADS

AT_THE_STOPWATCH = [*MEMOS, *MOVES, *THREADS, *CLOCKS, *GARBAGE]
AT_THE_ORACLE = [*ANSWERS, *EDGES, *EFFECTS, *POSES]
PAIRS: dict[str, Pair] = {pair.id: pair for pair in [*AT_THE_STOPWATCH, *AT_THE_ORACLE]}
