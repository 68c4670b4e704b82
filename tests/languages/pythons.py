"""Every Python that is here, with pytest: the fixture `python` and what a project of a few files needs to run in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from rungs import make_sandbox, open_to_all

from optagent.core.canonical import read
from optagent.core.target import Target, Tree
from optagent.languages.contestant import Uncomparable
from optagent.languages.python import toolbox_folder
from optagent.languages.python.environment import interpreter
from optagent.languages.python.environment.home import PythonHome
from optagent.languages.python.project import PythonProject
from optagent.languages.python.targets.locate import locate
from optagent.languages.tests import Captured

VERSIONS = Path("/root/.pyenv/versions")
OTHERS = [name for name in ("3.12.1", "3.13.0") if os.access(VERSIONS / name / "bin" / "python", os.X_OK)]


@pytest.fixture(
    scope="session",
    params=["ours", *[pytest.param(name, marks=[pytest.mark.slow, pytest.mark.sweep]) for name in OTHERS]],
)
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with pytest: ours, and an environment for every other supported one."""
    if request.param == "ours":
        return Path(sys.executable)
    return environment(VERSIONS / request.param / "bin" / "python", tmp_path_factory, ("pytest",))


MADE: dict[tuple[object, ...], Path] = {}


def environment(base: Path, folders: pytest.TempPathFactory, packages: tuple[str, ...]) -> Path:
    """The interpreter of an environment with these packages, made once; the test is skipped where they cannot be had."""
    if (base, packages) in MADE:
        return MADE[base, packages]
    folder = folders.mktemp("environment") / "venv"
    subprocess.run([base, "-m", "venv", folder], check=True)
    done = subprocess.run([folder / "bin" / "pip", "install", "-q", *packages], capture_output=True)
    if done.returncode:
        pytest.skip(f"{' '.join(packages)} could not be installed")
    open_to_all(folder, *folder.parents[:3])
    MADE[base, packages] = folder / "bin" / "python"
    return MADE[base, packages]


def home_of(folder: Path, files: dict[str, str], python: Path, rung: str = "default") -> tuple[PythonHome, Tree]:
    """The files as a project in that folder, and what runs it."""
    tree = Tree(folder / "src")
    for name, text in files.items():
        file = tree.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    open_to_all(*folder.parents[:3], folder, tree.root, *(one for one in tree.root.rglob("*") if one.is_dir()))
    sandbox = make_sandbox(rung)
    toolbox = toolbox_folder.install(folder / "toolbox")
    return PythonHome(sandbox, interpreter.probe(python, "test", sandbox), toolbox), tree


def targets_of(tree: Tree, specs: Iterable[str]) -> tuple[Target, ...]:
    return tuple(locate(tree, spec) for spec in specs)


def outcomes(home: PythonHome, tree: Tree, target: Target, captured: Captured) -> list[Any]:
    """Every captured call made again by a worker: what it left, as a tree, or why there is nothing."""
    project, told = PythonProject(home, target), []
    with project.contestant(tree, 1, 30) as worker:
        project.load(worker, tree, 1)
        worker.keep([one.data for one in captured.inputs])
        for number in range(len(captured.inputs)):
            try:
                told.append(read(worker.admit(number)[1]))
            except Uncomparable as reason:
                told.append(str(reason))
    return told


def returned(told: list[Any]) -> list[Any]:
    """The results among what calls left, in an order of their own."""
    assert all(isinstance(one, list) and one[1] == "returned" for one in told), told
    return sorted((one[2] for one in told), key=repr)
