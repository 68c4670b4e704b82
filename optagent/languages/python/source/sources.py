"""The Python files of a project, and their text as the compiler would decode it."""

from __future__ import annotations

import ast
import io
import os
import re
import tokenize
import warnings
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from optagent.core.target import Tree
from optagent.errors import BadSource
from optagent.workspace.litter import is_environment, is_litter

SKIPPED_FOLDERS = {".git", ".hg", ".tox", ".nox", ".venv", "venv", "node_modules", "__pycache__", "build", "dist"}
OUTPUT_FOLDERS = {"build", "dist"}  # unless they hold an `__init__.py`: some packages have these names


def source_files(tree: Tree) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The project's Python files by path below the tree's root, tests among them, in order of their names.

    Environments, caches and build output are left out, and so is what is no regular file: a link inside the tree
    leads to a file that is listed anyway, a link out of it to one that is not ours.
    """
    waiting = ["" if tree.project == "." else tree.project]
    while waiting:
        folder = waiting.pop()
        entries = _entries(tree.root / folder)
        prefix = f"{folder}/" if folder else ""
        for entry in entries:
            if entry.name.endswith(".py") and entry.is_file(follow_symlinks=False):
                yield prefix + entry.name, entry
        folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False) and _is_own(entry)]
        waiting.extend(prefix + entry.name for entry in reversed(folders))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:  # a folder that its owner cannot read, or that has just gone, holds no target
        return []


def _is_own(entry: os.DirEntry[str]) -> bool:
    if entry.name in OUTPUT_FOLDERS:
        return os.path.isfile(f"{entry.path}/__init__.py")
    return entry.name not in SKIPPED_FOLDERS and not is_litter(entry.name) and not is_environment(entry.path)


def is_test_file(path: str) -> bool:
    """Whether a file (by its path below the project) belongs to the tests: never a target, never to be edited.

    >>> is_test_file("tests/helpers.py"), is_test_file("pkg/conftest.py"), is_test_file("pkg/contest.py")
    (True, True, False)
    """
    pure = PurePosixPath(path)
    in_tests = any(part in ("tests", "test", "testing") for part in pure.parts[:-1])
    named_so = re.fullmatch(r"conftest\.py|test_.*\.py|.*_test\.py|tests?\.py", pure.name)
    return in_tests or named_so is not None


def is_test_of(tree: Tree, path: str) -> bool:
    """The same for a path below the tree's root: where the project lies in its repository does not count."""
    return is_test_file(path.removeprefix(f"{tree.project}/"))


def read_source(path: Path) -> str:
    """Source text as the compiler would decode it, line ends untouched. Raises BadSource."""
    try:
        return decoded(path.read_bytes(), path.name)
    except OSError as fault:
        raise BadSource(f"{path.name} cannot be read as source: {fault}") from None


def decoded(raw: bytes, name: str) -> str:
    """The bytes of a source file as text. Raises BadSource."""
    try:
        return raw.decode(tokenize.detect_encoding(io.BytesIO(raw).readline)[0])
    except (SyntaxError, UnicodeDecodeError, LookupError) as fault:
        raise BadSource(f"{name} cannot be read as source: {fault}") from None


def parse_source(text: str, name: str) -> ast.Module:
    """The syntax tree, or BadSource with the place of the fault."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in the target is not our news
            return ast.parse(_decoded_or_raw(text), name)
    except RecursionError:
        raise BadSource(f"{name} has an expression too deep to be read (a chain of thousands of terms)") from None
    except (SyntaxError, ValueError, MemoryError) as fault:
        line = getattr(fault, "lineno", None)
        place = f"{name}:{line}" if line else name
        raise BadSource(f"{place} is not valid Python: {getattr(fault, 'msg', fault)}") from None


def _decoded_or_raw(text: str) -> str | bytes:
    """What the parser takes: text as it is (a coding line in it is done with), or the bytes that could not be read
    as UTF-8, whose coding line says what they are."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")
    return text.removeprefix("\ufeff")
