"""One function of one file, parsed once: who stands in whom, which names it mentions, how to write it back."""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TypeVar, cast

import libcst as cst
from libcst._nodes.internal import CodegenState

from optagent.rules.code.syntax import CLOSURES, children, is_label, stored_by, walk

Answer = TypeVar("Answer")
# A function that can see its own locals as data would see ours too.
SELF_AWARE = frozenset({"locals", "vars", "eval", "exec", "dir", "inspect"})


@dataclass
class Recorder(CodegenState):
    """Writes a module and remembers where its nodes begin and where one of them ends."""

    wanted: cst.CSTNode | None = None
    length: int = 0
    starts: dict[cst.CSTNode, int] = field(default_factory=dict)
    begin: int = 0
    end: int = 0
    indents: tuple[str, ...] = ()

    def add_indent_tokens(self) -> None:
        self.tokens.extend(self.indent_tokens)
        self.length += sum(map(len, self.indent_tokens))

    def add_token(self, value: str) -> None:
        self.tokens.append(value)
        self.length += len(value)

    def before_codegen(self, node: cst.CSTNode) -> None:
        if node is self.wanted:
            self.begin, self.indents = self.length, tuple(self.indent_tokens)

    def after_codegen(self, node: cst.CSTNode) -> None:
        if node is self.wanted:
            self.end = self.length

    @contextmanager
    def record_syntactic_position(
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> Iterator[None]:
        self.starts[node] = self.length
        yield


@dataclass(frozen=True)
class Mention:
    """One place where a variable stands; `stores` when it is bound, rebound or deleted there."""

    node: cst.Name
    stores: bool


class Memo:
    """Answers that were worked out once. Questions about a region or a name come back many times."""

    def __init__(self) -> None:
        self.answers: dict[Hashable, object] = {}

    def once(self, question: Hashable, answer: Callable[[], Answer]) -> Answer:
        if question not in self.answers:
            self.answers[question] = answer()
        return cast("Answer", self.answers[question])


@dataclass(frozen=True, eq=False)
class Scene:
    """The function under study. Every question is answered from the tree; nothing is executed."""

    source: str
    module: cst.Module
    function: cst.FunctionDef
    around: tuple[cst.CSTNode, ...]
    record: Recorder
    memo: Memo = field(default_factory=Memo)

    @cached_property
    def parent(self) -> dict[cst.CSTNode, cst.CSTNode]:
        return {child: node for node in walk(self.function) for child in children(node)}

    @cached_property
    def spans(self) -> dict[cst.CSTNode, tuple[int, int]]:
        """For each node its number in the order written, and the number of the last node inside it."""
        numbers = {node: number for number, node in enumerate(walk(self.function))}
        last = dict(numbers)
        for node in reversed(numbers):
            above = self.parent.get(node)
            if above is not None:
                last[above] = max(last[above], last[node])
        return {node: (number, last[node]) for node, number in numbers.items()}

    @cached_property
    def closed(self) -> frozenset[cst.CSTNode]:
        """Everything inside nested functions, lambdas and classes."""
        closures = (node for node in walk(self.function) if isinstance(node, CLOSURES) and node is not self.function)
        return frozenset(part for node in closures for part in walk(node) if part is not node)

    @cached_property
    def stored(self) -> frozenset[cst.CSTNode]:
        return frozenset(target for node in walk(*self.inside) for target in stored_by(node))

    @cached_property
    def inside(self) -> tuple[cst.CSTNode, ...]:
        return (self.function.params, self.function.body)

    @cached_property
    def mentions(self) -> dict[str, list[Mention]]:
        """Every variable of the function by name, parameters included, in the order written."""
        found: dict[str, list[Mention]] = {}
        for node in walk(*self.inside):
            if isinstance(node, cst.Name) and not is_label(node, self.parent[node]):
                found.setdefault(node.value, []).append(Mention(node, node in self.stored))
        return found

    @cached_property
    def declared(self) -> frozenset[str]:
        """Names under a `global` or `nonlocal`, here or in a nested function: never ours to reason about."""
        items = (node for node in walk(self.function.body) if isinstance(node, cst.NameItem))
        return frozenset(item.name.value for item in items)

    @cached_property
    def params(self) -> frozenset[str]:
        return frozenset(node.name.value for node in walk(self.function.params) if isinstance(node, cst.Param))

    @cached_property
    def is_opaque(self) -> bool:
        """Whether the function reads its own locals or stack, so that a new local could be noticed."""
        return not SELF_AWARE.isdisjoint(self.mentions)

    @cached_property
    def outer(self) -> Outer:
        """What the names of the module and of enclosing functions stand for."""
        return surroundings(self.source, self.module, self.around)

    @cached_property
    def imports(self) -> dict[str, str]:
        """Modules and functions imported inside the function, for names that are bound by nothing else."""
        found = imported(walk(self.function.body))
        return {name: path for name, path in found.items() if sum(m.stores for m in self.mentions[name]) == 1}

    def is_local(self, name: str) -> bool:
        return name not in self.declared and any(mention.stores for mention in self.mentions.get(name, ()))

    def dotted(self, node: cst.CSTNode) -> str | None:
        """The full name of a builtin or of something imported (`len`, `math.sqrt`); None for anything else."""
        if isinstance(node, cst.Attribute):
            base = self.dotted(node.value)
            return f"{base}.{node.attr.value}" if base else None
        return self.meaning(node.value) if isinstance(node, cst.Name) else None

    def meaning(self, name: str) -> str | None:
        if self.is_local(name) or name in self.declared:
            return self.imports.get(name) if name not in self.declared else None
        if name in self.outer.names:
            return self.outer.imports.get(name)
        return name if hasattr(builtins, name) and not self.outer.has_star else None

    def constant(self, name: str) -> cst.BaseExpression | None:
        """The value of a name around the function that one plain assignment binds."""
        return None if self.is_local(name) or name in self.declared else self.outer.constants.get(name)

    def within(self, node: cst.CSTNode, roots: Iterable[cst.CSTNode]) -> bool:
        """Whether a node stands in (or is) one of the roots."""
        number, _ = self.spans[node]
        return any(first <= number <= last for first, last in map(self.spans.__getitem__, roots))

    def ancestors(self, node: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
        """Pairs of (part, whole) from the node up to the function itself."""
        while node is not self.function:
            whole = self.parent[node]
            yield node, whole
            node = whole

    def in_closure(self, node: cst.CSTNode) -> bool:
        """Whether a node belongs to a nested function, lambda or class and may run at another time."""
        return node in self.closed

    def line(self, node: cst.CSTNode) -> int:
        """The line a statement or expression starts on, counted from 1."""
        return len(re.findall(r"\r\n?|\n", self.source[: self.record.starts.get(node, self.record.begin)])) + 1

    def code(self, node: cst.CSTNode) -> str:
        return self.module.code_for_node(node)

    def fresh(self, wish: str, taken: Iterable[str] = ()) -> str:
        """The wished name, or the first of `wish_2`, `wish_3`, … that nothing in the function uses."""
        used = {*self.mentions, *self.declared, *taken}
        names = (wish if count == 1 else f"{wish}_{count}" for count in range(1, len(used) + 2))
        return next(name for name in names if name not in used and not hasattr(builtins, name))

    def written(self, function: cst.CSTNode) -> str:
        """The file with another function in place of this one; all other text is the same to the byte."""
        state = CodegenState(self.module.default_indent, self.module.default_newline)
        state.indent_tokens.extend(self.record.indents)
        function._codegen(state)
        if self.record.end > len(self.source):  # the file ends here, without a line end
            state.pop_trailing_newline()
        return self.source[: self.record.begin] + "".join(state.tokens) + self.source[self.record.end :]


@dataclass(frozen=True)
class Outer:
    """Names bound around the function, and those of them that an import alone, or one plain assignment, binds."""

    names: frozenset[str]
    imports: dict[str, str]
    constants: dict[str, cst.BaseExpression]
    has_star: bool


@lru_cache(maxsize=4)
def read_scene(source: str, qualname: str, line: int) -> Scene | None:
    """The function as a scene; None when the text does not parse or has no such function.

    The last few are kept, so that every rule looks at the same tree.
    """
    module = parsed(source)
    if module is None:
        return None
    parts = [part for part in qualname.split(".") if part != "<locals>"]
    scenes = [scene_of(source, module, path) for path in definitions(module.body, parts)]
    scenes = [scene for scene in scenes if is_faithful(scene)]
    if not scenes:
        return None
    # Of two definitions the later one is what the name stands for, unless a line says otherwise.
    at_line = [scene for scene in scenes if line and scene.line(scene.function.name) == line]
    near = [scene for scene in scenes if line and scene.line(scene.function) <= line <= scene.line(scene.function.body)]
    return (at_line or near or scenes)[-1]


def is_faithful(scene: Scene) -> bool:
    """Whether the tree gives the text back as far as the function goes, so that places in both are the same.

    What follows is taken from the text itself: blank lines at the end of a file may be in no tree.
    """
    return scene.source.startswith("".join(scene.record.tokens)[: scene.record.end])


@lru_cache(maxsize=2)
def parsed(source: str) -> cst.Module | None:
    """The tree of a file, kept for the next function of the same file; None when it is not Python."""
    try:
        return cst.parse_module(source)
    except (cst.ParserSyntaxError, UnicodeError, RecursionError):
        return None


def scene_of(source: str, module: cst.Module, path: tuple[cst.CSTNode, ...]) -> Scene:
    function = path[-1]
    assert isinstance(function, cst.FunctionDef)
    record = Recorder(module.default_indent, module.default_newline, wanted=function)
    module._codegen(record)
    return Scene(source, module, function, path[:-1], record)


def definitions(body: Iterable[cst.CSTNode], parts: list[str]) -> Iterator[tuple[cst.CSTNode, ...]]:
    """Each chain of nested definitions whose names are `parts`, ending in a function."""
    for node in statements_of(body):
        if isinstance(node, cst.FunctionDef | cst.ClassDef) and node.name.value == parts[0]:
            if len(parts) > 1:
                yield from ((node, *rest) for rest in definitions([node.body], parts[1:]))
            elif isinstance(node, cst.FunctionDef):
                yield (node,)


def surroundings(source: str, module: cst.Module, around: Iterable[cst.CSTNode]) -> Outer:
    nodes = list(statements_of(module.body))
    for whole in around:
        nodes += [node for node in walk(whole) if not isinstance(whole, cst.ClassDef)]
    bound = [name.value for node in nodes for name in stored_by(node) if isinstance(name, cst.Name)]
    single = {name: path for name, path in imported(nodes).items() if bound.count(name) == 1}
    once = {name for name in bound if bound.count(name) == 1} - rebound_elsewhere(source)
    constants = {name: value for name, value in assigned(nodes) if name in once}
    return Outer(frozenset(bound), single, constants, any(isinstance(node, cst.ImportStar) for node in nodes))


def rebound_elsewhere(source: str) -> set[str]:
    """The words of every `global` and `nonlocal` line, found in the text: walking the whole file takes longer."""
    lines = re.findall(r"\b(?:global|nonlocal)\b((?:[^\r\n;#\\]|\\\r?\n)*)", source)
    return {word for line in lines for word in re.findall(r"\w+", line)}


def assigned(nodes: Iterable[cst.CSTNode]) -> Iterator[tuple[str, cst.BaseExpression]]:
    """Names with the values of the plain assignments among the nodes."""
    for node in nodes:
        if isinstance(node, cst.Assign) and len(node.targets) == 1 and isinstance(node.targets[0].target, cst.Name):
            yield node.targets[0].target.value, node.value


def statements_of(body: Iterable[cst.CSTNode]) -> Iterator[cst.CSTNode]:
    """The statements of a body and of its branches with their parts; nested definitions, expressions not entered."""
    for node in body:
        yield node
        if not isinstance(node, (*CLOSURES, cst.BaseExpression)):
            yield from statements_of(children(node))


def imported(nodes: Iterable[cst.CSTNode]) -> dict[str, str]:
    """Local name to full name for every import among the nodes: `sq` to `math.sqrt`."""
    found: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, cst.Import):
            found.update(alias_pair(alias, "") for alias in node.names)
        elif isinstance(node, cst.ImportFrom) and not isinstance(node.names, cst.ImportStar):
            home = cst.Module([]).code_for_node(node.module) if node.module and not node.relative else "?"
            found.update(alias_pair(alias, home + ".") for alias in node.names)
    return found


def alias_pair(alias: cst.ImportAlias, prefix: str) -> tuple[str, str]:
    name = cst.Module([]).code_for_node(alias.name)
    if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
        return alias.asname.name.value, prefix + name
    return (name, prefix + name) if prefix else (name.split(".")[0], name.split(".")[0])
