"""How far from the target a candidate may reach."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """Each holds the ones before it: what is in scope of a function is in scope of its module and its package."""

    FUNCTION = "function"
    MODULE = "module"
    PACKAGE = "package"
