"""The interpreter that runs the target: asked who it is, and what it needs to see."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from optagent.errors import InterpreterUnusable
from optagent.languages.python.environment import finding
from optagent.languages.python.environment.host import Host, text
from optagent.languages.python.environment.program import remake
from optagent.sandbox.base import Command, Limits, Mount, Sandbox
from optagent.workspace.worktree import root_of

OLDEST = (3, 11)
# With its `site`: which folders hold packages is the interpreter's own knowledge (Debian, conda, a venv on top of one).
PROBE = """
import json, site, sys, sysconfig
print(json.dumps({"version": sys.version_info[:3], "implementation": sys.implementation.name, "prefix": sys.prefix,
                  "base": sys.base_prefix, "stdlib": sysconfig.get_paths()["stdlib"], "site": site.getsitepackages(),
                  "abi": getattr(sys, "abiflags", ""), "platform": sysconfig.get_platform(),
                  "build": sys.version, "options": sysconfig.get_config_var("CONFIG_ARGS") or ""}))
"""

# Options of its build that make an interpreter faster or slower.
OPTION = re.compile(
    r"--(?:enable|disable|with|without)-(?:optimizations|lto|bolt|pydebug|trace-refs|gil|experimental-jit|"
    r"computed-gotos|tail-call-interp|pymalloc|mimalloc)(?:=[\w-]+)?"
)
MOST_BUILD = 200


@dataclass(frozen=True)
class Interpreter:
    """`executable` keeps its link (a venv is known by it); `mounts` are the folders it cannot run without.

    `site` are the folders its packages are in, in the order of its import path; `tag` is what compiled
    modules must fit, such as cp312-linux_x86_64. `build` is its `sys.version`, `options` are those of its build
    that matter for speed.
    """

    executable: Path
    version: tuple[int, int, int]
    mounts: tuple[Mount, ...]
    origin: str
    prefix: Path = Path("/usr")
    site: tuple[Path, ...] = ()
    tag: str = ""
    build: str = ""
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"Python {'.'.join(map(str, self.version))} at {self.executable} ({self.origin})"


def find(flag: Path | None, repo: Path, env: Mapping[str, str], ours: Path) -> tuple[Path, str]:
    """The interpreter to use and why, as `finding.find` has it for the user's home."""
    host = Host(env, Path(env.get("HOME") or Path.home()))
    found = finding.find(finding.Search(repo, root_of(repo), host, ours, None if flag is None else str(flag)))
    return found.executable, found.origin


def probe(executable: Path, origin: str, sandbox: Sandbox) -> Interpreter:
    """The interpreter asked, inside the sandbox, for its version and folders. Raises InterpreterUnusable."""
    executable = Path(os.path.abspath(executable))
    mounts = _guess_mounts(executable)
    command = Command((str(executable), "-I", "-c", PROBE), "/tmp", mounts, {"PATH": "/usr/bin:/bin"})
    result = sandbox.run(command, Limits(seconds=30))
    folder = executable.parent.parent
    if not result.ok:
        said = result.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[-1] if said else result.ending
        raise InterpreterUnusable(f"{executable} ({origin}) does not start: {reason}", remake(folder))
    told = _parse(result.stdout, executable)
    if told.version < OLDEST or told.implementation != "cpython":
        raise InterpreterUnusable(
            f"{executable} ({origin}) is {told.implementation} {'.'.join(map(str, told.version))}; "
            f"targets need CPython {'.'.join(map(str, OLDEST))} or newer",
            remake(folder),
        )
    _same_library(told, executable)
    site = tuple(Path(each) for each in told.site if os.path.isdir(each))
    build = " ".join(told.build.split())[:MOST_BUILD]
    options = tuple(sorted(set(OPTION.findall(told.options))))
    return Interpreter(executable, told.version, mounts, origin, Path(told.prefix), site, told.tag, build, options)


@dataclass(frozen=True)
class Said:
    """What an interpreter says of itself."""

    version: tuple[int, int, int]
    site: tuple[str, ...]
    implementation: str
    prefix: str
    base: str
    stdlib: str
    abi: str
    platform: str
    build: str
    options: str

    @property
    def tag(self) -> str:
        major, minor, _ = self.version
        return f"cp{major}{minor}{self.abi}-{self.platform.replace('-', '_').replace('.', '_')}"


def _parse(stdout: bytes, executable: Path) -> Said:
    """Its last line: what the environment's start-up files print comes before it."""
    try:
        said = json.loads(stdout.splitlines()[-1])
        major, minor, micro = map(int, said["version"])
        names = ("implementation", "prefix", "base", "stdlib", "abi", "platform", "build", "options")
        words = {name: str(said[name]) for name in names}
        return Said((major, minor, micro), tuple(map(str, said["site"])), **words)
    except (ValueError, TypeError, LookupError):
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
    folders = {*_parts(_base_prefix(executable))}
    venv = executable.parent.parent
    if os.path.isfile(venv / "pyvenv.cfg"):
        folders.add(venv)
    hop = executable
    while hop.is_symlink():  # a venv's python may point through a version's alias
        hop = Path(os.path.normpath(hop.parent / os.readlink(hop)))
        folders.update(_parts(hop.parent.parent) if _has_library(hop.parent.parent) else [hop.parent])
    shown = [each for each in folders if not is_system(each) and folders.isdisjoint(each.parents)]
    return tuple(Mount(folder, str(folder)) for folder in sorted(shown))


def _has_library(prefix: Path) -> bool:
    """A link may lie in ~/.local/bin: what is beside such a folder is the user's, and none of our business."""
    return any(prefix.glob("lib/python3.*/os.py"))


def _parts(prefix: Path) -> list[Path]:
    """The prefix; of one that is the user's whole home, or more, only what Python put there."""
    if not Path.home().is_relative_to(prefix) or is_system(prefix):
        return [prefix]
    return [prefix / name for name in ("bin", "lib", "lib64") if os.path.isdir(prefix / name)]


def _base_prefix(executable: Path) -> Path:
    """Where the standard library is: beside the program that all links lead to, or the one a copy was made of."""
    real, venv = executable.resolve(), executable.parent.parent
    if real.is_relative_to(venv.resolve()) and os.path.isfile(venv / "pyvenv.cfg"):  # `python -m venv --copies`
        home = re.search(r"^home\s*=\s*(.+?)\s*$", text(venv / "pyvenv.cfg"), re.MULTILINE)
        made_of = [Path(home[1], name) for name in (executable.name, "python3", "python")] if home else []
        real = next((each.resolve() for each in made_of if os.path.exists(each)), real)
    return real.parent.parent


def is_system(folder: Path) -> bool:
    """Whether every sandbox shows the folder anyway."""
    return folder == Path("/") or folder.is_relative_to("/usr")
