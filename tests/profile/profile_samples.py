"""A target to look at: it computes, allocates and calls, long enough for any profiler to see something."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

from optagent.core.target import Tree
from optagent.core.workload import Input
from optagent.languages.python import toolbox_folder
from optagent.languages.python.environment import interpreter
from optagent.languages.python.environment.home import PythonHome
from optagent.languages.python.project import PythonProject
from optagent.languages.python.targets.locate import locate
from optagent.profile.scene import Scene
from optagent.sandbox.base import Sandbox

SOURCE = """
def square(x):
    return x * x

def work(n):
    kept = [str(square(k)) * 10 for k in range(n)]
    kept.sort()
    return kept
"""
WORK = 5
"""The line of work's `def`."""


def scene_of(
    make_repo: Callable[[dict[str, bytes | str]], Path], ours: Path, box: Sandbox, source: str = SOURCE
) -> Scene:
    root = make_repo({"tree/m.py": source})
    tree = Tree(root / "tree")
    home = PythonHome(box, interpreter.probe(ours, "test", box), toolbox_folder.install(root / "toolbox"))
    inputs = [Input(pickle.dumps(((n,), {}), 5), "test", "pickle") for n in (2000, 3000)]
    return Scene(PythonProject(home, locate(tree, "work")), tree, inputs, 60)
