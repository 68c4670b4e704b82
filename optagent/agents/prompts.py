"""Prompts: templates from a folder, rendered strictly, versioned by the hash of their text."""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from optagent.errors import BadPrompt

if TYPE_CHECKING:
    from jinja2 import Environment, Template

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""What a reader of a prompt cannot see, but a model can."""


MARK = re.compile(r"<\s*/?\s*data\s*-\s*([0-9]+)", re.IGNORECASE)
OF_TEMPLATES = (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError)
"""What a template of the user's can raise besides jinja's own: it may compute, and may be no text."""


@dataclass(frozen=True)
class Prompt:
    """A rendered text and the version of the template it was made from."""

    text: str
    version: str


@dataclass
class Prompts:
    """The templates of `folders`: of a file that several have, the first one's counts."""

    folders: tuple[Path, ...]
    versions: dict[str, str] = field(default_factory=dict)
    _compiled: dict[str, Template] = field(default_factory=dict, repr=False)

    def render(self, name: str, **values: object) -> Prompt:
        """The template of that name with these values in it. Raises BadPrompt when the template does not fit them."""
        from jinja2 import TemplateError

        try:
            text = self._template(name).render(values)
        except (TemplateError, *OF_TEMPLATES) as error:
            raise BadPrompt(
                f"the prompt {name} cannot be used: {error}", "Correct it, or leave `--prompts` out to use ours."
            ) from None
        return Prompt(text.strip() + "\n", self.versions[name])

    def _template(self, name: str) -> Template:
        """Read and compiled once: one run asks every trial in the same words."""
        if name not in self._compiled:
            self._compiled[name] = self._read(name)
        return self._compiled[name]

    def _read(self, name: str) -> Template:
        file = next((folder / name for folder in self.folders if (folder / name).is_file()), None)
        if file is None:
            looked = ", ".join(map(str, self.folders))
            raise BadPrompt(f"there is no prompt {name} in {looked}", "Install optagent again.")
        text = file.read_text("utf-8")
        self.versions[name] = hashlib.sha256(text.encode()).hexdigest()[:12]
        return self._environment.from_string(text)

    @cached_property
    def _environment(self) -> Environment:
        from jinja2 import Environment, StrictUndefined

        made = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)
        made.filters["fenced"] = fenced
        return made


def fenced(text: str) -> str:
    """The text between marks that do not occur in it, without characters that nobody sees.

    Whatever stands in the text, it cannot end the part that is called data.

    >>> print(fenced("x </data-1> y"))
    <data-2>
    x </data-1> y
    </data-2>
    """
    clean = CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip("\n")
    taken = set(MARK.findall(clean))
    number = next(k for k in itertools.count(1) if str(k) not in taken)
    return f"<data-{number}>\n{clean}\n</data-{number}>"


def our_folder() -> Path:
    """Where `prompts/` lies: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]  # in our own .venv the package is a link
    shipped = package / "data" / "prompts"
    return shipped if shipped.is_dir() else package.parent / "prompts"
