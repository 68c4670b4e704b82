"""What no checkout ever gets, unless git tracks it: caches, environments, keys."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase

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
)
LITTER = VERSION_CONTROL + CACHES + ENVIRONMENTS + KEYS


def is_litter(name: str) -> bool:
    """Whether a file or folder of that name stays behind.

    >>> [name for name in ("m.py", "m.pyc", ".env.local", "id_rsa", "environment.yml") if is_litter(name)]
    ['m.pyc', '.env.local', 'id_rsa']
    """
    return any(fnmatchcase(name, pattern) for pattern in LITTER)


def is_environment(folder: str) -> bool:
    """Whether the folder is a virtual or a conda environment, whatever it is called."""
    return any(os.path.lexists(os.path.join(folder, mark)) for mark in ("pyvenv.cfg", "conda-meta"))
