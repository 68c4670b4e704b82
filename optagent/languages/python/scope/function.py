"""`--scope function`: the body of the target, and what a body needs at the top of its file."""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Sequence

from optagent.core.patch import Change, Patch
from optagent.core.target import Target, Tree
from optagent.errors import BadSource
from optagent.languages.python.scope.imports import fault_of_imports
from optagent.languages.python.scope.names import (
    BUILTINS,
    bound_by,
    dumps,
    encoding,
    global_names,
    imported_packages,
    names,
)
from optagent.languages.python.source.forms import dump
from optagent.languages.python.source.functions import FunctionNode, definitions
from optagent.languages.python.source.sources import parse_source


def fault(target: Target, patch: Patch, base: Tree | None = None) -> str | None:
    """Why a patch is not looked at any further, as a sentence, or None.

    In scope are the body of the target, new decorators on it, new imports (standard library, or packages the file
    already imports) and new private module-level constants; new names must be new to the file. Everything else in
    the file stays as it is.
    """
    objection = fault_of_places(target, patch)
    return objection or next((_fault_in_file(target, change, base) for change in patch.changes), None)


def fault_of_places(target: Target, patch: Patch) -> str | None:
    """None for an edit of the target's own file."""
    for change in patch.changes:
        if change.path != target.path:
            return f"edits {change.path}, which is outside the target's file"
        if change.new is None or change.old is None:
            return f"deletes or creates {change.path}"
    return None


def _fault_in_file(target: Target, change: Change, base: Tree | None) -> str | None:
    trees = parsed(change)
    if isinstance(trees, str):
        return trees
    before, after = trees
    if objection := fault_of_imports(target.module.split(".")[0], base, before, after):
        return objection
    old, new = cut_out(before, target.qualname), cut_out(after, target.qualname)
    if old is None or new is None:
        return f"removes {target.qualname}"
    if not _same_signature(old, new):
        return f"changes the signature of {target.qualname}"
    if not is_within(dumps(old.decorator_list), dumps(new.decorator_list)):
        return f"removes a decorator of {target.qualname}"
    if target.is_decorated and len(old.decorator_list) != len(new.decorator_list):
        return f"adds a decorator to {target.qualname}, which has others: what they make of it would not be judged"
    known = names(before) | global_names(old)
    for name in sorted(global_names(new) - global_names(old)):
        if name in known | BUILTINS or name.startswith("__"):
            return f"assigns the global {name}, which is outside the target"
    imported = imported_packages([*ast.walk(before), *ast.walk(old)])
    return _fault_around(before, after, known, imported)


def parsed(change: Change) -> tuple[ast.Module, ast.Module] | str:
    """The file before and after, or why the latter cannot be read as the former was."""
    try:
        before = parse_source(change.old or "", change.path)
        after = parse_source(change.new or "", change.path)
    except BadSource as reason:
        return f"does not parse: {reason.message}"
    if encoding(change.old or "") != encoding(change.new or ""):
        return f"changes the encoding of {change.path}"  # in which a comment may be code
    return before, after


def cut_out(module: ast.Module, qualname: str) -> FunctionNode | None:
    """A copy of the function that the name means (of a property its getter), which in the tree keeps nothing that may
    differ."""
    found = definitions(module).get(qualname)
    if found is None:
        return None
    whole = copy.copy(found)
    found.body = [ast.Pass()]
    found.decorator_list = []
    return whole


def _same_signature(old: FunctionNode, new: FunctionNode) -> bool:
    return type(old) is type(new) and dump(old.args) == dump(new.args)


def is_within(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether the old ones are all there, in order."""
    rest = iter(new)
    return all(one in rest for one in old)


def _fault_around(before: ast.Module, after: ast.Module, known: set[str], imported: set[str]) -> str | None:
    """The statements around the target: the old ones all there, in order; new ones only of the allowed kinds."""
    old = dumps(before.body)
    if ast.get_docstring(before, clean=False) != ast.get_docstring(after, clean=False):
        return "changes the docstring of the module"
    k = 0
    for node in after.body:
        if k < len(old) and dump(node) == old[k]:
            k += 1
        elif not _may_be_added(node, known, imported):
            return f"changes line {getattr(node, 'lineno', 0)}, which is outside the target"
    return None if k == len(old) else "removes code outside the target"


def _may_be_added(node: ast.stmt, known: set[str], imported: set[str]) -> bool:
    """An import or a private constant whose names are neither the file's nor Python's already."""
    bound = bound_by(node)
    if not bound or bound & (known | BUILTINS) or any(name.startswith("__") for name in bound):
        return False
    if isinstance(node, ast.Import | ast.ImportFrom):
        packages = imported_packages([node])
        return "*" not in bound and "__future__" not in packages and packages <= (imported | sys.stdlib_module_names)
    return all(name.startswith("_") for name in bound)
