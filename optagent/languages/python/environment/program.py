"""Whether what was found can be an interpreter at all, seen without starting it, and what to type when it cannot."""

from __future__ import annotations

import os
from pathlib import Path

from optagent.errors import InterpreterUnusable
from optagent.languages.python.environment.host import Candidate

PROGRAMS = ("bin/python", "bin/python3")
ANOTHER = "or name another with `--python PATH`."


def program(candidate: Candidate) -> Path:
    """The interpreter of an environment, or the one that was named, absolute; InterpreterUnusable when it cannot be."""
    path = Path(os.path.abspath(candidate.path))
    if not os.path.isdir(path):
        return _checked(path, candidate)
    there = [path / name for name in PROGRAMS if os.path.lexists(path / name)]
    if there:
        return _checked(there[0], candidate)
    what = "was made for Windows" if os.path.isdir(path / "Scripts") else "holds no bin/python"
    raise InterpreterUnusable(f"the environment {path} ({candidate.origin}) {what}", remake(path))


def _checked(file: Path, candidate: Candidate) -> Path:
    """A file that could be an interpreter. A link of an environment is kept: the environment is known by it."""
    origin = candidate.origin
    if not os.path.exists(file):  # Path.exists raises for what may not be looked at
        leads = f" leads to {os.path.realpath(file)}, which" if file.is_symlink() else ""
        raise InterpreterUnusable(f"the interpreter {file} ({origin}){leads} is not there", remake(file.parent.parent))
    if not os.access(file, os.X_OK) or not os.path.isfile(file):
        raise InterpreterUnusable(f"{file} ({origin}) is no program", "Name an interpreter with `--python PATH`.")
    with file.open("rb") as content:
        if content.read(2) == b"#!":
            raise InterpreterUnusable(
                f"{file} ({origin}) is a script that starts an interpreter, not one itself",
                f"Name what `{file} -c 'import sys; print(sys.executable)'` prints with `--python PATH`.",
            )
    return file if os.path.isfile(file.parent.parent / "pyvenv.cfg") else file.resolve()


def remake(folder: Path) -> str:
    """What to type when an environment cannot serve."""
    if os.path.isfile(folder / "pyvenv.cfg"):
        return f"Make it anew (`python3 -m venv --clear {folder}`, then your install command), {ANOTHER}"
    return "Name another with `--python PATH`."
