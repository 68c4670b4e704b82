"""`--scope package`: the files of the target's top-level package, and new private modules in it."""

from __future__ import annotations

import ast
import os
import re
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from optagent.core.patch import Change, Patch
from optagent.core.target import Target, Tree, is_inside
from optagent.errors import BadSource
from optagent.languages.python.scope.additions import Additions, Definition, is_inert
from optagent.languages.python.scope.construction import names_at_top
from optagent.languages.python.scope.imports import Imports, statements
from optagent.languages.python.scope.module import fault_in_file
from optagent.languages.python.scope.names import (
    BUILTINS,
    bound_by,
    bound_in,
    encoding,
    global_names,
    imported_packages,
    names,
)
from optagent.languages.python.source.sources import is_test_file, parse_source, read_source

PRIVATE_MODULE = re.compile(r"_(?!_)\w+\.py", re.ASCII)
TEST_HELPERS = ("testing.py", "_testing.py", "test_utils.py", "testutils.py")
NOT_CODE = ("setup.py", "noxfile.py", "conf.py", "hatch_build.py", "bench_*.py", "*_bench.py", "benchmark*.py")
NOT_CODE_FOLDERS = frozenset(["bench", "benches", "benchmark", "benchmarks", "asv_bench", "docs"])
GENERATED_NAMES = ("*_pb2.py", "*_pb2_grpc.py", "_version.py", "parsetab.py", "lextab.py")
GENERATED = re.compile(r"@generated|do not edit|auto-?generated|generated (by|from|with)", re.IGNORECASE)
HEADER_LINES = 12


def fault(target: Target, patch: Patch, base: Tree | None = None) -> str | None:
    """Why a patch is not looked at any further, as a sentence, or None.

    Each file that was there is edited as in `--scope module`; a new one is a private module (`_name.py`) that does
    nothing at import but define. Tests, what helps them, configuration, benchmarks and generated files are refused.
    """
    for change in patch.changes:
        objection = fault_of_place(target, change, base)
        if objection is None:
            objection = (
                _fault_of_new_file(target, change, patch, base)
                if change.old is None
                else fault_in_file(target, change, base)
            )
        if objection is not None:
            return (
                objection if change.path == target.path or change.path in objection else f"{change.path}: {objection}"
            )
    return None


def fault_of_place(target: Target, change: Change, base: Tree | None) -> str | None:
    """Where a patch may not write, as a sentence, or None."""
    path = PurePosixPath(change.path)
    if change.new is None:
        return f"deletes {path}"
    if change.path == target.path:
        return f"creates {path}" if change.old is None else None
    package = package_of(target)
    if (
        not is_inside(change.path)
        or path.as_posix() != change.path
        or package not in [one.as_posix() for one in path.parents]
    ):
        return f"edits {change.path}, which is outside the target's package"
    if path.suffix != ".py":
        return f"edits {path}, which is no Python source"
    if is_test_file(change.path) or path.name in TEST_HELPERS:
        return f"edits {path}, which belongs to the tests"
    if matches(path.name, NOT_CODE) or NOT_CODE_FOLDERS & set(path.parts):
        return f"edits {path}, which is no part of what the package does"
    if matches(path.name, GENERATED_NAMES) or GENERATED.search(header(change.old or "")):
        return f"edits {path}, which is generated"
    return _fault_of_new_place(path, base) if change.old is None else None


def _fault_of_new_place(path: PurePosixPath, base: Tree | None) -> str | None:
    if not PRIVATE_MODULE.fullmatch(path.name):
        return f"creates {path}, which is no private module: name it _name.py"
    if base is None:
        return None
    folder = base.root / path.parent
    if not folder.is_dir():
        return f"creates {path} in a folder that is not there"
    init = folder / "__init__.py"
    if init.is_file() and path.stem in names(parse_source(read_source(init), init.name)):
        return f"creates {path}, whose name {path.stem} means something in {path.parent / init.name}"
    rivals = [name for name in os.listdir(folder) if name.split(".")[0] == path.stem]
    return f"creates {path} beside {rivals[0]}, which has its name" if rivals else None


def package_of(target: Target) -> str:
    """The folder of the top-level package that the target is imported from; a place that no file is in for none."""
    top = PurePosixPath(target.import_root, target.module.split(".")[0]).as_posix()
    return top if PurePosixPath(target.path).is_relative_to(top) else "\0"


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def header(text: str) -> str:
    """The comments and docstring at the top, roughly: where a generator leaves its name."""
    return "\n".join(text.splitlines()[:HEADER_LINES])


def _fault_of_new_file(target: Target, change: Change, patch: Patch, base: Tree | None) -> str | None:
    """A new module imports, defines and builds constants."""
    try:
        tree = parse_source(change.new or "", change.path)
        others = [parse_source(one.old, one.path) for one in patch.changes if one.old is not None]
    except BadSource as reason:
        return f"does not parse: {reason.message}"
    if encoding(change.new or "") not in ("utf-8", "utf-8-sig"):
        return "is written in another encoding than UTF-8"
    known = frozenset(imported_packages(node for other in others for node in statements(other)))
    imports = Imports(known, target.module.split(".")[0], base)
    return imports.fault(None, statements(tree)) or _fault_of_new_code(tree)


def _fault_of_new_code(tree: ast.Module) -> str | None:
    additions = Additions(names_at_top(tree.body, bound_in(tree.body)), frozenset())
    for node in tree.body:
        bound = bound_by(node) | ({node.name} if isinstance(node, Definition) else set())
        if not bound and not is_inert(node):
            return f"runs code at import (line {node.lineno})"
        if any(name.startswith("__") for name in bound) or (bound & BUILTINS):
            return f"gives the name {min(bound)} another meaning"
        if objection := additions.fault(node):
            return objection
    if wrong := sorted(name for name in global_names(tree) if name in BUILTINS or name.startswith("__")):
        return f"assigns the global {wrong[0]}"
    return None
