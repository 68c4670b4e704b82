"""Finding a function by name, and what an edit of it may touch."""

from __future__ import annotations

import pytest

from optagent.core.patch import Change, Patch
from optagent.core.target import Target, Tree
from optagent.errors import BadSource, TargetAmbiguous, TargetNested, TargetNotFound
from optagent.languages.python.scope import check
from optagent.languages.python.targets.locate import locate

FILES = {
    "src/pkg/__init__.py": "",
    "src/pkg/deep/__init__.py": "def top():\n    pass\n",
    "src/pkg/deep/mod.py": (
        "class A:\n    def go(self):\n        pass\n\n    @staticmethod\n    def still():\n        pass\n\n\n"
        "def alone(x):\n    def inner():\n        pass\n    return x\n\n\nif True:\n    def branch():\n        pass\n"
    ),
    "flat.py": "def twice():\n    return 1\n\n\ndef twice():\n    return 2\n\n\nasync def later():\n    pass\n",
    "other.py": "def branch():\n    pass\n",
    "latin.py": "# coding: latin-1\ndef caf\xe9():\n    pass\n".encode("latin-1"),
    "crlf.py": b"\xef\xbb\xbfdef windows():\r\n    return 1\r\n",
    "broken.py": "def fine():\n    pass\n\n\ndef bad(:\n    pass\n",
    "tests/test_x.py": "def alone():\n    pass\n",
    "conftest.py": "def alone():\n    pass\n",
}


@pytest.fixture
def tree(make_repo):
    return Tree(make_repo(FILES))


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("alone", "src/pkg/deep/mod.py pkg.deep.mod alone src"),
        ("A.go", "src/pkg/deep/mod.py pkg.deep.mod A.go src"),
        ("go", "src/pkg/deep/mod.py pkg.deep.mod A.go src"),
        ("A.still", "src/pkg/deep/mod.py pkg.deep.mod A.still src"),
        ("pkg.deep.mod:alone", "src/pkg/deep/mod.py pkg.deep.mod alone src"),
        ("deep.mod:branch", "src/pkg/deep/mod.py pkg.deep.mod branch src"),
        ("src/pkg/deep/mod.py::A.go", "src/pkg/deep/mod.py pkg.deep.mod A.go src"),
        ("src/pkg/deep/mod.py::A::go", "src/pkg/deep/mod.py pkg.deep.mod A.go src"),
        ("src/pkg/deep/mod.py:10", "src/pkg/deep/mod.py pkg.deep.mod alone src"),
        ("src/pkg/deep/mod.py:5", "src/pkg/deep/mod.py pkg.deep.mod A.still src"),
        ("top", "src/pkg/deep/__init__.py pkg.deep top src"),
        ("later", "flat.py flat later ."),
        ("windows", "crlf.py crlf windows ."),
        ("caf\xe9", "latin.py latin caf\xe9 ."),
    ],
)
def test_a_function_is_found_by_every_way_to_name_it(tree, spec, found):
    target = locate(tree, spec)
    assert f"{target.path} {target.module} {target.qualname} {target.import_root}" == found


def test_of_two_definitions_the_last_one_counts(tree):
    assert locate(tree, "twice").line == 5


def test_an_ambiguous_name_lists_all_meanings(tree):
    with pytest.raises(TargetAmbiguous) as caught:
        locate(tree, "branch")
    assert "other.py::branch" in caught.value.message
    assert "src/pkg/deep/mod.py::branch" in caught.value.message


@pytest.mark.parametrize("spec", ["nowhere", "A.nowhere", "wrong.module:alone", "no/such.py::f", "flat.py:400", ""])
def test_what_is_not_there_is_not_found(tree, spec):
    with pytest.raises(TargetNotFound):
        locate(tree, spec)


def test_a_syntax_error_is_told_where_it_is(tree):
    with pytest.raises(BadSource, match=r"broken\.py:5"):
        locate(tree, "bad")


def test_a_file_outside_of_the_tree_is_no_target(tree):
    with pytest.raises(TargetNotFound):
        locate(tree, "../../etc/passwd.py::f")


# kinds, and definitions that a name does not mean

