"""Searches for the index of the least or greatest element of a list, as a call or as a loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst

from optagent.rules.code.effects import definition_before
from optagent.rules.code.kinds import Facts
from optagent.rules.code.scene import Scene
from optagent.rules.code.steady import is_dead_outside
from optagent.rules.code.syntax import walk

SIGNS: dict[type[cst.BaseCompOp], bool] = {cst.LessThan: False, cst.GreaterThan: True}


@dataclass(frozen=True)
class Search:
    """`index` becomes the first index of the least (or greatest) of `values`.

    `statements` are all nodes of the search; `line` is the last of them as a line of its block. `tops`
    maps an expression to `index` or `value`: what it gives. A loop has none and sets the names of
    `copies` to the value found.
    """

    values: str
    index: str
    is_max: bool
    line: cst.CSTNode
    statements: tuple[cst.CSTNode, ...]
    tops: dict[cst.BaseExpression, str] = field(default_factory=dict)
    copies: tuple[str, ...] = ()


def searches(scene: Scene, facts: Facts) -> Iterator[Search]:
    for node in walk(scene.function.body):
        if isinstance(node, cst.IndentedBlock):
            for at, line in enumerate(node.body):
                found = search_call(scene, node.body, at) or search_loop(scene, node.body, at)
                if found is not None and is_whole(scene, facts, found, line):
                    yield found


def named_value(line: cst.CSTNode) -> tuple[str, cst.BaseExpression] | None:
    """The name and the value of a line `name = value`."""
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None
    small = line.body[0]
    if isinstance(small, cst.AnnAssign) and isinstance(small.target, cst.Name) and small.value is not None:
        return small.target.value, small.value
    if isinstance(small, cst.Assign) and len(small.targets) == 1 and isinstance(small.targets[0].target, cst.Name):
        return small.targets[0].target.value, small.value
    return None


def search_call(scene: Scene, body: Sequence[cst.CSTNode], at: int) -> Search | None:
    """`j = min(range(n), key=…)`, `j = xs.index(min(xs))`, or the latter in two lines."""
    line = body[at]
    given = named_value(line)
    if given is None:
        return None
    index, value = given
    for word in ("min", "max"):
        if values := of_keyed_call(scene, value, word) or of_index_call(scene, value, word):
            return Search(values, index, word == "max", line, (line,), {value: "index"})
        before = named_value(body[at - 1]) if at else None
        if before and (values := of_extreme(scene, before[1], word)) and is_index_of(value, values, before[0]):
            tops = {before[1]: "value", value: "index"}
            return Search(values, index, word == "max", line, (body[at - 1], line), tops)
    return None


def of_extreme(scene: Scene, node: cst.BaseExpression, word: str) -> str | None:
    """The `xs` of `min(xs)`."""
    if not isinstance(node, cst.Call) or scene.dotted(node.func) != word or len(node.args) != 1:
        return None
    argument = node.args[0]
    plain = isinstance(argument.value, cst.Name) and not argument.star and argument.keyword is None
    return argument.value.value if plain and isinstance(argument.value, cst.Name) else None


def of_index_call(scene: Scene, node: cst.BaseExpression, word: str) -> str | None:
    """The `xs` of `xs.index(min(xs))`."""
    if not isinstance(node, cst.Call) or len(node.args) != 1 or node.args[0].star:
        return None
    values = of_extreme(scene, node.args[0].value, word)
    receiver = node.func.value if isinstance(node.func, cst.Attribute) and node.func.attr.value == "index" else None
    return values if isinstance(receiver, cst.Name) and receiver.value == values else None


def is_index_of(node: cst.BaseExpression, values: str, value: str) -> bool:
    return cst.Module([]).code_for_node(node) == f"{values}.index({value})"


def of_keyed_call(scene: Scene, node: cst.BaseExpression, word: str) -> str | None:
    """The `xs` of `min(range(len(xs)), key=xs.__getitem__)`, or with `lambda i: xs[i]`."""
    if not isinstance(node, cst.Call) or scene.dotted(node.func) != word or len(node.args) != 2:
        return None
    domain, key = node.args
    if domain.keyword or domain.star or key.keyword is None or key.keyword.value != "key":
        return None
    if not isinstance(domain.value, cst.Call) or scene.dotted(domain.value.func) != "range":
        return None
    return looked_up(key.value, allow_index=word == "min")


def looked_up(key: cst.BaseExpression, allow_index: bool) -> str | None:
    """The list that a key function looks an index up in; `lambda i: (xs[i], i)` prefers the first of equals, too."""
    if isinstance(key, cst.Attribute) and key.attr.value == "__getitem__":
        return key.value.value if isinstance(key.value, cst.Name) else None
    if not isinstance(key, cst.Lambda) or len(key.params.params) != 1 or key.params.params[0].default is not None:
        return None
    name = key.params.params[0].name.value
    body = key.body
    if isinstance(body, cst.Tuple) and len(body.elements) == 2 and allow_index:
        second = body.elements[1].value
        body = body.elements[0].value if isinstance(second, cst.Name) and second.value == name else body
    return element_of(body, name)


def element_of(node: cst.BaseExpression, index: str) -> str | None:
    """The `xs` of `xs[index]`."""
    if not isinstance(node, cst.Subscript) or len(node.slice) != 1 or not isinstance(node.value, cst.Name):
        return None
    part = node.slice[0].slice
    named = isinstance(part, cst.Index) and isinstance(part.value, cst.Name) and part.value.value == index
    return node.value.value if named and node.value.value != index else None


def is_whole(scene: Scene, facts: Facts, search: Search, line: cst.CSTNode) -> bool:
    """Whether each `range` of the search covers exactly the indices of the list."""
    ranges = [node for part in search.statements for node in walk(part) if isinstance(node, cst.Call)]
    ranges = [node for node in ranges if scene.dotted(node.func) == "range"]
    return all(is_whole_range(scene, search, node, line) for node in ranges)


def is_whole_range(scene: Scene, search: Search, node: cst.Call, line: cst.CSTNode) -> bool:
    code = scene.code
    bounds = [argument.value for argument in node.args]
    skips_first = not search.tops and len(bounds) == 2 and code(bounds[0]) == "1"
    if any(one.star for one in node.args) or not (len(bounds) == 1 or skips_first or first_is_zero(bounds)):
        return False
    last = bounds[-1]
    return code(last) == f"len({search.values})" or has_length(scene, search.values, last, line)


def first_is_zero(bounds: list[cst.BaseExpression]) -> bool:
    return len(bounds) == 2 and isinstance(bounds[0], cst.Integer) and bounds[0].value == "0"


def has_length(scene: Scene, values: str, length: cst.BaseExpression, line: cst.CSTNode) -> bool:
    """Whether the list was made with this length: `[0] * n` or `[… for … in range(n)]`, and `n` is still the same."""
    found = definition_before(scene, values, line)
    if found is None or not isinstance(length, cst.Name | cst.Integer):
        return False
    if isinstance(length, cst.Name):
        stores = (one.node for one in scene.mentions[length.value] if one.stores)
        if not scene.is_local(length.value) or any(scene.within(node, found.region) for node in stores):
            return False
    grown = [one.node for one in scene.mentions[values] if scene.within(one.node, found.region)]
    if any(is_resized(scene, scene.parent[node]) for node in grown):
        return False
    called = (scene.parent.get(scene.parent[node]) for node in grown if isinstance(scene.parent[node], cst.Attribute))
    if any(isinstance(call, cst.Call) and call.func is not None for call in called if not is_reading(call)):
        return False
    return made_with(scene, found.value) == scene.code(length)


def is_resized(scene: Scene, node: cst.CSTNode) -> bool:
    """Whether an element is deleted, or a slice stored to."""
    if not isinstance(node, cst.Subscript) or node not in scene.stored:
        return False
    return isinstance(scene.parent[node], cst.Del) or isinstance(node.slice[0].slice, cst.Slice)


def is_reading(node: cst.CSTNode | None) -> bool:
    """Whether a node calls a method that leaves the length of a list alone."""
    method = node.func.attr.value if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) else ""
    return method in ("index", "count", "copy", "sort", "reverse")


def made_with(scene: Scene, value: cst.BaseExpression) -> str | None:
    """The length, as text, that a new list is made with."""
    if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Multiply):
        single = isinstance(value.left, cst.List) and len(value.left.elements) == 1
        return scene.code(value.right) if single else None
    if isinstance(value, cst.ListComp) and not value.for_in.ifs and value.for_in.inner_for_in is None:
        source = value.for_in.iter
        counts = isinstance(source, cst.Call) and scene.dotted(source.func) == "range" and len(source.args) == 1
        return scene.code(source.args[0].value) if counts and isinstance(source, cst.Call) else None
    return None


def search_loop(scene: Scene, body: Sequence[cst.CSTNode], at: int) -> Search | None:
    """`best = 0` and a loop that sets it to each index with a lesser value."""
    loop = body[at]
    test = only_test(loop)
    if test is None or not isinstance(loop, cst.For):
        return None
    given = loop_names(scene, loop)
    if given is None:
        return None
    position, values, element = given
    sets = assignments(test.body)
    index = next((name for name, value in sets.items() if is_name(value, position)), None)
    elements = {element, f"{values}[{position}]"} - {None}
    copies = tuple(name for name, value in sets.items() if scene.code(value) in elements and name != index)
    if index is None or len(sets) != 1 + len(copies) or len(copies) > 1:
        return None
    starts = starts_before(body, at, {index, *copies})
    candidates = {f"{values}[{index}]", *copies}
    sign = comparison_sign(scene, test.test, {one for one in elements if one}, candidates, {index, *copies})
    if sign is None or not begins_first(scene, loop, starts, index, copies, values, sign):
        return None
    dead = [name for name in (position, element) if name]
    if not all(is_dead_outside(scene, name, loop) for name in dead):
        return None
    lines = (*(body[at - k] for k in range(len(starts), 0, -1)), loop)
    return Search(values, index, sign, loop, lines, {}, copies)


def only_test(loop: cst.CSTNode) -> cst.If | None:
    """The `if` that is all of a loop's body."""
    if not isinstance(loop, cst.For) or loop.orelse is not None or loop.asynchronous or len(loop.body.body) != 1:
        return None
    test = loop.body.body[0]
    return test if isinstance(test, cst.If) and test.orelse is None else None


