"""Calls back when a module has been loaded, so that its functions are watched from their first call on.

Runs in the target's interpreter: standard library only. Needed where `sys.monitoring` is not (3.11), and to see the
tests of a command that is not pytest's.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Announcing:
    """A finder that finds what Python finds on its path; the loaders it gives tell when they are done."""

    def __init__(self, wants: Callable[[str, str], bool], loaded: Callable[[Any], None]) -> None:
        self.wants, self.loaded = wants, loaded

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """None for what is not wanted: others find it after us."""
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None or not self.wants(name, spec.origin or ""):
            return None
        run, tell = spec.loader.exec_module, self.loaded

        def exec_module(module: Any) -> None:
            run(module)
            tell(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def announce(wants: Callable[[str, str], bool], loaded: Callable[[Any], None]) -> None:
    """`loaded(module)` is called after every module from here on whose name and file `wants`."""
    place = next((k for k, one in enumerate(sys.meta_path) if one is PathFinder), len(sys.meta_path))
    sys.meta_path.insert(place, Announcing(wants, loaded))
