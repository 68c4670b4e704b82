"""The interpreter that runs the target: found, asked who it is, and what it needs to see."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from optagent.errors import InterpreterUnusable
from optagent.sandbox.base import Command, Limits, Mount, Sandbox

OLDEST = (3, 11)
PROBE = """
import json, sys, sysconfig
print(json.dumps({"version": sys.version_info[:3], "implementation": sys.implementation.name,
                  "base": sys.base_prefix, "stdlib": sysconfig.get_paths()["stdlib"]}))
"""


@dataclass(frozen=True)
class Interpreter:
    """`executable` keeps its link (a venv is known by it); `mounts` are the folders it cannot run without."""

    executable: Path
    version: tuple[int, int, int]
    mounts: tuple[Mount, ...]
    origin: str

    def __str__(self) -> str:
        return f"Python {'.'.join(map(str, self.version))} at {self.executable} ({self.origin})"


def find(flag: Path | None, repo: Path, env: Mapping[str, str], ours: Path) -> tuple[Path, str]:
    """The interpreter to use and why: `--python`, VIRTUAL_ENV, the project's `.venv`, else ours."""
    if flag is not None:
        executable = flag / "bin" / "python" if os.path.isdir(flag) else flag
        if not os.path.exists(executable):  # Path.exists raises for what may not be looked at
            raise InterpreterUnusable(f"there is no interpreter at {executable}", "Name one with `--python PATH`.")
        return executable, "--python"
    for folder, origin in ((env.get("VIRTUAL_ENV"), "VIRTUAL_ENV"), (str(repo / ".venv"), ".venv")):
        if folder and os.path.exists(Path(folder) / "bin" / "python"):
            return Path(folder) / "bin" / "python", origin
    return ours, "optagent's own"


def probe(executable: Path, origin: str, sandbox: Sandbox) -> Interpreter:
    """The interpreter asked, inside the sandbox, for its version and folders. Raises InterpreterUnusable."""
    executable = Path(os.path.abspath(executable))
    guess = _guess_mounts(executable)
    command = Command((str(executable), "-I", "-S", "-c", PROBE), "/tmp", guess, {"PATH": "/usr/bin:/bin"})
    result = sandbox.run(command, Limits(seconds=30))
    if not result.ok:
        said = result.stderr.decode("utf-8", "replace").strip().splitlines()
        raise InterpreterUnusable(
            f"{executable} does not start: {said[-1] if said else result.ending}", "Name another with `--python PATH`."
        )
    said_of_itself = _parse(result.stdout, executable)
    version = said_of_itself.version
    if version < OLDEST or said_of_itself.implementation != "cpython":
        raise InterpreterUnusable(
            f"{executable} is {said_of_itself.implementation} {'.'.join(map(str, version))}; "
            f"targets need CPython {'.'.join(map(str, OLDEST))} or newer",
            "Name another with `--python PATH`.",
        )
    _same_library(said_of_itself, executable)
    return Interpreter(executable, version, guess, origin)


@dataclass(frozen=True)
class Said:
    """What an interpreter says of itself."""

    version: tuple[int, int, int]
    implementation: str
    base: str
    stdlib: str


def _parse(stdout: bytes, executable: Path) -> Said:
    try:
        said = json.loads(stdout)
        major, minor, micro = map(int, said["version"])
        return Said((major, minor, micro), str(said["implementation"]), str(said["base"]), str(said["stdlib"]))
    except (ValueError, TypeError, KeyError):
        raise InterpreterUnusable(
            f"{executable} is no Python: it did not say its version", "Name another with `--python PATH`."
        ) from None


def _same_library(said: Said, executable: Path) -> None:
    """An interpreter whose home is hidden may silently start with another standard library: refused."""
    base, expected = Path(said.base), _base_prefix(executable)
    if base.resolve() != expected.resolve() and not said.stdlib.startswith("/usr/"):
        raise InterpreterUnusable(f"{executable} starts with the library of {base}, not of {expected}")


def _guess_mounts(executable: Path) -> tuple[Mount, ...]:
    """The folders of an interpreter without running it: its prefix, and the one its venv was made from."""
    folders = {_base_prefix(executable)}
    venv = executable.parent.parent
    if (venv / "pyvenv.cfg").is_file():
        folders.add(venv)
    hop = executable
    while hop.is_symlink():  # a venv's python may point through a version's alias
        hop = Path(os.path.normpath(hop.parent / os.readlink(hop)))
        folders.add(hop.parent.parent)
    shown = [folder for folder in folders if not _is_system(folder)]
    return tuple(Mount(folder, str(folder)) for folder in sorted(shown))


def _base_prefix(executable: Path) -> Path:
    return executable.resolve().parent.parent


def _is_system(folder: Path) -> bool:
    return folder == Path("/") or folder.is_relative_to("/usr")
