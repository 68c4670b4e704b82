"""Edits, sources and values made to slip through: what scope, locate and the encoding once let pass, or might."""

from __future__ import annotations

import pytest
import toolbox_path  # noqa: F401

from optagent.core.patch import Change, Patch
from optagent.core.target import Target, Tree
from optagent.errors import BadSource, TargetNotFound
from optagent.languages.python.scope import check
from optagent.languages.python.source.sources import read_source
from optagent.languages.python.targets.locate import locate
from optagent.languages.python.targets.specs import parse

# isort: split
import optagent_objects  # noqa: F401 - puts the objects into the encoding
from optagent_encode import CannotEncode, encode

MODULE = '''"""Doc."""
import os

try:
    from fast import helper
except ImportError as missing:
    def helper():
        return 1

for _index in range(3):
    pass

class C:
    limit = 3

    def f(self, xs=()):
        import heapq
        return len(xs)

    @property
    def g(self):
        return 1


def other():
    return _state
'''
METHOD = Target("m.py", "C.f", "m", ".", 16)


def objection(new: str, target: Target = METHOD, old: str = MODULE) -> str | None:
    return check.fault(target, Patch((Change("m.py", old, new),)))


def put(line: str, before: str = "class C") -> str:
    return MODULE.replace(before, line + "\n\n" + before, 1)


SLIPS = {
    "a builtin by an import": put("import heapq as len"),
    "a builtin by import from": put("from operator import length_hint as len"),
    "a name bound by a handler": put("import re as missing"),
    "a name of a loop": put("_index = 7"),
    "a name that others only read": put("_state = 7"),
    "a name of an except's function": put("import re as helper"),
    "a walrus in a constant": put("_a = [os := 1]"),
    "a walrus in a comprehension": put("_a = [(other := n) for n in (1,)]"),
    "a constant of two targets": put("_a = os.sep = 1"),
    "an attribute of a module": put("os.sep = '!'"),
    "an item of a module": put("os.environ['A'] = '1'"),
    "an annotated public name": put("limit: int = 3"),
    "an augmented assignment": put("_index += 1"),
    "a deletion": put("del _index"),
    "an import in a condition": put("if True:\n    import re"),
    "an import before the docstring": "import re\n" + MODULE,
    "a docstring of its own": MODULE.replace('"""Doc."""', '"""Doc."""\n"""More."""'),
    "a base class": MODULE.replace("class C:", "class C(dict):"),
    "a class attribute": MODULE.replace("    limit = 3", "    limit = 3\n    _more = 4"),
    "slots": MODULE.replace("    limit = 3", "    limit = 3\n    __slots__ = ()"),
    "a helper method": MODULE.replace("    @property", "    def _h(self):\n        pass\n\n    @property"),
    "a second definition before": MODULE.replace("    def f(", "    def f(self):\n        pass\n\n    def f("),
    "a second definition after": MODULE.replace("    @property", "    def f(self, xs=()):\n        return 2\n\n    @property"),
    "another property": MODULE.replace("        return 1\n\n\ndef", "        return 2\n\n\ndef"),
    "a class decorator": put("@sealed", "class C").replace("@sealed\n\n", "@sealed\n"),
    "another default": MODULE.replace("xs=()", "xs=(1,)"),
    "another kind of function": MODULE.replace("def f(self", "async def f(self"),
    "a return type": MODULE.replace("xs=()):", "xs=()) -> int:"),
    "another handler": MODULE.replace("ImportError", "Exception"),
    "another import in the try": MODULE.replace("from fast import helper", "from faster import helper"),
    "a global of others": MODULE.replace("        return len(xs)", "        global other\n        other = None"),
    "a builtin as global": MODULE.replace("        return len(xs)", "        global len\n        len = None"),
    "a dunder as global": MODULE.replace("        return len(xs)", "        global __all__\n        __all__ = []"),
    "a global in a function inside": MODULE.replace(
        "        return len(xs)", "        def h():\n            global os\n            os = 1\n        return h()"
    ),
    "the same function as a class": MODULE.replace("    def f(self, xs=()):\n", "    class f:\n"),
    "an end": MODULE + "raise SystemExit\n",
    "an entry point": MODULE + 'if __name__ == "__main__":\n    pass\n',
    "__getattr__": MODULE + "def __getattr__(name):\n    return 1\n",
    "code in a comment, by a coding line": "# coding: unicode_escape\n" + MODULE + "# \\u000aimport os; os._exit(0)\n",
    "a zero byte": MODULE + "\0",
    "bottomless nesting": MODULE.replace("len(xs)", "(" * 5000 + ")" * 5000),
}  # fmt: skip


@pytest.mark.parametrize("name", SLIPS)
def test_an_edit_made_to_slip_through_is_refused(name):
    assert SLIPS[name] != MODULE
    assert objection(SLIPS[name])


