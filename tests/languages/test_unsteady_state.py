"""State that the untouched code does not always leave the same: it is found out, and no candidate is blamed for it."""

from __future__ import annotations

import pickle
import shutil
import time
from pathlib import Path

import pytest
from pythons import home_of

from optagent.core.target import Tree
from optagent.core.verdict import Evidence, Inconclusive, Incorrect
from optagent.core.workload import Input
from optagent.languages.python.project import PythonProject
from optagent.languages.python.targets.locate import locate
from optagent.verify.checks import check_outputs
from optagent.verify.differential import Run, outputs
from optagent.verify.state import survey_state

pytestmark = pytest.mark.slow

COINS = 40
FLIPS = f"""import secrets

SIDES = [secrets.randbelow(2) for _ in range({COINS})]


def act(x):
    for number, side in enumerate(SIDES):
        globals()[f"coin_{{number}}"] = [side, x]
    return x
"""
FLIPS += "\n" + "".join(f"coin_{number} = None\n" for number in range(COINS))
SECONDS = 3
CLOCK = f"""import time

BEGAN = int(time.time()) // {SECONDS}
seen = []
count = 0


def act(x):
    global count
    seen.append(BEGAN)
    count += 1
    return x
"""
INPUTS = [Input(pickle.dumps(((number,), {}), 5), "test") for number in range(2)]


def project_of(tmp_path: Path, python: Path, module: str) -> tuple[PythonProject, Tree]:
    home, tree = home_of(tmp_path, {"m.py": module}, python)
    return PythonProject(home, locate(tree, "act")), tree


def judged_later(project: PythonProject, tree: Tree, old: str, new: str) -> object:
    """What is said of that edit when the clock has gone on since the untouched code was asked."""
    run = Run(project, 1, 30.0, watched=("m:seen", "m:count"))
    time.sleep(SECONDS - time.time() % SECONDS)
    expected = outputs(run, tree, INPUTS)
    other = Tree(Path(shutil.copytree(tree.root, tree.root.with_name("other"))))
    (other.root / "m.py").write_text(CLOCK.replace(old, new))
    time.sleep(SECONDS)
    return check_outputs(run, other, INPUTS, expected, Evidence(), base=tree)


def test_what_one_of_two_things_by_chance_decides_is_found_out_before_any_candidate(tmp_path, ours):
    project, tree = project_of(tmp_path, ours, FLIPS)
    state = survey_state(Run(project, 1, 30.0), tree, INPUTS)
    missed = [name for name in state.compared if name.startswith("m:coin_")]
    assert len(missed) <= COINS // 4


def test_a_candidate_is_not_wrong_for_what_the_untouched_code_leaves_otherwise_by_now(tmp_path, ours):
    project, tree = project_of(tmp_path, ours, CLOCK)
    said = judged_later(project, tree, "return x", "return +x")
    assert isinstance(said, Inconclusive)
    assert said.reason == "m:seen after all calls differs, and is not always the same in the untouched code either"


def test_what_it_leaves_otherwise_besides_is_wrong(tmp_path, ours):
    project, tree = project_of(tmp_path, ours, CLOCK)
    said = judged_later(project, tree, "count += 1", "count += 2")
    assert isinstance(said, Incorrect)
    assert "`m:count` after all calls differs" in said.reason
