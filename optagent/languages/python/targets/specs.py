"""What a person types to name a function, and the files that may hold it."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from optagent.core.target import Tree
from optagent.errors import BadSource, TargetNotFound
from optagent.languages.python.source.sources import is_test_of, parse_source, read_source, source_files

DEF = rb"\bdef(?:\s|\\)+"  # a line may go on behind a backslash


@dataclass(frozen=True)
class Spec:
    """A target as typed: `fn`, `module:fn`, `Class.method`, `path.py::Class.method` or `path.py:LINE`."""

    name: str
    module: str = ""
    path: str = ""
    line: int = 0

    def names(self, qualname: str) -> bool:
        """Whether the name as typed may mean this qualified name: it, or its end."""
        return bool(self.name) and (qualname == self.name or qualname.endswith("." + self.name))

    def is_module(self, module: str) -> bool:
        return not self.module or module == self.module or module.endswith("." + self.module)


class Parsed(NamedTuple):
    """One file that may hold what is looked for; `path` is relative to the tree's root."""

    path: str
    text: str
    module: ast.Module


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


def promising(tree: Tree, spec: Spec, tests: bool = False) -> Iterator[Parsed]:
    """The files that may define what is looked for, parsed; with `tests` the test files instead of the others.

    A look at the bytes rules out most files. BadSource when the file that is meant cannot be read.
    """
    for path in _paths(tree, spec):
        if is_test_of(tree, path) != tests:
            continue
        text = read_source(tree.root / path) if spec.path else _text_with_name(tree.root / path, spec)
        if text is None:
            continue
        try:
            yield Parsed(path, text, parse_source(text, path))
        except BadSource:
            if not tests and (spec.path or _defines(text, spec.name)):
                raise


def _paths(tree: Tree, spec: Spec) -> Iterator[str]:
    if spec.path:
        yield named_file(tree, spec.path)
    else:
        yield from (path for path, _ in source_files(tree))


def named_file(tree: Tree, path: str) -> str:
    """The file as named, from the project's folder or from the tree's root. Raises TargetNotFound."""
    for base in (tree.project_root, tree.root):
        file = base / path
        if file.is_file() and file.resolve().is_relative_to(tree.root.resolve()):
            return Path(os.path.normpath(file)).relative_to(tree.root).as_posix()
    raise TargetNotFound(f"there is no file {path!r} in {tree.project_root.name}/", "Name a file of the repository.")


def _text_with_name(file: Path, spec: Spec) -> str | None:
    """The text when it may define the name; None for files that a look at the bytes rules out."""
    name = spec.name.rpartition(".")[2]
    try:
        return read_source(file) if _may_define(file.read_bytes(), name) else None
    except (OSError, BadSource):
        return None


def _may_define(raw: bytes, name: str) -> bool:
    if not name.isascii():
        return True  # it may be written in any encoding
    word = name.encode()
    return word in raw and re.search(DEF + re.escape(word) + rb"\b", raw) is not None


def _defines(text: str, name: str) -> bool:
    return re.search(rf"^\s*(async\s+)?def\s+{re.escape(name.rpartition('.')[2])}\b", text, re.MULTILINE) is not None
