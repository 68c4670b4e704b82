"""`--scope module`: every shape that is let through, and every one that is refused, with the reason it is told."""

from __future__ import annotations

import sys

import pytest

from optagent.core.patch import Change, Patch
from optagent.core.scope import Scope
from optagent.core.target import Target
from optagent.languages.python.scope import check

BEFORE = '''"""Doc."""
import os
import functools
from dataclasses import dataclass
from . import friend

__all__ = ["f"]
LIMIT = 3
_CACHE = {}
_TABLE = friend.make(256)
state = 0
try:
    import fast
except ImportError:
    fast = None


class C(dict):
    """What a C is."""
    size = 1
    _hidden = 2

    def g(self, n=1):
        return n

    def _help(self):
        return 1

    def __len__(self):
        return 0

    @property
    def p(self):
        return self._help()

    @p.setter
    def p(self, value):
        pass


@dataclass
class D:
    x: int


class _Box:
    def __init__(self, x):
        self.x = x


def other(a, *, b=LIMIT):
    """What other does."""
    return _helper(a) + b


def _helper(a):
    return a


def count():
    global state
    state += 1


@functools.cache
def f(a):
    return _helper(a)


print("loaded")
'''
F = "def f(a):\n    return _helper(a)\n"
TARGET = Target("m.py", "f", "m", ".", 60)


def objection(
    before: str, after: str, scope_: Scope = Scope.MODULE, text: str = BEFORE, target: Target = TARGET
) -> str | None:
    assert text.count(before) == 1, before
    return check.fault(target, Patch((Change("m.py", text, text.replace(before, after)),)), scope_)


def top(code: str) -> tuple[str, str]:
    """Code after the constants."""
    return "state = 0\n", f"state = 0\n{code}\n"


