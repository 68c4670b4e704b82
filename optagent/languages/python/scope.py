"""What a candidate may touch with `--scope function`, decided on the syntax trees before and after."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable

from optagent.core.patch import Change, Patch
from optagent.core.target import Target
from optagent.errors import BadSource
from optagent.languages.python.locate import FunctionNode, functions, parse_source


def fault(target: Target, patch: Patch) -> str | None:
    """Why a patch is not looked at any further, as a sentence, or None.

    In scope are the body and decorators of the target, new imports (standard library, or packages the file's
    tree already imports) and new private module-level constants. Everything else in the file stays as it is.
    """
    if not patch.changes or all(change.old == change.new for change in patch.changes):
        return "changes nothing"
    for change in patch.changes:
        if change.path != target.path:
            return f"edits {change.path}, which is outside the target's file"
    change = patch.changes[0]
    if change.new is None or change.old is None:
        return f"deletes or creates {change.path}"
    return _fault_in_file(target, change)


def _fault_in_file(target: Target, change: Change) -> str | None:
    before = parse_source(change.old or "", change.path)
    try:
        after = parse_source(change.new or "", change.path)
    except BadSource as reason:
        return f"does not parse: {reason.message}"
    old, new = _cut_out(before, target.qualname), _cut_out(after, target.qualname)
    if old is None or new is None:
        return f"removes {target.qualname}"
    if not _same_signature(old, new):
        return f"changes the signature of {target.qualname}"
    return _fault_around(before, after)


def _cut_out(module: ast.Module, qualname: str) -> FunctionNode | None:
    """The last definition of the function, its body replaced in the tree by nothing that differs."""
    found = [node for name, node in functions(module) if name == qualname]
    if not found:
        return None
    whole = type(found[-1])(**{name: getattr(found[-1], name, None) for name in found[-1]._fields})
    found[-1].body = [ast.Pass()]
    found[-1].decorator_list = []
    return whole


def _same_signature(old: FunctionNode, new: FunctionNode) -> bool:
    return type(old) is type(new) and ast.dump(old.args) == ast.dump(new.args)


def _fault_around(before: ast.Module, after: ast.Module) -> str | None:
    """The statements around the target: the old ones all there, in order; new ones only of the allowed kinds."""
    old = [ast.dump(node) for node in before.body]
    known = _top_level_names(before.body)
    imported = _imported_packages(ast.walk(before))
    k = 0
    for node in after.body:
        if k < len(old) and ast.dump(node) == old[k]:
            k += 1
        elif not _may_be_added(node, known, imported):
            return f"changes line {getattr(node, 'lineno', 0)}, which is outside the target"
    return None if k == len(old) else "removes code outside the target"


def _may_be_added(node: ast.stmt, known: set[str], imported: set[str]) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        packages = _imported_packages([node])
        return packages <= (imported | sys.stdlib_module_names) and not _bound_by(node) & known
    if isinstance(node, ast.Assign | ast.AnnAssign):
        names = _bound_by(node)
        return bool(names) and all(name.startswith("_") and not name.startswith("__") for name in names) and not names & known
    return False


def _bound_by(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)} if _only_names(targets) else set()


def _only_names(targets: list[ast.expr]) -> bool:
    return all(isinstance(target, ast.Name) for target in targets)


def _top_level_names(body: list[ast.stmt]) -> set[str]:
    return set().union(*(_bound_by(node) for node in body)) if body else set()


def _imported_packages(nodes: Iterable[ast.AST]) -> set[str]:
    packages: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            packages |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            packages.add("." * node.level + (node.module or "").split(".")[0] if node.level else (node.module or "").split(".")[0])
    return packages


def normal_form(text: str, path: str) -> str:
    """A digest that is the same for sources that differ only in layout and comments."""
    return hashlib.sha256(ast.dump(parse_source(text, path)).encode("utf-8", "surrogatepass")).hexdigest()
