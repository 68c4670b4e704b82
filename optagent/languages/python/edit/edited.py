"""Whether a text somebody edited is still a file with the target in it, and starts nothing when it is imported."""

from __future__ import annotations

from optagent.core.target import Target
from optagent.errors import BadSource
from optagent.languages.python.scope.additions import Additions, ran_before
from optagent.languages.python.scope.check import normal_form
from optagent.languages.python.scope.construction import names_at_top
from optagent.languages.python.scope.names import bound_in
from optagent.languages.python.source.sources import parse_source
from optagent.languages.python.targets.locate import line_of


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


def import_effect(before: str, after: str) -> str | None:
    """What the edit newly does when the file is imported, beyond building a value, as the end of a sentence, or None.

    Stricter than the scope of a function, in which a private constant may hold any value: a person who wrote one may
    have reasons, a model has none to run what it likes on every machine that imports the file.
    """
    old, new = parse_source(before, "the file"), parse_source(after, "the file")
    ran = ran_before(old.body)
    additions = Additions(names_at_top(new.body, bound_in(new.body)), ran)
    return next((found for node in new.body if (found := additions.fault(node))), None)
