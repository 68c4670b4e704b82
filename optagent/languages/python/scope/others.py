"""What a patch changes beside the target: the referee compares only the target, so people should look at these."""

from __future__ import annotations

from optagent.core.patch import Change, Patch
from optagent.core.target import Target
from optagent.languages.python.source.forms import dump
from optagent.languages.python.source.functions import functions
from optagent.languages.python.source.sources import parse_source


def also_changed(target: Target, patch: Patch) -> tuple[str, ...]:
    """The functions that were there and are changed or gone, the target apart, as `path::Class.method`, in order.

    None of them is called by the comparison but through the target: what they do for others, only the tests say.
    The patch is one that the scope lets through, so that it parses.
    """
    sources = [change for change in patch.changes if change.path.endswith(".py")]
    found = [f"{change.path}::{name}" for change in sources for name in changed(change)]
    return tuple(name for name in found if name != f"{target.path}::{target.qualname}")


def changed(change: Change) -> list[str]:
    before, after = definitions(change.old, change.path), definitions(change.new, change.path)
    return [name for name, code in before.items() if after.get(name) != code]


def definitions(text: str | None, path: str) -> dict[str, list[str]]:
    """The code of every function by its qualified name; a name may have several, as a property has."""
    found: dict[str, list[str]] = {}
    for name, node in functions(parse_source(text or "", path)):
        found.setdefault(name, []).append(dump(node))
    return found
