"""What a candidate may touch with `--scope function`, decided on the syntax trees before and after.

This is triage: it keeps edits readable and refuses what is plainly none. What a function does to the rest of the
program while it runs is found by the tests and the comparison of outputs, not here.
"""

from __future__ import annotations

import ast
import builtins
import copy
import hashlib
import io
import sys
import tokenize
from collections.abc import Iterable, Sequence

from optagent.core.patch import Change, Patch
from optagent.core.target import Target
from optagent.errors import BadSource
from optagent.languages.python.locate import FunctionNode, functions, parse_source

BUILTINS = frozenset(dir(builtins))


def fault(target: Target, patch: Patch) -> str | None:
    """Why a patch is not looked at any further, as a sentence, or None.

    In scope are the body of the target, new decorators on it, new imports (standard library, or packages the file
    already imports) and new private module-level constants; new names must be new to the file. Everything else in
    the file stays as it is.
    """
    if not patch.changes or all(change.old == change.new for change in patch.changes):
        return "changes nothing"
    for change in patch.changes:
        if change.path != target.path:
            return f"edits {change.path}, which is outside the target's file"
    if len(patch.changes) > 1:
        return f"edits {target.path} twice"
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
    if _encoding(change.old or "") != _encoding(change.new or ""):
        return f"changes the encoding of {change.path}"  # in which a comment may be code
    old, new = _cut_out(before, target.qualname), _cut_out(after, target.qualname)
    if old is None or new is None:
        return f"removes {target.qualname}"
    if not _same_signature(old, new):
        return f"changes the signature of {target.qualname}"
    if not _is_within(_dumps(old.decorator_list), _dumps(new.decorator_list)):
        return f"removes a decorator of {target.qualname}"
    if target.is_decorated and len(old.decorator_list) != len(new.decorator_list):
        return f"adds a decorator to {target.qualname}, which has others: what they make of it would not be judged"
    known = _names(before) | _globals(old)
    for name in sorted(_globals(new) - _globals(old)):
        if name in known | BUILTINS or name.startswith("__"):
            return f"assigns the global {name}, which is outside the target"
    imported = _imported_packages([*ast.walk(before), *ast.walk(old)])
    return _fault_around(before, after, known, imported)


def _encoding(text: str) -> str:
    """The encoding that the bytes of a source declare; empty when they declare none that makes sense."""
    try:
        return tokenize.detect_encoding(io.BytesIO(text.encode("utf-8", "surrogateescape")).readline)[0]
    except (SyntaxError, UnicodeEncodeError):
        return ""


def _cut_out(module: ast.Module, qualname: str) -> FunctionNode | None:
    """A copy of the function's last definition, which in the tree keeps nothing that may differ."""
    found = [node for name, node in functions(module) if name == qualname]
    if not found:
        return None
    whole = copy.copy(found[-1])
    found[-1].body = [ast.Pass()]
    found[-1].decorator_list = []
    return whole


def _same_signature(old: FunctionNode, new: FunctionNode) -> bool:
    return type(old) is type(new) and ast.dump(old.args) == ast.dump(new.args)


def _dumps(nodes: Iterable[ast.AST]) -> list[str]:
    return [ast.dump(node) for node in nodes]


def _is_within(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether the old ones are all there, in order."""
    rest = iter(new)
    return all(one in rest for one in old)


def _fault_around(before: ast.Module, after: ast.Module, known: set[str], imported: set[str]) -> str | None:
    """The statements around the target: the old ones all there, in order; new ones only of the allowed kinds."""
    old = _dumps(before.body)
    if ast.get_docstring(before, clean=False) != ast.get_docstring(after, clean=False):
        return "changes the docstring of the module"
    k = 0
    for node in after.body:
        if k < len(old) and ast.dump(node) == old[k]:
            k += 1
        elif not _may_be_added(node, known, imported):
            return f"changes line {getattr(node, 'lineno', 0)}, which is outside the target"
    return None if k == len(old) else "removes code outside the target"


def _may_be_added(node: ast.stmt, known: set[str], imported: set[str]) -> bool:
    """An import or a private constant whose names are neither the file's nor Python's already."""
    bound = _bound_by(node)
    if not bound or bound & (known | BUILTINS) or any(name.startswith("__") for name in bound):
        return False
    if isinstance(node, ast.Import | ast.ImportFrom):
        packages = _imported_packages([node])
        return "*" not in bound and "__future__" not in packages and packages <= (imported | sys.stdlib_module_names)
    return all(name.startswith("_") for name in bound)


def _bound_by(node: ast.stmt) -> set[str]:
    """The names that an import or an assignment to plain names binds; nothing for all other statements."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    hidden = any(isinstance(part, ast.NamedExpr) for part in ast.walk(node))  # binds in the module too
    return names if len(names) == len(targets) and not hidden else set()


def _names(tree: ast.AST) -> set[str]:
    """Every name that a piece of code binds or reads, whatever it means there."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= _bound_by(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            names.update(node.names)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            names.add(node.rest)
    return names


def _globals(tree: ast.AST) -> set[str]:
    return {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}


def _imported_packages(nodes: Iterable[ast.AST]) -> set[str]:
    packages: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            packages |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            packages.add("." * node.level + (node.module or "").split(".")[0])
    return packages


def normal_form(text: str, path: str) -> str:
    """A digest that is the same for sources that differ only in layout and comments."""
    return hashlib.sha256(ast.dump(parse_source(text, path)).encode("utf-8", "surrogatepass")).hexdigest()
