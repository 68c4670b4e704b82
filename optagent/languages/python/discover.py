"""The tests of a project, from file names alone."""

from __future__ import annotations

import os
from collections.abc import Iterator

from optagent.core.target import Tree
from optagent.languages.python.locate import SKIPPED_FOLDERS, is_test_file


def test_files(tree: Tree) -> Iterator[str]:
    """Python files below the project that are named like tests or lie in their folders, relative to the tree."""
    for folder, folders, names in os.walk(tree.project_root):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
        inside = os.path.relpath(folder, tree.root)
        paths = (os.path.normpath(f"{inside}/{name}") for name in sorted(names) if name.endswith(".py"))
        yield from (path for path in paths if is_test_file(path))


def has_tests(tree: Tree) -> bool:
    return next(test_files(tree), None) is not None
