"""Which functions, classes and constants of its own file a function uses directly, and how they are shown."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from optagent.languages.python.edit.graft_layout import bare, lines_of
from optagent.languages.python.edit.graft_places import first_line
from optagent.languages.python.scope.names import bound_by, bound_in
from optagent.languages.python.source.functions import FunctionNode, definitions, last_word, reachable
from optagent.languages.python.source.kinds import kind_of
from optagent.languages.python.source.sources import parse_source

BUILDERS = ("__slots__", "__init__", "__new__", "__post_init__")


class Outline:
    """A file's definitions by their qualified names. Raises BadSource."""

    def __init__(self, text: str) -> None:
        self.lines, self.module = lines_of(text), parse_source(text, "the file")
        self.statements = list(reachable(self.module.body))
        self.named: dict[str, ast.stmt] = {}
        for prefix, node in self.statements:
            if not isinstance(node, ast.Import | ast.ImportFrom):
                names = {node.name} if isinstance(node, ast.ClassDef) else bound_by(node)
                self.named |= {prefix + name: node for name in names}
        self.named |= definitions(self.module)

    def text(self, node: ast.stmt, last: int | None = None) -> str:
        lines = self.lines[first_line(node) - 1 : node.end_lineno if last is None else last]
        return "".join(f"{bare(line)}\n" for line in lines)

    def imports(self) -> str:
        found = [node for _, node in self.statements if isinstance(node, ast.Import | ast.ImportFrom)]
        return "".join(self.text(node) for node in found)

    def around(self, qualname: str, target: ast.stmt) -> str:
        """The heads of the classes that a method stands in, from the outermost one."""
        return "".join(self._head(name, target) for name in classes_around(qualname))

    def shown(self, name: str, node: ast.stmt) -> str:
        """The whole text; of a class its head, for its methods are used one by one."""
        return self._head(name, None) if isinstance(node, ast.ClassDef) else self.text(node)

    def _head(self, name: str, target: ast.stmt | None) -> str:
        """The `class` line, the declared fields, and what makes an object, but for the target."""
        node = self.named.get(name)
        if not isinstance(node, ast.ClassDef):
            return ""
        text = self.text(node, max(node.lineno, first_line(node.body[0]) - 1))
        makers = [self.named.get(f"{name}.{maker}") for maker in BUILDERS]
        parts = [one for one in node.body if isinstance(one, ast.AnnAssign) or one in makers]
        return text + "".join(self.text(one) for one in parts if one is not target)

    def member(self, owner: str, name: str, seen: frozenset[str] = frozenset()) -> str | None:
        """The qualified name of what `owner.name` is: the class's own, or that of a base class in the file."""
        if f"{owner}.{name}" in self.named:
            return f"{owner}.{name}"
        node = self.named.get(owner)
        bases = node.bases if isinstance(node, ast.ClassDef) and owner not in seen else []
        found = (self.member(last_word(base), name, seen | {owner}) for base in bases)
        return next((one for one in found if one), None)


def classes_around(qualname: str) -> list[str]:
    """
    >>> classes_around("A.B.f")
    ['A', 'A.B']
    """
    parts = qualname.split(".")
    return [".".join(parts[:k]) for k in range(1, len(parts))]


def uses(outline: Outline, qualname: str, target: FunctionNode) -> Iterator[tuple[str, ast.stmt]]:
    """Each once; not the target itself, nor what is shown of its class."""
    owners = classes_around(qualname)
    makers = {f"{owner}.{maker}" for owner in owners for maker in BUILDERS}
    names = dict.fromkeys(_names(outline, qualname, target))
    for name in names:
        node = outline.named.get(name)
        if node is not None and node is not target and name not in makers and name not in owners:
            yield name, node


def _names(outline: Outline, qualname: str, target: FunctionNode) -> Iterator[str]:
    """The qualified names in the file that the function may mean."""
    args = target.args
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
    local = bound_in(target.body) | {one.arg for one in every if one}
    owner = qualname.rpartition(".")[0]
    first = next((one.arg for one in [*args.posonlyargs, *args.args]), "")
    own = {first} if owner and kind_of(qualname, target) != "staticmethod" else set()
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and node.id not in local:
            yield node.id
        elif isinstance(node, ast.Attribute):
            name = last_word(node.value)
            of = owner if name in own else "" if name in local else name
            of = owner if isinstance(node.value, ast.Call) and name in ("super", "type") else of
            if found := outline.member(of, node.attr) if of else None:
                yield found
