"""The files that settings come from: the nearest of the project, and the user's own."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from pathlib import Path
from typing import Any

from optagent.errors import BadSetting
from optagent.workspace.worktree import toplevel

CONFIG_VARIABLE = "OPTAGENT_CONFIG"
PROJECT_FILE, PROJECT_TABLE = "pyproject.toml", ("tool", "optagent")
OWN_FILE = "optagent.toml"
MOST_TRIES = 100  # each reads the whole file; where a key's name is that common, the file alone is named


@dataclass(frozen=True)
class ConfigFile:
    """A file that has settings. `table` is what it says, `top` the repository it lies in (None: the user's file)."""

    path: Path
    text: str
    within: tuple[str, ...]
    table: dict[str, Any]
    top: Path | None = None

    def place(self, key: str) -> str:
        """The file and, where it can be told, the line of a key.

        tomllib tells no lines. The line is the one where another spelling makes the key disappear from the table.
        """
        for match in islice(re.finditer(rf"\b{re.escape(key)}\b", self.text), MOST_TRIES):
            changed = f"{self.text[: match.end()]}_{self.text[match.end() :]}"
            if not self._has(key, changed):
                return f"{self.path}:{self.text.count(chr(10), 0, match.start()) + 1}"
        return str(self.path)

    def _has(self, key: str, text: str) -> bool:
        try:
            return key in _table(tomllib.loads(text), self.within)
        except (ValueError, TypeError, KeyError):
            return True


def project_file(repo: Path) -> ConfigFile | None:
    """The settings nearest to `repo`, from it up to the top of its git repository; other levels do not count.

    BadSetting when one folder has two sets of them.
    """
    if not os.path.isdir(repo):
        return None
    top = toplevel(repo)
    here = repo.resolve()
    for folder in (here, *here.parents):
        found = [file for file in (_read(folder / PROJECT_FILE, top), _read(folder / OWN_FILE, top)) if file]
        if len(found) > 1:
            raise BadSetting(
                f"both {found[0].path} ([tool.optagent]) and {found[1].path} have settings",
                "Keep them in one of the two, so that it is clear which counts.",
            )
        if found or folder == top:
            return found[0] if found else None
    return None


def user_file(env: Mapping[str, str]) -> ConfigFile | None:
    """The user's own settings: the file that OPTAGENT_CONFIG names, else the platform's, else none."""
    named = env.get(CONFIG_VARIABLE)
    if named:
        path = Path(os.path.expanduser(named)).absolute()
        if not os.path.isfile(path):
            raise BadSetting(
                f"{CONFIG_VARIABLE} names {path}, and there is no such file", "Unset it, or make the file."
            )
        return _read(path, None)
    from platformdirs import user_config_path

    return _read(user_config_path("optagent", appauthor=False) / "config.toml", None)


def _read(path: Path, top: Path | None) -> ConfigFile | None:
    """The file's settings; None when it is not there, or is a pyproject.toml that has none."""
    if not os.path.isfile(path):  # a pipe of that name would keep us waiting
        return None
    within = PROJECT_TABLE if path.name == PROJECT_FILE and top else ()
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        if within and within[-1] not in text:  # most are no business of ours, not even when they are broken
            return None
        data = tomllib.loads(text)
    except OSError as error:
        raise BadSetting(f"{path} cannot be read: {error.strerror}", "Settings may be in it.") from error
    except (ValueError, RecursionError) as error:
        raise BadSetting(f"{path} is no TOML: {error}", "Correct it: settings may be in it.") from error
    return _settings(path, text, within, data, top)


def _settings(
    path: Path, text: str, within: tuple[str, ...], data: dict[str, Any], top: Path | None
) -> ConfigFile | None:
    try:
        table = _table(data, within)
    except KeyError:
        return None
    except TypeError:
        table = None
    if not isinstance(table, dict):
        raise BadSetting(f"{path}: {'.'.join(within)} is no table", "Write [tool.optagent] and the settings below it.")
    return ConfigFile(path, text, within, table, top)


def _table(data: dict[str, Any], within: tuple[str, ...]) -> Any:
    """The table below these names. KeyError when there is none, TypeError when something else has its name."""
    return reduce(lambda table, name: table[name], within, data)
