"""What an environment lacks for running tests, in a folder of ours that goes last on its import path."""

from __future__ import annotations

import compileall
import fcntl
import hashlib
import os
import py_compile
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from optagent.errors import EnvironmentFault, ToolMissing
from optagent.languages.python.environment.environment import Environment
from optagent.sandbox.base import Command, Limits, Mount, Sandbox
from optagent.workspace.folders import remove

PYTEST = ("pytest", "iniconfig", "packaging", "pluggy", "pygments")
"""pytest and all that it needs on every supported Python: none of them is compiled, so one copy serves any of them."""

OUR_TAG = f"cp{sys.version_info[0]}{sys.version_info[1]}"

RUN_MODULE = """
import os, runpy, sys
if sys.path[0] == "":
    sys.path[0] = os.getcwd()
sys.path.append(sys.argv.pop(1))
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""
INSTALL = "Install it into the environment (`{python} -m pip install pytest`), or name another with `--python PATH`."


def module_arguments(module: str, tools: str | None) -> tuple[str, ...]:
    """The interpreter's arguments for running `module`, as `-m` does it, with the tools folder last on its path.

    `tools` is where the command sees the folder; None when the environment lacks nothing.
    """
    return ("-m", module) if tools is None else ("-c", RUN_MODULE, tools, module)


def complete(environment: Environment, state: Path, sandbox: Sandbox) -> Path | None:
    """The folder of ours with the pytest that the environment lacks; None when it has its own.

    Made once for each kind of interpreter, below the state folder, from what optagent itself was installed
    with; nothing is fetched. ToolMissing when the environment holds a part that this pytest cannot use.
    """
    if has_pytest(environment):
        return None
    folder = tools_folder(state, environment.interpreter.tag)
    _try(environment, folder, sandbox)
    return folder


def has_pytest(environment: Environment) -> bool:
    site = environment.interpreter.site
    return "pytest" in environment.installed or any(os.path.isdir(each / "pytest") for each in site)


def describe(environment: Environment) -> str:
    """Where pytest comes from, in words."""
    if has_pytest(environment):
        return f"pytest {environment.installed.get('pytest', 'of unknown version')}, the environment's own"
    return f"pytest {_part('pytest').version}, a copy of optagent's own: the environment has none"


def tools_folder(state: Path, tag: str) -> Path:
    """`<state>/tools/<tag>-<hash of the versions>`, complete and readable by any user."""
    parts = [_part(name) for name in PYTEST]
    versions = "\n".join(f"{part.name}=={part.version}" for part in parts)
    folder = state / "tools" / f"{tag}-{hashlib.sha256(versions.encode()).hexdigest()[:10]}"
    if not folder.is_dir():
        try:
            with _locked(folder.parent):
                if not folder.is_dir():
                    _build(parts, folder, compiled=tag.startswith(OUR_TAG))
        except OSError as error:
            raise EnvironmentFault(
                f"pytest cannot be put into {folder}: {error.strerror or error}",
                "Name another place with `--state DIR`.",
            ) from error
    return folder


def _part(name: str) -> Distribution:
    """A part of our own installation; a system's packages may come without the list of their files."""
    try:
        part = distribution(name)
        if part.files:
            return part
        fault = f"optagent's own {name} has no list of its files to copy it by"
    except PackageNotFoundError:
        fault = f"optagent's own installation lacks {name}"
    raise ToolMissing(f"the environment has no pytest, and {fault}", INSTALL.format(python="python"))


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Alone in the folder among all processes; the lock ends with its holder."""
    place.mkdir(parents=True, exist_ok=True)
    (place / ".gitignore").write_text("*\n")  # the state folder may lie in a repository
    with (place / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(parts: list[Distribution], folder: Path, compiled: bool) -> None:
    """Beside its place first: who finds the folder finds all of it, also after a crash."""
    for left in folder.parent.glob(".new-*"):
        remove(left)
    new = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        for part in parts:
            _copy(part, new)
        if compiled:
            _compile(new)
        new.chmod(0o755)
        os.rename(new, folder)
    finally:
        if new.exists():
            remove(new)


def _copy(part: Distribution, into: Path) -> None:
    """Its modules and its metadata (plugins are found by it); neither programs nor compiled files."""
    files = part.files or ()
    for file in (each for each in files if ".." not in each.parts and each.suffix != ".pyc"):
        target = into.joinpath(*file.parts)
        for parent in reversed([each for each in target.parents if each != into and each.is_relative_to(into)]):
            parent.mkdir(exist_ok=True)
            parent.chmod(0o755)  # a sandbox may drop to another user, who has to read all of it
        shutil.copyfile(str(part.locate_file(file)), target)
        target.chmod(0o644)


def _compile(folder: Path) -> None:
    """Byte code beside the sources: without it every start of pytest takes 0.2 CPU seconds more.

    Only for Pythons like ours. Another could write it itself, but what an environment writes is not shared with others.
    """
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(folder, quiet=2, workers=1, invalidation_mode=unchecked)
    for each in folder.rglob("*"):
        each.chmod(0o755 if each.is_dir() else 0o644)


def _try(environment: Environment, folder: Path, sandbox: Sandbox) -> None:
    """pytest is imported once: the environment's own pluggy or packaging comes first and may be too old for it."""
    interpreter = environment.interpreter
    mount = Mount(folder, str(folder))
    argv = (str(interpreter.executable), "-s", "-B", *module_arguments("pytest", sandbox.inside(mount)), "--version")
    command = Command(argv, "/tmp", (*interpreter.mounts, mount), {"PATH": "/usr/bin:/bin", "HOME": "/tmp"})
    result = sandbox.run(command, Limits(seconds=60))
    if not result.ok:
        said = result.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ToolMissing(
            f"the environment has no pytest, and optagent's does not work in it: {said[-1] if said else result.ending}",
            INSTALL.format(python=interpreter.executable),
        )
