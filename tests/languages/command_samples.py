"""What the tests of commands share: small projects made of shell scripts or C, in a real sandbox."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rungs import make_sandbox

from optagent.core.target import Tree
from optagent.core.workload import Input
from optagent.languages.command.inputs import read_inputs
from optagent.languages.command.project import CommandProject, find_project

EXAMPLE = Path(__file__).parents[2] / "examples" / "c_access_log"
TOML = '[command]\nrun = ["sh", "run.sh"]\ninputs = "in/*"\nscope = ["run.sh", "*.c"]\n'
INPUTS = {"in/a.txt": "3\n1\n", "in/b.txt": "2\n9\n5\n"}


def need_compiler() -> None:
    if not (shutil.which("cc") and shutil.which("make")):
        pytest.skip("no C compiler (cc) or no make: nothing to build with")


def project_in(tree: Tree, workshop: Path, rung: str = "bwrap") -> CommandProject:
    """The project of a tree, with its toolbox and its builds below `workshop`."""
    found = find_project(tree, make_sandbox(rung), workshop)
    assert found is not None
    return found


def maker(make_repo: Callable[..., Path]) -> Callable[..., tuple[CommandProject, Tree]]:
    """Makes a project whose run.sh is `script`, with more files and more lines of configuration."""

    def make(
        script: str, files: dict[str, Any] | None = None, toml: str = "", rung: str = "bwrap", inputs: Any = INPUTS
    ) -> tuple[CommandProject, Tree]:
        named = {"optagent.toml": TOML + toml, "run.sh": script, **inputs, **(files or {})}
        root = make_repo({f"tree/{name}": text for name, text in named.items()})
        (root / "tree").chmod(0o755)
        tree = Tree(root / "tree")
        return project_in(tree, root / "work", rung), tree

    return make


def answers(project: CommandProject, tree: Tree, inputs: list[Input] | None = None) -> list[bytes]:
    """What the command of a tree gives on its inputs."""
    given = inputs if inputs is not None else read_inputs(tree, project.settings)
    with project.contestant(tree, 1, 20) as one:
        project.load(one, tree, 1)
        one.keep([each.data for each in given])
        return one.call(range(len(given)))


def written(encoding: bytes, name: str = "standard output") -> Any:
    """One part of a command's encoding: its ending, or what it wrote as text."""
    parts = dict(json.loads(encoding)[2][1:])
    value = parts.get(name)
    return "\n".join(value[1:]) if isinstance(value, list) else value
