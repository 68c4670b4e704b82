"""What new code may import: the standard library, what the file or the project imports already, its own package. And
that it sets nothing there."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from optagent.core.target import Tree
from optagent.errors import BadSource
from optagent.languages.python.scope.names import bound_in, imported_modules, imported_packages, statements_in
from optagent.languages.python.source.sources import SKIPPED_FOLDERS, is_test_file, parse_source, read_source

TEST_PART = re.compile(r"tests?|testing|conftest|test_.*|.*_test")


@dataclass(frozen=True)
class Imports:
    """`known` are the packages that the changed files import, `own` is the target's, `base` the untouched code."""

    known: frozenset[str]
    own: str
    base: Tree | None = None

    def fault(self, before: Sequence[ast.AST] | None, after: Sequence[ast.AST]) -> str | None:
        """The first import that the edit may not add, anywhere in the file, as a sentence, or None.

        Takes the import statements of the old file (None for a new file) and of the new one.
        """
        old = {name for node in before or () for name in imported_modules(node)}
        for node in after:
            for name in imported_modules(node):
                if name not in old and (objection := self._fault_of(node, name, new_file=before is None)):
                    return objection
        return None

    def _fault_of(self, node: ast.AST, name: str, new_file: bool) -> str | None:
        (package,) = imported_packages([node]) if isinstance(node, ast.ImportFrom) else {name.split(".")[0]}
        if name.endswith(".*") or name.strip(".") == "*":
            return "imports everything from a module (*)"
        if package == "__future__":
            return None if new_file else "changes the language of the file (from __future__)"
        if package.startswith(".") or package == self.own:
            inside_tests = any(TEST_PART.fullmatch(part) for part in name.split(".") if part)
            return f"imports the tests ({name})" if inside_tests else None
        if package in self.known | sys.stdlib_module_names or (self.base and imports(self.base, package)):
            return None
        return f"imports {package}, which the project does not"


def fault_of_imports(own: str, base: Tree | None, before: ast.Module, after: ast.Module) -> str | None:
    """`Imports.fault` for an edit of one file; or what it sets, and did not, in what is imported."""
    old, new = statements(before), statements(after)
    objection = Imports(frozenset(imported_packages(old)), own, base).fault(old, new)
    if objection:
        return objection
    added = set_on(after, bound_in(new))
    if added:  # in few files, and few edits
        added -= set_on(before, bound_in(old))
    return f"sets {min(added)}, which is imported" if added else None


def set_on(tree: ast.AST, names: set[str]) -> set[str]:
    """What statements and calls of `setattr` and `delattr` set or delete on these names, as written."""
    places = [place for node in statements_in(tree) for target in targets_of(node) for place in ast.walk(target)]
    found = [one for one in places if is_set(one)] + [
        one.args[0] for one in ast.walk(tree) if is_call(one, "setattr", "delattr")
    ]
    return {ast.unparse(one) for one in found if root_of(one) in names}


def is_set(place: ast.AST) -> TypeGuard[ast.Attribute | ast.Subscript]:
    """Whether it is an attribute, or an item of one or of what `vars` gives, that is set or deleted."""
    if isinstance(place, ast.Subscript) and not (
        isinstance(place.value, ast.Attribute) or is_call(place.value, "vars")
    ):
        return False
    return isinstance(place, ast.Attribute | ast.Subscript) and isinstance(place.ctx, ast.Store | ast.Del)


def is_call(node: ast.AST, *names: str) -> TypeGuard[ast.Call]:
    """Whether one of these functions is called, of something."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names and bool(node.args)


def targets_of(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign | ast.Delete):
        return node.targets
    return [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For | ast.AsyncFor) else []


def root_of(node: ast.expr) -> str:
    """The name at its start, also inside of `vars(...)`."""
    while isinstance(node, ast.Attribute | ast.Subscript) or is_call(node, "vars"):
        node = node.args[0] if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def statements(tree: ast.AST) -> list[ast.Import | ast.ImportFrom]:
    """The import statements of a piece of code, at any depth."""
    return [node for node in statements_in(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def imports(base: Tree, package: str) -> bool:
    """Whether some file of the project that is no test imports the package."""
    line = re.compile(rb"^[ \t]*(from|import)[ \t].*\b" + re.escape(package.encode()) + rb"\b", re.MULTILINE)
    for folder, folders, names in os.walk(base.project_root):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
        for name in names:
            file = os.path.join(folder, name)
            path = os.path.relpath(file, base.root)
            if name.endswith(".py") and not is_test_file(path) and _imports(base, path, package, line):
                return True
    return False


def _imports(base: Tree, path: str, package: str, line: re.Pattern[bytes]) -> bool:
    file = base.root / path
    try:
        if not line.search(file.read_bytes()):
            return False
        return package in imported_packages(statements(parse_source(read_source(file), path)))
    except (BadSource, OSError):
        return False
