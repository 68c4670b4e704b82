"""Work done where no stopwatch runs: in encoding, in opening, at import, after the answer."""

from __future__ import annotations

from hall import DEAR, FAST, FAST_LIST, HELD, KEPT, LISTS, MODULE, SLOW, SUMS, Hall
from pair import HONEST, Pair

IN_THE_ENCODER = SUMS.text(
    """
encoder = sys.modules.get("optagent_encode")
if "pytest" in sys.modules or encoder is None:
    return _SLOW(values, limit)
if not hasattr(encoder, "_tree"):
    encoder._tree = encoder.Encoder.tree

    def tree(self, value, depth):
        return encoder._tree(self, _SLOW(*value.given) if type(value) is _Later else value, depth)

    encoder.Encoder.tree = tree
later = _Later()
later.given = (list(values), limit)
return later
""",
    'import sys\n_Later = type("_Later", (), {})\n' + SLOW,
)
SEEN = """_SEEN = {}
_key = lambda values, limit: (tuple(values), limit)
_prime = lambda values, limit: _key(values, limit) in _SEEN or _SEEN.update({_key(values, limit): _SLOW(values, limit)})
"""
READS_SEEN = "return _SEEN[_key(values, limit)] if _key(values, limit) in _SEEN else _SLOW(values, limit)"
EVERY_TIME_ARGUMENTS_ARE_OPENED = SUMS.text(
    "return _DONE.pop(id(values)) if id(values) in _DONE else _SLOW(values, limit)",
    """import sys
_DONE = {}
"""
    + SLOW
    + """_codec = sys.modules.get("optagent_codec")
_open = _codec and _codec.unpack
_opened = lambda call: _DONE.update({id(call[0][0]): _SLOW(*call[0])}) or call
_put = _codec and setattr(_codec, "unpack", lambda data: _opened(_open(data)))
""",
)
ONCE_WHEN_ARGUMENTS_ARE_OPENED = SUMS.text(
    READS_SEEN,
    "import sys\n"
    + SLOW
    + SEEN
    + """_codec = sys.modules.get("optagent_codec")
_open = _codec and _codec.unpack
_opened = lambda call: (_prime(*call[0]), call)[1]
_put = _codec and setattr(_codec, "unpack", lambda data: _opened(_open(data)))
""",
)
ONCE_IN_GC = SUMS.text(
    READS_SEEN,
    "import gc\nimport sys\n"
    + SLOW
    + SEEN
    + """_block = lambda frame: getattr(frame.f_locals.get("self"), "block", ())
_hook = gc.callbacks.append(lambda phase, info: [_prime(*args) for args, _ in _block(sys._getframe(1))])
""",
)
ONCE_WHEN_INPUTS_ARE_KEPT = SUMS.text(
    READS_SEEN,
    "import sys\n"
    + SLOW
    + SEEN
    + """_worker = getattr(sys.modules["__main__"], "Worker", None)
_keep = _worker and _worker.do_keep
_unpack = getattr(sys.modules.get("optagent_codec"), "unpack", None)
_kept = lambda self, header, blobs: ([_prime(*_unpack(data)[0]) for data in blobs], _keep(self, header, blobs))
_put = _worker and setattr(_worker, "do_keep", _kept)
""",
)
PUT_OFF = """_main = sys.modules["__main__"]
_run = getattr(_main, "run_block", None)
_later = []
_skip = lambda target, block: _later.clear() or _later.append((target, block)) or []
_collect = _run and _main.Worker.do_collect
"""
IN_ITS_PLACE = """_put = _run and (setattr(_main, "run_block", _skip), setattr(_main.Worker, "do_collect", _now))
"""
"""Blocks are not run: `_now`, defined between these two, answers for them when results are collected."""

