"""What changed between two trees is told function by function, from syntax trees."""

from __future__ import annotations

import pytest

from optagent.core.target import Tree
from optagent.languages.python.source.changed import changes
from optagent.languages.python.source.modules import counterpart
from optagent.languages.python.targets.locate import locate
from optagent.languages.python.testing.judging_files import judges, restore

ONE = '''"""A module."""

import os

LIMIT = 3


def f(a, b=1):
    """Adds."""
    return a + b


class Box:
    def get(self):
        return 1

    @staticmethod
    def of(n):
        return n


def untouched():
    return 0
'''


@pytest.fixture
def change(make_repo):
    """The changes between two sets of files, by default of one module."""

    def told(old, new):
        sides = [{"m.py": one} if isinstance(one, str) else one for one in (old, new)]
        base, head = (Tree(make_repo(one)) for one in sides)
        paths = sorted({*sides[0], *sides[1]})
        return changes(base, head, [path for path in paths if sides[0].get(path) != sides[1].get(path)])

    return told


def names(found):
    return [pair.base.qualname for pair in found.pairs]


def reasons(found):
    return {one.name: one.why for one in found.apart}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return a + b", "return (a +\n            b)  # the sum"),
        ('"""Adds."""', '"""Adds two."""'),
        ('"""A module."""', '"""The module."""'),
        ("\n\nclass Box", "\n\n\n\nclass Box"),
    ],
)
def test_layout_comments_and_docstrings_are_no_change(change, old, new):
    assert change(ONE, ONE.replace(old, new)).is_none


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("a + b", "b + a", ["f"]),
        ("b=1", "b=2", ["f"]),
        ("return 1", "return 2", ["Box.get"]),
        ("        return n", "        return +n", ["Box.of"]),
        ("    def get", "    @print\n    def get", ["Box.get"]),
    ],
)
def test_a_changed_function_is_found_by_its_qualified_name(change, old, new, changed):
    found = change(ONE, ONE.replace(old, new))
    assert names(found) == changed
    assert not found.apart
    assert not found.around


def test_code_outside_of_functions_is_told_apart(change):
    found = change(ONE, ONE.replace("LIMIT = 3", "LIMIT = 4"))
    assert found.around == ("m",)
    assert not found.pairs
    assert not found.is_none


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("def f(a, b=1)", "def f(a, c=1)", "its signature changed from (a, b=...) to (a, c=...)"),
        ("def f(a, b=1)", "def f(a, b)", "its signature changed from (a, b=...) to (a, b)"),
        ("def f(a, b=1)", "def f(a, *, b=1)", "its signature changed from (a, b=...) to (a, *, b=...)"),
        ("def f(a", "async def f(a", "its signature changed from (a, b=...) to async (a, b=...)"),
        ("def f(a", "def g(a", "deleted"),
    ],
)
def test_what_cannot_be_called_alike_is_no_pair(change, old, new, why):
    found = change(ONE, ONE.replace(old, new).replace("a + b", "b + a"))
    assert not found.pairs
    assert reasons(found)["m:f"] == why


def test_a_method_that_becomes_another_kind_is_no_pair(change):
    found = change(ONE, ONE.replace("    @staticmethod\n    def of(n)", "    @classmethod\n    def of(n)"))
    assert "from staticmethod (n) to classmethod (n)" in reasons(found)["m:Box.of"]


def test_a_new_function_is_told(change):
    found = change(ONE, ONE + "\n\ndef late(x):\n    return x\n")
    assert reasons(found) == {"m:late": "new"}


def test_a_file_that_moves_under_the_same_import_name_is_followed(change):
    files = {"pkg/__init__.py": "", "pkg/m.py": ONE}
    moved = {"src/pkg/__init__.py": "", "src/pkg/m.py": ONE.replace("a + b", "b + a")}
    found = change(files, moved)
    ((base, head),) = [(pair.base, pair.head) for pair in found.pairs]
    assert (base.path, head.path) == ("pkg/m.py", "src/pkg/m.py")
    assert (base.module, head.module) == ("pkg.m", "pkg.m")
    assert (base.import_root, head.import_root) == (".", "src")
    assert not found.apart


