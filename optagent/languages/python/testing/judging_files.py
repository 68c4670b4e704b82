"""The files of a project that judge it: its tests, what helps them, and the configuration they run under."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from optagent.core.target import Tree
from optagent.languages.python.source.sources import is_test_file
from optagent.workspace.copying import add_files
from optagent.workspace.folders import remove
from optagent.workspace.listing import Entry

CONFIGURATION = frozenset(["pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml", "conftest.py"])
FOLDERS = ("test", "testing")


def judges(tree: Tree, path: str) -> bool:
    """Whether a path below the tree's root belongs to the tests, whatever kind of file it is.

    A folder `tests` does, wherever it is; one called `test` or `testing` in a package is a part of what the package
    offers, and only the files in it that are named like tests do.
    """
    pure = PurePosixPath(path)
    if pure.name in CONFIGURATION and PurePosixPath(tree.project).is_relative_to(pure.parent):
        return True
    if tree.project != "." and not pure.is_relative_to(tree.project):
        return False
    inside = pure.relative_to(tree.project)
    return is_test_file(inside.name) or any(_is_of_tests(tree, folder) for folder in list(inside.parents)[:-1])


def _is_of_tests(tree: Tree, folder: PurePosixPath) -> bool:
    is_in_package = (tree.project_root / folder.parent / "__init__.py").is_file()
    return folder.name == "tests" or (folder.name in FOLDERS and not is_in_package)


def restore(base: Tree, head: Tree, paths: Sequence[str]) -> None:
    """The files of these paths are in `head` what they are in `base`; what is not there is gone."""
    for path in paths:
        if is_file(head.root / path):
            (head.root / path).unlink()
    for path in paths:
        if is_file(base.root / path):
            _make_way(head.root, path)
            add_files(base.root, [Entry(path)], head.root)


def is_file(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def _make_way(root: Path, path: str) -> None:
    """No file and no link stands where the path needs a folder, and no folder where it stands itself."""
    for folder in list(PurePosixPath(path).parents)[:-1]:
        if is_file(root / folder):
            (root / folder).unlink()
    if (root / path).is_dir():
        remove(root / path)