ALLOWED = {
    "the body of another function": ("    return _helper(a) + b", "    return a + b"),
    "the body of a method": ("        return n", "        return n + 0"),
    "the body of a dunder method": ("        return 0", "        return 0 + 0"),
    "the body of a property": ("        return self._help()", "        return 1"),
    "the body of a setter": ("        pass", "        return None"),
    "a private function": ("def _helper(a):\n    return a", "def _helper(a, b=()):\n    return a"),
    "a private function gone": ("def _helper(a):\n    return a\n\n\n", ""),
    "a private function that becomes a constant": ("def _helper(a):\n    return a\n", "_helper = int\n"),
    "a new private function": top("def _new(a, b=frozenset('ab'), *c: int, **d) -> list[int]:\n    return [a]"),
    "a new private coroutine": top("async def _new():\n    pass"),
    "a new private generator": top("def _new():\n    yield 1"),
    "a new private class": top("class _New(C):\n    '''Doc.'''\n    __slots__ = ('a',)\n    def __init__(self):\n        self.a = 1\n    def run(self):\n        return self.a"),
    "a new private class with a class in it": top("class _New:\n    x: int\n    class Inner:\n        y = 1"),
    "a new private dataclass": top("@dataclass(frozen=True)\nclass _New:\n    x: int = 0"),
    "a private class changed": ("        self.x = x", "        self.x = [x]"),
    "a private class with slots": ("class _Box:\n", "class _Box:\n    __slots__ = ('x',)\n"),
    "a private constant changed": ("_CACHE = {}", "_CACHE = {1: 2}"),
    "a private constant gone": ("_TABLE = friend.make(256)\n", ""),
    "a private constant moved": ("_TABLE = friend.make(256)\nstate = 0\n", "state = 0\n_TABLE = friend.make(256)\n"),
    "a private function moved": ("def _helper(a):\n    return a\n\n\ndef count():\n    global state\n    state += 1\n", "def count():\n    global state\n    state += 1\n\n\ndef _helper(a):\n    return a\n"),
    "a private method": ("    def _help(self):\n        return 1", "    def _help(self, more=None):\n        return 2"),
    "a new private method": ("    def _help(self)", "    def _more(self):\n        return 2\n\n    def _help(self)"),
    "a new mangled method": ("    def _help(self)", "    def __more(self):\n        return 2\n\n    def _help(self)"),
    "a new method of Python's own that no one relies on": ("    def _help(self)", "    def __contains__(self, x):\n        return True\n\n    def _help(self)"),
    "a cache on a helper": ("def _helper(a)", "@functools.lru_cache(maxsize=None)\ndef _helper(a)"),
    "a cache on a public function": ("def other(a", "@functools.cache\ndef other(a"),
    "a docstring of a function": ("What other does.", "What other does, faster."),
    "an import": top("import heapq"),
    "an import from": top("from collections import deque"),
    "an import of the package": top("from .friend import make"),
    "an import in a body": (F, "def f(a):\n    import heapq\n    return heapq\n"),
    "a global that was assigned before, in a helper": top("def _reset():\n    global state\n    state = 0"),
    "a private global": top("def _reset():\n    global _CACHE\n    _CACHE = {}"),
    "everything at once": ("def _helper(a):\n    return a\n", "import heapq\n_HEAP = [heapq.__name__]\n\n\ndef _helper(a):\n    return _more(a)\n\n\ndef _more(a):\n    return a\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", ALLOWED)
def test_an_edit_in_scope_of_the_module_is_let_through(name):
    assert objection(*ALLOWED[name]) is None


CONSTANTS = [
    "_A = 1", "_A: int = 1", "_A = _B = []", "_A = -1.5e3 + 2j", "_A = f'{1 + 1}'", "_A = [n * n for n in range(256)]",
    "_A = {n: bytes([n]) for n in range(256)}", "_A = frozenset('abc')", "_A = tuple(sorted([2, 1]))", "_A = object()",
    "_A = 'a b'.split()", "_A = ','.join(str(n) for n in range(3))", "_A = str.maketrans('a', 'b')", "_A = dict.fromkeys('ab', 0)",
    "_A = bytes.fromhex('00ff')", "_A = LIMIT * 2 if LIMIT else None", "_A = lambda x: other(x)", "_A = other",
    "import re\n_A = re.compile('a+')", "import re\n_A = re.compile('a+').match", "import re as _re\n_A = _re.compile('a+')",
    "from re import compile as _c\n_A = _c('a')", "import struct\n_A = struct.Struct('<d').pack", "import math\n_A = math.sqrt(2)",
    "from operator import itemgetter\n_A = itemgetter(1)", "import collections\n_A = collections.defaultdict(list)",
    "_A = functools.partial(other, b=1)", "import itertools\n_A = list(itertools.product('ab', repeat=2))",
    "_A = LIMIT.bit_length", "_A = {**_CACHE}", "_A = _CACHE[0] if _CACHE else 0", "import threading\n_A = threading.Lock()",
]  # fmt: skip


@pytest.mark.parametrize("code", CONSTANTS)
def test_a_private_constant_may_be_built(code):
    assert objection(*top(code + "\ndef _new(): pass")) is None


EFFECTS = {
    "_A = other(1)": "calls other at import",
    "_A = [other(n) for n in range(9)]": "calls other",
    "_A = friend.make(255)": "calls friend.make",
    "_A = os.getpid()": "calls os.getpid",
    "_A = globals().update(LIMIT=9)": "calls globals",
    "_A = setattr(os, 'sep', '|')": "sets os, which is imported",
    "_A = open('/etc/passwd')": "calls open",
    "_A = print()": "calls print",
    "_A = exec('1')": "calls exec",
    "_A = __import__('os')": "calls __import__",
    "_A = list(map(other, [1]))": "calls map",
    "_A = sorted([1], key=other)": "calls sorted",
    "_A = (lambda: 1)()": "calls lambda: 1",
    "_A = functools.partial(other, 1)()": "calls functools.partial(other, 1)",
    "_A = _CACHE.update({1: 2})": "calls _CACHE.update",
    "_A = _CACHE.copy()": "calls _CACHE.copy",
    "_A = C()": "calls C",
    "_A = _Box(1)": "calls _Box",
    "import re\n_A = re.compile('a').sub(other, 'a')": "calls re.compile('a').sub",
    "import random\n_A = random.seed(1)": "calls random.seed",
    "import sys\n_A = sys.settrace(None)": "calls sys.settrace",
    "import gc\n_A = gc.disable()": "calls gc.disable",
    "import atexit\n_A = atexit.register(other)": "calls atexit.register",
    "from os import system as frozenset_\n_A = frozenset_('')": "calls frozenset_",
    "_A = 1\n_B = [other(1), 2]": "calls other",
    "def _n(a=other(1)): pass": "calls other",
    "def _n(*, a=other(1)): pass": "calls other",
    "def _n(a: other(1)): pass": "calls other",
    "def _n() -> other(1): pass": "calls other",
    "_A: other(1) = 1": "calls other",
    "@other\ndef _n(): pass": "calls other",
    "@functools.partial(other)\ndef _n(): pass": "calls functools.partial",
    "@functools.lru_cache(maxsize=other(1))\ndef _n(): pass": "calls other",
    "@os.fsencode\nclass _N: pass": "calls os.fsencode",
    "class _N(other(1)): pass": "calls other",
    "class _N(metaclass=other(1)): pass": "calls other",
    "class _N:\n    x = other(1)": "calls other",
    "class _N:\n    print()": "runs code in a class",
    "class _N:\n    for x in (): pass": "runs code in a class",
    "class _N:\n    import os": "runs code in a class",
    "class _N:\n    __eq__ = other": "assigns __eq__",
    "class _N:\n    def f(self, a=other(1)): pass": "calls other",
    "class _N:\n    @other\n    def f(self): pass": "calls other",
    "class _N:\n    class M:\n        x = other(1)": "calls other",
}


@pytest.mark.parametrize("code", EFFECTS)
def test_what_would_run_at_import_is_refused_beside_an_edit_that_needs_the_scope(code):
    told = objection(*top(code + "\ndef _new(): pass"))
    assert told is not None
    assert told.startswith(EFFECTS[code])
    assert "\n" not in told


REFUSED = {
    "the target gone": ("@functools.cache\n" + F, "", "removes f"),
    "the target's signature": ("def f(a):", "def f(a, b=1):", "signature of f"),
    "the target's annotation": ("def f(a):", "def f(a) -> int:", "signature of f"),
    "the target's decorator gone": ("@functools.cache\ndef f", "def f", "removes a decorator of f"),
    "a decorator of the target that runs code": ("@functools.cache\ndef f", "def _run(x): pass\n\n@_run\n@functools.cache\ndef f", "calls _run at import"),
    "a public function gone": ("def count():\n    global state\n    state += 1\n", "", "changes or removes count"),
    "a public function renamed": ("def count()", "def counts()", "changes or removes count"),
    "a public signature": ("*, b=LIMIT", "*, b=4", "changes the signature of other"),
    "a public kind of function": ("def count", "async def count", "changes the signature of count"),
    "a public parameter": ("def other(a,", "def other(a: int,", "changes the signature of other"),
    "a public function that becomes a class": ("def count():\n    global state\n    state += 1\n", "class count:\n    pass\n", "changes or removes count"),
    "public functions in another order": ("def count():\n    global state\n    state += 1\n\n\n@functools.cache\n" + F, "@functools.cache\n" + F + "\n\ndef count():\n    global state\n    state += 1\n", "moves or repeats f"),
    "a second public definition": (F, F + "\n\ndef count():\n    pass\n", "moves or repeats count"),
    "a decorator on a public function": ("def other(a", "@print\ndef other(a", "calls print at import"),
    "a new public function": (*top("def new(): pass"), "adds new, which others could see"),
    "a new public class": (*top("class New: pass"), "adds New, which others could see"),
    "a new public constant": (*top("new = 1"), "adds new, which others could see"),
    "a public constant": ("LIMIT = 3", "LIMIT = 4", "changes or removes LIMIT"),
    "__all__": ('["f"]', '["f", "other"]', "changes or removes __all__"),
    "a new dunder": (*top("__version__ = '1'"), "adds __version__"),
    "a module's __getattr__": (*top("def __getattr__(name): pass"), "adds __getattr__"),
    "a mangled name": (*top("__x = 1"), "adds __x"),
    "the docstring": ('"""Doc."""', '"""Docs."""', "docstring of the module"),
    "an import gone": ("import os\n", "", "changes or removes os"),
    "an import of another": ("from . import friend", "from .other import friend", "changes or removes friend"),
    "a try": ("except ImportError", "except Exception", "changes or removes code that runs at import: try:"),
    "an expression gone": ('print("loaded")\n', "", 'removes code that runs at import: print'),
    "an expression": (*top("print()"), "adds code that runs at import: print()"),
    "a loop": (*top("for _i in range(3): pass"), "adds code that runs at import: for"),
    "a condition": (*top("if LIMIT:\n    _x = 1"), "adds code that runs at import"),
    "a deletion": (*top("del state"), "adds code that runs at import"),
    "a with": (*top("with open('/dev/null') as _x: pass"), "adds code that runs at import"),
    "an augmented assignment": (*top("_CACHE |= {}"), "adds code that runs at import"),
    "an unpacking": (*top("_a, _b = 1, 2"), "adds code that runs at import"),
    "an attribute of a module": (*top("os.sep = '|'"), "sets os.sep, which is imported"),
    "a walrus": (*top("_a = (LIMIT := 4)"), "adds code that runs at import"),
    "a private and a public name at once": (*top("_a = new = 1"), "adds _a"),
    "a star": (*top("from os.path import *"), "imports everything"),
    "a future": ('"""Doc."""\n', '"""Doc."""\nfrom __future__ import annotations\n', "language of the file"),
    "a foreign import": (*top("import numpy"), "imports numpy, which the project does not"),
    "a foreign import in a body": (F, "def f(a):\n    import numpy\n    return numpy\n", "imports numpy"),
    "a foreign import in a helper": (*top("def _new():\n    from numpy import x"), "imports numpy"),
    "an import of the tests": (*top("from .tests import data"), "imports the tests"),
    "an import of tests from here": (*top("from . import test_m"), "imports the tests"),
    "a function of a module that it imports": (F, "def f(a):\n    os.getcwd = list\n", "sets os.getcwd, which is imported"),
    "an attribute by name": (F, "def f(a):\n    setattr(os, 'sep', '|')\n", "sets os, which is imported"),
    "an item of its dict": (F, "def f(a):\n    os.__dict__['sep'] = '|'\n", "sets os.__dict__['sep'], which"),
    "an item of its names": (F, "def f(a):\n    vars(os)['sep'] = '|'\n", "sets vars(os)['sep'], which"),
    "one that it imports itself": (F, "def f(a):\n    import json.decoder as d\n    del d.X.scan\n", "sets d.X.scan, which"),
    "an import over a name": (*top("import heapq as LIMIT"), "gives the name LIMIT another meaning"),
    "an import over a builtin": (*top("import heapq as len"), "gives the name len another meaning"),
    "a constant that shadows an import": (*top("import heapq as _CACHES\nimport heapq as fast"), "gives the name fast"),
    "a global of others": (F, "def f(a):\n    global LIMIT\n    LIMIT = 9\n", "assigns the global LIMIT"),
    "a global of others in a helper": (*top("def _n():\n    global LIMIT\n    LIMIT = 9"), "assigns the global LIMIT"),
    "a builtin as a global": (*top("def _n():\n    global len\n    len = 9"), "assigns the global len"),
    "a dunder as a global": (*top("def _n():\n    global __name__\n    __name__ = 9"), "assigns the global __name__"),
    "the bases of a class": ("class C(dict)", "class C(list)", "changes the bases or decorators of C"),
    "a decorator of a class": ("@dataclass\nclass D", "@dataclass(eq=False)\nclass D", "changes the bases or decorators of D"),
    "an attribute of a class": ("    size = 1", "    size = 2", "changes or removes C.size"),
    "a private attribute of a class": ("    _hidden = 2", "    _hidden = 3", "changes or removes C._hidden"),
    "a new attribute of a class": ("    size = 1", "    size = 1\n    _more = 4", "adds C._more"),
    "a new field of a dataclass": ("    x: int\n", "    x: int\n    _y: int = 0\n", "adds D._y"),
    "slots": ("    size = 1", "    size = 1\n    __slots__ = ()", "adds C.__slots__"),
    "the docstring of a class": ("What a C is.", "What a C was.", "changes or removes code that runs at import"),
    "a new public method": ("    def _help", "    def more(self): pass\n\n    def _help", "adds C.more"),
    "a method that decides what is equal": ("    def _help", "    def __eq__(self, o): return True\n\n    def _help", "adds C.__eq__"),
    "a method that decides what is pickled": ("    def _help", "    def __reduce__(self): pass\n\n    def _help", "adds C.__reduce__"),
    "a method that makes objects": ("    def _help", "    def __init__(self): pass\n\n    def _help", "adds C.__init__"),
    "a public method gone": ("    def g(self, n=1):\n        return n\n\n", "", "changes or removes C.g"),
    "a method's signature": ("def g(self, n=1)", "def g(self, n=2)", "changes the signature of C.g"),
    "a dunder method gone": ("    def __len__(self):\n        return 0\n\n", "", "changes or removes C.__len__"),
    "a property without its decorator": ("    @property\n", "", "removes a decorator of C.p"),
    "a setter gone": ("    @p.setter\n    def p(self, value):\n        pass\n", "", "changes or removes C.p"),
    "an import in a class": ("    size = 1", "    size = 1\n    import heapq", "adds C.heapq"),
    "a helper in a branch": ("    fast = None", "    fast = None\n    def _x(): pass", "changes or removes code that runs at import"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_an_edit_out_of_scope_of_the_module_is_refused_with_its_reason(name):
    before, after, reason = REFUSED[name]
    told = objection(before, after)
    assert told is not None
    assert reason in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("new", "fine"),
    [
        ("def _push(a):\n    return [a]\n", True),
        ("def _push(a, b=1):\n    return a\n", False),
        ("", False),
        ("_push = int\n", False),
    ],
)
def test_a_private_fallback_may_be_rewritten_where_it_stands(new, fine):
    """`try: from _x import _push` below it gives the name another meaning: the order decides."""
    fallback = "def _push(a):\n    return a\n"
    text = BEFORE + fallback + "try:\n    from fast import _push\nexcept ImportError:\n    pass\n"
    assert (objection(fallback, new, text=text) is None) is fine


def test_of_two_definitions_the_one_gone_is_missed():
    """A setter shares the name of its property: both have to be there."""
    text = BEFORE.replace("    @p.setter\n    def p(self, value):\n        pass\n", "")
    told = check.fault(TARGET, Patch((Change("m.py", BEFORE, text),)), Scope.MODULE)
    assert told == "changes or removes C.p"


def test_a_target_in_a_class_may_get_helpers_there():
    target = Target("m.py", "C.g", "m", ".", 20)
    edit = BEFORE.replace(
        "        return n\n", "        return self._twice(n)\n\n    def _twice(self, n):\n        return n\n"
    )
    patch = Patch((Change("m.py", BEFORE, edit),))
    assert check.fault(target, patch, Scope.MODULE) is None
    assert check.fault(target, patch, Scope.FUNCTION)


def test_a_private_target_stays_with_its_signature():
    target = Target("m.py", "_helper", "m", ".", 60)
    assert "removes _helper" in (objection("def _helper(a):\n    return a\n\n\n", "", target=target) or "")
    assert "signature" in (objection("def _helper(a):", "def _helper(a, b=1):", target=target) or "")


def test_other_files_are_out_of_scope_of_the_module():
    edit = Change("m.py", BEFORE, BEFORE.replace(F, F.replace("_helper(a)", "a")))
    for path in ("n.py", "tests/test_m.py", "pyproject.toml"):
        told = check.fault(TARGET, Patch((edit, Change(path, "a = 1\n", "a = 2\n"))), Scope.MODULE)
        assert told == f"edits {path}, which is outside the target's file"


def test_another_encoding_is_refused():
    assert "encoding" in (objection('"""Doc."""', '# coding: latin-1\n"""Doc."""') or "")


@pytest.mark.parametrize("text", ["def f(a:\n", "def f(a):\n    return '\0'\n", "x = " + "(" * 5000 + ")" * 5000])
def test_what_does_not_parse_is_refused(text):
    told = check.fault(TARGET, Patch((Change("m.py", BEFORE, text),)), Scope.MODULE)
    assert told is not None
    assert told.startswith("does not parse")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of Python 3.12")
def test_type_parameters_are_part_of_what_others_see():
    text = BEFORE + "def typed[T](a: T) -> T:\n    return a\n\n\nclass Typed[T]:\n    pass\n"
    assert objection("return a\n\n\nclass Typed", "return [a][0]\n\n\nclass Typed", text=text) is None
    assert "signature of typed" in (objection("def typed[T]", "def typed[T: int]", text=text) or "")
    assert "decorators of Typed" in (objection("class Typed[T]", "class Typed[T, U]", text=text) or "")
    assert objection("class Typed[T]", "def _new[T](a: T) -> T:\n    return a\n\n\nclass Typed[T]", text=text) is None
    assert "runs at import" in (objection("class Typed[T]", "type _X = int\n\n\nclass Typed[T]", text=text) or "")