def test_a_module_under_another_name_is_another_one(change):
    found = change({"old.py": "def f():\n    return 1\n"}, {"new.py": "def f():\n    return 1\n"})
    assert reasons(found) == {"old:f": "deleted", "new:f": "new"}


def test_two_files_of_the_same_name_are_not_mixed_up(change):
    files = {"a/main.py": "def f():\n    return 1\n", "b/main.py": "def f():\n    return 2\n"}
    found = change(files, {name: text.replace("return", "return -") for name, text in files.items()})
    assert [(pair.base.path, pair.head.path) for pair in found.pairs] == [("a/main.py",) * 2, ("b/main.py",) * 2]


def test_a_side_that_does_not_parse_is_told(change):
    assert "not valid Python" in reasons(change(ONE, ONE + "def bad(:\n"))["m"]


def test_a_very_deep_expression_is_compared_all_the_same(change):
    deep = "def f(a):\n    return " + " + ".join(["a"] * 900) + "\n"
    assert change(deep, deep.replace("def", "\ndef")).is_none
    assert names(change(deep, deep.replace("a + a\n", "a - a\n"))) == ["f"]


def test_prose_is_no_change_and_data_is(change):
    assert change({"README.md": "1", "docs/a.rst": "1"}, {"README.md": "2", "docs/a.rst": "2"}).is_none
    assert change({"pkg/table.csv": "1"}, {"pkg/table.csv": "2"}).others == ("pkg/table.csv",)
    assert change({"pkg/page.md": "1"}, {"pkg/page.md": "2"}).others == ("pkg/page.md",)


def test_code_outside_of_the_project_is_no_function_of_it_and_still_a_change(make_repo):
    base, head = (Tree(make_repo({"one/m.py": "", "two/n.py": f"def f():\n    return {n}\n"}), "one") for n in "12")
    assert changes(base, head, ["two/n.py"]).others == ("two/n.py",)


def test_the_counterpart_of_a_function_stands_at_its_old_place_or_where_its_module_went(make_repo):
    base = Tree(make_repo({"pkg/__init__.py": "", "pkg/m.py": ONE}))
    head = Tree(make_repo({"src/pkg/__init__.py": "", "src/pkg/m.py": ONE, "other/m.py": ONE}))
    target = locate(base, "pkg/m.py::f")
    assert counterpart(head, target)[1].path == "src/pkg/m.py"
    assert counterpart(base, counterpart(head, target)[1])[1] == target
    assert counterpart(Tree(make_repo({"pkg/m.py": "x = 1\n"})), target) is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/data.json", True), ("pkg/tests/helper.py", True), ("conftest.py", True), ("pytest.ini", True),
        ("pyproject.toml", True), ("test/helper.py", True), ("pkg/test/client.py", False), ("pkg/testing/x.py", False),
        ("pkg/test/test_x.py", True), ("pkg/m.py", False), ("pkg/setup.cfg", False), ("latest/x.py", False),
    ],
)  # fmt: skip
def test_what_judges_the_project_is_known_by_its_place(make_repo, path, expected):
    assert judges(Tree(make_repo({"pkg/__init__.py": ""})), path) is expected


def test_restored_files_are_those_of_the_base_and_what_it_lacks_is_gone(make_repo):
    base = Tree(make_repo({"tests/test_a.py": "base", "tests/d/x.txt": "x", "m.py": "1"}))
    head = Tree(make_repo({"tests/test_a.py": "head", "tests/test_new.py": "", "tests/d": "a file", "m.py": "2"}))
    restore(base, head, ["tests/test_a.py", "tests/test_new.py", "tests/d/x.txt", "tests/d"])
    left = {path.relative_to(head.root).as_posix(): path.read_text() for path in head.root.rglob("*") if path.is_file()}
    assert left == {"tests/test_a.py": "base", "tests/d/x.txt": "x", "m.py": "2"}
