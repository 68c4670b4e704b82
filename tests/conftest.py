"""What the tests of several rooms share: a sandbox, an interpreter, a folder of source files."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from optagent.sandbox.base import Sandbox
from optagent.sandbox.bwrap import Bwrap
from optagent.sandbox.unprotected import Unprotected

ROOT = Path(__file__).parents[1]
NO_BWRAP = "bubblewrap (bwrap) is not installed: nothing to test the default sandbox with"


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test ever writes into the state folder of whoever runs the tests, or reads their settings."""
    monkeypatch.setenv("OPTAGENT_STATE", str(tmp_path_factory.getbasetemp() / "optagent-state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "no-settings"))


def open_to_all(*folders: Path) -> None:
    """Folders that a dropped user can look into; those that are not ours to change stay as they are."""
    for folder in folders:
        if os.stat(folder).st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o755)


def make_sandbox(rung: str) -> Sandbox:
    if rung == "none":
        return Unprotected()
    if shutil.which("bwrap") is None:
        pytest.skip(NO_BWRAP)
    return Bwrap()


@pytest.fixture
def sandbox() -> Sandbox:
    """The default sandbox of this machine."""
    return make_sandbox("bwrap")


@pytest.fixture(scope="session")
def ours() -> Path:
    """The interpreter that runs these tests, as the link by which a venv is known."""
    return Path(sys.executable)


@pytest.fixture
def make_repo(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, bytes | str]], Path]:
    """Makes a folder of files that the sandbox's user can read; text is written as UTF-8, line ends untouched."""

    def make(files: dict[str, bytes | str]) -> Path:
        root = tmp_path_factory.mktemp("repo")
        for folder in (root, *root.parents[:2]):  # pytest keeps its folders to itself
            folder.chmod(0o755)
        for name, content in files.items():
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return make
