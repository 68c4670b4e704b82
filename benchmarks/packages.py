"""Packages from the registry as their users have them: source distributions, each with an environment of its own.

Not a benchmark itself; `workloads.py`, `ten_hottest.py` and `capture.py` share it. OPTAGENT_BENCHMARK_PLACE says where
they are unpacked, OPTAGENT_BENCHMARK_PYTHON which interpreter their environments are made with.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

PLACE = Path(os.environ.get("OPTAGENT_BENCHMARK_PLACE", "/tmp/optagent-packages"))
PYTHON = os.environ.get("OPTAGENT_BENCHMARK_PYTHON", sys.executable)


@dataclass(frozen=True)
class Package:
    """A source distribution with tests in it; `needs` is what its tests import besides pytest."""

    name: str
    version: str
    needs: tuple[str, ...] = ()


PACKAGES = (
    Package("more-itertools", "11.2.1"),
    Package("toolz", "1.2.0"),
    Package("sqlparse", "0.6.1"),
    Package("mistune", "3.4.0"),
    Package("packaging", "26.3", ("hypothesis", "pretend", "tomli_w")),
    Package("python-dateutil", "4.0.0", ("freezegun", "hypothesis", "pytest-cov", "attrs", "six")),
    Package("jsonschema", "4.26.0", ("jsonpath_ng",)),
    Package("networkx", "3.6.1"),
)


def chosen(names: list[str]) -> list[Package]:
    """The packages named on the command line; all of them when none is."""
    return [one for one in PACKAGES if not names or one.name in names]


def unpacked(package: Package) -> Path:
    """The folder of the package with its environment in `.venv`, made when it is not there yet."""
    place = PLACE if sys.executable == PYTHON else PLACE / PYTHON.strip("/").replace("/", "-")
    folder = place / f"{package.name}-{package.version}"
    if (folder / ".venv" / "ready").exists():
        return folder
    place.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    fresh = place / f"{folder.name}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    downloads = PLACE / "downloads" / package.name
    wanted = f"{package.name}=={package.version}"
    pip(sys.executable, "download", "--no-binary", package.name, "--no-deps", "-d", str(downloads), wanted)
    (archive,) = downloads.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(fresh, filter="data")
    (top,) = fresh.iterdir()
    top.rename(folder)
    fresh.rmdir()
    subprocess.run([PYTHON, "-m", "venv", folder / ".venv"], check=True)
    pip(str(folder / ".venv/bin/python"), "install", "-e", str(folder), "pytest", *package.needs)
    (folder / ".venv" / "ready").touch()
    return folder


def pip(python: str, *words: str) -> None:
    subprocess.run([python, "-m", "pip", "-q", "--disable-pip-version-check", *words], check=True, stderr=-1)
