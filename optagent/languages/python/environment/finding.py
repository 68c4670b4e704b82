"""Which interpreter is the project's: asked of the user first, then of the project's folders upwards, then ours."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from optagent.errors import InterpreterUnusable
from optagent.languages.python.environment import managers, versions
from optagent.languages.python.environment.host import Candidate, Host, Look, text
from optagent.languages.python.environment.program import PROGRAMS, program

FOLDERS = (".venv", "venv", "env")


@dataclass(frozen=True)
class Search:
    """`project` is the folder the user named, `top` the last one to look in, `ours` the interpreter we run in."""

    project: Path
    top: Path
    host: Host
    ours: Path
    flag: str | None = None

    def upwards(self) -> Iterator[Path]:
        """The project's folder and those above it, to the top of its repository."""
        here, top = Path(os.path.realpath(self.project)), Path(os.path.realpath(self.top))
        yield here
        yield from (each for each in here.parents if here != top and each.is_relative_to(top))


@dataclass(frozen=True)
class Found:
    """The interpreter to use, why, and in sentences what was looked at before it and passed over."""

    executable: Path
    origin: str
    passed_over: tuple[str, ...] = ()


def find(search: Search) -> Found:
    """The first of: the flag, the activated environment, the project's own, ours. Starts nothing.

    InterpreterUnusable when the first one that is there is broken: another in its place would run the
    project with packages it was not made for.
    """
    if search.flag is not None:
        return Found(program(flagged(search)), "--python")
    passed: list[str] = []
    for look in looks(search):
        if isinstance(look, Candidate):
            return Found(program(look), look.origin, tuple(passed))
        passed.append(look)
    return Found(search.ours, "optagent's own", tuple(passed))


def looks(search: Search) -> Iterator[Look]:
    """Where to look, nearest first; a `.python-version` comes last, for it names a Python and no packages."""
    yield from activated(search)
    for folder in search.upwards():
        yield from in_folder(folder, search.host)
    for folder in search.upwards():
        yield from versions.python_version(folder, search.host)


def activated(search: Search) -> Iterator[Look]:
    """The environment the user is in. Ours says nothing: it is how optagent was started, and the last resort anyway."""
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        named = search.host.env.get(variable)
        if not named:
            continue
        folder = Path(named)
        if _same(folder, search.ours.parent.parent):
            yield f"{variable} is optagent's own environment"
        elif variable == "CONDA_PREFIX" and os.path.isdir(folder / "condabin"):
            yield f"{variable} is conda's base environment"
        elif os.path.isdir(folder):
            yield Candidate(folder, variable)
        else:
            yield f"{variable} names {folder}, which is not there"


def in_folder(folder: Path, host: Host) -> Iterator[Look]:
    """The environments of one folder of the project: those in it, then those kept elsewhere for it."""
    yield from managers.uv(folder, host)
    for name in FOLDERS:
        yield from _environment_at(folder / name, host)
    if os.path.lexists(folder / ".pixi/envs/default/bin/python"):
        yield Candidate(folder / ".pixi/envs/default", "pixi's environment for this project")
    for manager in (managers.pdm, managers.poetry, managers.pipenv, managers.conda):
        yield from manager(folder, host)
    yield f"no environment of its own in {folder}"


def _environment_at(place: Path, host: Host) -> Iterator[Look]:
    if os.path.isfile(place) and place.name == ".venv":  # pipenv and others keep a path or a name in it
        named = text(place).strip()
        store = place.parent if "/" in named else managers.workon_home(host)
        yield Candidate(store / Path(named).expanduser(), ".venv") if named else f"{place} is empty"
    elif _is_environment(place) or place.is_symlink():
        yield Candidate(place, place.name)
    elif os.path.isdir(place):
        yield f"{place} is no environment: it has no pyvenv.cfg"


def _is_environment(place: Path) -> bool:
    """Marked as one. A `.venv` needs no mark but an interpreter; `env` and `venv` may be anything."""
    marks = ("pyvenv.cfg", "conda-meta", *(PROGRAMS if place.name == ".venv" else ()))
    return any(os.path.lexists(place / mark) for mark in marks)


def flagged(search: Search) -> Candidate:
    """What `--python` names: an interpreter, an environment's folder, a program on the path, or a version."""
    named = str(search.flag)
    if os.path.lexists(Path(named).expanduser()):
        return Candidate(_unshimmed(Path(named).expanduser(), search), "--python")
    on_path = shutil.which(named, path=search.host.env.get("PATH", "")) if "/" not in named else None
    version = versions.installed(named, search.host)
    if re.fullmatch(r"3\.\d+", named) and not version:
        on_path = shutil.which(f"python{named}", path=search.host.env.get("PATH", ""))
    if version or on_path:
        return Candidate(version or _unshimmed(Path(str(on_path)), search), "--python")
    raise InterpreterUnusable(f"there is no interpreter at {named}", "Name one with `--python PATH`.")


def _unshimmed(path: Path, search: Search) -> Path:
    """The interpreter that a stand-in of pyenv starts for this project: pyenv itself is not in the sandbox."""
    if path.parent != versions.pyenv_root(search.host) / "shims":
        return path
    looks = (look for folder in search.upwards() for look in versions.python_version(folder, search.host))
    chosen = next((look.path for look in looks if isinstance(look, Candidate)), None)
    return chosen or versions.installed(versions.pyenv_global(search.host), search.host) or path


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