KINDS = """\
import functools, typing
from typing import TYPE_CHECKING, overload


class C:
    def method(self):
        return lambda: (yield)

    @staticmethod
    def still():
        yield 1

    @classmethod
    async def made(cls):
        return (x async for x in cls)

    @property
    def size(self):
        return 1

    @size.setter
    def size(self, value):
        pass

    @functools.cached_property
    def cached(self):
        pass

    def __new__(cls):
        def inner():
            yield
        return inner

    def late(cls):
        pass
    late = classmethod(late)

    def __getitem__(self, k):
        pass

    def __hidden(self):
        pass

    class Inner:
        async def stream(self):
            yield 1


@overload
def many(x: int) -> int: ...
@typing.overload
def many(x: str) -> str: ...
@functools.cache
def many(x):
    return x


@many.register(int)
def _(x):
    pass


@many.register
def named(x: int):
    pass


try:
    with open("x"):
        def in_with():
            pass
except OSError:
    def in_handler():
        pass
else:
    def in_else():
        pass
if TYPE_CHECKING:
    def in_handler(only_for_checkers):
        pass
match KINDS:
    case 1:
        def in_case():
            pass
    case _:
        def in_case():
            pass


class Declared:
    @overload
    def only(self): ...

    @many.setter
    def only_set(self, value):
        pass


def outer():
    class Local:
        def deep(self):
            def deeper():
                pass
            return deeper
    if Local:
        def inner():
            pass
    return Local
"""
NEST = {
    "k.py": KINDS,
    "tests/test_k.py": "def only_here():\n    pass\n",
    "twins.py": """\
if 1:
    def g():
        pass
else:
    def g():
        pass
""",
}


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("method", "C.method method"),
        ("C.still", "C.still staticmethod generator"),
        ("C.made", "C.made classmethod async"),
        ("C.size", "C.size property"),
        ("cached", "C.cached property"),
        ("C.__new__", "C.__new__ staticmethod"),
        ("C.late", "C.late classmethod"),
        ("__getitem__", "C.__getitem__ method"),
        ("k.py::C::Inner::stream", "C.Inner.stream method async generator"),
        ("many", "many function"),
        ("named", "named function"),
        ("in_with", "in_with function"),
        ("in_handler", "in_handler function"),
        ("in_else", "in_else function"),
        ("in_case", "in_case function"),
        ("outer", "outer function"),
        ("only_set", "Declared.only_set method"),  # a decorator like any: it is called after another name
    ],
)
def test_the_kind_of_a_target_is_known(make_repo, spec, found):
    target = locate(Tree(make_repo(NEST)), spec)
    flags = [word for word, is_so in (("async", target.is_async), ("generator", target.is_generator)) if is_so]
    assert " ".join([target.qualname, target.kind, *flags]) == found


def line_of(text: str, nth: int = 0) -> int:
    return [number for number, line in enumerate(KINDS.splitlines(), 1) if text in line][nth]


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("many", line_of("def many(x):")),
        ("size", line_of("def size(self)")),
        ("in_handler", line_of("def in_handler()")),
        ("in_case", line_of("def in_case", 1)),
        (f"k.py:{line_of('@overload')}", line_of("def many(x):")),
        (f"k.py:{line_of('functools.cache') + 1}", line_of("def cached")),
        (f"k.py:{line_of('def deeper')}", line_of("def outer")),
        (f"k.py:{line_of('def inner', 1)}", line_of("def outer")),
    ],
)
def test_of_several_definitions_the_one_is_meant_that_works(make_repo, spec, line):
    """An overload leads to the implementation; a line in a nested function is a place in the outer one."""
    assert locate(Tree(make_repo(NEST)), spec).line == line


@pytest.mark.parametrize(
    ("spec", "inner"),
    [
        ("inner", "inner"),
        ("outer.inner", "inner"),
        ("outer.<locals>.inner", "inner"),
        ("k:inner", "inner"),
        ("k.py::inner", "inner"),
        ("Local.deep", "Local.deep"),
        ("deeper", "Local.deep.deeper"),
    ],
)
def test_a_nested_function_is_refused_with_the_outer_one_to_take(make_repo, spec, inner):
    with pytest.raises(TargetNested) as caught:
        locate(Tree(make_repo({"k.py": KINDS[KINDS.index("def outer") :]})), spec)
    assert caught.value.message == f"`{inner}` is nested inside `outer`, so it cannot be exchanged on its own"
    assert "--target k.py::outer" in caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("spec", ["only_here", "test_k:only_here", "tests/test_k.py::only_here", "tests/test_k.py:1"])
