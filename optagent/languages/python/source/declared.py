"""Where a project says its packages lie, as its packaging files declare it."""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

PACKAGING_FILES = ("pyproject.toml", "setup.cfg", "setup.py")
Covered = tuple[str, str]


def declared_roots(folder: Path) -> tuple[Covered, ...]:
    """Pairs of an import root and the folder below which it holds, both relative to `folder`, posix, "" for itself.

    A root that is the folder itself counts for the packages that are named only: `where = ["."]` tells nothing.
    A file that cannot be read declares nothing; whoever builds or tests the project will say so.
    """
    found = [*_of_pyproject(_toml(folder / "pyproject.toml")), *_of_setup_cfg(folder / "setup.cfg")]
    return tuple(dict.fromkeys((root, below) for root, below in found if below))


def _of_pyproject(data: Any) -> Iterator[Covered]:
    tool = _table(data, "tool")
    yield from _of_setuptools(_table(tool, "setuptools"))
    yield from _of_hatch(_table(tool, "hatch", "build"))
    for package in _list(_table(tool, "poetry").get("packages")):
        if isinstance(package, dict) and isinstance(package.get("include"), str):
            root = _folder(package.get("from", ""))
            yield root, _folder(f"{root or '.'}/{package['include'].partition('*')[0]}")
    folders = [
        _table(tool, "pdm", "build").get("package-dir"),
        _table(tool, "maturin").get("python-source"),
        _table(tool, "uv", "build-backend").get("module-root"),
        *_list(_table(tool, "pytest", "ini_options").get("pythonpath")),
    ]
    yield from ((_folder(root), _folder(root)) for root in folders if isinstance(root, str))


def _of_setuptools(table: dict[str, Any]) -> Iterator[Covered]:
    root = _folder(_table(table, "package-dir").get("", ""))
    yield root, root
    packages = table.get("packages")
    for name in _list(packages):
        yield root, _folder(f"{root or '.'}/{str(name).replace('.', '/')}")
    find = _table(table, "packages", "find")
    for where in _list(find.get("where", ["."])):
        yield _folder(where), _folder(where)
        for pattern in _list(find.get("include")):  # `company*`, `company.team.*`
            name = str(pattern).partition("*")[0].rstrip(".").replace(".", "/")
            yield _folder(where), _folder(f"{where}/{name}")


def _of_hatch(build: dict[str, Any]) -> Iterator[Covered]:
    """Of a package `src/name` the last part is the name; `sources` are stripped from all paths."""
    for table in (build, _table(build, "targets", "wheel")):
        for package in _list(table.get("packages")):
            path = PurePosixPath(_folder(package))
            yield _folder(str(path.parent)), str(path)
        for source in _list(table.get("sources")):
            yield _folder(source), _folder(source)


def _of_setup_cfg(file: Path) -> Iterator[Covered]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return
    where = parser.get("options.packages.find", "where", fallback="")
    package_dir = parser.get("options", "package_dir", fallback="").split("=")
    for root in (where, package_dir[-1] if package_dir[0].strip() == "" else ""):
        yield _folder(root.strip()), _folder(root.strip())


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError):  # a TOML or a Unicode fault is a ValueError
        return {}


def _table(data: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else list(value) if isinstance(value, dict) else []


def _folder(path: Any) -> str:
    """A folder as written, in the one form used here; a place outside of the project is none."""
    pure = PurePosixPath(str(path))
    return "" if pure.is_absolute() or ".." in pure.parts else pure.as_posix().removeprefix(".")
