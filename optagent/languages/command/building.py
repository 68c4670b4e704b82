"""A tree as the command sees it: without inputs and hidden files, with what the build made."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from optagent.core import frames
from optagent.core.target import Tree, is_inside
from optagent.languages.command.globs import matches
from optagent.languages.command.machinery import BUILT, SOURCE, WORK, Machinery, environment
from optagent.languages.command.settings import CommandSettings
from optagent.sandbox.base import ExecResult, Exited, Limits, Mount, Stopped
from optagent.workspace.copying import FILE_MODE, PROGRAM_MODE, copy_files, make_folder
from optagent.workspace.folders import remove
from optagent.workspace.listing import Entry, folder_files
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
                _lay(new, self._made(tree, new))
            if not folder.is_dir():
                new.rename(folder)
        finally:
            if new.exists():
                remove(new)

    def _visible(self, tree: Tree) -> Iterator[Entry]:
        """What build and command may see. A link may lead to what they may not: it is there, and dangles."""
        away = (*self.settings.inputs, *self.settings.hidden)
        entries = folder_files(tree.root, wanted=lambda path: True)
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
        command = machinery.command("optagent_builder", json.dumps(request), mounts=tuple(mounts))
        limits = Limits(seconds=seconds, processes=PROCESSES, open_files=1024, scratch_bytes=1 << 30)
        return machinery.sandbox.run(command, limits)

    def _sources(self, tree: Tree, root: Path) -> list[str]:
        return source_files(Tree(root, tree.project), self.settings)


def source_files(tree: Tree, settings: CommandSettings) -> list[str]:
    """The files in scope that the tree has, relative to its root, in their order by name."""
    hidden = (*settings.inputs, *settings.hidden)
    found = files_meant(tree, settings.scope)
    return [path for path in found if not is_meant(path, tree.project, hidden)]


def files_meant(tree: Tree, patterns: Iterable[str]) -> list[str]:
    """The regular files of the project that its patterns mean, relative to the tree's root, by name."""
    found = (entry.path for entry in folder_files(tree.root, wanted=lambda path: True))
    chosen = [path for path in found if is_meant(path, tree.project, patterns)]
    return sorted(path for path in chosen if stat.S_ISREG(os.lstat(tree.root / path).st_mode))


def is_meant(path: str, project: str, patterns: Iterable[str]) -> bool:
    """Whether a path of the tree is meant by a project's patterns; what lies outside the project never is."""
    if project == ".":
        return matches(path, patterns)
    return path.startswith(f"{project}/") and matches(path.removeprefix(f"{project}/"), patterns)


def _lay(root: Path, files: dict[str, tuple[bytes, bool]]) -> None:
    """The files written below `root`, through no link: their names and contents came out of a sandbox."""
    for name, (content, is_program) in files.items():
        if not isinstance(name, str) or not is_inside(name) or "\0" in name:
            raise BuildFailed(f"the build names a file {name!r}")
        path = root / name
        for folder in reversed([root / parent for parent in PurePosixPath(name).parents][:-1]):
            if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
                raise BuildFailed(f"the build writes {name!r} below {folder.name!r}, which is no folder of the tree")
            make_folder(folder)
        if path.is_dir() and not path.is_symlink():
            raise BuildFailed(f"the build replaces the folder {name!r} by a file")
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(PROGRAM_MODE if is_program else FILE_MODE)


def telling_line(result: ExecResult) -> str:
    """The first line that names an error, else the last one; standard error first, the compilers' habit."""
    lines = (result.stderr + b"\n" + result.stdout).decode("utf-8", "replace").splitlines()
    said = [line.strip() for line in lines if line.strip()]
    telling = [line for line in said if TELLING.search(line)] or said[-1:] or [f"it said nothing ({result.ending})"]
    return "".join(char for char in telling[0][:300] if char.isprintable())
