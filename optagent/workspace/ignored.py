"""Which of the files that git ignores a test run may need: what a build or a generator left in the project, and data.

By rule, on names and marks alone, see docs/decisions: whatever is a tool's own, an output, a database or a secret
stays behind, the rest is needed until it is too large.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from optagent.workspace.litter import MARKS, Test, any_of, is_litter, welcome_in

MOST_BYTES_EACH = 32 << 20  # data that a test reads in a moment; built extensions may be larger (debug symbols)
MOST_BYTES = 512 << 20  # every run keeps a copy or two on disk
MOST_FILES = 20_000  # a copied file costs up to 0.1 ms

TOOLS_OWN = (".*",)  # an ignored dot file or folder: an editor's, a cache's, a coverage run's
OUTPUT_FOLDERS = (
    *("build", "dist", "sdist", "wheelhouse", "target", "out", "output", "outputs", "obj"),
    *("_build", "site", "_site", "htmlcov", "coverage", "cover", "log", "logs", "tmp", "temp", "cache", "*_cache"),
    *("pip-wheel-metadata", "__pypackages__", "cmake-build-*", "bazel-*", "wandb", "mlruns", "lightning_logs"),
)
BUILD_MARKS = ("CMakeCache.txt", "build.ninja")
OUTPUTS = (
    *("*.log", "*.pid", "*.tmp", "*.temp", "*.bak", "*.swp", "*.swo", "*~", "*.orig", "*.rej", "*.o", "*.obj", "*.a"),
    *("*.whl", "*.egg", "*.prof", "*.lprof", "*.cover", "coverage.xml", "coverage.json", "nosetests.xml", "junit*.xml"),
    *("core.[0-9]*", "nohup.out", "Thumbs.db", "desktop.ini", "celerybeat-schedule*"),
)
DATABASES = ("*.db", "*.db-*", "*.db3", "*.sqlite", "*.sqlite-*", "*.sqlite3", "*.sqlite3-*", "*.mdb", "*.rdb", "*.kdb")
SECRETS = (
    *("secret", "secret.*", "secrets", "secrets.*", "*[-_]secret.*", "*[-_]secrets.*", "client_secret*"),
    *("credential*", "*credentials.*", "service[-_]account*", "password*", "*.gpg", "*.asc", "htpasswd", "*_rsa"),
    *("*.tfstate*", "*.tfvars", "local_settings.py", "settings_local.py"),
)
EXTENSIONS = ("*.so", "*.so.*", "*.pyd", "*.dylib")

UNWANTED = any_of(TOOLS_OWN + OUTPUT_FOLDERS + OUTPUTS + DATABASES + SECRETS)
EXTENSION = any_of(EXTENSIONS)


@dataclass(frozen=True)
class LeftOut:
    """An ignored file that a test run may need but that is too large, or one too many."""

    path: str
    size_bytes: int


def is_unwanted(name: str) -> bool:
    """Whether an ignored file or folder of that name stays behind.

    >>> names = ("_version.py", "fast.cpython-311-x86_64-linux-gnu.so", "build", "db.sqlite3", "secrets.toml", ".idea")
    >>> [name for name in names if not is_unwanted(name)]
    ['_version.py', 'fast.cpython-311-x86_64-linux-gnu.so']
    """
    return is_litter(name) or UNWANTED.match(name) is not None


def wanted_in(top: Path, project_folders: set[str]) -> Test:
    """A test of ignored paths below `top`: whether neither the path nor a folder on the way is unwanted, a cache, a
    build or an environment. A folder with tracked files in it is the project's, whatever it is called.
    """
    return welcome_in(top, is_unwanted, MARKS + BUILD_MARKS, project_folders)


def folders_of(paths: Iterable[str]) -> set[str]:
    """Every folder on the way to one of the paths.

    >>> sorted(folders_of(["a/b/c.py", "d.py"]))
    ['a', 'a/b']
    """
    found: set[str] = set()
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return found


def too_large(top: Path, paths: Iterable[str]) -> tuple[LeftOut, ...]:
    """Those of the ignored paths that would make the copy too large, by path; small files are taken first.

    A built extension is never too large: without it the project cannot even be imported.
    """
    files = [LeftOut(path, size_of(top / path)) for path in paths if not is_extension(path)]
    left, taken, total = [], 0, 0
    for file in sorted(files, key=lambda file: (file.size_bytes, file.path)):
        if file.size_bytes > MOST_BYTES_EACH or total + file.size_bytes > MOST_BYTES or taken >= MOST_FILES:
            left.append(file)
        else:
            taken, total = taken + 1, total + file.size_bytes
    return tuple(sorted(left, key=lambda file: file.path))


def is_extension(path: str) -> bool:
    return EXTENSION.match(path.rpartition("/")[2]) is not None


def size_of(path: Path) -> int:
    """The bytes a copy would take; none for what is no file."""
    try:
        facts = os.lstat(path)
    except OSError:
        return 0
    return facts.st_size if stat.S_ISREG(facts.st_mode) else 0
