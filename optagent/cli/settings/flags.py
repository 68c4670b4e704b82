"""The flags of a verb, made from the table of settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from optagent.cli.settings.table import SETTINGS, SWITCHES, Kind, Setting

TYPES: dict[Kind, Any] = {Kind.NUMBER: float | None, Kind.COUNT: int | None, Kind.TEXTS: list[str] | None}
OTHER_PLACES = "Each setting can also come from a variable or a file: see `optagent config --help`."
ORDER = (
    "What counts: the flag, else the variable OPTAGENT_<NAME>, else the nearest [tool.optagent] in pyproject.toml "
    "or optagent.toml from REPO up to the top of its git repository, else your own file "
    "(OPTAGENT_CONFIG, or optagent/config.toml where this platform keeps settings), else the default."
)


def with_settings(verb: Callable[..., None]) -> Callable[..., None]:
    """The verb with one flag for each setting after its first parameter, in place of `**given`.

    None stands for "not on the command line".
    """
    signature = inspect.signature(verb, eval_str=True)
    own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
    flags = [_parameter(setting) for setting in SETTINGS] + [_switch(*one) for one in SWITCHES.items()]
    first, *rest = own
    verb.__signature__ = signature.replace(parameters=[first, *flags, *rest])  # type: ignore[attr-defined]
    return verb


def _parameter(setting: Setting) -> inspect.Parameter:
    kind: Any = TYPES.get(setting.kind, str | None)
    option = typer.Option(setting.flag, help=setting.help + _default(setting), metavar=_metavar(setting))
    return inspect.Parameter(
        setting.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Annotated[kind, option]
    )


def _switch(choice: str, setting: Setting) -> inspect.Parameter:
    """A choice by its own name; None stands for "not on the command line"."""
    option = typer.Option(f"--{choice}", help=f"same as {setting.flag} {choice}")
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Parameter(choice, kind, default=None, annotation=Annotated[bool | None, option])


def _default(setting: Setting) -> str:
    if setting.default in (None, ()):
        return ""
    return f" (default {setting.default})".replace(".0)", ")")


def _metavar(setting: Setting) -> str | None:
    return {Kind.PATH: "PATH", Kind.CHOICE: "|".join(setting.choices)}.get(setting.kind)
