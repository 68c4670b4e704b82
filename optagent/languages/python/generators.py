"""Hypothesis as workers need it to make calls from type hints: optagent's own, since few environments have it."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from optagent.sandbox.base import Mount, Sandbox

PACKAGES = ("hypothesis", "sortedcontainers")
"""Hypothesis and all that it needs: neither of them is compiled, so they serve any Python."""

GENERATORS = "/optagent/generators"


def mounts() -> tuple[Mount, ...]:
    """Each of the packages; nothing where optagent's own installation lacks one."""
    return tuple(Mount(folder, f"{GENERATORS}/{folder.name}") for folder in _folders())


def import_folder(sandbox: Sandbox) -> str:
    """The folder to import them from, as a worker sees it; empty where there is none."""
    lent = mounts()
    return str(Path(sandbox.inside(lent[0])).parent) if lent else ""


@cache
def _folders() -> tuple[Path, ...]:
    specs = [find_spec(name) for name in PACKAGES]
    folders = tuple(Path(one.origin).parent for one in specs if one is not None and one.origin is not None)
    together = len({folder.parent for folder in folders}) == 1  # a rung without mounts has one folder for both
    return folders if len(folders) == len(PACKAGES) and together else ()
