"""A reply's code taken apart: the function, imports, private additions; or why it is more than that."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from optagent.languages.python.edit.graft_layout import lines_of
from optagent.languages.python.scope.additions import Definition, is_inert
from optagent.languages.python.scope.names import bound_by, bound_in, dumps, is_private
from optagent.languages.python.source.forms import dump
from optagent.languages.python.source.functions import FunctionNode, is_declaration, reachable
from optagent.languages.python.source.sources import parse_source


@dataclass(frozen=True)
class Refused:
    """Why code is not put into a file, as a sentence."""

    reason: str


@dataclass
class Reply:
    """Line numbers of the nodes are those of `lines`, which may begin with a line of ours."""

    lines: list[str]
    statements: list[ast.stmt]
    functions: list[FunctionNode] = field(default_factory=list)
    imports: list[ast.stmt] = field(default_factory=list)
    additions: list[ast.stmt] = field(default_factory=list)


@dataclass(frozen=True)
class File:
    """The file as it was, with the function to be replaced."""

    module: ast.Module
    qualname: str
    target: FunctionNode

    @cached_property
    def statements(self) -> frozenset[str]:
        """Dumps of all statements outside of functions, the target apart."""
        return frozenset(dumps(node for _, node in reachable(self.module.body) if node is not self.target))

    @cached_property
    def bound(self) -> frozenset[str]:
        return frozenset(bound_in(self.module.body))

    @cached_property
    def imported(self) -> frozenset[tuple[str, str, str]]:
        """What module-level imports bring in, as `alias_keys` has it."""
        top = [node for prefix, node in reachable(self.module.body) if not prefix]
        return frozenset(key for node in top for key in alias_keys(node))


def read(code: str, file: File) -> Reply | Refused:
    """The parts of a reply that defines the file's target once, with the same signature. Raises BadSource."""
    reply = _parsed(code)
    refusal = _missing(reply, file.target.name) or _Sorter(file, reply).sort(reply.statements)
    if refusal is None and len(reply.functions) != 1:
        refusal = f"The code defines `{file.qualname}` {len(reply.functions)} times."
    refusal = refusal or _other_signature(file, reply.functions[0])
    return Refused(refusal) if refusal else reply


def _parsed(code: str) -> Reply:
    """The statements of code that may be indented as a whole. Raises BadSource."""
    lines = lines_of(code.removeprefix("\ufeff"))
    first = next((line for line in lines if line.strip()), "")
    if first[:1] not in (" ", "\t"):
        return Reply(lines, parse_source("".join(lines), "the code").body)
    lines.insert(0, "if 1:\n")
    block, *rest = parse_source("".join(lines), "the code").body
    assert isinstance(block, ast.If)
    return Reply(lines, [*block.body, *block.orelse, *rest])


class _Sorter:
    """Puts each statement of a reply where it belongs; the first that belongs nowhere is the reason to refuse."""

    def __init__(self, file: File, reply: Reply) -> None:
        self.file, self.reply = file, reply
        *self.classes, self.name = file.qualname.split(".")

    def sort(self, statements: Sequence[ast.stmt], within: str = "") -> str | None:
        return next((fault for node in statements if (fault := self._fault(node, within))), None)

    def _fault(self, node: ast.stmt, within: str) -> str | None:
        if isinstance(node, FunctionNode) and node.name == self.name and self._is_of_its_kind(node):
            self.reply.functions.append(node)
            return None
        if isinstance(node, ast.ClassDef) and node.name in self.classes:
            return self.sort(node.body, node.name)
        if is_inert(node):
            return None
        if within:
            return None if self._is_there(node) else f"The code changes the class {within} beside `{self.name}`."
        if isinstance(node, ast.Import | ast.ImportFrom):
            return self._import(node)
        return None if self._is_there(node) else self._addition(node)

    def _is_of_its_kind(self, node: FunctionNode) -> bool:
        """Whether it is an overload or a setter exactly where the target is one."""
        return is_declaration(node) == is_declaration(self.file.target)

    def _is_there(self, node: ast.stmt) -> bool:
        return dump(node) in self.file.statements

    def _import(self, node: ast.Import | ast.ImportFrom) -> str | None:
        """Keeps the names that the file does not import yet."""
        new = [one for one, key in zip(node.names, alias_keys(node), strict=True) if key not in self.file.imported]
        if not new:
            return None
        if isinstance(node, ast.ImportFrom) and (node.module == "__future__" or new[0].name == "*"):
            return f"The code has `{ast.unparse(node)}`, which would change the rest of the file."
        kept = ast.copy_location(type(node)(**{**dict(ast.iter_fields(node)), "names": new}), node)
        for name in sorted(bound_by(kept) & self.file.bound):
            if not self._is_package(name, new):
                return f"The code imports `{name}`, a name that the file uses for something else."
        self.reply.imports.append(kept)
        return None

    def _is_package(self, name: str, new: Sequence[ast.alias]) -> bool:
        """Whether the name stands for the same package before and after, as in `import a.b` beside `import a`."""
        known = any(kind == "import" and not alias and module.split(".")[0] == name
                    for kind, module, alias in self.file.imported)  # fmt: skip
        return known and all(not one.asname for one in new)

    def _addition(self, node: ast.stmt) -> str | None:
        bound = {node.name} if isinstance(node, Definition) else bound_by(node)
        if not bound:
            return (
                f"The code runs `{ast.unparse(node).splitlines()[0][:60]}` when the file is imported: beside the "
                "function only imports, private constants and private helpers may be added."
            )
        for name in sorted(bound):
            if name in self.file.bound:
                return f"The code redefines `{name}`, which the file has already."
            if not is_private(name):
                return f"The code defines `{name}` beside the function: such names must begin with one underscore."
        self.reply.additions.append(node)
        return None


def alias_keys(node: ast.AST) -> list[tuple[str, str, str]]:
    """What each name of an import statement stands for: kind or module, name, new name."""
    if isinstance(node, ast.Import):
        return [("import", one.name, one.asname or "") for one in node.names]
    if isinstance(node, ast.ImportFrom):
        source = "." * node.level + (node.module or "")
        return [(f"from {source}", one.name, one.asname or one.name) for one in node.names]
    return []


def _missing(reply: Reply, name: str) -> str | None:
    names = [node.name for _, node in reachable(reply.statements) if isinstance(node, FunctionNode)]
    if name in names:
        return None
    return f"The code defines no `{name}`" + (f", but {', '.join(names[:5])}." if names else ".")


def _other_signature(file: File, new: FunctionNode) -> str | None:
    old = file.target
    if type(old) is not type(new):
        return f"`{file.qualname}` is {_kind(old)} in the file and {_kind(new)} in the code."
    if _signature(old.args) != _signature(new.args):
        return (
            f"The code changes the signature of `{file.qualname}`: it must stay ({ast.unparse(old.args)}), "
            f"and is ({ast.unparse(new.args)})."
        )
    return None


def _kind(node: FunctionNode) -> str:
    return "`async def`" if isinstance(node, ast.AsyncFunctionDef) else "`def`"


def _signature(args: ast.arguments) -> tuple[object, ...]:
    """Names, kinds, order and defaults of the parameters; not what is noted on their types."""
    kinds = [[one.arg for one in kind] for kind in (args.posonlyargs, args.args, args.kwonlyargs)]
    rest = [one and one.arg for one in (args.vararg, args.kwarg)]
    return kinds, rest, dumps(args.defaults), [one and dump(one) for one in args.kw_defaults]