def loop_names(scene: Scene, loop: cst.For) -> tuple[str, str, str | None] | None:
    """Index, list and element of `for d in range(…): … xs[d] …` or `for d, x in enumerate(xs)`."""
    call = loop.iter
    if not isinstance(call, cst.Call) or not call.args:
        return None
    name = scene.dotted(call.func)
    if (
        name == "enumerate"
        and isinstance(loop.target, cst.Tuple)
        and len(call.args) == 1 == len(loop.target.elements) - 1
    ):
        first, second = (element.value for element in loop.target.elements)
        values = call.args[0].value
        if isinstance(first, cst.Name) and isinstance(second, cst.Name) and isinstance(values, cst.Name):
            return first.value, values.value, second.value
    if name != "range" or not isinstance(loop.target, cst.Name):
        return None
    position = loop.target.value
    looked = {element_of(node, position) for node in walk(loop.body) if isinstance(node, cst.Subscript)}
    found = [one for one in looked if one]
    return (position, found[0], None) if len(found) == 1 else None


def assignments(body: cst.BaseSuite) -> dict[str, cst.BaseExpression]:
    """What a suite of plain assignments gives to which name; empty when there is anything else in it."""
    found: dict[str, cst.BaseExpression] = {}
    for line in body.body:
        smalls = line.body if isinstance(line, cst.SimpleStatementLine) else [line]
        for small in smalls:
            if not isinstance(small, cst.Assign) or len(small.targets) != 1:
                return {}
            pairs = paired(small.targets[0].target, small.value)
            if not pairs or not found.keys().isdisjoint(pairs):
                return {}
            found.update(pairs)
    return found


