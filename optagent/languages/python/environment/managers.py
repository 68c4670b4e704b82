"""Where the tools that manage environments keep those of a project; read from files, no tool is ever run."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from optagent.languages.python.environment.host import Candidate, Host, Look, table, text, toml


def minor_of(folder: Path) -> tuple[int, ...]:
    """The Python version at the end of a name such as `pkg-X2bQ-py3.12` or `3.12.1`, for sorting."""
    found = re.search(r"(\d+(?:\.\d+)*)t?$", folder.name)
    return tuple(map(int, found[1].split("."))) if found else ()


def uv(folder: Path, host: Host) -> Iterator[Look]:
    """UV_PROJECT_ENVIRONMENT, relative to the project; without it uv uses `.venv`, where everybody looks anyway."""
    named = host.env.get("UV_PROJECT_ENVIRONMENT")
    if not named or not os.path.exists(folder / "pyproject.toml"):
        return
    if os.path.lexists(folder / named):
        yield Candidate(folder / named, "UV_PROJECT_ENVIRONMENT")
    else:
        yield f"UV_PROJECT_ENVIRONMENT names {folder / named}, which is not there"


def poetry(folder: Path, host: Host) -> Iterator[Look]:
    """The environment that `poetry env use` chose, else the one with the newest Python."""
    project = toml(folder / "pyproject.toml")
    if not table(project, "tool", "poetry") and not os.path.exists(folder / "poetry.lock"):
        return
    store = _poetry_store(folder, host)
    name = poetry_name(project, folder)
    chosen = str(table(toml(store / "envs.toml"), name).get("minor", ""))
    made = sorted(
        store.glob(f"{_literal(name)}-py*"), key=lambda path: (path.name.endswith(f"-py{chosen}"), minor_of(path))
    )
    if made:
        yield Candidate(made[-1], "poetry's environment for this project")
    else:
        yield f"poetry has made no environment {name} in {store}"


def poetry_name(project: Mapping[str, Any], folder: Path) -> str:
    """As `EnvManager.generate_env_name` of poetry 1 and 2 has it: the package's name and a hash of the folder."""
    named = table(project, "project").get("name") or table(project, "tool", "poetry").get("name") or "non-package-mode"
    canonical = re.sub(r"[-_.]+", "-", str(named)).lower()
    clean = re.sub(r'[ $`!*@"\\\r\n\t]', "_", canonical)[:42]
    return f"{clean}-{_short_hash(os.path.realpath(folder), 32)}"


def _poetry_store(folder: Path, host: Host) -> Path:
    """`virtualenvs.path`: of the variable, the project's poetry.toml, the user's config.toml, else in the cache."""
    settings = host.folder("POETRY_CONFIG_DIR", str(host.folder("XDG_CONFIG_HOME", ".config") / "pypoetry"))
    cache = host.folder("POETRY_CACHE_DIR", str(host.folder("XDG_CACHE_HOME", ".cache") / "pypoetry"))
    files = (folder / "poetry.toml", settings / "config.toml")
    said = (table(toml(file), "virtualenvs").get("path") for file in files)
    named = host.env.get("POETRY_VIRTUALENVS_PATH") or next(
        (str(path) for path in said if path), "{cache-dir}/virtualenvs"
    )
    return Path(named.replace("{cache-dir}", str(cache)).replace("{project-dir}", str(folder))).expanduser()


def pipenv(folder: Path, host: Host) -> Iterator[Look]:
    """The environment in WORKON_HOME of the name that pipenv makes, or that the user chose."""
    if not os.path.exists(folder / "Pipfile"):
        return
    made = workon_home(host) / (host.env.get("PIPENV_CUSTOM_VENV_NAME") or pipenv_name(folder))
    found = Candidate(made, "pipenv's environment for this project")
    yield found if os.path.isdir(made) else f"pipenv has made no {made}"


def pipenv_name(folder: Path) -> str:
    """As pipenv's `venv_locator` has it: the folder's name and a hash of the Pipfile's path."""
    clean = re.sub(r'[ &$`!*@"()\[\]\\\r\n\t]', "_", folder.name)[:42]
    return f"{clean}-{_short_hash(str(folder / 'Pipfile'), 6)}"


def workon_home(host: Host) -> Path:
    return host.folder("WORKON_HOME", str(host.folder("XDG_DATA_HOME", ".local/share") / "virtualenvs")).expanduser()


def _short_hash(text: str, size: int) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(os.fsencode(text)).digest()[:size]).decode()[:8]


def _literal(name: str) -> str:
    """The name as a pattern that matches it alone."""
    return re.sub(r"([*?[])", r"[\1]", name)


CONDA_HOMES = ("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba", ".conda")


def conda(folder: Path, host: Host) -> Iterator[Look]:
    """The environment that the project's environment.yml names, in any of the places conda keeps them."""
    file = next(
        (folder / name for name in ("environment.yml", "environment.yaml") if os.path.isfile(folder / name)), None
    )
    named = file and re.search(r"""^name:[ \t]*["']?([^"'\s#]+)""", text(file), re.MULTILINE)
    if not file or not named or named[1] in ("base", "root"):
        return
    made = next(
        (place / named[1] for place in conda_places(host) if os.path.isdir(place / named[1] / "conda-meta")), None
    )
    yield (
        Candidate(made, f"conda's {named[1]}, named in {file.name}") if made else f"conda has no environment {named[1]}"
    )


def conda_places(host: Host) -> Iterable[Path]:
    for variable in ("CONDA_ENVS_PATH", "CONDA_ENVS_DIRS"):
        yield from (Path(place).expanduser() for place in host.env.get(variable, "").split(os.pathsep) if place)
    if host.env.get("CONDA_EXE"):
        yield Path(host.env["CONDA_EXE"]).parents[1] / "envs"
    if host.env.get("MAMBA_ROOT_PREFIX"):
        yield Path(host.env["MAMBA_ROOT_PREFIX"]) / "envs"
    yield from (host.home / name / "envs" for name in CONDA_HOMES)
    yield Path("/opt/conda/envs")


def pdm(folder: Path, host: Host) -> Iterator[Look]:
    """The interpreter that pdm wrote down for the project."""
    file = folder / ".pdm-python"
    if not os.path.isfile(file):
        return
    named = Path(text(file).strip())
    if os.path.lexists(named) and named.name.startswith("python"):
        yield Candidate(named, "pdm's interpreter for this project")
    else:
        yield f".pdm-python names {named}, which is not there"
