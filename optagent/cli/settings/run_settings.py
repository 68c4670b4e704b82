"""What the user asked for, read once and then carried as a value."""

from __future__ import annotations

import os
import shlex
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from optagent.agents.secrets import without_secrets
from optagent.cli.settings.table import KNOWN, means_something
from optagent.errors import BadSetting
from optagent.llm.secrets import known_secrets


def words_of(flag: str, line: str) -> list[str]:
    """The words of a command as a shell reads them. Raises BadSetting where a quote stays open."""
    try:
        return shlex.split(line)
    except ValueError as fault:
        raise BadSetting(
            f"{flag} {line} is no command: {str(fault).lower()}", "Quote it as in a shell, like `pytest -m 'not slow'`."
        ) from None


@dataclass(frozen=True)
class RunSettings:
    """The settings of one run. `minutes` and `trials` are ceilings; `speedup` None means any confirmed gain. With
    `replies_of` nothing is bought: models answer as they did in the run of that name."""

    repo: str
    target: str
    python: str | None = None
    workload: str | None = None
    tests: str | None = None
    sandbox: str = "auto"
    speedup: float | None = None
    minutes: float = 10.0
    trials: int = 30
    seed: int = 0
    scope: str = "function"
    effort: str = "normal"
    clock: str = "auto"
    min_oracle: float | None = None
    timeout_factor: float = 5.0
    coder: str = "auto"
    model: str | None = None
    judge_model: str | None = None
    policy: str = "refine"
    max_usd: float = 1.0
    max_tokens: int | None = None
    hint: tuple[str, ...] = ()
    api_base: str | None = None
    price: str | None = None
    key_command: str | None = None
    prompts: str | None = None
    replies_of: str | None = None

    @property
    def has_model(self) -> bool:
        """Whether a model is to be asked."""
        return self.coder == "llm" or (self.coder == "auto" and self.model is not None)

    @property
    def asked_clock(self) -> Literal["cpu", "wall"] | None:
        """The clock that is to decide whatever the target does, if one is."""
        return "cpu" if self.clock == "cpu" else "wall" if self.clock == "wall" else None

    @property
    def repo_path(self) -> Path:
        return Path(self.repo)

    def as_json(self) -> dict[str, Any]:
        """For the record, without keys: one may stand in the command that prints it, in a hint, or in an address that
        nobody looks at because no model is asked."""
        hint = tuple(without_secrets(one, known_secrets()) for one in self.hint)
        base = self.api_base if self.has_model else None
        return {**asdict(self), "key_command": None, "hint": hint, "api_base": base}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> RunSettings:
        """The settings of an earlier run; names that this version does not know are left out."""
        known = {one.name for one in fields(cls)}
        settings = cls(**{name: value for name, value in data.items() if name in known})
        return replace(settings, hint=tuple(settings.hint))

    def checked(self) -> RunSettings:
        """These settings, or BadSetting for the first that means nothing."""
        if not os.path.isdir(self.repo):  # Path.is_dir raises for what may not be looked at
            raise BadSetting(f"there is no folder {self.repo}", "Name the project's folder.")
        for field, name in FIELDS.items():
            value, setting = getattr(self, field), KNOWN[name]
            if not means_something(setting, value):
                raise BadSetting(f"{setting.flag} {value} means nothing", f"Give {setting.wanted}.")
        words_of("--tests", self.tests or "")
        if self.coder == "llm" and self.model is None:
            raise BadSetting("--coder llm has no model to ask", "Name one: `--model NAME`, or OPTAGENT_MODEL.")
        return self


SHORT = {"max_minutes": "minutes", "max_trials": "trials"}
FIELDS = {SHORT.get(name, name): name for name in KNOWN if name not in ("target", "top", "state")}
"""Field of RunSettings: name of its setting. What is left out says which runs there are and where they are kept."""
