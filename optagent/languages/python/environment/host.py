"""The user's side of the search for an environment: his variables, his home, and files read with care."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Host:
    """The user's side of the search: his variables and his home."""

    env: Mapping[str, str]
    home: Path

    def folder(self, variable: str, default: str) -> Path:
        """The folder a variable names, else the one at `default` below the home."""
        return Path(self.env.get(variable) or self.home / default)


@dataclass(frozen=True)
class Candidate:
    """An environment's folder or an interpreter, which is there, and why it is the project's."""

    path: Path
    origin: str


Look = Candidate | str
"""What one look found: something to use, or the sentence that says why it was passed over."""


def text(file: Path) -> str:
    """The file's text; nothing when it is missing or may not be read."""
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""


def toml(file: Path) -> dict[str, Any]:
    """The file's content; nothing when it is missing or no TOML, which is for others to complain about."""
    try:
        return tomllib.loads(text(file))
    except ValueError:
        return {}


def table(data: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """The table below these keys, empty when there is none of that name or it is something else."""
    found: Any = data
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
