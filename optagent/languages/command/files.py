"""The files of a tree that a project's patterns mean, and files that a build made laid into a tree."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from optagent.core.target import Tree, is_inside
from optagent.languages.command.globs import matches
from optagent.languages.command.settings import CommandSettings
from optagent.workspace.copying import FILE_MODE, PROGRAM_MODE, make_folder
from optagent.workspace.listing import everything


class UnfitName(ValueError):
    """A name under which no file may be laid; the message says why."""


def source_files(tree: Tree, settings: CommandSettings) -> list[str]:
    """The files in scope that the tree has, relative to its root, in their order by name."""
    hidden = (*settings.inputs, *settings.hidden)
    found = files_meant(tree, settings.scope)
    return [path for path in found if not is_meant(path, tree.project, hidden)]


def files_meant(tree: Tree, patterns: Iterable[str]) -> list[str]:
    """The regular files of the project that its patterns mean, relative to the tree's root, by name."""
    found = (entry.path for entry in everything(tree.root))
    chosen = [path for path in found if is_meant(path, tree.project, patterns)]
    return sorted(path for path in chosen if stat.S_ISREG(os.lstat(tree.root / path).st_mode))


def is_meant(path: str, project: str, patterns: Iterable[str]) -> bool:
    """Whether a path of the tree is meant by a project's patterns; what lies outside the project never is."""
    if project == ".":
        return matches(path, patterns)
    return path.startswith(f"{project}/") and matches(path.removeprefix(f"{project}/"), patterns)


def lay(root: Path, files: Mapping[str, tuple[bytes, bool]]) -> None:
    """The files written below `root`, through no link: their names and contents came out of a sandbox."""
    for name, (content, is_program) in files.items():
        if not isinstance(name, str) or not is_inside(name) or "\0" in name:
            raise UnfitName(f"the build names a file {name!r}")
        path = root / name
        for folder in reversed([root / parent for parent in PurePosixPath(name).parents][:-1]):
            if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
                raise UnfitName(f"the build writes {name!r} below {folder.name!r}, which is no folder of the tree")
            make_folder(folder)
        if path.is_dir() and not path.is_symlink():
            raise UnfitName(f"the build replaces the folder {name!r} by a file")
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(PROGRAM_MODE if is_program else FILE_MODE)
