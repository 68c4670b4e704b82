"""Hypothesis as workers need it to make calls from type hints: optagent's own, since few environments have it."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from optagent.sandbox.base import Mount, Sandbox

PARTS = ("hypothesis", "_hypothesis_globals", "_hypothesis_ftz_detector", "sortedcontainers")
"""Hypothesis and all that it needs: none of them is compiled (since 6.156 it is, which pyproject.toml leaves out), so
they serve any Python."""

GENERATORS = "/optagent/generators"


def mounts() -> tuple[Mount, ...]:
    """Each of the parts; nothing where optagent's own installation lacks one."""
    return tuple(Mount(part, f"{GENERATORS}/{part.name}") for part in _parts())


def import_folder(sandbox: Sandbox) -> str:
    """The folder to import them from, as a worker sees it; empty where there is none."""
    lent = mounts()
    return str(Path(sandbox.inside(lent[0])).parent) if lent else ""


@cache
def _parts() -> tuple[Path, ...]:
    specs = [find_spec(name) for name in PARTS]
    parts = tuple(_whole(Path(one.origin)) for one in specs if one is not None and one.origin is not None)
    together = len({part.parent for part in parts}) == 1  # a rung without mounts has one folder for all
    return parts if len(parts) == len(PARTS) and together else ()


def _whole(origin: Path) -> Path:
    return origin.parent if origin.name == "__init__.py" else origin
