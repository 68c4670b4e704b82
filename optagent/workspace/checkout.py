"""A private copy of the baseline with one patch in it."""

from __future__ import annotations

import os
from pathlib import Path

from optagent.core.patch import Change, Patch
from optagent.core.target import Tree
from optagent.errors import EnvironmentFault, UsageError
from optagent.workspace.copying import FILE_MODE, copy_files, make_folder
from optagent.workspace.folders import remove
from optagent.workspace.inside import inside
from optagent.workspace.listing import everything
from optagent.workspace.text import write_source

__all__ = ["checkout", "remove"]


def checkout(base: Tree, patch: Patch, into: Path) -> Tree:
    """`into` holds the base with the patch applied; the two share no file. Take it away with `remove`.

    UsageError when the patch leads out of the tree, EnvironmentFault when `into` cannot be written; then
    `into` is gone.
    """
    for change in patch.changes:
        inside(base.root, change.path)
    copy_files(base.root, everything(base.root), into)
    return patched(Tree(into.resolve(), base.project), patch)


def patched(tree: Tree, patch: Patch) -> Tree:
    """The tree, which is the base's, with the patch in it. The faults of `checkout`."""
    try:
        for change in patch.changes:
            write_change(tree.root, change)
    except OSError as error:
        remove(tree.root)
        raise EnvironmentFault(f"The patch cannot be written to {tree.root}: {error}.") from error
    except UsageError:
        remove(tree.root)
        raise
    return tree


def write_change(root: Path, change: Change) -> None:
    """The file is as the patch wants it, readable by everybody; a file that was executable still is."""
    file = inside(root, change.path)
    if change.new is None or file.is_symlink():
        file.unlink(missing_ok=True)
    if change.new is None:
        return
    for folder in reversed([folder for folder in file.parents if not folder.exists()]):
        make_folder(folder)
    is_new = not file.exists()
    write_source(file, change.new)
    if is_new:
        os.chmod(file, FILE_MODE)
