"""What the tests of the configuration share: files on disk, and the settings that come out."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from optagent.cli.settings.config import Config, read
from optagent.errors import BadSetting


def project(folder: Path, settings: str, name: str = "pyproject.toml") -> Path:
    """A folder with these settings in it, below a header in a pyproject.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    head = "[tool.optagent]\n" if name == "pyproject.toml" else ""
    (folder / name).write_text(head + settings)
    return folder


def git_top(folder: Path) -> Path:
    subprocess.run(["git", "init", "-q", folder], check=True)
    return folder


def settings(repo: Path, env: dict[str, str] | None = None, **flags: Any) -> Config:
    return read(repo, flags, env or {})


def refusal(repo: Path, env: dict[str, str] | None = None, **flags: Any) -> str:
    """The sentence and the hint with which these settings are refused."""
    with pytest.raises(BadSetting) as caught:
        read(repo, flags, env or {})
    assert caught.value.exit_code == 2
    assert "\n" not in caught.value.message + caught.value.hint
    return f"{caught.value.message} | {caught.value.hint}"
