"""Where a patch may write."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from optagent.core.target import is_inside
from optagent.errors import UsageError


def inside(root: Path, path: str) -> Path:
    """The file of that path, which lies below `root`, and not in a `.git`; UsageError if not.

    The last part may be a link, the folders on the way may be links that stay below `root`.
    """
    file = root / path
    parts = [part.lower() for part in PurePosixPath(path).parts]
    if (
        not is_inside(path)
        or "\0" in path
        or ".git" in parts
        or not file.parent.resolve().is_relative_to(root.resolve())
    ):
        raise UsageError(f"The patch writes to {path!r}, which is not a place in the project.", "Nothing was written.")
    return file
