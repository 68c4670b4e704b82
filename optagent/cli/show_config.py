"""Prints the settings that hold for a repository, and where each came from."""

from __future__ import annotations

import json as jsonlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optagent.cli.settings.config import Config, read
from optagent.cli.settings.layers import Found
from optagent.core import outcome as codes
from optagent.errors import OptagentError
from optagent.report.text import safe

SCHEMA = 1


def config(repo: Path, given: Mapping[str, Any], origin: bool, json: bool) -> int:
    """One line for each setting, or one document; a fault is a document too."""
    try:
        found = read(repo, given, os.environ)
    except OptagentError as fault:
        if not json:
            raise
        error = {"slug": fault.slug, "message": fault.message, "hint": fault.hint}
        _write({"schema": SCHEMA, "verb": "config", "error": error})
        return fault.exit_code
    if json:
        _write(_document(found))
    else:
        sys.stdout.write(safe(_text(found, origin)))
    return codes.OK


def _write(document: dict[str, Any]) -> None:
    sys.stdout.write(jsonlib.dumps(document, indent=2, default=str) + "\n")


def _document(found: Config) -> dict[str, Any]:
    settings = {name: {"value": one.value, "origin": one.origin} for name, one in found.found.items()}
    files = [str(path) for path in found.files]
    return {"schema": SCHEMA, "verb": "config", "settings": settings, "command": found.command, "files": files}


def _text(found: Config, origin: bool) -> str:
    rows = [(name, _shown(one), one.origin) for name, one in found.found.items()]
    if found.command is not None:
        rows.append(("command", jsonlib.dumps(found.command, default=str), str(found.project_file)))
    wide = max(len(value) for _, value, _ in rows) if origin else 0
    lines = [f"{name:<15} {value:<{wide}}" + (f"  {place}" if origin else "") for name, value, place in rows]
    return "\n".join(lines) + "\n"


def _shown(one: Found) -> str:
    """The value as a file would say it; a hyphen for none."""
    if one.value in (None, ()):
        return "-"
    return jsonlib.dumps(one.value, ensure_ascii=False)
