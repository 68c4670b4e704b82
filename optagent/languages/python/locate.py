"""Finds a function by the name a person gave it, from source text alone: nothing is imported."""

from __future__ import annotations

import ast
import os
import re
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from optagent.core.target import Target, Tree
from optagent.errors import BadSource, TargetAmbiguous, TargetNotFound

SKIPPED_FOLDERS = {".git", ".hg", ".tox", ".nox", ".venv", "venv", "node_modules", "__pycache__", "build", "dist"}
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
MOST_LISTED = 10
STRUCTURAL = {
    "staticmethod", "classmethod", "property", "cached_property", "abstractmethod", "override", "final",
}  # fmt: skip


@dataclass(frozen=True)
class Spec:
    """A target as typed: `fn`, `module:fn`, `Class.method`, `path.py::Class.method` or `path.py:LINE`."""

    name: str
    module: str = ""
    path: str = ""
    line: int = 0


def parse(text: str) -> Spec:
    """The parts of a target as typed.

    >>> parse("pkg.mod:fn"), parse("src/m.py:12")
    (Spec(name='fn', module='pkg.mod', path='', line=0), Spec(name='', module='', path='src/m.py', line=12))
    """
    if "::" in text:
        path, _, name = text.partition("::")
        return Spec(name.replace("::", "."), path=path)
    left, colon, right = text.rpartition(":")
    if colon and right.isdigit():
        return Spec("", path=left, line=int(right))
    if colon and left.endswith(".py"):
        return Spec(right, path=left)
    return Spec(right, module=left)


def locate(tree: Tree, text: str) -> Target:
    """The one function that `text` names. Raises TargetNotFound, TargetAmbiguous or BadSource."""
    spec = parse(text)
    found = list(_search(tree, spec)) if spec.name or spec.line else []
    exact = [target for target in found if target.qualname == spec.name]
    found = exact or found
    if not found:
        raise TargetNotFound(
            f"there is no function {text!r} in {tree.project_root.name}/",
            "Name it as `fn`, `module:fn`, `Class.method`, `path.py::Class.method` or `path.py:LINE`.",
        )
    if len(found) > 1:
        listed = ", ".join(f"{target.path}::{target.qualname}" for target in found[:MOST_LISTED])
        more = f" and {len(found) - MOST_LISTED} more" if len(found) > MOST_LISTED else ""
        raise TargetAmbiguous(f"{text!r} could be any of {len(found)} functions: {listed}{more}", "Name one of them.")
    return found[0]


def read_source(path: Path) -> str:
    """Source text as the compiler would decode it, line ends untouched. Raises BadSource."""
    try:
        with open(path, "rb") as file:
            encoding, _ = tokenize.detect_encoding(file.readline)
        return path.read_bytes().decode(encoding)
    except (OSError, SyntaxError, UnicodeDecodeError, LookupError) as fault:
        raise BadSource(f"{path.name} cannot be read as source: {fault}") from None


def parse_source(text: str, name: str) -> ast.Module:
    """The syntax tree, or BadSource with the place of the fault."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in the target is not our news
            return ast.parse(_decoded_or_raw(text), name)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as fault:
        line = getattr(fault, "lineno", None)
        place = f"{name}:{line}" if line else name
        raise BadSource(f"{place} is not valid Python: {getattr(fault, 'msg', fault)}") from None


def _decoded_or_raw(text: str) -> str | bytes:
    """What the parser takes: text as it is (a coding line in it is done with), or the bytes that could not be read
    as UTF-8, whose coding line says what they are."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")
    return text.removeprefix("\ufeff")


def functions(module: ast.Module) -> Iterator[tuple[str, FunctionNode]]:
    """Every function that can be reached by name from outside: qualified name and node, in source order."""
    yield from _functions_in(module.body, "")


def _functions_in(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, FunctionNode]]:
    for node in body:
        if isinstance(node, FunctionNode):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions_in(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If | ast.Try | ast.With):
            for handler in getattr(node, "handlers", []):
                yield from _functions_in(handler.body, prefix)
            for part in ("body", "orelse", "finalbody"):
                yield from _functions_in(getattr(node, part, []), prefix)


