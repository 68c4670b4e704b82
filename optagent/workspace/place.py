"""Where the record of runs is kept: outside of the user's tree, one folder per repository."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from optagent.errors import LedgerUnwritable
from optagent.workspace.folders import remove
from optagent.workspace.litter import PLACE_MARK
from optagent.workspace.worktree import toplevel

STATE_VARIABLE = "OPTAGENT_STATE"


def state_root(flag: Path | None, env: Mapping[str, str]) -> Path:
    """The folder for all state, absolute: the flag, else OPTAGENT_STATE, else the platform's. Makes nothing."""
    named = flag or env.get(STATE_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_state_path

    return user_state_path("optagent", appauthor=False)


def repository_place(root: Path, repo: Path) -> Path:
    """The folder below `root` for the repository that `repo` lies in, wherever in it. Makes nothing."""
    top = toplevel(repo)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", top.name)[:40].strip(".-") or "root"
    return root / f"{name}-{hashlib.sha256(os.fsencode(top)).hexdigest()[:10]}"


def make_place(place: Path) -> Path:
    """The folder is there, can be written, and is ignored by git and by us wherever it lies; the folder.

    LedgerUnwritable if not, and then no folder has been made.
    """
    first = next((each for each in reversed((place, *place.parents)) if not os.path.lexists(each)), None)
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place) as probe:
            probe.write(b"\n")
        for name in (".gitignore", PLACE_MARK):
            if not (place / name).exists():
                (place / name).write_text("*\n")
    except OSError as error:
        if first and os.path.lexists(first):
            remove(first)
        raise LedgerUnwritable(
            f"Runs cannot be recorded in {place}: {error.strerror or error}.", "Name another folder with `--state DIR`."
        ) from error
    return place
