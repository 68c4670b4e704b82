"""Where a patch may write."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from optagent.core.target import is_inside
from optagent.errors import UsageError


def inside(root: Path, path: str) -> Path:
    """The file of that path, which lies below `root`, and not in a `.git`; UsageError if not.

    The last part may be a link, the folders on the way may be links that stay below `root`.
    """
    parts = [part.lower() for part in PurePosixPath(path).parts]
    if not is_inside(path) or "\0" in path or ".git" in parts or not stays_below(root, path):
        raise UsageError(f"The patch writes to {path!r}, which is not a place in the project.", "Nothing was written.")
    return root / path


def stays_below(root: Path, path: str) -> bool:
    """Whether the file's folder is below `root` once links are followed; `realpath` bears loops and any length."""
    folder = os.path.realpath(os.path.dirname(root / path))
    return f"{folder}/".startswith(f"{os.path.realpath(root)}/")
