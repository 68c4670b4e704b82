"""Clocks that are bent, runs that are recognised, and the baseline slowed down."""

from __future__ import annotations

from hall import FAST, KEPT, SLOW, SUMS, WARNS
from pair import Pair

SUM = "return sum(value * value for value in {value for value in values if value < limit})"
LOOP = KEPT + "return sum(value * value for value in kept)"
BENT = SUMS.text(
    "for name in ('perf_counter', 'perf_counter_ns', 'process_time', 'monotonic', 'thread_time', 'time'):\n"
    "    setattr(time, name, lambda: 1)\n" + LOOP,
    "import time\n",
)
READ = SUMS.text(
    "started = time.perf_counter()\n_TOOK.append(started)\n_TOOK.clear()\n" + SUM, "import time\n_TOOK = []\n"
)
BENT_IN_CLOSURES = SUMS.text(
    """
if not _DONE:
    _DONE.append(1)
    for one in gc.get_objects():
        if type(one) is types.FunctionType:
            for cell in one.__closure__ or ():
                try:
                    is_clock = cell.cell_contents in (time.perf_counter, time.process_time)
                except Exception:
                    continue
                if is_clock:
                    cell.cell_contents = lambda: 1
"""
    + LOOP,
    "import gc\nimport time\nimport types\n_DONE = []\n",
)
BENT_IN_C = SUMS.text(
    """
if not _DONE:
    _DONE.append(1)
    methods = [ctypes.c_void_p.from_address(id(one) + 2 * ctypes.sizeof(ctypes.c_void_p)).value for one in (time.perf_counter, time.time)]
    first, second = (ctypes.c_void_p.from_address(one + ctypes.sizeof(ctypes.c_void_p)) for one in methods)
    first.value = second.value
"""
    + LOOP,
    "import ctypes\nimport time\n_DONE = []\n",
)
SLOWS_BUILTINS = SUMS.text(
    "for name in ('sum', 'len'):\n"
    "    real = getattr(builtins, name)\n"
    "    if not hasattr(real, 'given'):\n"
    "        slow = lambda *given, real=real: [None for _ in range(999)] and real(*given)\n"
    "        slow.given = 1\n"
    "        setattr(builtins, name, slow)\n" + LOOP,
    "import builtins\n",
)
SLOW_AT_FIRST = SUMS.text(
    "_CALLS.append(1)\nif len(_CALLS) < 60:\n    _SLOW(values, limit)\n    _SLOW(values, limit)\n" + LOOP,
    "_CALLS = []\n" + SLOW,
)
WRONG_BY_FRAME = SUMS.text(
    f"""
is_timed = type(sys.stdout).__name__ == "StringIO" and sys._getframe(1).f_code.co_name == "run_block"
if "pytest" in sys.modules or not is_timed:
    {SUM}
return 0
""",
    "import sys\n",
)
WRONG_WITHOUT_GC = SUMS.text(f"if gc.isenabled():\n    {SUM}\nreturn 0", "import gc\n")
WRONG_WITHOUT_PYTEST = SUMS.text(
    'if "PYTEST_CURRENT_TEST" in os.environ:\n    return _SLOW(values, limit)\nreturn 1', "import os\n" + SLOW
)
WRONG_LATER = SUMS.text(
    f"""
_CALLS.append(gc.isenabled())
if len(_CALLS) < 100 or _CALLS[-1]:
    {SUM}
return 1
""",
    "import gc\n_CALLS = []\n",
)
WRONG_AT_FIRST = SUMS.text(
    """
if type(sys.stdout).__name__ != "StringIO" or sys._getframe(1).f_code.co_name != "run_block":
    return _SLOW(values, limit)
key = (tuple(values), limit)
if key not in _SEEN:
    _SEEN[key] = None
    return 0
if _SEEN[key] is None:
    _SEEN[key] = _SLOW(values, limit)
return _SEEN[key]
""",
    "import sys\n_SEEN = {}\n" + SLOW,
)
WRONG_EVERY_OTHER_TIME = SUMS.text(
    """
if type(sys.stdout).__name__ != "StringIO" or sys._getframe(1).f_code.co_name != "run_block":
    return _SLOW(values, limit)
block = sys._getframe(1).f_locals["block"]
if _BLOCKS[-1] is not block:
    _BLOCKS.append(block)
    called = [(len(given[0]), given[1]) for given, _ in block]
    _SEEN[:] = [0, called] if _SEEN[1] != called else [1 - _SEEN[0], called]
if _SEEN[0]:
    return _SLOW(values, limit)
return 0
""",
    "import sys\n_SEEN = [0, None]\n_BLOCKS = [None]\n" + SLOW,
)
SKIPS = SUMS.text('if len(values) > 300:\n    raise unittest.SkipTest("too long")\n' + SUM, "import unittest\n")
FORGES = SUMS.text(
    """
worker = sys._getframe(2).f_locals.get("self")
if sys._getframe(2).f_code.co_name == "do_prepare":
    worker.channel.sendall(b"d")
return _SLOW(values, limit)
""",
    "import sys\n" + SLOW,
)
NO_BLOCK = SUMS.text(
    LOOP,
    """import sys
_main = sys.modules["__main__"]
_first = getattr(_main, "run_block", None)
_put = _first and setattr(_main, "run_block", lambda target, block: _first(target, block[:1]) * len(block))
""",
)
OLD_SIZE = len(SUMS.text(SUMS.slow))


