"""Locks that an edit no longer takes: no comparison on one thread shows what they are there for."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from optagent.core.patch import Patch
from optagent.errors import BadSource
from optagent.languages.python.source.sources import parse_source


def fault_of_locks(patch: Patch) -> str | None:
    """The first thing that is entered or acquired by name in fewer places than before, as a sentence, or None."""
    try:
        before = Counter(one for change in patch.changes for one in taken(change.old, change.path))
        after = Counter(one for change in patch.changes for one in taken(change.new, change.path)) if before else before
    except BadSource:
        return None  # which is told elsewhere
    gone = before - after
    return f"no longer takes {min(gone)}, which others may wait for" if gone else None


def taken(text: str | None, path: str) -> Iterator[str]:
    """What stands by its name in a `with`, or is acquired: something that was there before. What a `with` makes for
    itself, as by `open(...)`, is no lock of others."""
    if not text or not path.endswith(".py") or not ("with " in text or ".acquire(" in text):
        return
    for node in ast.walk(parse_source(text, path)):
        if isinstance(node, ast.With | ast.AsyncWith):
            entered = [item.context_expr for item in node.items]
            yield from (ast.unparse(one) for one in entered if isinstance(one, ast.Name | ast.Attribute))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "acquire":
            yield ast.unparse(node.func.value)
