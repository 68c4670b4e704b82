"""What profilers that live in a Python worker need."""

from __future__ import annotations

from optagent.profile.base import Here, Missing

NOT_PYTHON = Missing("it looks into Python code only, and the target is none, or its environment is not known")


def missing(here: Here) -> Missing | None:
    return NOT_PYTHON if here.installed is None else None
