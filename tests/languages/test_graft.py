"""Whole functions put into awkward files: what changes, what stays to the byte, and what is refused."""

from __future__ import annotations

import argparse
import ast
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optagent.core.patch import Change, Patch
from optagent.core.scope import Scope
from optagent.core.target import Target
from optagent.languages.python.edit.graft import Refused, graft
from optagent.languages.python.edit.graft_layout import lines_of
from optagent.languages.python.scope.check import fault
from optagent.languages.python.source.functions import FunctionNode, functions, span
from optagent.languages.python.source.sources import parse_source, read_source

PLAIN = "import sys\n\n_K = 1\n\n\n# above\ndef f(x, *, y=2):\n    return x\n\n\ndef g():\n    pass\n"


def put(source: str, qualname: str, code: str, nth: int = -1) -> str | Refused:
    """Grafts in the place of the last definition of that name, or of another."""
    nodes = [node for name, node in functions(parse_source(source.removeprefix("\ufeff"), "m.py")) if name == qualname]
    return graft(source, qualname, nodes[nth].lineno, textwrap.dedent(code))


def test_only_the_function_changes():
    result = put(PLAIN, "f", "def f(x, *, y=2):\n    z = x\n    return z\n")
    assert result == PLAIN.replace("    return x\n", "    z = x\n    return z\n")


def test_the_signature_stays_as_the_file_has_it():
    source = "def f(\n    x: int,  # first\n) -> int:  # pragma: no cover\n    return x\n"
    assert put(source, "f", "def f(x): return x + 1") == source.replace(
        ":  # pragma: no cover\n    return x", ": return x + 1"
    )
    assert put(source, "f", "def f(x: float) -> str:\n    return x + 1") == source.replace("return x", "return x + 1")


METHOD = '''class Outer:
    class Inner(Base):
        """Doc."""

        limit = 3

        # above
        @cached(
            size=3,
        )
        # between
        def f(self):
            """Say.

            More.
            """
            return 1

        def g(self): pass
'''


@pytest.mark.parametrize("wrapped", ["{}", "class Inner:\n{1}", "class Outer:\n    class Inner(Base):\n{2}"])
def test_a_method_may_come_alone_or_in_its_classes(wrapped):
    code = "def f(self):\n    for x in self:\n        return x\n"
    code = wrapped.format(code, textwrap.indent(code, "    "), textwrap.indent(code, "        "))
    body = METHOD[METHOD.index('            """Say') : METHOD.index("\n        def g")]
    expected = METHOD.replace(body, "            for x in self:\n                return x\n")
    assert put(METHOD, "Outer.Inner.f", code) == expected


def test_an_indented_method_is_taken_as_it_is():
    assert graft(METHOD, "Outer.Inner.f", 12, "        def f(self):\n            return 2\n") == put(
        METHOD, "Outer.Inner.f", "def f(self):\n    return 2\n"
    )


def test_the_inside_of_strings_is_not_moved_but_a_docstring_stays_as_it_was():
    code = 'def f(self):\n    """Say.\n\n    More.\n    """\n    x = """\n  a\n"""\n    return (x +\n  x)\n'
    new = '            x = """\n  a\n"""\n            return (x +\n          x)\n'
    assert put(METHOD, "Outer.Inner.f", code) == METHOD.replace("            return 1\n", new)
    other = code.replace("More", "Less")
    assert '"""Say.\n\n    Less.\n    """\n' in put(METHOD, "Outer.Inner.f", other)


def test_an_f_string_over_lines_is_not_moved_either():
    code = 'def f(self):\n    return f"""\n  {self.x\n}\n    """\n'
    assert 'return f"""\n  {self.x\n}\n    """\n' in put(METHOD, "Outer.Inner.f", code)


def test_new_decorators_replace_the_old_ones_and_none_leaves_them():
    result = put(METHOD, "Outer.Inner.f", "@timed\n@cached(size=3)\ndef f(self):\n    return 2\n")
    assert (
        "        # above\n        @timed\n        @cached(size=3)\n        def f(self):\n            return 2\n"
        in result
    )
    kept = put(METHOD, "Outer.Inner.f", "@cached(size=3)\ndef f(self):\n    return 2\n")
    assert kept == put(METHOD, "Outer.Inner.f", "def f(self):\n    return 2\n")
    assert "            size=3,\n        )\n        # between\n" in kept


