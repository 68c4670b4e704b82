"""A tree as the command sees it: without inputs and hidden files, with what the build made."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optagent.core import frames
from optagent.core.target import Tree
from optagent.languages.command.files import UnfitName, is_meant, lay, source_files
from optagent.languages.command.machinery import BUILT, REQUEST, SOURCE, WORK, Machinery, environment
from optagent.languages.command.settings import CommandSettings
from optagent.sandbox.base import ExecResult, Exited, Limits, Mount, Stopped
from optagent.workspace.copying import copy_files, make_folder
from optagent.workspace.folders import remove
from optagent.workspace.listing import Entry, everything
from optagent.workspace.snapshot import digest

PROCESSES = 512
TELLING = re.compile(r"\b(?:fatal )?error\b|undefined reference|No such file", re.IGNORECASE)


class BuildFailed(Exception):
    """The tree does not build; the message is its telling line."""


@dataclass(frozen=True)
class Workshop:
    """Builds trees, each content once, into folders below `builds`."""

    machinery: Machinery
    settings: CommandSettings
    builds: Path

    def built(self, tree: Tree) -> Tree:
        """The tree as its command sees it, in a folder of ours that nobody changes. Raises BuildFailed."""
        key = hashlib.sha256(f"{digest(tree)} {self.settings}".encode()).hexdigest()[:32]
        folder = self.builds / key
        if not folder.is_dir():
            self._build(tree, folder)
        return Tree(folder, tree.project)

    def run_tests(self, tree: Tree, argv: tuple[str, ...], seconds: float) -> ExecResult:
        """The test command in a private copy of the whole tree plus what its build added. Raises BuildFailed."""
        extra = self.built(tree).root if self.settings.build else None
        return self._run(tree, tree.root, extra, argv, seconds)

    def _build(self, tree: Tree, folder: Path) -> None:
        make_folder(self.builds)
        new = self.builds / f".{secrets.token_hex(8)}"
        try:
            copy_files(tree.root, self._visible(tree), new)
            if self.settings.build:
                lay(new, self._made(tree, new))
            if not folder.is_dir():
                new.rename(folder)
        except UnfitName as fault:
            raise BuildFailed(str(fault)) from None
        finally:
            if new.exists():
                remove(new)

    def _visible(self, tree: Tree) -> Iterator[Entry]:
        """What build and command may see. A link may lead to what they may not: it is there, and dangles."""
        away = (*self.settings.inputs, *self.settings.hidden)
        entries = everything(tree.root)
        return (entry for entry in entries if not is_meant(entry.path, tree.project, away))

    def _made(self, tree: Tree, view: Path) -> dict[str, tuple[bytes, bool]]:
        """The files that the build made or changed: content, and whether it is a program."""
        result = self._run(tree, view, None, self.settings.build, self.settings.timeout)
        if isinstance(result.ending, Stopped):
            raise BuildFailed(f"the build was stopped at its limit of {result.ending.limit}")
        try:
            header, blobs = frames.read_bytes(result.report)
            files = dict(zip(header["files"], zip(blobs, header["programs"], strict=True), strict=True))
        except (frames.Malformed, LookupError, TypeError, ValueError):
            raise BuildFailed(telling_line(result)) from None
        if result.ending != Exited(0):
            raise BuildFailed(telling_line(result))
        return files

    def _run(self, tree: Tree, root: Path, extra: Path | None, argv: tuple[str, ...], seconds: float) -> ExecResult:
        """A command in a private copy of `root`, of which `tree` is the project."""
        machinery = self.machinery
        mounts = [Mount(root, SOURCE), *([Mount(extra, BUILT)] if extra else [])]
        request: dict[str, Any] = {
            "source": machinery.inside(root, SOURCE),
            "extra": machinery.inside(extra, BUILT) if extra else None,
            "work": WORK if machinery.is_isolated else None,
            "folder": tree.project,
            "argv": argv,
            "env": environment("/tmp", 0),
            "newer": self._sources(tree, root),
            "tells": argv == self.settings.build,
        }
        limits = Limits(seconds=seconds, processes=PROCESSES, open_files=1024, scratch_bytes=1 << 30)
        with tempfile.TemporaryDirectory(prefix="request-", dir=machinery.toolbox.parent) as folder:
            Path(folder).chmod(0o755)
            file = Path(folder, "request.json")  # the names of all sources may be too much for a word of a command line
            file.write_text(json.dumps(request), "utf-8")
            file.chmod(0o644)
            told = machinery.inside(file, REQUEST)
            mounts.append(Mount(file, REQUEST))
            return machinery.sandbox.run(machinery.command("optagent_builder", told, mounts=tuple(mounts)), limits)

    def _sources(self, tree: Tree, root: Path) -> list[str]:
        return source_files(Tree(root, tree.project), self.settings)


def telling_line(result: ExecResult) -> str:
    """The first line that names an error, else the last one; standard error first, the compilers' habit."""
    lines = (result.stderr + b"\n" + result.stdout).decode("utf-8", "replace").splitlines()
    said = [line.strip() for line in lines if line.strip()]
    telling = [line for line in said if TELLING.search(line)] or said[-1:] or [f"it said nothing ({result.ending})"]
    return "".join(char for char in telling[0][:300] if char.isprintable())
