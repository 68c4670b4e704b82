"""Where things are seen inside the sandbox, and how our own programs are started there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from optagent.languages.python.environment.interpreter import Interpreter
from optagent.sandbox.base import Command, Mount, Sandbox

SOURCE, BUILT, TOOLBOX, WORK = "/optagent/tree", "/optagent/built", "/optagent/toolbox", "/tmp/tree"
"""A build works in WORK, and there its result is mounted afterwards: paths that it wrote down stay right."""

REQUEST = "/optagent/request"
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Machinery:
    """The sandbox, optagent's own interpreter (it runs launcher and builder), and the folder of those two."""

    sandbox: Sandbox
    interpreter: Interpreter
    toolbox: Path

    @property
    def is_isolated(self) -> bool:
        """Whether paths inside are not the user's: only then may whole folders be emptied."""
        return self.sandbox.rung != "none"

    def inside(self, source: Path, inside: str) -> str:
        return self.sandbox.inside(Mount(source, inside))

    def command(self, script: str, *arguments: str, mounts: tuple[Mount, ...] = (), cwd: str = "/tmp") -> Command:
        """One of our own programs as the sandbox starts it."""
        file = f"{self.inside(self.toolbox, TOOLBOX)}/{script}.py"
        shown = (*self.interpreter.mounts, Mount(self.toolbox, TOOLBOX), *mounts)
        return Command(
            (str(self.interpreter.executable), "-I", "-S", "-B", file, *arguments),
            cwd,
            shown,
            {"PATH": PATH, "TMPDIR": "/tmp", "LANG": "C.UTF-8"},
        )


def environment(scratch: str, seed: int) -> dict[str, str]:
    """The whole environment of a build, a test run or a command: nothing of the user's is in it."""
    seeds = {"PYTHONHASHSEED": str(seed % (1 << 32)), "PERL_HASH_SEED": str(seed % (1 << 32))}
    return {"PATH": PATH, "HOME": scratch, "TMPDIR": scratch, "LANG": "C.UTF-8", **seeds}
