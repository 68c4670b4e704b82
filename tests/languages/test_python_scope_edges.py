"""Edits made to slip past the scope: what is refused, and what only the tests and outputs can find."""

from __future__ import annotations

import pytest

from optagent.core.patch import Change, Patch
from optagent.core.scope import Scope
from optagent.core.target import Target
from optagent.languages.python.scope import check, losses

BEFORE = '''"""Doc."""
import os
from helpers import *
from . import friend

LIMIT = 3
first = second = 0
with open(os.devnull) as sink:
    pass
try:
    import fast
except ImportError as problem:
    fast = None
for index in range(2):
    pass
match LIMIT:
    case [one, *rest]:
        pass
    case {"k": 1, **pairs}:
        pass
    case int() as number:
        pass


class C:
    @property
    def f(self):
        """What f does."""
        state = []

        def push(x):
            nonlocal state
            state = [x]

        return push

    def g(self) -> int:
        return 1


def f(a):
    return 1


def f(a):
    return LIMIT + index
'''
BODY = "    return LIMIT + index\n"


def objection(after: str, qualname: str = "f", before: str = BEFORE) -> str | None:
    assert after != before
    return check.fault(Target("m.py", qualname, "m", ".", 1), Patch((Change("m.py", before, after),)))


def added(line: str) -> str:
    """The file with one line more before the constants."""
    return BEFORE.replace("LIMIT = 3\n", f"LIMIT = 3\n{line}\n", 1)


REFUSED = [
    "import json as LIMIT",
    "import json as f",
    "import json as C",
    "import json as index",
    "import json as sink",
    "import json as problem",
    "import json as friend",
    "import json as print",
    "import json as __builtins__",
    "import os.path",
    "import json, os",
    "import json as open, heapq",
    "from json import *",
    "from json import loads as LIMIT",
    "from helpers2 import x",
    "from .. import x",
    "from .other import x",
    "from __future__ import annotations",
    "_a = LIMIT = 4",
    "_a, LIMIT = 1, 2",
    "(_a, _b) = 1, 2",
    "[_a] = [1]",
    "_a = [LIMIT := 4]",
    "_a = (lambda: 1, (first := 9))",
    "_a: (LIMIT := int) = 1",
    "_a += 1",
    "os._a = 1",
    "C._a = 1",
    "globals()['LIMIT'] = 4",
    "__all__ = ['f']",
    "__getattr__ = len",
    "__name__ = 'x'",
    "_a = 1; LIMIT = 2",
    "del second",
    "if True: LIMIT = 4",
    "for LIMIT in (): pass",
    "with open(os.devnull) as LIMIT: pass",
    "def _f(): pass",
    "class _C: pass",
    "assert True",
    "print()",
    "_a = 1\nfirst = 1",
    "global_ = 1",
    "type X = int",
]


@pytest.mark.parametrize("line", REFUSED)
def test_a_line_outside_of_the_target_is_refused(line):
    assert objection(added(line))


@pytest.mark.parametrize(
    "line", ["import json", "import json as _json", "from os import path", "_A = 1", "_A: int = 1", "_A = _B = {}"]
)
def test_an_import_or_a_private_constant_is_let_through(line):
    assert objection(added(line)) is None


@pytest.mark.parametrize("name", ["one", "rest", "pairs", "number"])
def test_a_name_bound_by_a_pattern_is_known_to_the_file(name):
    assert objection(added(f"import json as {name}"))


