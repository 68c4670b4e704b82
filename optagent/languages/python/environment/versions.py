"""The Pythons that pyenv and uv have installed, by the names that people give to versions."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from optagent.languages.python.environment.host import Candidate, Host, Look, text


def python_version(folder: Path, host: Host) -> Iterator[Look]:
    """The first version that `.python-version` names and pyenv or uv has installed; pyenv also keeps environments."""
    file = folder / ".python-version"
    if not os.path.isfile(file):
        return
    lines = (line.split("#")[0].strip() for line in text(file).splitlines())
    words = [line for line in lines if line]
    for word in words:
        found = installed(word, host)
        if found:
            yield Candidate(found, f".python-version, {word}")
            return
    yield f".python-version names {' '.join(words) or 'nothing'}, which neither pyenv nor uv has installed"


def installed(version: str, host: Host) -> Path | None:
    """The newest interpreter of a version such as 3.12, 3.12.1 or a pyenv name; its folder holds bin/python."""
    bare = re.sub(r"^(python|cpython)-?", "", version)
    if not re.fullmatch(r"[\w.+-]+", bare):
        return None
    pythons = host.folder("UV_PYTHON_INSTALL_DIR", str(host.folder("XDG_DATA_HOME", ".local/share") / "uv/python"))
    for place, pattern in ((pyenv_root(host) / "versions", "{}"), (pythons, "cpython-{}-*")):
        exact, same_line = (list(place.glob(pattern.format(name))) for name in (bare, f"{bare}.[0-9]*"))
        if exact or same_line:
            return max(exact or same_line, key=_version_in)
    return None


def _version_in(folder: Path) -> tuple[int, ...]:
    found = re.search(r"\d+(?:\.\d+)+", folder.name)
    return tuple(map(int, found[0].split("."))) if found else ()


def pyenv_root(host: Host) -> Path:
    return host.folder("PYENV_ROOT", ".pyenv")


def pyenv_global(host: Host) -> str:
    """The version that pyenv's stand-ins start where no project says otherwise."""
    named = host.env.get("PYENV_VERSION", "").split(":")[0]
    file = pyenv_root(host) / "version"
    return named or next(iter(text(file).split()), "")
