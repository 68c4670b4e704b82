"""What was edited by places is looked at before anybody builds on it."""

import pytest

from optagent.core.target import Target
from optagent.languages.python.edit.edited import import_effect, trouble

TARGET = Target("m.py", "C.f", "m", ".", 2)


def test_a_file_with_the_target_is_no_trouble():
    assert trouble("class C:\n    def f(self):\n        return 1\n", TARGET) is None


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("class C:\n    def g(self):\n        return 1\n", "C.f is gone"),
        ("class C:\n    def f(self):\n        return (\n", "the file does not parse"),
        (f"class C:\n    def f(self):\n        return {'-' * 3000}1\n", "nested too deeply|does not parse"),
    ],
)
def test_trouble_is_told_in_a_sentence(source, said):
    import re

    found = trouble(source, TARGET)
    assert found is not None
    assert re.search(said, found)


FILE = "import re\n\n_OLD = print()\n\n\ndef f(x=print()):\n    return x\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("_X = __import__('os').system('true')", "calls __import__('os').system at import"),
        ("_X = [open('/etc/passwd') for _ in (1,)]", "calls open at import"),
        ("_X: open('x') = 1", "calls open at import"),
        ("_X = (lambda: f())()", "at import"),
        ("def _g(a=f()): pass", "calls f at import"),
        ("@f\ndef _g(): pass", "at import"),
        ("class _C:\n    print()", "runs code in a class at import"),
    ],
)
def test_what_an_edit_would_run_at_import_is_told(line, said):
    assert said in (import_effect(FILE, f"{FILE}\n\n{line}\n") or "")


@pytest.mark.parametrize(
    "line", ["_X = re.compile('a+')", "_X = frozenset([1, 2])", "_X = {}", "def _g(a=()): return f()"]
)
def test_a_value_may_be_built_at_import_and_what_ran_before_still_may(line):
    assert import_effect(FILE, f"{FILE}\n\n{line}\n") is None


def test_a_new_decorator_of_the_target_is_an_effect_unless_it_is_a_known_one():
    assert import_effect(FILE, FILE.replace("def f", "@__import__('functools').cache\ndef f"))
    assert import_effect(FILE, FILE.replace("def f", "@staticmethod\ndef f")) is None