def paired(target: cst.BaseExpression, value: cst.BaseExpression) -> dict[str, cst.BaseExpression]:
    if isinstance(target, cst.Name):
        return {target.value: value}
    if isinstance(target, cst.Tuple) and isinstance(value, cst.Tuple) and len(target.elements) == len(value.elements):
        names = [one.value for one in target.elements]
        if all(isinstance(name, cst.Name) for name in names):
            pairs = zip(names, value.elements, strict=True)
            return {name.value: one.value for name, one in pairs if isinstance(name, cst.Name)}
    return {}


def is_name(node: cst.BaseExpression, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name


def starts_before(body: Sequence[cst.CSTNode], at: int, names: set[str]) -> list[dict[str, cst.BaseExpression]]:
    """The assignments right above the loop that give the names their first values, the last one last."""
    found: list[dict[str, cst.BaseExpression]] = []
    seen: set[str] = set()
    while seen < names and at > len(found):
        line = body[at - 1 - len(found)]
        given = assignments(cst.IndentedBlock([line])) if isinstance(line, cst.SimpleStatementLine) else {}
        if not given or not given.keys() <= names - seen:
            break
        found.insert(0, given)
        seen |= given.keys()
    return found


def comparison_sign(
    scene: Scene, test: cst.BaseExpression, elements: set[str], candidates: set[str], names: set[str]
) -> bool | None:
    """Whether a test asks for a greater element (True) or a lesser one (False) than the best so far; else None.

    `best is None or …` may stand before it.
    """
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.Or):
        if scene.code(test.left) not in {f"{name} is None" for name in names}:
            return None
        test = test.right
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return None
    left, right = scene.code(test.left), scene.code(test.comparisons[0].comparator)
    sign = SIGNS.get(type(test.comparisons[0].operator))
    if sign is None:
        return None
    if left in elements and right in candidates:
        return sign
    return not sign if left in candidates and right in elements else None


