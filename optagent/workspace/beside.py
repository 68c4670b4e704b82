"""The ignored files of the user's folder beside the files of a revision: without them many projects do not import."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from optagent.core.target import Tree
from optagent.workspace.copying import add_files
from optagent.workspace.ignored import is_extension, too_large
from optagent.workspace.listing import project_files
from optagent.workspace.snapshot import Copy


def add_ignored(top: Path, trees: tuple[Tree, ...]) -> tuple[str, ...]:
    """Each of the trees, which hold files of git, also has the ignored files that a test run may need, as they lie in
    the user's folder now; what there is to say of that."""
    entries = [entry for entry in project_files(top) if entry.ignored]
    left_out = too_large(top, (entry.path for entry in entries))
    gone = {file.path for file in left_out}
    entries = [entry for entry in entries if entry.path not in gone]
    for tree in trees:
        add_files(top, [entry for entry in entries if fits(tree.root, entry.path)], tree.root)
    return (*_built([entry.path for entry in entries]), *filter(None, [Copy(trees[0], left_out).note]))


def fits(root: Path, path: str) -> bool:
    """Whether nothing is at the path, nor a file or a link where it needs a folder."""
    folders = [root / folder for folder in PurePosixPath(path).parents][:-1]
    return not os.path.lexists(root / path) and all(
        not os.path.lexists(folder) or (folder.is_dir() and not folder.is_symlink()) for folder in folders
    )


def _built(paths: list[str]) -> Iterator[str]:
    built = [path for path in paths if is_extension(path)]
    if built:
        yield (
            f"built extensions are those of your folder on both sides (first: {built[0]}): a change of their sources "
            "is not measured"
        )
