"""Whether a patch starts from the code that it is going to be put into."""

from __future__ import annotations

import os
from pathlib import Path

from optagent.core.patch import Change, Patch
from optagent.core.target import Tree, is_inside
from optagent.workspace.text import encode


def stale(base: Tree, patch: Patch) -> str | None:
    """The first file that is not in the base what the patch takes it for, as a sentence, or None.

    A new file must be new: overwriting one would hide from the scope what is lost.
    """
    return next((fault for change in patch.changes if (fault := _stale(base, change))), None)


def _stale(base: Tree, change: Change) -> str | None:
    file = base.root / change.path
    if not is_inside(change.path) or "\0" in change.path:
        return f"edits {change.path!r}, which is no place in the project"
    if os.path.realpath(file) != os.path.join(os.path.realpath(base.root), change.path):
        return f"edits {change.path} through a link"
    if change.old is None:
        return f"creates {change.path}, which is there already" if os.path.lexists(file) else None
    return None if file.is_file() and _holds(file, change.old) else f"does not start from {change.path} as it is"


def _holds(file: Path, text: str) -> bool:
    try:
        return file.read_bytes() == encode(text)
    except UnicodeEncodeError:  # half of a character comes from no file
        return False