def begins_first(
    scene: Scene,
    loop: cst.For,
    starts: list[dict[str, cst.BaseExpression]],
    index: str,
    copies: tuple[str, ...],
    values: str,
    is_max: bool,
) -> bool:
    """Whether the best is the first element, or worse than any, when the loop begins."""
    given = {name: scene.code(value) for start in starts for name, value in start.items()}
    if set(given) != {index, *copies}:
        return False
    asks_none = isinstance(loop.body.body[0], cst.If) and isinstance(loop.body.body[0].test, cst.BooleanOperation)
    firsts = all(given[name] in (f"{values}[0]", f"{values}[{index}]") for name in copies)
    if given[index] == "0" and firsts and not asks_none:
        return True
    from_first = (
        isinstance(loop.iter, cst.Call) and len(loop.iter.args) == 2 and scene.code(loop.iter.args[0].value) == "1"
    )
    if from_first:
        return False
    if asks_none:
        assert isinstance(loop.body.body[0], cst.If)
        asked = scene.code(loop.body.body[0].test).split(" ", 1)[0]
        return given.get(asked) == "None"
    ends = {f'float("{sign}inf")' for sign in ("-" if is_max else "", "-" if is_max else "+")}
    ends |= {end.replace('"', "'") for end in ends} | {"-math.inf" if is_max else "math.inf"}
    ends |= {'-float("inf")', "-float('inf')"} if is_max else set()
    return bool(copies) and all(given[name] in ends for name in copies)