@pytest.mark.parametrize(
    ("source", "code", "expected"),
    [
        ("def f(x): return x\n", "def f(x):\n    return 1\n", "def f(x):\n    return 1\n"),
        ("def f(x):\n    return x", "def f(x):\n    return 1\n", "def f(x):\n    return 1"),
        ("def f(x):\r\n    return x\r\n", "def f(x):\n    y = 1\n    return y\n", "def f(x):\r\n    y = 1\r\n    return y\r\n"),
        ("if 1:\n\tdef f(x):\n\t\treturn x\n", "def f(x):\n    if x:\n        return 1\n",
         "if 1:\n\tdef f(x):\n\t\tif x:\n\t\t\treturn 1\n"),
        ("if 1:\n  def f(x):\n    return x\n", "def f(x):\n\tif x:\n\t\treturn 1\n",
         "if 1:\n  def f(x):\n    if x:\n      return 1\n"),
        ("\ufeffdef f(x): return x\n", "def f(x): return 1", "\ufeffdef f(x): return 1\n"),
        ("x = 1\n\x0c\ndef f(x):\n    return x\n\x0cy = 1\n", "def f(x):\n    return 1", "x = 1\n\x0c\ndef f(x):\n    return 1\n\x0cy = 1\n"),
        ("\x0cdef f(x):\n    return x\n", "def f(x):\n    return 1", "\x0cdef f(x):\n    return 1\n"),
        ("async def f(x):\n    return x\n", "async def f(x):\n    await x\n", "async def f(x):\n    await x\n"),
        ("# coding: latin-1\ndef f(x):\n    return 'é'\n", "def f(x):\n    return 1", "# coding: latin-1\ndef f(x):\n    return 1\n"),
        ("s = '''\ndef f(x):\n    return 1\n'''\ndef f(x):\n    return x\n", "def f(x):\n    return 2\n",
         "s = '''\ndef f(x):\n    return 1\n'''\ndef f(x):\n    return 2\n"),
        ("try:\n    import a\nexcept E:\n    def f(x): return x\nelse:\n    f = a.f\n", "def f(x):\n    return 1",
         "try:\n    import a\nexcept E:\n    def f(x):\n        return 1\nelse:\n    f = a.f\n"),
        ("if TYPE_CHECKING:\n    def f(x: int): ...\nelse:\n    def f(x):\n        return x\n", "def f(x):\n    return 1\n",
         "if TYPE_CHECKING:\n    def f(x: int): ...\nelse:\n    def f(x):\n        return 1\n"),
        ("def f(x):\n    return x\n", "def f(x):\n    import os\n    return os\n", "def f(x):\n    import os\n    return os\n"),
        ("def f(x):\r\n    y = 1\n    return x\r\n", "def f(x):\n    y = 1\n    return 2\n", "def f(x):\r\n    y = 1\n    return 2\r\n"),
    ],
)  # fmt: skip
def test_awkward_files_keep_their_ways(source, code, expected):
    assert put(source, "f", code) == expected


PROPERTY = """class C:
    @overload
    def g(self, x: int) -> int: ...
    @overload
    def g(self, x: str) -> str: ...
    def g(self, x):
        return x

    @property
    def p(self):
        return 1

    @p.setter
    def p(self, value):
        self.value = value
"""


def test_of_a_property_the_definition_in_that_line_is_meant():
    getter = put(PROPERTY, "C.p", "def p(self):\n    return 2\n", nth=0)
    assert getter == PROPERTY.replace("return 1", "return 2")
    setter = put(PROPERTY, "C.p", "@p.setter\ndef p(self, value):\n    pass\n", nth=1)
    assert setter == PROPERTY.replace("self.value = value", "pass")


def test_overloads_stay_and_what_is_repeated_unchanged_is_ignored():
    code = "@overload\ndef g(self, x: int) -> int: ...\ndef g(self, x):\n    return 2\n"
    assert put(PROPERTY, "C.g", code) == PROPERTY.replace("        return x\n", "        return 2\n")
    whole = PROPERTY.replace("        return x\n", "        return 2\n")
    assert put(PROPERTY, "C.g", whole) == whole


