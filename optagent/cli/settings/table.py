"""Every setting of a run, once: name, kind, default, bounds, help. Flags, variables, files and docs follow it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

PREFIX = "OPTAGENT_"
OTHER_VARIABLES = (
    "OPTAGENT_CONFIG",  # the user's file, when it is not where the platform wants it
    "OPTAGENT_FD",  # these four we set ourselves for what runs in a sandbox, which may be optagent
    "OPTAGENT_FORKS",
    "OPTAGENT_PROBE",
    "OPTAGENT_TOOLS",
)


class Kind(StrEnum):
    """What a value is; the words are what a person is told to give."""

    TEXT = "a text"
    TEXTS = "a text or a list of texts"
    PATH = "a path"
    NUMBER = "a number"
    COUNT = "a whole number"
    CHOICE = "one of"


@dataclass(frozen=True)
class Setting:
    """One setting. `name` is its key in files. `least` is the smallest value that means something.

    A file that lies in the repository is the word of whoever wrote the code to be judged: there, `inside` keeps a
    path within the repository, the values in `ours_only` are refused, and a setting that is `users_only` is refused
    altogether, for the reason it names. Choices in `switches` have a flag of their own too.
    """

    name: str
    kind: Kind
    help: str
    default: str | float | int | tuple[str, ...] | None = None
    least: float | None = None
    choices: tuple[str, ...] = ()
    inside: bool = False
    ours_only: tuple[str, ...] = ()
    users_only: str = ""
    switches: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()

    @property
    def wanted(self) -> str:
        """What to give, in words.

        >>> KNOWN["max_trials"].wanted
        'a whole number of at least 1'
        """
        bound = "" if self.least is None else f" of at least {self.least:g}"
        return " ".join([self.kind.value, ", ".join(self.choices)]).strip() + bound


PURSE = "a repository cannot decide where keys and money go, nor what a model is told in your name"
JUDGE = "a repository cannot choose what its own code is judged by"
SETTINGS = (
    Setting(
        "target",
        Kind.TEXTS,
        "what to make faster: fn, module:fn, Class.method, path.py::Class.method or path.py:LINE; may be repeated",
        (),
    ),
    Setting("top", Kind.COUNT, "instead of a target: this many of the hottest functions", least=1),
    Setting("workload", Kind.PATH, "Python file that defines make_inputs(size, rng)", inside=True),
    Setting("tests", Kind.TEXT, "pytest command, when plain `pytest` is not it"),
    Setting("python", Kind.PATH, "interpreter or environment of the target"),
    Setting(
        "scope",
        Kind.CHOICE,
        "what a candidate may change: the function, its module or its package",
        "function",
        choices=("function", "module", "package"),
    ),
    Setting(
        "effort",
        Kind.CHOICE,
        "quick searches for gains of 5 % and more, thorough takes many more launches and shows gains of 2 to 3 %",
        "normal",
        choices=("quick", "normal", "thorough"),
        switches=("quick", "thorough"),
    ),
    Setting(
        "clock",
        Kind.CHOICE,
        "the clock that decides; auto is cpu for a target that keeps one core busy, else wall",
        "auto",
        choices=("auto", "cpu", "wall"),
        users_only=JUDGE,
    ),
    Setting(
        "min_oracle",
        Kind.NUMBER,
        "per cent of planted faults that have to be noticed, or nothing is confirmed; only a warning if not given",
        least=1,
        users_only=JUDGE,
    ),
    Setting("speedup", Kind.NUMBER, "wanted factor; any confirmed gain if not given", least=1),
    Setting("max_minutes", Kind.NUMBER, "stop after this many minutes", 10.0, least=0),
    Setting("max_trials", Kind.COUNT, "stop after this many candidates", 30, least=1),
    Setting("timeout_factor", Kind.NUMBER, "how many times the baseline's time is too long", 5.0, least=1),
    Setting(
        "sandbox",
        Kind.CHOICE,
        "auto (the strongest that works here), bwrap, landlock (less: see the README), container (podman) or none (no "
        "isolation at all)",
        "auto",
        choices=("auto", "bwrap", "landlock", "container", "none"),
        ours_only=("landlock", "container", "none"),
    ),
    Setting(
        "coder",
        Kind.CHOICE,
        "who proposes: the built-in rules, or a model with the rules before it; auto is a model if one is named",
        "auto",
        choices=("auto", "rules", "llm"),
    ),
    Setting(
        "model",
        Kind.TEXT,
        "the Coder's model, as litellm names it; any name with an OpenAI-compatible --api-base",
        users_only=PURSE,
    ),
    Setting("judge_model", Kind.TEXT, "the Judge's model, when it is another one", users_only=PURSE),
    Setting(
        "policy",
        Kind.CHOICE,
        "refine: Judge and Coder in turn, from the best so far; sample: the best of independent answers",
        "refine",
        choices=("refine", "sample"),
    ),
    Setting("max_usd", Kind.NUMBER, "spend at most this many US dollars on models", 1.0, least=0, users_only=PURSE),
    Setting("max_tokens", Kind.COUNT, "use at most this many tokens, in and out together", least=1, users_only=PURSE),
    Setting("hint", Kind.TEXTS, "something the model should know; may be repeated", (), users_only=PURSE),
    Setting("api_base", Kind.TEXT, "address of an OpenAI-compatible service", users_only=PURSE),
    Setting(
        "price", Kind.TEXT, "US dollars for a million tokens in and out, like 0.15,0.6, if not known", users_only=PURSE
    ),
    Setting("key_command", Kind.TEXT, "a command that prints the provider's key", users_only=PURSE),
    Setting("prompts", Kind.PATH, "folder with prompts of your own", users_only=PURSE),
    Setting("seed", Kind.COUNT, "same seed, same inputs and orders", 0),
    Setting("state", Kind.PATH, "keep the record of runs in this folder", inside=True),
)
SWITCHES = {choice: one for one in SETTINGS for choice in one.switches}
KNOWN = {one.name: one for one in SETTINGS}
VARIABLES = {one.variable: one for one in SETTINGS}


def from_text(setting: Setting, text: str) -> Any:
    """The value that an environment variable spells; a list is split as a shell would. Raises ValueError."""
    return typed(setting, READ.get(setting.kind, str)(text))


def typed(setting: Setting, raw: object) -> Any:
    """The value as the program carries it. Raises ValueError for what is not what the setting wants.

    >>> typed(KNOWN["speedup"], 2)
    2.0
    """
    value = CONVERT[setting.kind](raw)
    if not means_something(setting, value):
        raise ValueError(raw)
    return value


def means_something(setting: Setting, value: Any) -> bool:
    """Whether a value of the right type is within the setting's choices and bounds."""
    if setting.choices:
        return value in setting.choices
    if value is None or isinstance(value, str | tuple):
        return True
    return math.isfinite(value) and (setting.least is None or value >= setting.least)


def _text(raw: object) -> str | None:
    """An empty text takes a value back that another place has given."""
    if not isinstance(raw, str) or "\0" in raw:
        raise ValueError(raw)
    return raw or None


def _texts(raw: object) -> tuple[str, ...]:
    rows = [raw] if isinstance(raw, str) else raw
    if not isinstance(rows, list | tuple) or not all(_text(row) for row in rows):
        raise ValueError(raw)
    return tuple(dict.fromkeys(rows))


def _number(raw: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise ValueError(raw)
    try:
        return float(raw)
    except OverflowError:
        raise ValueError(raw) from None


def _count(raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise ValueError(raw)
    _number(raw)  # a number that no float can hold counts nothing
    return raw


READ: dict[Kind, Callable[[str], object]] = {Kind.NUMBER: float, Kind.COUNT: int, Kind.TEXTS: shlex.split}
CONVERT: dict[Kind, Callable[[object], Any]] = {
    Kind.TEXT: _text,
    Kind.TEXTS: _texts,
    Kind.PATH: _text,
    Kind.NUMBER: _number,
    Kind.COUNT: _count,
    Kind.CHOICE: _text,
}