def test_a_function_of_the_tests_is_refused_as_one(make_repo, spec):
    with pytest.raises(TargetNotFound, match=r"tests/test_k\.py.*tests are no targets"):
        locate(Tree(make_repo(NEST)), spec)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("only", "only declares `Declared.only`"),
        ("k.py::_", "only declares `_`"),
        (f"k.py:{line_of('def _(x)')}", "only declares `_`"),
        (f"k.py:{line_of('def size(self, value)')}", f"leads to the definition in line {line_of('def size(self)')}"),
        ("twins.py:3", "leads to the definition in line 5"),
        ("k.py:1", "line 1 of k.py stands in no function"),
    ],
)
def test_what_a_name_does_not_lead_to_is_told(make_repo, spec, said):
    with pytest.raises(TargetNotFound) as caught:
        locate(Tree(make_repo(NEST)), spec)
    assert said in caught.value.message


HANDS_ON = {
    "colors/__init__.py": "from ._conversion import hex_to_rgb, plain as simple\nfrom colors._kinds import *\n",
    "colors/_conversion.py": "def hex_to_rgb(x):\n    return x\n\n\ndef plain():\n    pass\n",
    "colors/_kinds.py": "class Kind:\n    def mixed(self):\n        pass\n",
    "colors/_old.py": "def hex_to_rgb(x):\n    return x\n",
}


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ("colors:hex_to_rgb", "colors/_conversion.py::hex_to_rgb"),
        ("colors/__init__.py::hex_to_rgb", "colors/_conversion.py::hex_to_rgb"),
        ("colors:simple", "colors/_conversion.py::plain"),
        ("colors:Kind.mixed", "colors/_kinds.py::Kind.mixed"),
    ],
)
def test_a_name_that_a_module_only_hands_on_is_refused_with_the_place_to_take(make_repo, spec, place):
    tree = Tree(make_repo(HANDS_ON))
    with pytest.raises(TargetNotFound) as caught:
        locate(tree, spec)
    assert caught.value.hint == f"Name it by where it stands: `--target {place}`."
    assert locate(tree, place).path == place.partition("::")[0]


def test_where_nothing_is_imported_all_functions_of_that_name_are_suggested(make_repo):
    with pytest.raises(TargetNotFound, match="'nowhere:hex_to_rgb' is not where a function is defined") as caught:
        locate(Tree(make_repo(HANDS_ON)), "nowhere:hex_to_rgb")
    places = "`--target colors/_conversion.py::hex_to_rgb`, or `--target colors/_old.py::hex_to_rgb`"
    assert caught.value.hint == f"Name it by where it stands: {places}."


def test_private_names_are_followed_as_the_compiler_writes_them():
    names = ["C.__hidden", "__A.__B.__hidden", "C.__getitem__", "__alone", "_.__x"]
    followed = [".".join(Target("m.py", name, "m", ".", 1).attributes) for name in names]
    assert followed == ["C._C__hidden", "__A._A__B._B__hidden", "C.__getitem__", "__alone", "_.__x"]


def test_a_project_that_lies_in_a_folder_called_tests_has_targets(make_repo):
    tree = Tree(
        make_repo({"tests/projects/a/m.py": "def f(): pass\n", "tests/test_a.py": "def f(): pass\n"}),
        "tests/projects/a",
    )
    assert locate(tree, "f").path == "tests/projects/a/m.py"


def test_a_keyword_may_be_set_apart_from_the_name_by_anything_that_python_allows(make_repo):
    tree = Tree(make_repo({"m.py": "def\tf(): pass\ndef \\\n g(): pass\nasync  def h(): pass\n"}))
    assert [locate(tree, name).line for name in "fgh"] == [1, 2, 4]


# what an edit may touch

BEFORE = '''"""Doc."""

import os
from math import sqrt

__all__ = ["f"]
LIMIT = 3


class C:
    size = 1

    def g(self):
        return 1


@staticmethod
def f(a, b=2, *, c=LIMIT):
    """What f does."""
    return os.path.join(a, str(sqrt(b)))


def other():
    return 1
'''
TARGET = Target("m.py", "f", "m", ".", 18)