HONEST = {
    "the import of the body moved up": MODULE.replace("        import heapq\n", "").replace("import os\n", "import os\nimport heapq\n"),
    "a constant used as a private global": MODULE.replace(
        "        return len(xs)", "        global _count\n        _count = 1\n        return len(xs)"
    ).replace("class C", "_count = 0\n\n\nclass C"),
    "a decorator with an import": MODULE.replace("    def f(", "    @functools.lru_cache\n    def f(").replace("import os\n", "import os\nimport functools\n"),
    "an annotated private constant": put("_table: dict[int, int] = {}"),
    "a submodule of the standard library": put("import collections.abc"),
    "a comment, a blank line, another quote": MODULE.replace('"""Doc."""', "'''Doc.'''  # why\n"),
    "windows line ends": MODULE.replace("return len(xs)", "return 0 + len(xs)").replace("\n", "\r\n"),
    "a docstring of the function": MODULE.replace("        import heapq\n", '        """How many."""\n        import heapq\n'),
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_its_honest_twin_is_let_through(name):
    assert objection(HONEST[name]) is None


DECORATED = """import functools


@functools.wraps(print)
def f(x):
    return x


class C:
    @property
    def g(self):
        return 1
"""


@pytest.mark.parametrize(
    ("qualname", "line", "edit"),
    [
        ("f", 5, ("@functools.wraps(print)\n", "@functools.wraps(print)\n@functools.lru_cache\n")),
        ("f", 5, ("@functools.wraps(print)\n", "@functools.lru_cache\n@functools.wraps(print)\n")),
        ("f", 5, ("@functools.wraps(print)\n", "@functools.wraps(print)\n@functools.wraps(print)\n")),
        ("f", 5, ("@functools.wraps(print)\n", "@functools.wraps(len)\n")),
        ("f", 5, ("@functools.wraps(print)\n", "")),
        ("C.g", 11, ("    @property\n", "")),
        ("C.g", 11, ("    @property\n", "    @staticmethod\n")),
    ],
)
def test_the_decorators_of_a_decorated_target_stay_as_they_are(make_repo, qualname, line, edit):
    """What they make of the function is not what is judged: the worker calls the function below them."""
    target = locate(Tree(make_repo({"m.py": DECORATED})), f"m.py:{line}")
    assert target.qualname == qualname
    said = objection(DECORATED.replace(*edit, 1), target, DECORATED)
    assert said is not None
    assert "decorator" in said


def test_a_target_without_decorators_may_get_one(make_repo):
    target = locate(Tree(make_repo({"m.py": DECORATED})), "f")
    bare = DECORATED.replace("@functools.wraps(print)\n", "")
    plain = locate(Tree(make_repo({"m.py": bare})), "f")
    assert target.is_decorated
    assert objection(bare.replace("def f(", "@functools.lru_cache\ndef f("), plain, bare) is None


def test_of_two_edits_of_one_file_none_hides_behind_the_other():
    good = Change("m.py", MODULE, MODULE.replace("return len(xs)", "return 0 + len(xs)"))
    bad = Change("m.py", MODULE, MODULE + "raise SystemExit\n")
    assert "twice" in (check.fault(METHOD, Patch((good, bad))) or "")


@pytest.mark.parametrize(
    "change",
    [
        Change("m.py", MODULE, None),
        Change("m.py", None, MODULE),
        Change("./m.py", MODULE, MODULE + "\n#"),
        Change("n/../m.py", MODULE, MODULE + "\n#"),
        Change("m.pyi", None, "x: int\n"),
        Change("m/__init__.py", None, ""),
    ],
)
def test_a_file_made_deleted_or_named_otherwise_is_refused(change):
    assert check.fault(METHOD, Patch((change,)))


def test_an_empty_patch_changes_nothing():
    assert check.fault(METHOD, Patch(())) == "changes nothing"


# sources


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("f", ("f", "", "", 0)),
        ("C.f", ("C.f", "", "", 0)),
        ("a.b:C.f", ("C.f", "a.b", "", 0)),
        ("a/b.py::C.f", ("C.f", "", "a/b.py", 0)),
        ("a/b.py::C::f", ("C.f", "", "a/b.py", 0)),
        ("a/b.py:f", ("f", "", "a/b.py", 0)),
        ("a/b.py:12", ("", "", "a/b.py", 12)),
        ("C:\\x.py:3", ("", "", "C:\\x.py", 3)),
    ],
)
def test_a_target_is_read_as_typed(text, parts):
    spec = parse(text)
    assert (spec.name, spec.module, spec.path, spec.line) == parts


