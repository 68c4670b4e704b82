"""One place of a rewrite as edits of the tree, and the text that results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst

from optagent.rules.base import Proposal
from optagent.rules.code.imports import with_imports
from optagent.rules.code.scene import Scene

Made = cst.CSTNode | cst.FlattenSentinel[cst.BaseStatement]


@dataclass(frozen=True)
class Place:
    """One place where a rule applies.

    `replace` maps a node to what makes its successor out of its rewritten self; `before` and `after`
    map a statement to statements as text. `solid` holds nodes that are copied as they are, so that
    no other edit may touch them. `imports` holds lines that are added at the top of the module.
    """

    idea: str
    replace: dict[cst.CSTNode, Callable[[cst.CSTNode], cst.CSTNode]] = field(default_factory=dict)
    before: dict[cst.CSTNode, list[str]] = field(default_factory=dict)
    after: dict[cst.CSTNode, list[str]] = field(default_factory=dict)
    solid: tuple[cst.CSTNode, ...] = ()
    imports: tuple[str, ...] = ()


def propose(slug: str, scene: Scene, places: Sequence[Place]) -> Iterator[Proposal]:
    """A proposal for each place, then one for all that go together."""
    good: list[Place] = []
    for place in places:
        text = rewritten(scene, [place])
        if text is not None:
            good.append(place)
            yield Proposal(slug, place.idea, text)
    together = compatible(scene, good)
    text = rewritten(scene, together) if len(together) > 1 else None
    if text is not None:
        yield Proposal(slug, "; ".join(place.idea for place in together), text, len(together))


def compatible(scene: Scene, places: Sequence[Place]) -> list[Place]:
    """The places, first come first kept, none of which edits inside what another one copies or replaces."""
    kept: list[Place] = []
    for place in places:
        if not any(collide(scene, place, other) or collide(scene, other, place) for other in kept):
            kept.append(place)
    return kept


def collide(scene: Scene, one: Place, other: Place) -> bool:
    return any(scene.within(node, one.solid) for node in other.replace)


def rewritten(scene: Scene, places: Sequence[Place]) -> str | None:
    """The whole file with these places edited; None where it has no room, as in `sorted(xs)if y else z`."""
    imports = tuple(dict.fromkeys(line for place in places for line in place.imports))
    merged = Place("", imports=imports)
    for place in places:
        merged.replace.update(place.replace)
        for mine, theirs in ((merged.before, place.before), (merged.after, place.after)):
            for node, lines in theirs.items():
                mine.setdefault(node, []).extend(line for line in lines if line not in mine.get(node, []))
    try:
        body = scene.function.body.visit(Editor(scene, merged))
    except cst.CSTValidationError:
        return None
    assert isinstance(body, cst.BaseSuite)
    return with_imports(scene, scene.written(scene.function.with_changes(body=body)), imports)


class Editor(cst.CSTTransformer):
    """Applies one place to the tree."""

    def __init__(self, scene: Scene, place: Place) -> None:
        super().__init__()
        self.scene = scene
        self.place = place

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> Made:  # type: ignore[override]
        make = self.place.replace.get(original_node)
        new = make(updated_node) if make else updated_node
        if isinstance(original_node, cst.SimpleStatementLine) and len(original_node.body) == 1:
            return self.surrounded(original_node.body[0], new)
        if isinstance(original_node, cst.SimpleStatementLine | cst.SimpleStatementSuite):
            return self.lengthened(original_node, new)
        if isinstance(original_node, cst.BaseCompoundStatement):
            return self.surrounded(original_node, new)
        return new

    def surrounded(self, key: cst.CSTNode, new: cst.CSTNode) -> Made:
        """The statement with new ones on lines of their own; blank lines above it stay above all of them."""
        before = [self.statement(text) for text in self.place.before.get(key, [])]
        after = [self.statement(text) for text in self.place.after.get(key, [])]
        if not before and not after:
            return new
        assert isinstance(new, cst.SimpleStatementLine | cst.BaseCompoundStatement)
        if before and not isinstance(new, cst.FunctionDef | cst.ClassDef):
            blank = [line for line in new.leading_lines if line.comment is None]
            if len(blank) == len(new.leading_lines):
                before[0] = before[0].with_changes(leading_lines=blank)
                new = new.with_changes(leading_lines=[])
        return cst.FlattenSentinel([*before, new, *after])

    def lengthened(self, old: cst.SimpleStatementLine | cst.SimpleStatementSuite, new: cst.CSTNode) -> cst.CSTNode:
        """The same line with new statements between its semicolons."""
        assert isinstance(new, cst.SimpleStatementLine | cst.SimpleStatementSuite)
        body: list[cst.BaseSmallStatement] = []
        for key, small in zip(old.body, new.body, strict=True):
            body += [self.small(text) for text in self.place.before.get(key, [])]
            body.append(small)
            body += [self.small(text) for text in self.place.after.get(key, [])]
        return new if len(body) == len(new.body) else new.with_changes(body=body)

    def small(self, text: str) -> cst.BaseSmallStatement:
        line = self.statement(text)
        assert isinstance(line, cst.SimpleStatementLine)
        return line.body[0]

    def statement(self, text: str) -> cst.SimpleStatementLine | cst.BaseCompoundStatement:
        return cst.parse_statement(text, self.scene.module.config_for_parsing)


def expression(text: str) -> cst.BaseExpression:
    return cst.parse_expression(text)
