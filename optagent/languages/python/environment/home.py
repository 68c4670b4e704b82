"""Where a project's Python code runs: sandbox, interpreter, the files of ours beside it. The same for all targets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from optagent.core.target import Tree
from optagent.languages.python.environment.interpreter import Interpreter
from optagent.sandbox.base import SCRATCH, Mount, Sandbox

TREE, TOOLBOX, TOOLS = "/optagent/tree", "/optagent/toolbox", "/optagent/tools"


@dataclass(frozen=True)
class PythonHome:
    """`test_arguments` are added to pytest's command line; `test_command` is one that is not pytest's, in its place.
    `import_roots` are folders of the tree that stand for the
    user's own, which the environment would import from; `tools` is a folder with a pytest of ours for an environment
    without one. `ground` is the folder that all trees lie in."""

    sandbox: Sandbox
    interpreter: Interpreter
    toolbox: Path
    test_arguments: tuple[str, ...] = ()
    import_roots: tuple[str, ...] = ()
    tools: Path | None = None
    test_command: tuple[str, ...] = ()
    ground: Path | None = None

    def mounts(self, tree: Tree) -> tuple[Mount, ...]:
        lent = (Mount(self.tools, TOOLS),) if self.tools else ()
        ground = self.ground if self.ground and tree.root.is_relative_to(self.ground) else None
        return (*self.interpreter.mounts, *lent, Mount(tree.root, TREE, ground), self.toolbox_mount)

    @property
    def toolbox_mount(self) -> Mount:
        return Mount(self.toolbox, TOOLBOX)

    def inside(self, source: Path, inside: str) -> str:
        return self.sandbox.inside(Mount(source, inside))

    def tree(self, tree: Tree) -> str:
        """Where a command sees the tree."""
        return self.inside(tree.root, TREE)

    def tool(self, name: str) -> str:
        """Where a command sees a file of the toolbox."""
        return f"{self.sandbox.inside(self.toolbox_mount)}/{name}"

    def environment(self) -> dict[str, str]:
        """The whole environment of what runs in the sandbox: nothing of the user's is in it."""
        path = f"{self.interpreter.executable.parent}:/usr/bin:/bin"
        return {"PATH": path, "HOME": SCRATCH, "TMPDIR": SCRATCH, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


def join(folder: str, path: str) -> str:
    return folder if path == "." else f"{folder}/{path}"