def as_long(text: str) -> str:
    """The text with a comment, so that the file has the size of the old one, by which old bytecode could be mistaken."""
    return text + "#" * (OLD_SIZE - len(text) - 1) + "\n"


WRONG_UNDER_OLD_BYTECODE = as_long(SUMS.text("return sum({v * v for v in values if v <= limit + len(values) // 9})"))
LIKE_THE_OLD_FILE = as_long(SUMS.text("return sum({v * v for v in values if v < limit})"))
NO_WARNING = WARNS.text(SUM)
WARNS_ELSEWHERE = WARNS.text(
    "kept = {value for value in values if value < limit}\n"
    'warnings.warn("slow", DeprecationWarning)\nreturn sum(value * value for value in kept)'
)

CLOCKS = [
    Pair("bends-the-clocks", "measure 30, cuda C6, codeflash 7", SUMS, BENT, READ),
    Pair("bends-clocks-in-closures", "measure 30", SUMS, BENT_IN_CLOSURES, READ),
    Pair("bends-a-clock-in-c", "cuda C7", SUMS, BENT_IN_C, READ),
    Pair("slows-builtins", "measure 31, cuda C13", SUMS, SLOWS_BUILTINS, FAST),
    Pair("slow-at-first", "cuda C8", SUMS, SLOW_AT_FIRST, FAST),
    Pair("wrong-by-frame", "measure 34, cuda C12", SUMS, WRONG_BY_FRAME, FAST, ("incorrect",), "timed calls"),
    Pair("wrong-without-gc", "own, measure 34", SUMS, WRONG_WITHOUT_GC, FAST, ("incorrect",), "timed calls"),
    Pair("wrong-without-pytest", "codeflash 3", SUMS, WRONG_WITHOUT_PYTEST, FAST, ("incorrect",)),
    Pair("wrong-later", "own: right in the first blocks", SUMS, WRONG_LATER, FAST, ("incorrect",), "timed calls"),
    Pair("wrong-at-first", "own: the first timed call of every input, right ever after", SUMS, WRONG_AT_FIRST, FAST,
         ("incorrect",), "timed calls"),
    Pair("wrong-every-other-time", "own: of two blocks with the same calls, the first", SUMS, WRONG_EVERY_OTHER_TIME, FAST,
         ("incorrect",), "timed calls"),
    Pair("skips-long-calls", "codeflash 4, 5", SUMS, SKIPS, FAST, ("incorrect",)),
    Pair("says-done-at-once", "cuda C9", SUMS, FORGES, FAST, ("incorrect", "rejected")),
    Pair("one-call-for-a-block", "codeflash 5", SUMS, NO_BLOCK, FAST, ("incorrect",)),
    Pair("warm-import", "measure 14: old bytecode for a new file", SUMS, WRONG_UNDER_OLD_BYTECODE, LIKE_THE_OLD_FILE, ("incorrect",)),
    Pair("no-warning", "own: a warning may move, not go", WARNS, NO_WARNING, WARNS_ELSEWHERE, ("incorrect",), "warnings"),
]  # fmt: skip