def test_a_function_that_stands_in_for_a_missing_module_is_found(make_repo):
    """`except ImportError: def f()` is where many slow functions live."""
    tree = Tree(make_repo({"m.py": MODULE}))
    assert locate(tree, "helper").line == 7
    assert locate(tree, "m:C.f").import_root == "."


def test_the_project_may_be_a_folder_of_a_larger_repository(make_repo):
    tree = Tree(
        make_repo({"lib/pkg/__init__.py": "", "lib/pkg/a.py": "def f(): pass\n", "other/a.py": "def f(): pass\n"}),
        "lib",
    )
    target = locate(tree, "f")
    assert (target.path, target.module, target.import_root) == ("lib/pkg/a.py", "pkg.a", "lib")


@pytest.mark.parametrize("folder", [".venv/lib", "node_modules", "build", "__pycache__", ".git"])
def test_what_is_not_the_projects_own_is_not_searched(make_repo, folder):
    with pytest.raises(TargetNotFound):
        locate(Tree(make_repo({f"{folder}/a.py": "def f(): pass\n"})), "f")


def test_overloads_and_conditional_definitions_mean_the_last_one(make_repo):
    text = "import typing\n@typing.overload\ndef f(a: int): ...\n@typing.overload\ndef f(a: str): ...\ndef f(a): return a\n"
    tree = Tree(make_repo({"m.py": text, "n.py": "if 1:\n    def g(): pass\nelse:\n    def g(): pass\n"}))
    assert locate(tree, "f").line == 6
    assert locate(tree, "g").line == 4
    assert locate(tree, "m.py:6").qualname == "f"


@pytest.mark.parametrize(
    "data",
    [b"# coding: no-such-thing\n", b"\xff\xfe", b"def f():\n    return '\xe9'\n", b"\xef\xbb\xbf# coding: latin-1\n"],
)
def test_a_source_that_cannot_be_decoded_is_told_in_a_sentence(make_repo, data):
    with pytest.raises(BadSource, match=r"m\.py cannot be read"):
        read_source(make_repo({"m.py": data}) / "m.py")


def test_a_link_that_leaves_the_tree_is_not_followed_to_a_target(make_repo, tmp_path):
    (tmp_path / "out.py").write_text("def f(): pass\n")
    tree = Tree(make_repo({"a.py": "x = 1\n"}))
    (tree.root / "link.py").symlink_to(tmp_path / "out.py")
    with pytest.raises(TargetNotFound):
        locate(tree, "link.py::f")


# values


def test_two_halves_of_a_character_are_not_the_character():
    assert encode("\ud83d\ude00") != encode("\U0001f600")
    assert encode({"\ud83d\ude00": 1}) != encode({"\U0001f600": 1})


class Disguise(type):
    """A metaclass whose classes claim to be list."""

    def __hash__(cls) -> int:
        return hash(list)

    def __eq__(cls, other: object) -> bool:
        return other is list or other is cls


class Impostor(metaclass=Disguise):
    def __iter__(self):
        return iter([1])


def test_a_class_that_claims_to_be_a_list_is_not_taken_for_one():
    assert encode(Impostor()) != encode([1])
    assert b"Impostor" in encode(Impostor())


class Mute(ValueError):
    def __str__(self) -> str:
        raise KeyError("no words")


def test_an_exception_without_words_is_refused_by_name_and_harms_nobody():
    with pytest.raises(CannotEncode, match="Mute"):
        encode([Mute(1)])


@pytest.mark.parametrize(
    "wrap", [lambda one: [one], lambda one: (one,), lambda one: {"k": one}, lambda one: frozenset([one])]
)
@pytest.mark.parametrize("depth", [300, 401, 2000])
def test_depth_is_encoded_or_refused_whatever_it_is_made_of(wrap, depth):
    value: object = 1
    for _ in range(depth):
        value = wrap(value)
    try:
        assert encode(value)
    except CannotEncode as refusal:
        assert "nested deeper" in str(refusal)  # noqa: PT017 - either is right


def test_sets_of_sets_have_one_form():
    one = {frozenset({1, "a"}), frozenset({(2.5, None)}), frozenset()}
    other = {frozenset(), frozenset({(2.5, None)}), frozenset({"a", 1})}
    assert encode(one) == encode(other)


def test_an_alias_is_numbered_by_where_it_stands_first():
    a, b = [1], [2]
    assert encode([a, b, a]) != encode([a, b, b])
    assert encode({"x": a, "y": a}) != encode({"x": [1], "y": [1]})
    assert encode((a, (a,))) == b'["t",["l",1],["t",["r",0]]]'


def test_an_int_beyond_53_bits_and_its_neighbours_are_exact():
    values = [n + d for n in (1 << 53, -(1 << 53), 10**400) for d in (-1, 0, 1)]
    assert len({encode(value) for value in values}) == len(values)
