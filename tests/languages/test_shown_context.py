"""What a Coder is shown of a target and of what it uses in its file."""

from __future__ import annotations

import pytest

from optagent.languages.python.edit.context import MOST_CHARS, shown

SOURCE = '''"""Doc."""
import os
from re import (
    compile,
)
try:
    import numpy
except ImportError:
    numpy = None

_LIMIT = 3
UNUSED = 4


class Base:
    size: int = 8

    def inherited(self):
        return 1


class Other:
    __slots__ = ("x",)

    def __init__(self):
        self.x = _LIMIT

    def used(self): pass
    def unused(self): pass


@decorated
class Ring(Base, metaclass=M):
    """A ring."""

    STEP = 2
    width: int

    def __init__(self, values):
        self.values = values

    # above
    @cached
    def target(self, other):
        helper(_LIMIT)
        helper = local(1)
        self.own(self.STEP)
        self.inherited()
        other.unused()
        self.target(other)
        Other.used(Other())
        super().inherited()
        return Ring([numpy, self.size])

    def own(self, x): return x

    def unused(self): return 1


def local(x):
    return helper(x)


def helper(x):
    return x


def cached(function):
    return function
'''


def test_a_method_is_shown_with_what_it_uses_directly_and_nothing_else():
    result = shown(SOURCE, "Ring.target", 40)
    assert result.function.startswith("    @cached\n    def target(self, other):\n")
    assert result.function.endswith("return Ring([numpy, self.size])\n")
    assert SOURCE.split("\n")[result.start_line - 1] == "    @cached"
    assert result.imports == "import os\nfrom re import (\n    compile,\n)\n    import numpy\n"
    assert [one.name for one in result.calls] == [
        "numpy", "_LIMIT", "Base.size", "Base.inherited", "Other", "Other.used", "Ring.STEP", "Ring.own", "local", "cached",
    ]  # fmt: skip
    sources = {one.name: one.source for one in result.calls}
    assert sources["local"] == "def local(x):\n    return helper(x)\n"
    assert sources["Ring.STEP"] == "    STEP = 2\n"
    assert sources["Other"] == (
        'class Other:\n    __slots__ = ("x",)\n    def __init__(self):\n        self.x = _LIMIT\n'
    )
    assert result.around == (
        "@decorated\nclass Ring(Base, metaclass=M):\n    width: int\n    def __init__(self, values):\n"
        "        self.values = values\n"
    )
    assert result.left_out == ""


def test_a_function_has_nothing_around_it_and_local_names_hide_those_of_the_file():
    result = shown("def g(): pass\ndef h(): pass\ndef f(g):\n    h = 1\n    return g(h)\n", "f", 3)
    assert (result.calls, result.around, result.imports) == ((), "", "")


def test_methods_without_an_instance_see_the_class_by_their_first_argument_or_its_name():
    source = (
        "class C:\n    A = 1\n    B = 2\n    @classmethod\n    def c(cls): return cls.A\n"
        "    @staticmethod\n    def s(self): return self.A + C.B\n"
    )
    assert [one.name for one in shown(source, "C.c", 5).calls] == ["C.A"]
    assert [one.name for one in shown(source, "C.s", 7).calls] == ["C.B"]


def test_of_nested_classes_all_heads_are_shown():
    source = "class A:\n    class B(X):\n        def f(self):\n            return 1\n"
    assert shown(source, "A.B.f", 3).around == "class A:\n    class B(X):\n"


def test_the_largest_parts_are_left_out_and_named_but_never_the_target():
    table = "_TABLE = [\n" + "    1,\n" * MOST_CHARS + "]\n"
    body = "    # long\n" * MOST_CHARS
    source = f"{table}_SMALL = 1\ndef f():\n{body}    return _TABLE[_SMALL]\n"
    result = shown(source, "f", source[: source.index("def f")].count("\n") + 1)
    assert [one.name for one in result.calls] == ["_SMALL"]
    assert result.left_out == "Left out because it is long: _TABLE."
    assert len(result.function) > MOST_CHARS


def test_line_ends_are_plain_and_a_byte_order_mark_is_no_part_of_it():
    result = shown("\ufeffdef f():\r\n    return 1\r\n", "f", 1)
    assert (result.function, result.start_line) == ("def f():\n    return 1\n", 1)


def test_a_circle_of_base_classes_ends():
    source = "class A(B):\n    def f(self): return self.x\nclass B(A): pass\n"
    assert shown(source, "A.f", 2).calls == ()


def test_a_function_that_is_not_there_is_an_error_of_the_caller():
    with pytest.raises(KeyError):
        shown("x = 1\n", "f", 1)
