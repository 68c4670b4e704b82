"""Bytecode for a target's interpreter: of our own files and of what a target imports, made once, not by every worker.

It is made by an interpreter that runs nothing of what it compiles and has not started with the environment's own
start-up files. It is bound to the text of its source, not to a date: Python never takes it for another text's.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from optagent.core import frames
from optagent.core.scope import Scope
from optagent.core.target import Tree
from optagent.errors import SandboxBroken
from optagent.languages.contestant import REFERENCE, Misconduct
from optagent.languages.python.environment.home import PythonHome, join
from optagent.languages.python.project import PythonProject
from optagent.sandbox.base import Command, Limits, Mount

CACHE = "__pycache__"
COMPILE_S = 60.0
PATIENCE_S = 60.0
MOST_SOURCES = 4000
COMPILE = """
import importlib.util, os, py_compile, sys, tempfile
toolbox, *sources = sys.argv[1:]
sys.path.insert(0, toolbox)
import optagent_frames
names, blobs, by_text = [], [], py_compile.PycInvalidationMode.CHECKED_HASH
with tempfile.TemporaryDirectory() as folder:
    made = os.path.join(folder, "made.pyc")
    for source in sources:
        try:
            py_compile.compile(source, made, doraise=True, invalidation_mode=by_text)
        except (py_compile.PyCompileError, OSError, ValueError):
            continue
        names.append(importlib.util.cache_from_source(source))
        with open(made, "rb") as file:
            blobs.append(file.read())
with open(int(os.environ["OPTAGENT_FD"]), "wb") as report:
    report.write(optagent_frames.pack({"names": names}, blobs))
"""


def compile_toolbox(home: PythonHome) -> None:
    """The toolbox holds its own bytecode; without it when that cannot be had, which only costs time."""
    if not (home.toolbox / CACHE).exists():
        seen = home.sandbox.inside(home.toolbox_mount)
        made = _compiled(home, [f"{seen}/{one.name}" for one in sorted(home.toolbox.glob("*.py"))])
        _write(home.toolbox / CACHE, {Path(name).name: data for name, data in made.items()})


def with_bytecode(project: PythonProject, parent: Path) -> PythonProject:
    """The project, whose contestants from now on read the bytecode of what the reference imports: made here, before
    any candidate is there, and shown to them read-only, in a folder below `parent`.

    Nothing is kept of files that a candidate may change: otherwise its own import would be the one that compiles.
    """
    folder = parent / f"bytecode-{sha256(os.fsencode(project.target.path)).hexdigest()[:12]}"
    if project.base is None:
        return project
    if not folder.exists():
        known = _unchanging(project, project.base, _imported(project, project.base))
        _write(folder, _compiled(project.home, known, project.home.mounts(project.base)))
    return replace(project, bytecode=folder)


def _imported(project: PythonProject, base: Tree) -> list[str]:
    """Sources without bytecode that the reference imports; none when it fails, which others will say."""
    try:
        with project.contestant(base, 0, PATIENCE_S, REFERENCE) as reference:
            project.load(reference, base, 1)
            return reference.sources()
    except (Misconduct, SandboxBroken):
        return []


def _unchanging(project: PythonProject, base: Tree, sources: Sequence[str]) -> list[str]:
    """Those that are the same on both sides whatever a candidate does within its scope."""
    tree = project.home.tree(base)
    changing = f"{tree}/" if project.scope is Scope.PACKAGE else join(tree, project.target.path)
    return [one for one in sources if not os.path.normpath(one).startswith(changing)]


def _compiled(home: PythonHome, sources: Sequence[str], mounts: Sequence[Mount] = ()) -> dict[str, bytes]:
    """Bytecode by the path where Python would look for it beside its source, as the sandbox sees them."""
    shown = tuple(dict.fromkeys((*home.interpreter.mounts, home.toolbox_mount, *mounts)))
    options = ("-I", "-S", "-B", "-c", COMPILE, home.sandbox.inside(home.toolbox_mount), *sources[:MOST_SOURCES])
    command = Command((str(home.interpreter.executable), *options), "/tmp", shown, home.environment())
    result = home.sandbox.run(command, Limits(seconds=COMPILE_S))
    try:
        said, blobs = frames.read_bytes(result.report) if result.ok else ({}, [])
    except frames.Malformed:
        return {}
    names = said.get("names")
    if not isinstance(names, list) or len(names) != len(blobs):
        return {}
    return {str(name): data for name, data in zip(names, blobs, strict=True)}


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """The folder with these files, readable by anyone, at once: Python does not forgive bytecode that breaks off.

    A path that leads elsewhere is nobody's bytecode.
    """
    making = folder.with_name(f"{folder.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for name, data in files.items():
        path = Path(os.path.normpath(making / name.lstrip("/")))
        if path.is_relative_to(making):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(0o644)
    for part in (making, *(one for one in making.rglob("*") if one.is_dir())):
        part.chmod(0o755)
    making.rename(folder)
