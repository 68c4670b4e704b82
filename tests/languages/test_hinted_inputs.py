"""Calls from type hints as a run asks for them: by a worker in the sandbox, whatever its environment has."""

from __future__ import annotations

from pathlib import Path

import pytest
from pythons import environment, home_of, python, targets_of  # noqa: F401

from optagent.languages.python.project import PythonProject
from optagent.verify.differential import Run
from optagent.verify.vary import HINTED, vary

pytestmark = pytest.mark.slow

CODE = """
def total(values: list[int], limit: float = 0.5) -> float:
    if len(values) > 40:
        raise ValueError("too many")
    return sum(one for one in values if one > limit)


def untold(values, limit):
    return len(values) + limit
"""


@pytest.fixture
def run(python, tmp_path):  # noqa: F811
    def made(target: str, rung: str = "default") -> tuple[Run, object]:
        home, tree = home_of(tmp_path, {"sums.py": CODE}, python, rung)
        (found,) = targets_of(tree, [target])
        return Run(PythonProject(home, found), 1, 30.0), tree

    return made


@pytest.mark.parametrize("rung", ["bwrap", "none"])
def test_they_are_made_and_admitted_where_the_untouched_code_answers(run, rung):
    asked, tree = run("total", rung)
    inputs = vary(asked, tree, [], [], 1, HINTED)
    assert len(inputs) > 10
    assert {one.source for one in inputs} == {"varied"}
    assert vary(asked, tree, [], [], 1, HINTED) == inputs


def test_without_hints_there_are_none(run):
    asked, tree = run("untold")
    assert vary(asked, tree, [], [], 1, HINTED) == []


def test_an_environment_without_hypothesis_is_lent_ours(tmp_path, tmp_path_factory):
    system = Path("/usr/bin/python3")
    if not system.exists():
        pytest.skip("no other Python here")
    bare = environment(system, tmp_path_factory, ("iniconfig",))
    home, tree = home_of(tmp_path, {"sums.py": CODE}, bare, "bwrap")  # `landlock` may not reach ours: a known gap
    asked = Run(PythonProject(home, *targets_of(tree, ["total"])), 1, 30.0)
    assert len(vary(asked, tree, [], [], 1, HINTED)) > 10
