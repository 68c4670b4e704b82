"""What the tests of several rooms share: a sandbox, an interpreter, a folder of source files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from rungs import make_sandbox, unreachable

from optagent.sandbox.base import Sandbox

ROOT = Path(__file__).parents[1]
# No test fails for want of time on a busy machine.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


WHOLE = ("end_to_end", "examples", "museum")
"""Rooms whose tests run whole verbs, behind whatever sandbox there is."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if why := unreachable():
        for item in items:
            if any(item.path.is_relative_to(ROOT / "tests" / room) for room in WHOLE):
                item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test ever writes into the state folder of whoever runs the tests, or reads their settings."""
    monkeypatch.setenv("OPTAGENT_STATE", str(tmp_path_factory.getbasetemp() / "optagent-state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "no-settings"))


@pytest.fixture(autouse=True, scope="session")
def open_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Pytest keeps its folders to itself, and the sandbox's user has to get into what the tests put there. Each worker
    of a parallel session has its own below."""
    base = tmp_path_factory.getbasetemp()
    for folder in (base, *base.parents):
        if folder.name.startswith(("pytest-", "popen-")):
            folder.chmod(0o755)


@pytest.fixture
def tmp_path(tmp_path: Path) -> Path:
    """Open to others, like the folders it lies in."""
    tmp_path.chmod(0o755)
    return tmp_path


@pytest.fixture
def sandbox() -> Sandbox:
    """The default sandbox of this machine."""
    return make_sandbox("default")


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
