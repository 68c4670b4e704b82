"""The settings that hold for a repository, each with the place it came from.

flag > OPTAGENT_* > the project's file (nearest [tool.optagent] or optagent.toml) > the user's file > default
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optagent.cli.settings.files import ConfigFile, project_file, user_file
from optagent.cli.settings.layers import COMMAND, Found, defaults, of_file, of_flags, of_variables
from optagent.cli.settings.run_settings import FIELDS, RunSettings
from optagent.errors import BadSetting


@dataclass(frozen=True)
class Config:
    """All settings for `repo`, and the files they were read from, the stronger first.

    `command` is the [command] table of `project_file` as it stands there.
    """

    repo: Path
    found: Mapping[str, Found]
    files: tuple[Path, ...]
    command: Mapping[str, Any] | None = None
    project_file: Path | None = None

    def __getitem__(self, name: str) -> Any:
        return self.found[name].value

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(self["target"])

    @property
    def state(self) -> Path | None:
        return Path(self["state"]) if self["state"] else None

    def only_target(self) -> str:
        """The target of a verb that works on one. BadSetting when there is none, or more."""
        hint = "Name one function: `--target FN`, `--target module:fn` or `--target path.py:LINE`."
        if self["top"]:
            raise BadSetting(f"top is {self['top']} ({self.found['top'].origin}), and this verb takes one target", hint)
        if len(self.targets) > 1:
            named = ", ".join(self.targets)
            raise BadSetting(f"{named}: {len(self.targets)} targets, and this verb takes one at a time", hint)
        if not self.targets:
            raise BadSetting("there is no target, so it is not clear what to make faster", hint)
        return self.targets[0]

    def run_settings(self, target: str) -> RunSettings:
        """What the run of one target needs to know."""
        values = {field: self[name] for field, name in FIELDS.items()}
        return RunSettings(repo=str(self.repo.absolute()), target=target, **values)


def read(repo: Path, given: Mapping[str, Any], env: Mapping[str, str]) -> Config:
    """The settings for `repo`; `given` are the flags, None for those not on the command line.

    BadSetting for the first key or variable that is not known, or value that is not what its setting wants.
    """
    project, user = project_file(repo), user_file(env)
    files = [file for file in (user, project) if file]
    layers = [defaults(), *([*of_file(file)] for file in files), [*of_variables(env)], [*of_flags(given)]]
    found = {one.setting.name: one for layer in layers for one in layer}
    paths = tuple(file.path for file in reversed(files))
    return Config(repo, _target_or_top(found), paths, _command(project), project.path if project else None)


def _command(project: ConfigFile | None) -> dict[str, Any] | None:
    if project is None or COMMAND not in project.table:
        return None
    table = project.table[COMMAND]
    if not isinstance(table, dict):
        raise BadSetting(f"{COMMAND} in {project.place(COMMAND)} is no table", "Write its settings below [command].")
    return table


def _target_or_top(found: dict[str, Found]) -> dict[str, Found]:
    """Of targets and a number of hottest functions, the one from the stronger place; BadSetting for a tie."""
    target, top = found["target"], found["top"]
    if not (target.value and top.value):
        return found
    if target.rank == top.rank:
        raise BadSetting(
            f"both a target ({target.origin}) and a number of hottest functions ({top.origin}) are given",
            "Give one of the two.",
        )
    weaker = min(target, top, key=lambda one: one.rank).setting
    return {**found, weaker.name: Found(weaker, weaker.default, "default", 0)}
