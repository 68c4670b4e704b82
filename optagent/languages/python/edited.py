"""Whether a text somebody edited by places is still a file with the target in it."""

from __future__ import annotations

from optagent.core.target import Target
from optagent.errors import BadSource
from optagent.languages.python.locate import line_of
from optagent.languages.python.scope import normal_form


def trouble(source: str, target: Target) -> str | None:
    """What keeps the rest of the house from reading it, as the end of a sentence, or None."""
    try:
        if not line_of(source, target):
            return f"{target.qualname} is gone"
        normal_form(source, target.path)
    except BadSource as fault:
        return f"the file does not parse: {fault.message}"
    except RecursionError:
        return "the code is nested too deeply to be read"
    return None