def objection(old: str, new: str, count: int = 1) -> str | None:
    assert old in BEFORE
    return check.fault(TARGET, Patch((Change("m.py", BEFORE, BEFORE.replace(old, new, count)),)))


BODY = "    return os.path.join(a, str(sqrt(b)))\n"
ALLOWED = {
    "another body": (BODY, "    return a + '/' + str(b ** 0.5)\n"),
    "a helper inside": (BODY, "    def inner():\n        return a\n    return inner()\n"),
    "a standard import": ("import os\n", "import os\nimport heapq\n"),
    "a standard import from": ("import os\n", "import os\nfrom collections import deque\n"),
    "a private constant": ("LIMIT = 3\n", "LIMIT = 3\n_TABLE = {1: 2}\n"),
    "comments and layout anywhere": ("def other():\n", "# new\ndef other():\n\n"),
    "a decorator": ("@staticmethod\n", "@staticmethod\n@functools.cache\n"),
}
REFUSED = {
    "another function": ("def other():\n    return 1", "def other():\n    return 2"),
    "a class body": ("size = 1", "size = 2"),
    "a method": ("        return 1", "        return 2"),
    "a default": ("b=2", "b=3"),
    "a parameter": ("f(a, ", "f(a, z=1, "),
    "a parameter's kind": ("*, c", "c"),
    "its name": ("def f(", "def h("),
    "async": ("def f(", "async def f("),
    "a decorator away": ("@staticmethod\n", ""),
    "a public constant": ("LIMIT = 3\n", "LIMIT = 3\nNEW = 1\n"),
    "an old constant": ("LIMIT = 3\n", "LIMIT = 4\n"),
    "a shadowed constant": ("def other", "LIMIT = 5\n\n\ndef other"),
    "a dunder": ("LIMIT = 3\n", "LIMIT = 3\n__getattr__ = 1\n"),
    "__all__": ('["f"]', '["f", "other"]'),
    "a foreign import": ("import os\n", "import os\nimport numpy\n"),
    "a shadowing import": ("import os\n", "import os\nfrom cmath import sqrt\n"),
    "a shadowing alias": ("import os\n", "import os\nimport heapq as str\n"),
    "a future import": ('"""Doc."""\n', '"""Doc."""\n\nfrom __future__ import annotations\n'),
    "a star import": ("import os\n", "import os\nfrom heapq import *\n"),
    "a new class": ("def other", "class D:\n    pass\n\n\ndef other"),
    "a new function": ("def other", "def _help():\n    pass\n\n\ndef other"),
    "a statement": ("LIMIT = 3\n", "LIMIT = 3\nos.environ.clear()\n"),
    "a module docstring": ('"""Doc."""', '"""Other."""'),
    "an unpacking": ("LIMIT = 3\n", "LIMIT = 3\n_a, LIMIT = 1, 2\n"),
    "a walrus": ("LIMIT = 3\n", "LIMIT = 3\n_a = (LIMIT := 5)\n"),
    "another order": ("import os\nfrom math import sqrt\n", "from math import sqrt\nimport os\n"),
    "a global of others": (BODY, "    global LIMIT\n    LIMIT = 9\n    return a\n"),
    "removed code": ("def other():\n    return 1\n", ""),
    "no Python": (BODY, "    return (\n"),
    "nothing": (BODY, BODY),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_an_edit_in_scope_is_let_through(name):
    assert objection(*ALLOWED[name]) is None


@pytest.mark.parametrize("name", REFUSED)
def test_an_edit_out_of_scope_is_refused(name):
    assert objection(*REFUSED[name])


@pytest.mark.parametrize("path", ["tests/test_m.py", "conftest.py", "pyproject.toml", "other.py"])
def test_other_files_are_refused(path):
    extra = Change(path, "a\n", "b\n")
    edit = Change("m.py", BEFORE, BEFORE.replace(BODY, "    return a\n"))
    assert path in (check.fault(TARGET, Patch((edit, extra))) or "")


def test_layout_and_comments_do_not_make_a_new_candidate():
    assert check.normal_form("x = 1\n", "m.py") == check.normal_form("x  =  1  # one\n\n", "m.py")
    assert check.normal_form("x = 1\n", "m.py") != check.normal_form("x = 2\n", "m.py")