def test_new_imports_follow_the_files_own_and_known_ones_are_not_repeated():
    code = "import os, sys\nfrom re import compile as _c\nimport sys\n\ndef f(x, *, y=2):\n    return os\n"
    assert put(PLAIN, "f", code) == PLAIN.replace("return x", "return os").replace(
        "import sys\n", "import sys\nimport os\nfrom re import compile as _c\n"
    )


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ('"""Doc."""\n', '"""Doc."""\n\nimport os\n\n'),
        ('"""Doc."""\n\n', '"""Doc."""\n\nimport os\n\n'),
        ('"""Doc."""\nfrom __future__ import annotations\n', '"""Doc."""\nfrom __future__ import annotations\nimport os\n'),
        ("#!/bin/python\n# coding: utf-8\n\n", "#!/bin/python\n# coding: utf-8\n\nimport os\n\n"),
        ("import a; x = (1,\n  2)\n", "import a; x = (1,\n  2)\nimport os\n"),
        ("from a import (\n    b,\n)\ntry:\n    import c\nexcept E:\n    c = 1\n",
         "from a import (\n    b,\n)\nimport os\ntry:\n    import c\nexcept E:\n    c = 1\n"),
        ("", "import os\n\n"),
    ],
)  # fmt: skip
def test_the_place_of_the_first_import(head, expected):
    result = put(f"{head}def f():\n    pass\n", "f", "import os\ndef f():\n    return os\n")
    assert result.replace("\n\n\n", "\n\n") == f"{expected}def f():\n    return os\n"
    assert put(
        f"{head}def f():\n    pass\n".replace("\n", "\r\n"), "f", "import os\ndef f():\n    return os\n"
    ) == result.replace("\n", "\r\n")


def test_constants_and_helpers_stand_before_the_statement_that_holds_the_function():
    code = """\
        import re

        # all letters
        _WORD = re.compile('''
        a''')
        _N = 3


        @cache
        def _helped(x):
            # why
            return _N

        def f(self):
            return _helped(1)
    """
    source = "import sys\n\n\n# about C\nclass C:\n    def f(self):\n        return 1\n"
    assert put(source, "C.f", code) == (
        "import sys\nimport re\n\n\n# all letters\n_WORD = re.compile('''\na''')\n_N = 3\n\n\n@cache\ndef _helped(x):\n"
        "    # why\n    return _N\n\n\n# about C\nclass C:\n    def f(self):\n        return _helped(1)\n"
    )


def test_statements_that_share_a_line_are_taken_apart():
    result = put("def f():\n    pass\n", "f", "import re; _A = 1; _B = 2\ndef f(): return _A\n")
    assert result == "import re\n\n_A = 1\n_B = 2\n\n\ndef f(): return _A\n"


def test_a_helper_never_comes_before_the_comments_that_python_reads():
    source = "#!/bin/python\n# coding: utf-8\ndef f():\n    pass\n"
    result = put(source, "f", "_A = 1\ndef f():\n    return _A\n")
    assert result == "#!/bin/python\n# coding: utf-8\n_A = 1\n\n\ndef f():\n    return _A\n"


REFUSALS = {
    "def g(x, *, y=2): pass": "no `f`, but g",
    "_A = 1": "no `f`.",
    "def f(x, y=2): pass": "must stay (x, *, y=2), and is (x, y=2)",
    "def f(x, *, y=3): pass": "signature",
    "def f(z, *, y=2): pass": "signature",
    "def f(x, *, y=2, z=1): pass": "signature",
    "async def f(x, *, y=2): pass": "is `def` in the file and `async def` in the code",
    "def f(x, *, y=2): pass\ndef f(x, *, y=2): return 1": "2 times",
    "def f(x, *, y=2): pass\ndef h(): pass": "`h` beside the function",
    "def f(x, *, y=2): pass\ndef g(): return 1": "redefines `g`",
    "_K = 2\ndef f(x, *, y=2): pass": "redefines `_K`",
    "LIMIT = 2\ndef f(x, *, y=2): pass": "`LIMIT` beside",
    "__all__ = []\ndef f(x, *, y=2): pass": "`__all__` beside",
    "class C:\n    def f(x, *, y=2): pass": "`C` beside",
    "def f(x, *, y=2): pass\nprint(f(1))": "runs `print(f(1))`",
    "def f(x, *, y=2): pass\nif __name__ == '__main__':\n    f(1)": "runs `if __name__",
    "try:\n    import numpy\nexcept ImportError: pass\ndef f(x, *, y=2): pass": "runs `try:`",
    "_a[0] = 1\ndef f(x, *, y=2): pass": "runs `_a[0] = 1`",
    "from __future__ import annotations\ndef f(x, *, y=2): pass": "from __future__",
    "from os import *\ndef f(x, *, y=2): pass": "from os import *",
    "import json as sys\ndef f(x, *, y=2): pass": "imports `sys`, a name that the file uses",
    "from a import g\ndef f(x, *, y=2): pass": "imports `g`",
    "def f(x, *, y=2:": "not valid Python",
    "def f(x, *, y=2):\n\x00": "not valid Python",
    "": "no `f`",
}  # fmt: skip


