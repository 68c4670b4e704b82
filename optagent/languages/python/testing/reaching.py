"""What new code takes hold of that is not its own: the interpreter, and with it whatever runs the tests.

Tests run in one process with the code they test. What reaches there can make any of them pass, so where tests alone
saw what the code does, they prove nothing. This looks at shapes only: it is one more hurdle, not a proof
(docs/decisions has the page "tests and what they test").
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from optagent.core.target import Tree
from optagent.errors import BadSource
from optagent.languages.python.source.sources import is_test_of, parse_source, read_source, source_files

RUNNERS = {"pytest", "_pytest", "pluggy", "unittest", "doctest", "nose"}
MODULES = {*RUNNERS, "gc", "ctypes", "builtins", "bdb", "pdb", "code"}
IMPORTERS = {"__import__", "import_module"}
NAMES = {"exec", "eval", "__builtins__", "__loader__", "__spec__"}
ATTRIBUTES = {
    "modules", "_getframe", "_getframemodulename", "_current_frames", "settrace", "setprofile", "monitoring",
    "addaudithook", "get_objects", "get_referrers", "get_referents", "currentframe", "getouterframes", "f_back",
    "f_globals", "f_locals", "f_builtins", "tb_frame", "gi_frame", "cr_frame", "ag_frame", "__globals__",
    "__builtins__", "__subclasses__", "__code__", "__closure__", "excepthook", "meta_path", "path_hooks",
}  # fmt: skip
PLAIN = {"modules", "monitoring"}
"""Words that a string may be without any such meaning."""

SETTERS = {"setattr", "delattr"}
LOOKERS = {"getattr", "vars"}


@dataclass(frozen=True)
class Reach:
    """A place in new code, and the word that tells what it has hold of."""

    path: str
    line: int
    word: str

    def __str__(self) -> str:
        return f"line {self.line} of {self.path} ({self.word})"


def reaching(old: Tree, new: Tree) -> Reach | None:
    """The first place in the new tree's code, tests apart, that has hold of what the old one's had not."""
    before, after = _sources(old), _sources(new)
    gone = [path for path, file in before.items() if path not in after or _differs(file, after[path])]
    come = [path for path, file in after.items() if path not in before or _differs(file, before[path])]
    known = Counter(one.word for path in gone for one in _found(path, before[path]))
    for path in come:
        for one in _found(path, after[path]):
            if not known[one.word]:
                return one
            known[one.word] -= 1
    return None


def _sources(tree: Tree) -> dict[str, Path]:
    return {path: Path(entry.path) for path, entry in source_files(tree) if not is_test_of(tree, path)}


def _differs(one: Path, other: Path) -> bool:
    return one.stat().st_size != other.stat().st_size or one.read_bytes() != other.read_bytes()


def _found(path: str, file: Path) -> list[Reach]:
    """Those of a file, by line; none in one that nobody can read, which is no code that runs."""
    try:
        tree = parse_source(read_source(file), path)
    except BadSource:
        return []
    return sorted({Reach(path, line, word) for line, word in words(tree)}, key=lambda one: (one.line, one.word))


def words(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Lines, and the words in them that reach out.

    >>> [word for _, word in words(ast.parse("import sys, gc; sys.modules; sys.maxsize; sys.path = []"))]
    ['gc', 'modules', 'sys.path =']
    """
    nodes = list(ast.walk(tree))
    imported = {name for node in nodes for name in _bound(node)}
    for node in nodes:
        for word in _of(node, imported):
            yield getattr(node, "lineno", 0), word


def _bound(node: ast.AST) -> list[str]:
    """Names that an import binds."""
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return []
    return [one.asname or one.name.partition(".")[0] for one in node.names]


def _of(node: ast.AST, imported: set[str]) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (one.name for one in names if not _is_plain(one.name))
        case ast.ImportFrom(module=module, names=names, level=0):
            yield from [module] if module and not _is_plain(module) else []
            yield from (one.name for one in names if one.name in ATTRIBUTES | IMPORTERS)
        case ast.Attribute(value=value, attr=attr, ctx=ctx):
            if attr in ATTRIBUTES or (attr == "__dict__" and _is_one_of(value, imported)):
                yield attr
            elif not isinstance(ctx, ast.Load) and _is_others(value, imported):
                yield f"{ast.unparse(value)}.{attr} ="
        case ast.Name(id=name) if name in NAMES:
            yield name
        case ast.Constant(value=str(text)) if text in ATTRIBUTES - PLAIN or re.match(r"_?pytest\b", text):
            yield text
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments) if arguments:
            yield from _of_call(name, arguments, imported)


def _of_call(name: str, arguments: list[ast.expr], imported: set[str]) -> Iterator[str]:
    given = arguments[0]
    if name in SETTERS and _is_others(given, imported):
        yield f"{name}({ast.unparse(given)}, ...)"
    elif name in LOOKERS and _is_one_of(given, imported):
        said = arguments[1] if len(arguments) > 1 else None
        if not isinstance(said, ast.Constant) or said.value in ATTRIBUTES:
            yield f"{name}({ast.unparse(given)}, ...)"
    elif name in IMPORTERS and not (isinstance(given, ast.Constant) and _is_plain(str(given.value))):
        yield name


def _is_plain(module: str) -> bool:
    top = module.lstrip(".").partition(".")[0]
    return top not in MODULES and not top.startswith("optagent")


def _is_one_of(node: ast.expr, imported: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in imported


def _is_others(node: ast.expr, imported: set[str]) -> bool:
    """Whether it is, or comes out of, what was imported; or the class of some object."""
    while isinstance(node, ast.Attribute):
        node = node.value
    is_class = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type"
    return is_class or _is_one_of(node, imported)
