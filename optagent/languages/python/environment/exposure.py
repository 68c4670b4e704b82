"""What of the user's other folders a sandbox may be shown because an environment imports from them.

A path file can name any folder, and the environment may have come with the repository: so never the home, never
what is private in it, and of a folder only what can be imported.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from optagent.languages.python.environment.site_packages import entries
from optagent.sandbox.base import Mount
from optagent.workspace.litter import is_environment, is_litter

IMPORTABLE = (".py", ".so", ".pyc", ".zip", ".egg")
MACHINES = ("/boot", "/dev", "/etc", "/proc", "/run", "/sys", "/var")
"""The machine's own: no project lies there, and much of it is nobody's business."""

PACKAGES = ("site-packages", "dist-packages", "archive-v0")
"""Folders that hold packages and nothing else, also below a hidden folder (the last one is uv's)."""

MOST_LOOKED_AT = 1000
"""Entries of a folder that are looked at for something importable; a package shows it sooner."""


def fault(place: Path, top: Path, home: Path) -> str:
    """Why a folder on the import path is not shown; empty when it may be. All paths are real ones."""
    if top.is_relative_to(place) or home.is_relative_to(place):
        return "too much lies in it"
    if place.is_relative_to(home):
        private = any(part.startswith(".") or is_litter(part) for part in place.relative_to(home).parts)
    else:
        private = any(map(is_litter, place.parts))
        if any(place.is_relative_to(each) for each in MACHINES):
            return "it belongs to the machine"
    return "it is private" if private and not any(part in PACKAGES for part in place.parts) else ""


def folder(place: Path) -> Iterator[Mount]:
    """The modules and packages in a folder, or the archive that stands for one."""
    if os.path.isfile(place) or place.name in PACKAGES:
        yield Mount(place, str(place))
        return
    for name in entries(place):
        yield from module(place / name)


def module(place: Path) -> Iterator[Mount]:
    """A package's folder or a module's file; a module may be named without its suffix."""
    if not os.path.exists(place):
        names = [name for name in entries(place.parent) if name.startswith(f"{place.name}.")]
        yield from (mount for name in names if name.endswith(IMPORTABLE) for mount in module(place.parent / name))
    elif _is_importable(place) and not is_litter(place.name) and not is_environment(str(place)):
        yield Mount(place, str(place))


def _is_importable(place: Path) -> bool:
    """A module, a package, the metadata of one, or a folder of packages (a namespace)."""
    if os.path.isfile(place):
        return place.name.endswith(IMPORTABLE)
    return place.name.endswith((".dist-info", ".egg-info")) or any(map(_has_modules, (place, *_folders(place))))


def _has_modules(place: Path) -> bool:
    return any(name.endswith(IMPORTABLE) for name in islice(entries(place), MOST_LOOKED_AT))


def _folders(place: Path) -> Iterator[Path]:
    return (place / name for name in islice(entries(place), MOST_LOOKED_AT) if os.path.isdir(place / name))