EDITS = {
    "an earlier definition of the same name": ("    return 1\n\n\ndef f(a):\n    return LIMIT", "    return 2\n\n\ndef f(a):\n    return LIMIT"),
    "a third definition": (BODY, BODY + "\n\ndef f(a):\n    return 5\n"),
    "the last definition gone": ("\n\ndef f(a):\n    return LIMIT + index\n", ""),
    "a chained assignment": ("first = second = 0", "second = first = 0"),
    "what is caught": ("except ImportError", "except Exception"),
    "an annotation of what is returned": ("def f(a):\n    return LIMIT", "def f(a) -> int:\n    return LIMIT"),
    "an annotation of an argument": ("def f(a):\n    return LIMIT", "def f(a: int):\n    return LIMIT"),
    "an argument made positional": ("def f(a):\n    return LIMIT", "def f(a, /):\n    return LIMIT"),
    "the target in a condition": ("\n\ndef f(a):\n    return LIMIT + index\n", "\n\nif True:\n    def f(a):\n        return LIMIT + index\n"),
    "a name of the file made global": (BODY, "    global first\n    first = 1\n    return 4\n"),
    "a builtin made global": (BODY, "    global len\n    len = f\n    return 4\n"),
    "a dunder made global": (BODY, "    global __name__\n    __name__ = ''\n    return 4\n"),
    "a global deep inside": (BODY, "    def in_():\n        global LIMIT\n        LIMIT = 1\n    return in_\n"),
    "a null byte": (BODY, "    return '\0'\n"),
    "code nested too deep": (BODY, "    return " + "(" * 5000 + ")" * 5000 + "\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_around_the_target_is_refused(name):
    old, new = EDITS[name]
    assert BEFORE.count(old) == 1
    assert objection(BEFORE.replace(old, new))


METHOD = {
    "its sibling": ("        return 1", "        return 2"),
    "what its sibling returns": ("-> int", "-> str"),
    "an attribute of the class": ("    def g(self)", "    _a = 1\n\n    def g(self)"),
    "a base of the class": ("class C:", "class C(dict):"),
    "a decorator of the class": ("class C:", "@print\nclass C:"),
    "its property": ("    @property\n", ""),
    "a decorator for another": ("    @property\n", "    @staticmethod\n"),
    "a setter": ("    def g(self)", "    @f.setter\n    def f(self, x):\n        pass\n\n    def g(self)"),
}


@pytest.mark.parametrize("name", METHOD)
def test_an_edit_around_a_method_is_refused(name):
    old, new = METHOD[name]
    assert old in BEFORE
    assert objection(BEFORE.replace(old, new, 1), "C.f")


def test_a_method_may_be_rewritten_with_its_own_docstring():
    assert objection(BEFORE.replace("state = [x]", "state = [x, x]"), "C.f") is None
    assert objection(BEFORE.replace('"""What f does."""', '"""Faster."""'), "C.f") is None


def test_another_function_of_that_name_is_not_the_target():
    assert objection(BEFORE.replace(BODY, "    return 7\n"), "C.f")


@pytest.mark.parametrize(
    "changes",
    [
        (),
        (Change("m.py", BEFORE, None),),
        (Change("m.py", None, BEFORE),),
        (Change("./m.py", BEFORE, BEFORE + "#\n"),),
        (Change("m.py", BEFORE, BEFORE.replace(BODY, "    return 2\n")),) * 2,
    ],
)
def test_a_patch_that_is_not_one_edit_of_one_file_is_refused(changes):
    assert check.fault(Target("m.py", "f", "m", ".", 1), Patch(changes))


KNOWN_GAPS = {
    "a constant that changes another name while it is computed": "_a = globals().update(LIMIT=9)",
    "an import that a star import may have bound already": "from bisect import bisect",
}


@pytest.mark.parametrize("name", KNOWN_GAPS)
def test_what_only_running_can_show_is_left_to_the_tests_and_outputs(name):
    """Scope is triage: these pass it on purpose, and the differential and the suite judge them."""
    assert objection(added(KNOWN_GAPS[name])) is None


TARGET = Target("m.py", "f", "m", ".", 10)
DOES_MUCH = """import asyncio
import logging
import threading

GUARD = threading.Lock()
log = logging.getLogger(__name__)


async def f(a):
    with GUARD:
        a.lock.acquire()
    log.info("so many: %d", a)
    await asyncio.sleep(0)
    try:
        word = yield a
    finally:
        a.close()
    with open(a) as file:
        yield file.read()
"""


@pytest.mark.parametrize(
    ("old", "new", "gone"),
    [
        ("    with GUARD:\n        a.lock.acquire()\n", "    a.lock.acquire()\n", "takes GUARD"),
        ("        a.lock.acquire()\n", "        pass\n", "takes a.lock"),
        ('    log.info("so many: %d", a)\n', "", "calls log.info"),
        ("    await asyncio.sleep(0)\n", "", "awaits asyncio.sleep(0)"),
        ("word = yield a", "yield a", "listens to what it is sent"),
        (
            "    try:\n        word = yield a\n    finally:\n",
            "    word = yield a\n    if word:\n",
            "cleans up when it is closed",
        ),
    ],
)
@pytest.mark.parametrize("scope", Scope)
def test_an_edit_that_no_longer_does_what_no_comparison_shows_is_refused(scope, old, new, gone):
    assert old in DOES_MUCH
    told = check.fault(TARGET, Patch((Change("m.py", DOES_MUCH, DOES_MUCH.replace(old, new)),)), scope)
    assert told == f"no longer {gone}, which no comparison would show"


def test_one_that_does_all_that_in_another_order_and_opens_no_file_is_not():
    new = DOES_MUCH.replace("    with open(a) as file:\n        yield file.read()\n", "    yield 1\n")
    new = new.replace("    await asyncio.sleep(0)\n", "").replace(
        "    with GUARD", "    await asyncio.sleep(0)\n    with GUARD"
    )
    assert check.fault(TARGET, Patch((Change("m.py", DOES_MUCH, new),))) is None


@pytest.mark.parametrize(
    "owner", ["log", "LOG", "self._log", "app.logger", "logging", "logging.getLogger(__name__)", "_log"]
)
def test_whoever_writes_to_a_log_is_known_by_name(owner):
    assert [*losses.found(f"{owner}.info('a')", "m.py")] == [f"calls {owner}.info"]


@pytest.mark.parametrize(
    "call", ["math.log(2)", "catalog.error()", "dialog.info()", "self.blog.log()", "log(2)", "log.append(2)"]
)
def test_and_who_does_not_is_none(call):
    assert [*losses.found(call, "m.py")] == []
