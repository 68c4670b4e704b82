"""Whether a project has tests at all, from file names alone."""

from __future__ import annotations

import os

from optagent.core.target import Tree
from optagent.languages.python.locate import SKIPPED_FOLDERS, is_test_file


def has_tests(tree: Tree) -> bool:
    """Whether some Python file below the project is named like a test."""
    for folder, folders, names in os.walk(tree.project_root):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
        inside = os.path.relpath(folder, tree.project_root)
        if any(name.endswith(".py") and is_test_file(os.path.normpath(f"{inside}/{name}")) for name in names):
            return True
    return False
