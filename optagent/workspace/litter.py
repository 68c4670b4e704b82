"""What no checkout ever gets, unless git tracks it: caches, environments, keys."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable
from fnmatch import translate
from functools import cache
from pathlib import Path

VERSION_CONTROL = (".git", ".hg", ".svn")
CACHES = (
    "__pycache__",
    "*.pyc",
    ".tox",
    ".nox",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".eggs",
    ".hypothesis",
    ".optagent",
)
ENVIRONMENTS = (".venv", "node_modules")
KEYS = (
    ".env*",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.ppk",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    ".ssh",
    ".aws",
    ".gnupg",
    ".netrc",
    ".pypirc",
    ".npmrc",
    ".git-credentials",
    ".htpasswd",
)
PLACE_MARK = ".optagent-place"  # our record of runs, wherever the user keeps it
# An environment, a cache or ours by its own word, whatever its name.
MARKS = ("pyvenv.cfg", "conda-meta", "CACHEDIR.TAG", PLACE_MARK)
Test = Callable[[str, bool], bool]


def any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """What a name that fits one of the shell patterns matches; one look at it, however many they are."""
    return re.compile("|".join(translate(pattern) for pattern in patterns))


LITTER = any_of(VERSION_CONTROL + CACHES + ENVIRONMENTS + KEYS)


def is_litter(name: str) -> bool:
    """Whether a file or folder of that name stays behind.

    >>> [name for name in ("m.py", "m.pyc", ".env.local", "id_rsa", "environment.yml") if is_litter(name)]
    ['m.pyc', '.env.local', 'id_rsa']
    """
    return LITTER.match(name) is not None


def is_environment(folder: str) -> bool:
    """Whether the folder is a virtual or a conda environment, a cache or ours, whatever it is called."""
    return holds_any(folder, MARKS)


def holds_any(folder: str, names: Iterable[str]) -> bool:
    return any(os.path.lexists(f"{folder}/{name}") for name in names)


def welcome_in(
    top: Path,
    unwanted: Callable[[str], bool] = is_litter,
    marks: Iterable[str] = MARKS,
    known: Collection[str] = frozenset(),
) -> Test:
    """A test of paths below `top` (and whether each is a folder): is neither its name nor that of a folder on the
    way unwanted, and holds no such folder a mark? Folders that are `known` need no test.
    """

    @cache
    def welcome_folder(path: str) -> bool:
        parent, _, name = path.rpartition("/")
        if not path or path in known:
            return True
        return not unwanted(name) and not holds_any(f"{top}/{path}", marks) and welcome_folder(parent)

    def welcome(path: str, is_folder: bool) -> bool:
        parent, _, name = path.rpartition("/")
        return welcome_folder(path) if is_folder else not unwanted(name) and welcome_folder(parent)

    return welcome
