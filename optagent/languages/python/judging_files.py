"""The files of a project that judge it: its tests, what helps them, and the configuration they run under."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from optagent.core.target import Tree
from optagent.languages.python.sources import is_test_file
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


def restore(base: Tree, head: Tree, paths: Iterable[str]) -> None:
    """The files of these paths are in `head` what they are in `base`; what is not there is gone."""
    for path in paths:
        file = head.root / path
        if file.exists() or file.is_symlink():
            remove(file)
        if (base.root / path).exists() or (base.root / path).is_symlink():
            _make_way(head.root, path)
            add_files(base.root, [Entry(path)], head.root)


def _make_way(root: Path, path: str) -> None:
    """No file and no link stands where the path needs a folder."""
    for folder in list(PurePosixPath(path).parents)[:-1]:
        place = root / folder
        if place.is_symlink() or place.is_file():
            place.unlink()