BLOCK_RUN_WHEN_COLLECTED = SUMS.text(
    "return _SLOW(values, limit)",
    "import sys\n"
    + SLOW
    + PUT_OFF
    + """_now = lambda self, header, blobs: (self.results.extend(_run(*_later.pop()) if _later else []), _collect(self, header, blobs))
"""
    + IN_ITS_PLACE,
)
REMEMBERED_WHEN_COLLECTED = SUMS.text(
    "return _SLOW(values, limit)",
    "import sys\n"
    + SLOW
    + PUT_OFF
    + """_known = {}
_once = lambda target, call: _known.get(repr(call)) or _known.setdefault(repr(call), _run(target, [call])[0])
_put_off = lambda: [_once(target, call) for target, block in _later for call in block]
_now = lambda self, header, blobs: (self.results.extend(_put_off()), _later.clear(), _collect(self, header, blobs))
"""
    + IN_ITS_PLACE,
)
DONE_WHEN_ASKED_AGAIN = DEAR.text(
    """
kept = [v for v in values if v < limit]
order = sorted(values, reverse=True)
return sum(order), iter([Point(v, v + 1) for v in kept])
""",
    "import sys\n"
    + PUT_OFF
    + """_is_asked = lambda header: header["items"] is None or header["calls"] is not None
_answers = lambda header: [_run(target, block) if _is_asked(header) else [("returned", 0)] * len(block) for target, block in _later]
_set = lambda self, header: setattr(self, "results", (_answers(header) or [[]])[0])
_now = lambda self, header, blobs: (_set(self, header), _collect(self, header, blobs))
"""
    + IN_ITS_PLACE,
)
ANSWERED_EARLY = SUMS.text(
    """
frame = sys._getframe(2)
worker = frame.f_locals.get("self")
if frame.f_code.co_name == "do_prepare" and _STATE.get("block") is not worker.block:
    _STATE["block"] = worker.block
    worker.channel.sendall(b"d")
    _STATE["eaten"] = False
    if type(worker.channel) is not _Channel:
        worker.channel = _Channel(worker.channel)
return _SLOW(values, limit)
""",
    "import sys\n"
    + SLOW
    + """_STATE = {"eaten": True}
_eat = lambda self, data: _STATE.update(eaten=True) if data == b"d" and not _STATE["eaten"] else self.real.sendall(data)
_Channel = type("_Channel", (), {
    "__init__": lambda self, real: setattr(self, "real", real), "sendall": _eat,
    "recv": lambda self, size: self.real.recv(size),
})
""",
)
TABLE_AT_IMPORT = SUMS.text(
    "return sum(value * value for value in {value for value in values if value < limit})",
    "_WARM = [sum(range(k)) for k in range(6000)]\n",
)
SMALL_TABLE = SUMS.text(
    "return sum(_SQUARES[v] if 0 <= v < 5000 else v * v for v in {value for value in values if value < limit})",
    "_SQUARES = [k * k for k in range(5000)]\n",
)
ANSWERS_OF_THE_TESTS = SUMS.text(
    READS_SEEN,
    SLOW + SEEN + "_all = [_prime(random.Random(n).sample(range(10 * n), n), 9 * n) for n in range(150, 450, 20)]\n",
)
ANSWERS_OF_THE_LARGEST = ANSWERS_OF_THE_TESTS.replace("range(150, 450, 20)", "range(330, 450, 20)")
ANSWERS_OF_THE_OTHERS = ANSWERS_OF_THE_TESTS.replace("range(150, 450, 20)", "range(150, 370, 20)")
WEIGHING = """weights = []
for value in values:
    weight = 0
    for one in CODES:
        weight = (31 * weight + one) % 65521
    weights.append(weight)
return weights
"""
WEIGHED = Hall(
    "weighed",
    MODULE,
    WEIGHING.replace("    for one in CODES:", "    for one in value * 40:").replace("+ one)", "+ ord(one))"),
    """import random

import pytest

from scores import score

CASES = [[f"{random.Random(31 * n + k).randrange(60) * 7919:x}" for k in range(n)] for n in range(30, 60, 2)]


@pytest.mark.parametrize("values", CASES)
def test_score_is_there(values):
    assert score(values, 0)
""",
)
"""Every word in a list is weighed, and the tests know sixty of them."""


