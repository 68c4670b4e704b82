"""Cheats planted in any function: the file still parses, the signature stays, and what stood around it stays too."""

from __future__ import annotations

import ast
import inspect
import sys
import types

import pytest

from optagent.core.target import Tree
from optagent.languages.python.cheats import TRICKS, cheats
from optagent.languages.python.targets.locate import locate

SOURCE = '''"""Boxes."""

import functools


class Base:
    def weigh(self, values, /, factor=2, *rest, unit="g", **more):
        return [value * factor for value in values]


class Box(Base):
    @functools.wraps(print)
    def weigh(self, values, /, factor=2, *rest, unit: str = "g", **more) -> list:
        """What it weighs."""
        if rest:
            values = values + list(rest)  # a parameter that is assigned to
        return super().weigh(values, factor, unit=unit, **more)


def after():
    return 1
'''


def planted(tmp_path, source=SOURCE, name="Box.weigh"):
    (tmp_path / "boxes.py").write_text(source)
    return cheats(source, locate(Tree(tmp_path), name))


def test_every_trick_is_there_and_the_rest_of_the_file_stays(tmp_path):
    found = planted(tmp_path)
    assert [one.name for one in found] == list(TRICKS)
    for cheat in found:
        ast.parse(cheat.text)
        assert cheat.text.startswith(SOURCE[: SOURCE.index("    @functools.wraps")])
        assert "\n\ndef after():\n    return 1\n" in cheat.text


@pytest.fixture
def module_of(monkeypatch):
    def made(cheat):
        module = types.ModuleType("boxes")
        monkeypatch.setitem(sys.modules, "boxes", module)  # a class is pickled by the name of its module
        exec(compile(cheat.text, "boxes.py", "exec"), vars(module))
        return vars(module)

    return made


@pytest.mark.parametrize("name", ["memory", "stale answers", "loyal copy"])
def test_a_cheat_that_answers_gives_the_answer_at_first_through_the_same_signature(tmp_path, name, module_of):
    (cheat,) = [one for one in planted(tmp_path) if one.name == name]
    module = module_of(cheat)
    box = module["Box"]()
    assert box.weigh([1, 2], 3, 4, unit="kg", other=1) == [3, 6, 12]
    shown = inspect.signature(module["Box"].weigh, follow_wrapped=False)
    assert list(shown.parameters) == ["self", "values", "factor", "rest", "unit", "more"]


def test_a_function_without_arguments_and_one_at_the_end_of_the_file_can_be_cheated(tmp_path, module_of):
    for cheat in planted(tmp_path, "def score(): return 7", "score"):
        ast.parse(cheat.text)
    (cheat,) = [one for one in planted(tmp_path, "def score(): return 7", "score") if one.name == "memory"]
    assert module_of(cheat)["score"]() == 7


@pytest.mark.parametrize("source", ["def score():\n    yield 1\n", "async def score():\n    return 1\n"])
def test_what_runs_when_somebody_asks_is_left_alone(tmp_path, source):
    assert planted(tmp_path, source, "score") == []
