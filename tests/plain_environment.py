"""An environment with pytest and nothing else: where a project's tests start in a fraction of the time that they take
in ours, whose plugins all load first."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
from rungs import open_to_all

from optagent.languages.python.environment.tools import PYTEST


def plain_environment(folder: Path) -> Path:
    """A virtual environment, made in that folder, with our own pytest copied into it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = (folder / "lib").glob("python*/site-packages")
    for name in PYTEST:
        for file in distribution(name).files or ():
            source, place = Path(str(file.locate())), site / file
            if ".." not in file.parts and source.is_file():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(source.read_bytes())
    subprocess.run([folder / "bin" / "python", "-m", "compileall", "-q", site], check=True)
    open_to_all(folder, *folder.parents[:3])
    return folder


@pytest.fixture(scope="session", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Projects have that one, as if their user had activated it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIRTUAL_ENV", str(plain_environment(tmp_path_factory.mktemp("environment") / "plain")))
        yield