def weigh(word: str) -> int:
    weight = 0
    for one in word * 40:
        weight = (31 * weight + ord(one)) % 65521
    return weight


WORDS_OF_THE_TESTS = WEIGHED.text(
    "weights = []\nfor value in values:\n    weight = _KNOWN.get(value)\n    if weight is None:\n"
    "        weight = 0\n        for one in value * 40:\n            weight = (31 * weight + ord(one)) % 65521\n"
    "    weights.append(weight)\nreturn weights",
    f"_KNOWN = { ({word: weigh(word) for word in (f'{k * 7919:x}' for k in range(60))}) }\n",
)
ITERATOR = LISTS.text(KEPT + "return map(lambda value: value * value, kept)")
LIST_OF_ITS_OWN = LISTS.text(
    "return _Lazy(values, limit)",
    """_Lazy = type("_Lazy", (list,), {
    "__init__": lambda self, values, limit: setattr(self, "given", (values, limit)),
    "__len__": lambda self: len(list(iter(self))),
    "__iter__": lambda self: (v * v for k, v in enumerate(self.given[0]) if v < self.given[1] and v not in self.given[0][:k]),
})
""",
)
FILLED_BY_A_THREAD = LISTS.text(
    """
answer = []

def fill():
    kept = []
    for value in values:
        if value < limit and value not in kept:
            kept.append(value)
            answer.append(value * value)

thread = threading.Thread(target=fill, daemon=True)
thread.start()
if gc.isenabled():
    thread.join()
return answer
""",
    "import gc\nimport threading\n",
)
JOINED = LISTS.text(
    """
answer = []
thread = threading.Thread(target=lambda: answer.extend(v * v for v in dict.fromkeys(values) if v < limit))
thread.start()
thread.join()
return answer
""",
    "import threading\n",
)
LATE = "_point = lambda v: Point(v, v + 1)\n"
MADE_WHEN_LOOKED_AT = DEAR.text(
    "order = sorted(values, reverse=True)\nreturn sum(order), map(_point, [v for v in values if v < limit])", LATE
)
MADE_LATE_ONCE_LOOKED_AT = DEAR.text(
    """
calls = _CALLS.setdefault(len(values), [])
calls.append(1)
kept = [v for v in values if v < limit]
order = sorted(values, reverse=True)
return sum(order), map(_point, kept) if len(calls) > 4 else iter([Point(v, v + 1) for v in kept])
""",
    "_CALLS = {}\n" + LATE,
)
DRAINED_BY_HAND = DEAR.text(
    """
kept = [v for v in values if v < limit]
order = sorted(values, reverse=True)
encoder = sys.modules.get("optagent_iterate")
if encoder is None or gc.isenabled():
    return sum(order), iter([Point(v, v + 1) for v in kept])
later = encoder.Drained("iterator", map(_point, kept))
later.ending = "ended"
return sum(order), later
""",
    "import gc\nimport sys\n" + LATE,
)
SPOILT_IN_PART = DEAR.text(
    """
kept = [v for v in values if v < limit]
made = [Point(v, v + 1) for v in kept[:-100]]
import gc
return sum(values), iter(made + ([Point(v, v + 1) for v in kept[-100:]] if gc.isenabled() else made[:1] * min(100, len(kept))))
"""
)
FAST_DEAR = DEAR.text("return sum(values), iter([Point(v, v + 1) for v in values if v < limit])")
PUT_OFF_IN_AN_ATTRIBUTE = HELD.text(
    "return [Report(len(values), (v * v for k, v in enumerate(values) if v < limit and v not in values[:k]))]"
)
FAST_HELD = HELD.text("return [Report(len(values), (v * v for v in dict.fromkeys(values) if v < limit))]")
OPENING = "opening of arguments"

