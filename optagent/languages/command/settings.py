"""What a project says of its command: `[tool.optagent.command]` of pyproject.toml, or `[command]` of optagent.toml."""

from __future__ import annotations

import difflib
import shlex
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from optagent.core.target import is_inside
from optagent.errors import BadSetting

POLICIES = ("exact", "whitespace")
PLACES = (("pyproject.toml", ("tool", "optagent", "command")), ("optagent.toml", ("command",)))
INPUT, OUTPUT = "{input}", "{output}"


@dataclass(frozen=True)
class CommandSettings:
    """How a program is built, run and compared. Patterns are relative to the project's folder.

    `run` holds `{input}` where the input file's path goes (without it the input is standard input) and `{output}` where
    the path of a file to write goes. `inputs` are the files it is run on, `scope` those a patch may edit, `hidden`
    those that neither build nor command may see, like the inputs (golden files!). `exits` are the exit codes that the
    untouched command may end with. `compare` is "exact", or "whitespace": runs of blanks are one, blank lines and
    blanks at the ends of lines are none. `timeout` is seconds for one build and for one run of the tests.
    """

    run: tuple[str, ...]
    inputs: tuple[str, ...]
    scope: tuple[str, ...]
    build: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ("test/", "tests/")
    compare: str = "exact"
    exits: tuple[int, ...] = (0,)
    timeout: float = 600.0
    name: str = ""

    @property
    def reads_file(self) -> bool:
        return any(INPUT in word for word in self.run)

    @property
    def writes_file(self) -> bool:
        return any(OUTPUT in word for word in self.run)


REQUIRED = ("run", "inputs", "scope")
_LEAST = 'The least is `run = "./tool {input}"`, `inputs = "data/*.txt"` and `scope = "src/*.c"`.'


def read(folder: Path) -> CommandSettings | None:
    """The settings in a project's folder, or None. Raises BadSetting."""
    found = {}
    for name, path in PLACES:
        table = _table(folder / name, path)
        if table is not None:
            found[f"[{'.'.join(path)}] of {name}"] = table
    if len(found) > 1:
        raise BadSetting(f"both {' and '.join(found)} describe the command", "Keep one of them.")
    return next((from_table(table, where) for where, table in found.items()), None)


def from_table(table: Mapping[str, Any], where: str) -> CommandSettings:
    """The settings that a table of a configuration file holds. Raises BadSetting, naming `where` it stands."""
    known = {one.name for one in fields(CommandSettings)}
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            meant = f"Did you mean `{close[0]}`? " if close else ""
            raise BadSetting(f"{where} has no setting {key!r}", f"{meant}It knows {', '.join(sorted(known))}.")
    missing = [key for key in REQUIRED if not table.get(key)]
    if missing:
        raise BadSetting(f"{where} does not say {' and '.join(missing)}", _LEAST)
    return CommandSettings(**{key: _READERS[key](value, f"`{key}` in {where}") for key, value in table.items()})


def _table(file: Path, path: tuple[str, ...]) -> Mapping[str, Any] | None:
    if not file.is_file():
        return None
    try:
        here: Any = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise BadSetting(f"{file.name} cannot be read: {fault}", "Make it valid TOML.") from None
    for key in path:
        here = here.get(key) if isinstance(here, dict) else None
    if here is not None and not isinstance(here, dict):
        raise BadSetting(f"{'.'.join(path)} in {file.name} is {here!r}", "Make it a table.")
    return here


def _words(value: Any, where: str) -> tuple[str, ...]:
    """A command line: a list of words, or a line that is split as a shell splits it (nothing else is shell's)."""
    try:
        words = shlex.split(value) if isinstance(value, str) else value
    except ValueError as fault:
        raise BadSetting(f"{where} is {value!r}: {fault}", "Give a list of words.") from None
    return _texts(words, where)


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise BadSetting(f"{where} is {value!r}", "Give a list of words that are not empty.")
    return tuple(value)


def _patterns(value: Any, where: str) -> tuple[str, ...]:
    patterns = _texts([value] if isinstance(value, str) else value, where)
    for pattern in patterns:
        if not is_inside(pattern):
            raise BadSetting(f"{where} names {pattern!r}", "Name files inside the project's folder.")
    return patterns


def _policy(value: Any, where: str) -> str:
    if value not in POLICIES:
        raise BadSetting(f"{where} is {value!r}", f"Choose one of {', '.join(POLICIES)}.")
    return str(value)


def _codes(value: Any, where: str) -> tuple[int, ...]:
    if not isinstance(value, list) or not value or not all(type(one) is int and 0 <= one < 256 for one in value):
        raise BadSetting(f"{where} is {value!r}", "Give a list of exit codes, such as [0, 1].")
    return tuple(value)


def _seconds(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise BadSetting(f"{where} is {value!r}", "Give a number of seconds.")
    return float(value)


def _name(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise BadSetting(f"{where} is {value!r}", "Give a word.")
    return value


_READERS: dict[str, Callable[[Any, str], Any]] = {
    "run": _words,
    "inputs": _patterns,
    "scope": _patterns,
    "build": _words,
    "tests": _words,
    "hidden": _patterns,
    "compare": _policy,
    "exits": _codes,
    "timeout": _seconds,
    "name": _name,
}
