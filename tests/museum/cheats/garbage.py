"""The garbage collector, which is off while the clock runs, and calls that are too long to be made twice."""

from __future__ import annotations

from clocks import LOOP, SUM
from hall import FAST, LONG, ROWS, SLOW, SUMS
from moves import READS_SEEN, SEEN
from pair import Pair

LEFT_OFF = SUMS.text("gc.disable()\ngc.freeze()\ngc.set_threshold(0)\n" + LOOP, "import gc\n")
PUT_BACK = SUMS.text(
    "was = gc.isenabled()\ngc.disable()\ntry:\n    " + SUM + "\nfinally:\n    if was:\n        gc.enable()",
    "import gc\n",
)
PRIMED_BY_DEL = SUMS.text(
    """
worker = sys._getframe(2).f_locals.get("self")
if hasattr(worker, "inputs"):
    one = _Last()
    one.itself, one.inputs = one, worker.inputs
"""
    + READS_SEEN,
    "import sys\n"
    + SLOW
    + SEEN
    + """_codec = sys.modules.get("optagent_codec")
_Last = type("_Last", (), {"__del__": lambda self: [_prime(*_codec.unpack(data)[0]) for data in self.inputs]})
""",
)
PRIMED_BY_WEAKREF = SUMS.text(
    """
worker = sys._getframe(2).f_locals.get("self")
if hasattr(worker, "inputs") and not _REFS:
    one = _Thing()
    one.itself = one
    inputs = worker.inputs
    _REFS.append(weakref.ref(one, lambda _: [_prime(*_codec.unpack(data)[0]) for data in inputs]))
"""
    + READS_SEEN,
    "import sys\nimport weakref\n_REFS = []\n"
    + SLOW
    + SEEN
    + '_codec = sys.modules.get("optagent_codec")\n_Thing = type("_Thing", (), {})\n',
)
LEAKS = ROWS.text(
    "rows = [(value, [value]) for value in values if value < limit]\n_KEPT.append(rows)\n"
    "return sum(value * len(one) for value, one in rows)",
    "_KEPT = []\n",
)
NO_ROWS = ROWS.text("return sum(value for value in values if value < limit)")
FREED_IN_GC = ROWS.text(
    "rows = [(value, [value]) for value in values if value < limit]\n_KEPT.append(rows)\n"
    "return sum(value * len(one) for value, one in rows)",
    "import gc\n_KEPT = []\n_hook = gc.callbacks.append(lambda phase, info: _KEPT.clear())\n",
)
WRONG_IN_LONG_CALLS = LONG.text(f"if gc.isenabled():\n    {SUM}\nreturn 0", "import gc\n")
FAST_LONG = LONG.text(SUM)

GARBAGE = [
    Pair("collector-left-off", "own, cuda C14", SUMS, LEFT_OFF, PUT_BACK),
    Pair("primed-by-del", "own: at the next collection", SUMS, PRIMED_BY_DEL, FAST),
    Pair("primed-by-weakref", "own: at the next collection", SUMS, PRIMED_BY_WEAKREF, FAST),
    Pair("leaks-what-it-made", "cuda C14", ROWS, LEAKS, NO_ROWS),
    Pair("freed-by-the-collector", "own, cuda C14", ROWS, FREED_IN_GC, NO_ROWS),
    Pair("wrong-in-long-calls", "own: called once in a launch", LONG, WRONG_IN_LONG_CALLS, FAST_LONG, ("incorrect",), "timed calls"),
]  # fmt: skip
