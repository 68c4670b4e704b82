"""Whether the installed litellm may be imported, found out without importing it."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

from optagent.errors import DependencyPoisoned, ToolMissing

# Published on 2026-03-24 by thieves. The second one ran at every start of Python, through this file in site-packages.
POISONED = ("1.82.7", "1.82.8")
POISONED_FILE = "litellm_init.pth"


def litellm_version(folders: list[str] | None = None) -> str | None:
    """The version that an import would get; None when it is not installed."""
    found = metadata.distributions(name="litellm", path=sys.path if folders is None else folders)
    return next((one.version for one in found), None)


def dangers(folders: list[str] | None = None) -> tuple[str, ...]:
    """What is known to be malicious in the folders that Python imports from, one sentence each."""
    places = sys.path if folders is None else folders
    version = litellm_version(places)
    found = [f"litellm {version} is a poisoned release that steals keys"] if version in POISONED else []
    files = [Path(place) / POISONED_FILE for place in dict.fromkeys(places) if place]
    return (
        *found,
        *(f"{file} belongs to a poisoned release of litellm that steals keys" for file in files if _is(file)),
    )


def require_clean() -> None:
    """litellm is installed, and nothing is known against it; DependencyPoisoned or ToolMissing otherwise."""
    if found := dangers():
        raise DependencyPoisoned(
            f"{found[0]}. It may already have read every key on this machine.",
            "Remove it (`pip uninstall litellm`, then delete that file), and replace all keys and passwords.",
        )
    if litellm_version() is None:
        raise ToolMissing("litellm is not installed, so no model can be asked.", "Type `pip install litellm`.")


def _is(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # a folder that may not be looked into
        return False
