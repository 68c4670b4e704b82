"""What a candidate may touch, decided on the syntax trees before and after.

This is triage: it keeps edits readable and refuses what is plainly none. What an edit does to the rest of the
program while it runs is found by the tests, the comparison of outputs and the accounts, not here
(docs/decisions has the page "scope").
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from optagent.core.patch import Patch
from optagent.core.scope import Scope
from optagent.core.target import Target, Tree
from optagent.errors import BadSource
from optagent.languages.python.scope import function, module, package
from optagent.languages.python.scope.base import stale
from optagent.languages.python.scope.losses import loss
from optagent.languages.python.source.forms import dump
from optagent.languages.python.source.sources import parse_source

CHECKS = {
    Scope.FUNCTION: function.fault,
    Scope.MODULE: module.fault,
    Scope.PACKAGE: package.fault,
}


def fault(target: Target, patch: Patch, scope: Scope = Scope.FUNCTION, base: Tree | None = None) -> str | None:
    """Why a patch is not looked at any further, as a sentence, or None.

    A patch that a narrower scope lets through is in every wider one. With `base`, the untouched code, the patch
    must start from its files, and the packages that it imports anywhere may be imported; without it only those
    that the changed files import.
    """
    if not patch.changes or all(change.old == change.new for change in patch.changes):
        return "changes nothing"
    if objection := _twice(patch) or (stale(base, patch) if base else None) or loss(patch):
        return objection
    objection = CHECKS[scope](target, patch, base)
    narrower = list(CHECKS.values())[: list(CHECKS).index(scope)]
    if objection is None or any(check(target, patch, base) is None for check in narrower):
        return None
    return objection


def _twice(patch: Patch) -> str | None:
    twice = [path for path in patch.paths if patch.paths.count(path) > 1]
    return f"edits {twice[0]} twice" if twice else None


def normal_form(text: str, path: str) -> str:
    """A digest that is the same for sources that differ only in layout and comments."""
    return hashlib.sha256(dump(parse_source(text, path)).encode("utf-8", "surrogatepass")).hexdigest()


def patch_form(patch: Patch) -> str:
    """The same for patches that differ in layout, in comments or in the order of their files; one that does not
    parse is like no other. A file that only changes its layout is none."""
    try:
        forms = [(one.path, _form(one.old, one.path), _form(one.new, one.path)) for one in patch.changes]
    except BadSource:
        return patch.digest
    kept = sorted((path, new) for path, old, new in forms if old != new)
    return hashlib.sha256(repr(kept).encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=64)  # the old files are the same for every candidate
def _form(text: str | None, path: str) -> str:
    """The normal form of a file that is there; of other files than Python's the text."""
    if text is None:
        return ""
    return normal_form(text, path) if path.endswith(".py") else f"text {text}"