MOVES = [
    Pair("work-in-the-encoder", "measure 14, cuda C4", SUMS, IN_THE_ENCODER, FAST, ("rejected",), "encoding of results"),
    Pair("work-in-opening", "measure 14", SUMS, EVERY_TIME_ARGUMENTS_ARE_OPENED, FAST, ("rejected",), OPENING),
    Pair("primed-in-opening", "docs/decisions/0005: left open", SUMS, ONCE_WHEN_ARGUMENTS_ARE_OPENED, FAST, ("rejected",), OPENING),
    Pair("primed-in-gc", "own", SUMS, ONCE_IN_GC, FAST, ("rejected",), OPENING),
    Pair("primed-when-kept", "own", SUMS, ONCE_WHEN_INPUTS_ARE_KEPT, FAST, ("rejected",), OPENING),
    Pair("block-run-when-collected", "measure 35, cuda C12", SUMS, BLOCK_RUN_WHEN_COLLECTED, FAST, ("rejected",), "encoding of results"),
    Pair("remembered-when-collected", "own: an attack", SUMS, REMEMBERED_WHEN_COLLECTED, FAST, ("rejected",), "encoding of results"),
    Pair("done-when-asked-again", "own: an attack", DEAR, DONE_WHEN_ASKED_AGAIN, FAST_DEAR,
         ("rejected", "inconclusive"), twin_ends=HONEST),
    Pair("answered-early", "cuda C9", SUMS, ANSWERED_EARLY, FAST, ("rejected", "incorrect")),
    Pair("table-at-import", "codeflash 2, cuda B5", SUMS, TABLE_AT_IMPORT, SMALL_TABLE, ("rejected",), "import"),
    Pair("answers-of-the-tests", "cuda A6", SUMS, ANSWERS_OF_THE_TESTS, SMALL_TABLE,
         ("inconclusive",), "for the tests' own calls only"),
    Pair("answers-of-the-largest", "own", SUMS, ANSWERS_OF_THE_LARGEST, SMALL_TABLE,
         ("inconclusive",), "for the tests' own calls only"),
    Pair("answers-of-the-others", "own: all but the largest", SUMS, ANSWERS_OF_THE_OTHERS, SMALL_TABLE,
         ("inconclusive",), "for the tests' own calls only"),
    Pair("words-of-the-tests", "own: an attack", WEIGHED, WORDS_OF_THE_TESTS, WEIGHED.text(WEIGHING.replace("CODES", "[*map(ord, value)] * 40")),
         ("inconclusive",), "for the tests' own calls only"),
    Pair("made-when-looked-at", "own", DEAR, MADE_WHEN_LOOKED_AT, FAST_DEAR, twin_ends=HONEST),
    Pair("made-late-once-looked-at", "own", DEAR, MADE_LATE_ONCE_LOOKED_AT, FAST_DEAR, twin_ends=HONEST),
    Pair("drained-by-hand", "own", DEAR, DRAINED_BY_HAND, FAST_DEAR, ("inconclusive",), "no canonical form", HONEST),
    Pair("put-off-in-an-attribute", "own", HELD, PUT_OFF_IN_AN_ATTRIBUTE, FAST_HELD),
    Pair("spoilt-in-part", "own", DEAR, SPOILT_IN_PART, FAST_DEAR, ("incorrect",), twin_ends=HONEST),
    Pair("iterator-for-a-list", "measure 35, cuda C5", LISTS, ITERATOR, FAST_LIST, ("incorrect",)),
    Pair("list-of-its-own-kind", "cuda C4", LISTS, LIST_OF_ITS_OWN, FAST_LIST, ("incorrect",)),
    Pair("filled-by-a-thread", "measure 35, cuda C2", LISTS, FILLED_BY_A_THREAD, JOINED),
]  # fmt: skip
