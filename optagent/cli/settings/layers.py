"""What each place says about the settings: files, environment, flags. Nothing unknown or meaningless gets through."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from optagent.cli.settings.files import ConfigFile
from optagent.cli.settings.table import (
    KNOWN,
    OTHER_VARIABLES,
    PREFIX,
    SETTINGS,
    SWITCHES,
    VARIABLES,
    Kind,
    Setting,
    from_text,
    typed,
)
from optagent.errors import BadSetting

COMMAND = "command"
"""The table that another room reads and checks (languages/command)."""


@dataclass(frozen=True)
class Found:
    """The value of one setting. `source` is a flag, a variable, a file or "default"; a greater `rank` wins."""

    setting: Setting
    value: Any
    source: str
    rank: int
    file: ConfigFile | None = None

    @property
    def origin(self) -> str:
        """Where it came from, a file with its line."""
        return self.file.place(self.setting.name) if self.file else self.source


def defaults() -> list[Found]:
    return [Found(setting, setting.default, "default", 0) for setting in SETTINGS]


def of_file(file: ConfigFile) -> Iterator[Found]:
    """What a file says. Paths in it are relative to its folder."""
    for key, raw in file.table.items():
        if key == COMMAND and file.top:
            continue
        if key not in KNOWN:
            raise _unknown(f"{file.place(key)} has a setting {_shown(key)} that does not exist", key, KNOWN)
        setting = KNOWN[key]
        where = partial(_line, file, key, raw)
        value = _placed(setting, _value(setting, typed, raw, where), file.path.parent)
        if file.top:
            _may_say(setting, value, file.top, where)
        yield Found(setting, value, str(file.path), 2 if file.top else 1, file)


def _line(file: ConfigFile, key: str, raw: object) -> str:
    """Asked for only when something is wrong with it: finding a line reads the file anew."""
    return f"{key} = {_shown(raw)} in {file.place(key)}"


def of_variables(env: Mapping[str, str]) -> Iterator[Found]:
    """What the environment says. An empty variable says nothing; one that nobody knows is a slip, not a wish."""
    for name in sorted(env):
        if not name.startswith(PREFIX) or name in OTHER_VARIABLES:
            continue
        if name not in VARIABLES:
            raise _unknown(f"there is no variable {name}", name, VARIABLES)
        setting = VARIABLES[name]
        if env[name]:
            value = _value(setting, from_text, env[name], partial("{}={}".format, name, _shown(env[name])))
            yield Found(setting, _placed(setting, value, Path.cwd()), name, 3)


def of_flags(given: Mapping[str, Any]) -> Iterator[Found]:
    given = _without_switches(given)
    for name, raw in given.items():
        if raw is not None and raw != []:
            setting = KNOWN[name]
            value = _value(setting, typed, raw, partial("{} {}".format, setting.flag, raw))
            yield Found(setting, _placed(setting, value, Path.cwd()), setting.flag, 4)


def _without_switches(given: Mapping[str, Any]) -> dict[str, Any]:
    """The flags with `--thorough` as `--effort thorough`. BadSetting when two of them say different things."""
    plain = {name: raw for name, raw in given.items() if name not in SWITCHES}
    for choice, setting in SWITCHES.items():
        before = plain.get(setting.name)
        if given.get(choice) and before not in (None, choice):
            raise BadSetting(f"--{choice} and {setting.flag} {before} are both given", "Give one of the two.")
        if given.get(choice):
            plain[setting.name] = choice
    return plain


def _value(setting: Setting, reader: Callable[[Setting, Any], Any], raw: object, where: Callable[[], str]) -> Any:
    try:
        return reader(setting, raw)
    except ValueError:
        raise BadSetting(f"{where()} means nothing", f"Give {setting.wanted}.") from None


def _placed(setting: Setting, value: Any, folder: Path) -> Any:
    if setting.kind is not Kind.PATH or value is None:
        return value
    return str(folder / os.path.expanduser(value))


def _may_say(setting: Setting, value: Any, top: Path, where: Callable[[], str]) -> None:
    """Returns when the repository may decide this: it is about to be judged, and must not choose its judge."""
    if setting.users_only and value is not None:
        raise BadSetting(
            f"{where()}: {setting.users_only}",
            f"Say it yourself: {setting.flag}, {setting.variable}, or your own file.",
        )
    if value in setting.ours_only:
        raise BadSetting(
            f"{where()}: a repository cannot take isolation off its own code",
            f"Say it yourself: {setting.flag} {value}, {setting.variable}, or your own file.",
        )
    if setting.inside and value is not None and not Path(os.path.realpath(value)).is_relative_to(top):
        raise BadSetting(
            f"{where()} leads out of the repository {top}",
            f"Say it yourself: {setting.flag}, {setting.variable}, or your own file.",
        )


def _unknown(message: str, name: str, known: Iterable[str]) -> BadSetting:
    spelled = name.replace("-", "_")
    near = difflib.get_close_matches(spelled.upper() if name.startswith(PREFIX) else spelled.lower(), list(known), 1)
    hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(known)}."
    return BadSetting(message, hint)


def _shown(raw: object) -> str:
    try:
        text = repr(raw)
    except ValueError:  # more digits than Python is willing to write
        return "a number too long to show"
    return text if len(text) <= 80 else text[:77] + "..."
