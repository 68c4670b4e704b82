"""What was edited by places is looked at before anybody builds on it."""

import pytest

from optagent.core.target import Target
from optagent.languages.python.edited import trouble

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