@pytest.mark.parametrize("code", REFUSALS, ids=lambda code: code[:40])
def test_what_is_more_or_less_than_the_function_is_refused(code):
    result = put(PLAIN, "f", code)
    assert isinstance(result, Refused)
    assert REFUSALS[code] in result.reason
    assert result.reason.endswith(".")


@pytest.mark.parametrize("count", [1_200, 1_500, 3_000, 100_000])
def test_code_that_is_nested_too_deeply_to_be_looked_at_is_refused_or_taken(count):
    code = f"def f(x, *, y=2): return {'+'.join(['x'] * count)}\n"
    result = put(PLAIN, "f", code)
    assert isinstance(result, Refused) or code in result


def test_what_scope_function_allows_is_grafted_so_that_it_sees_it_as_such():
    target = Target("m.py", "f", "m", ".", 7)
    code = (
        "import re\nfrom functools import cache\n_WORD = re.compile('a')\n@cache\ndef f(x, *, y=2):\n    return _WORD\n"
    )
    patch = Patch((Change("m.py", PLAIN, put(PLAIN, "f", code)),))
    assert fault(target, patch) is None
    helper = Patch((Change("m.py", PLAIN, put(PLAIN, "f", f"def _h(): pass\n{code}")),))
    assert fault(target, helper) is not None
    assert fault(target, helper, Scope.MODULE) is None


def test_a_class_with_more_than_the_method_is_refused():
    code = "class Inner:\n    limit = 4\n    def f(self): pass\n"
    assert "the class Inner beside `f`" in put(METHOD, "Outer.Inner.f", code).reason


def test_a_file_without_the_function_or_that_does_not_parse_is_a_refusal():
    assert graft("x = 1\n", "f", 1, "def f(): pass") == Refused("The file has no function `f`.")
    assert isinstance(graft("def f(:\n", "f", 1, "def f(): pass"), Refused)


LIBRARY = Path(argparse.__file__).parent
MODULES = """
    json/decoder json/encoder json/scanner email/message email/header email/utils email/charset argparse difflib
    textwrap bisect heapq colorsys csv fnmatch glob gettext getopt hmac html/parser linecache netrc operator queue
    random reprlib sched shlex shutil string stat tokenize types weakref zipapp
""".split()  # noqa: SIM905


@st.composite
def real_functions(draw: st.DrawFn) -> tuple[str, str, FunctionNode]:
    source = read_source(LIBRARY / f"{draw(st.sampled_from(MODULES))}.py")
    return source, *draw(st.sampled_from(list(functions(parse_source(source, "m.py")))))


@settings(max_examples=30, deadline=None)
@given(real_functions(), st.sampled_from(["\n", "\r\n"]))
def test_a_function_of_the_standard_library_put_back_leaves_its_file_as_it_was(found, end):
    source, qualname, node = found
    own = "".join(lines_of(source)[span(node)[0] - 1 : node.end_lineno])
    assert graft(source.replace("\n", end), qualname, node.lineno, own) == source.replace("\n", end)


@settings(max_examples=25, deadline=None)
@given(real_functions())
def test_a_function_written_anew_changes_its_own_lines_and_adds_its_import(found):
    source, qualname, node = found
    node.body.append(ast.parse("_colors.x()").body[0])
    result = graft(source, qualname, node.lineno, f"import colorsys as _colors\n{ast.unparse(node)}\n")
    lines, (first, last), new = lines_of(source), span(node), lines_of(result)
    before, now = ([line for line in part if line.strip()] for part in (lines[: first - 1], new))
    now.remove("import colorsys as _colors\n")  # blank lines may stand around it
    assert now[: len(before)] == before
    assert new[len(new) - (len(lines) - last) :] == lines[last:]