def _search(tree: Tree, spec: Spec) -> Iterator[Target]:
    for path in _files(tree, spec):
        text = _text_if_promising(tree.root / path, spec)
        if text is None:
            continue
        try:
            module = parse_source(text, path)
        except BadSource:
            if spec.path or _defines(text, spec.name):
                raise
            continue
        yield from _matches(tree, path, module, spec)


def _matches(tree: Tree, path: str, module: ast.Module, spec: Spec) -> Iterator[Target]:
    import_root, name = import_name(tree, path)
    if spec.module and not (name == spec.module or name.endswith("." + spec.module)):
        return
    latest: dict[str, FunctionNode] = {}
    for qualname, node in functions(module):
        latest[qualname] = node  # of several definitions the last one is what the name means
    for qualname, node in latest.items():
        if _is_meant(spec, qualname, node):
            yield target_of(node, path, qualname, name, import_root)


def target_of(node: FunctionNode, path: str, qualname: str, module: str, import_root: str) -> Target:
    decorators = sum(not _is_structural(one) for one in node.decorator_list)
    return Target(path, qualname, module, import_root, node.lineno, decorators, first_line(node))


def first_line(node: FunctionNode) -> int:
    """Where a function begins for the interpreter: at its first decorator."""
    return min([node.lineno, *[decorator.lineno for decorator in node.decorator_list]])


def _is_structural(decorator: ast.expr) -> bool:
    """Whether a decorator makes a method of some kind, or only says something about it."""
    name = decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")
    return name in STRUCTURAL


def _is_meant(spec: Spec, qualname: str, node: FunctionNode) -> bool:
    if spec.line:
        return first_line(node) <= spec.line <= (node.end_lineno or node.lineno)
    return qualname == spec.name or qualname.endswith("." + spec.name)


def _files(tree: Tree, spec: Spec) -> Iterator[str]:
    """Python files below the project, tests last to be thought of: they are no targets."""
    if spec.path:
        yield from _named_file(tree, spec.path)
        return
    for folder, folders, names in os.walk(tree.project_root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        for name in sorted(names):
            path = Path(folder, name).relative_to(tree.root).as_posix()
            if name.endswith(".py") and not is_test_file(path):
                yield path


def _named_file(tree: Tree, path: str) -> Iterator[str]:
    for base in (tree.project_root, tree.root):
        file = base / path
        if file.is_file() and file.resolve().is_relative_to(tree.root.resolve()):
            yield Path(os.path.normpath(file)).relative_to(tree.root).as_posix()
            return
    raise TargetNotFound(f"there is no file {path!r} in {tree.project_root.name}/", "Name a file of the repository.")


def is_test_file(path: str) -> bool:
    """Whether a file belongs to the tests: never a target, never to be edited.

    >>> is_test_file("tests/helpers.py"), is_test_file("pkg/conftest.py"), is_test_file("pkg/contest.py")
    (True, True, False)
    """
    pure = PurePosixPath(path)
    in_tests = any(part in ("tests", "test", "testing") for part in pure.parts[:-1])
    named_so = re.fullmatch(r"conftest\.py|test_.*\.py|.*_test\.py|tests?\.py", pure.name)
    return in_tests or named_so is not None


def _text_if_promising(path: Path, spec: Spec) -> str | None:
    """The text when it may define the name; None for files that a look at the bytes rules out."""
    if spec.line or spec.path:
        return read_source(path)
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    name = spec.name.rsplit(".", 1)[-1]
    if name.isascii() and name.encode() not in raw:  # another name may be written in any encoding
        return None
    try:
        return read_source(path)
    except BadSource:
        return None


def _defines(text: str, name: str) -> bool:
    return re.search(rf"^\s*(async\s+)?def\s+{re.escape(name.rsplit('.', 1)[-1])}\b", text, re.MULTILINE) is not None


def import_name(tree: Tree, path: str) -> tuple[str, str]:
    """The folder that must be on the import path (relative to the tree) and the module's name below it.

    A package is a folder with `__init__.py`; the folder above the outermost one is the import root.
    """
    file = tree.root / path
    folder = file.parent
    parts = [] if file.name == "__init__.py" else [file.stem]
    while (folder / "__init__.py").is_file() and folder != tree.root:
        parts.insert(0, folder.name)
        folder = folder.parent
    root = folder.relative_to(tree.root).as_posix()
    return root, ".".join(parts)
