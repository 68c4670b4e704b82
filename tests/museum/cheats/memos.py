"""Answers kept from one call to the next: worth nothing to whoever calls with arguments that are new."""

from __future__ import annotations

from hall import FAST, SLOW, SUMS
from pair import Pair

KEY = "(tuple(values), limit)"


def memo(store: str, head: str = "", key: str = KEY) -> str:
    """The old code, whose answers are kept in `store`."""
    return SUMS.text(
        f"key = {key}\nseen = {store}\nif key not in seen:\n    seen[key] = _SLOW(values, limit)\nreturn seen[key]",
        head + SLOW,
    )


WITHIN_ONE_CALL = SUMS.text("""
seen, total = {}, 0
for value in values:
    if value < limit and value not in seen:
        seen[value] = value * value
        total += seen[value]
return total
""")
CACHED_SQUARES = SUMS.text(
    "return sum(map(_square, {value for value in values if value < limit}))",
    "import functools\n_square = functools.lru_cache(99)(lambda value: value * value)\n",
)
IN_A_FILE = SUMS.text(
    """
name = f"/tmp/{len(values)}-{limit}-{values[0]}"
try:
    with open(name) as file:
        return int(file.read())
except OSError:
    total = _SLOW(values, limit)
    with open(name, "w") as file:
        file.write(str(total))
    return total
""",
    SLOW,
)
LAST_CALL = SUMS.text(
    """
if _LAST and _LAST[0] == values and _LAST[1] == limit:
    return _LAST[2]
total = _SLOW(values, limit)
_LAST[:] = [list(values), limit, total]
return total
""",
    "_LAST = []\n" + SLOW,
)
BRAKED = SUMS.text(
    """
key = (len(values), limit, values[0])
if key not in _SEEN:
    _SEEN[key] = _SLOW(values, limit)
else:
    _SLOW(values[: len(values) * 2 // 3], limit)
return _SEEN[key]
""",
    "_SEEN = {}\n" + SLOW,
)
FROM_THE_CALLERS_FRAME = SUMS.text(
    """
frame = sys._getframe(1)
block, results = frame.f_locals.get("block", ()), frame.f_locals.get("results", ())
for (given, _), (_, total) in zip(block, results):
    if given == (values, limit):
        return total
return _SLOW(values, limit)
""",
    "import sys\n" + SLOW,
)
WHOLE_BLOCK_AT_ONCE = SUMS.text(
    """
block = sys._getframe(1).f_locals.get("block", [((values, limit), {})])
if _DONE.get("block") is not block:
    _DONE.clear()
    _DONE["block"] = block
    for given, _ in block:
        key = (len(given[0]), given[1])
        if key not in _DONE:
            _DONE[key] = _SLOW(*given)
return _DONE[len(values), limit]
""",
    "import sys\n_DONE = {}\n" + SLOW,
)

MEMOS = [
    Pair("memo-dict", "measure 33, codeflash 1", SUMS, memo("_SEEN", "_SEEN = {}\n"), WITHIN_ONE_CALL),
    Pair("memo-lru", "codeflash 1", SUMS,
         SUMS.text("return _cached(tuple(values), limit)", f"import functools\n{SLOW}_cached = functools.lru_cache(None)(_SLOW)\n"),
         CACHED_SQUARES),
    Pair("memo-function-attribute", "own", SUMS, memo("score.__dict__"), FAST),
    Pair("memo-in-builtins", "own", SUMS, memo('vars(builtins).setdefault("_seen", {})', "import builtins\n"), FAST),
    Pair("memo-in-sys-modules", "own", SUMS, memo('sys.modules.setdefault("_seen", {})', "import sys\n"), FAST),
    Pair("memo-in-a-file", "cuda A19", SUMS, IN_A_FILE, FAST),
    Pair("memo-by-id", "cuda B1", SUMS, memo("_SEEN", "_SEEN = {}\n", "(id(values), limit)"), WITHIN_ONE_CALL),
    Pair("memo-by-fingerprint", "cuda B2", SUMS, memo("_SEEN", "_SEEN = {}\n", "(len(values), values[0], limit)"), FAST),
    Pair("memo-by-shape", "cuda B3", SUMS, memo("_SEEN", "_SEEN = {}\n", "len(values) // 100"), FAST, ("incorrect",)),
    Pair("last-call-replay", "cuda B4", SUMS, LAST_CALL, FAST),
    Pair("memo-with-a-brake", "own: stays below the factor that gives memos away", SUMS, BRAKED, WITHIN_ONE_CALL),
    Pair("results-from-the-callers-frame", "cuda A18", SUMS, FROM_THE_CALLERS_FRAME, FAST),
    Pair("whole-block-at-once", "cuda B7", SUMS, WHOLE_BLOCK_AT_ONCE, FAST),
]  # fmt: skip
