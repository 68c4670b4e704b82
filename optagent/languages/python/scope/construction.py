"""What a module may compute while it is imported: plain constants, built by calls that change nothing and call nobody.

The lists are short on purpose. What is not in them may still be written inside a function.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from optagent.languages.python.scope.names import words

BUILTIN_CALLS = words(
    "abs bool bytearray bytes chr complex dict divmod enumerate float frozenset hash hex int len list max min object "
    "oct ord pow property range repr reversed round set slice sorted str sum tuple zip"
)
LIBRARY_CALLS = words(
    "re.compile re.escape struct.Struct struct.calcsize struct.pack operator.itemgetter operator.attrgetter "
    "operator.methodcaller functools.partial functools.cache functools.lru_cache collections.deque "
    "collections.Counter collections.OrderedDict collections.defaultdict collections.namedtuple collections.ChainMap "
    "itertools.chain itertools.count itertools.cycle itertools.repeat itertools.product itertools.permutations "
    "itertools.combinations itertools.islice itertools.zip_longest itertools.compress decimal.Decimal "
    "decimal.Context fractions.Fraction types.MappingProxyType types.SimpleNamespace typing.TypeVar typing.NewType "
    "typing.cast typing.NamedTuple typing.ParamSpec array.array datetime.date datetime.time datetime.datetime "
    "datetime.timedelta datetime.timezone weakref.WeakKeyDictionary weakref.WeakValueDictionary weakref.WeakSet "
    "contextvars.ContextVar threading.Lock threading.RLock threading.local string.Template dataclasses.field "
    "enum.auto numpy.array numpy.asarray numpy.arange numpy.zeros numpy.ones numpy.empty numpy.full numpy.linspace "
    "numpy.eye numpy.dtype numpy.int8 numpy.int16 numpy.int32 numpy.int64 numpy.uint8 numpy.uint16 numpy.uint32 "
    "numpy.uint64 numpy.float32 numpy.float64"
)
PURE_MODULES = frozenset(["math", "cmath"])
METHODS = words(
    "bit_length casefold copy decode difference encode format from_bytes fromhex fromkeys get hex index intersection "
    "items join keys lower lstrip maketrans replace rstrip split splitlines strip title to_bytes translate union "
    "upper values zfill"
)
DECORATORS = words(
    "staticmethod classmethod property functools.cache functools.lru_cache functools.wraps functools.cached_property "
    "functools.total_ordering functools.singledispatch contextlib.contextmanager dataclasses.dataclass "
    "typing.overload typing.final abc.abstractmethod numba.njit numba.jit"
)
ACCESSORS = frozenset(["setter", "getter", "deleter"])


@dataclass(frozen=True)
class Names:
    """What the names of a module mean at its top: `imported` as a dotted name, `others` whatever the file says."""

    imported: Mapping[str, str]
    others: frozenset[str]

    def meaning(self, node: ast.expr) -> str:
        """The dotted name of a function of the library or of Python; empty for all else."""
        words: list[str] = []
        while isinstance(node, ast.Attribute):
            words.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id in self.others:
            return ""
        return ".".join([self.imported.get(node.id, node.id), *reversed(words)])


def names_at_top(body: Iterable[ast.stmt], bound: set[str]) -> Names:
    """The meanings in a module that binds those names."""
    imported: dict[str, str] = {}
    for node in body:
        if isinstance(node, ast.Import):
            imported.update(
                (one.asname or one.name.split(".")[0], one.name if one.asname else one.name.split(".")[0])
                for one in node.names
            )
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported.update((one.asname or one.name, f"{node.module}.{one.name}") for one in node.names)
    return Names(imported, frozenset(bound - imported.keys()))


def effect(expression: ast.AST, names: Names) -> str | None:
    """What an expression does beyond building a value, as a phrase, or None."""
    for node in evaluated(expression):
        if isinstance(node, ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom):
            return f"computes {shown(node)}"
        if isinstance(node, ast.Call) and not builds(node, names):
            return f"calls {shown(node.func)}"
    return None


def decorator_effect(decorator: ast.expr, names: Names) -> str | None:
    """What a decorator does beyond wrapping its function, as a phrase, or None."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(called, ast.Attribute) and called.attr in ACCESSORS and isinstance(called.value, ast.Name):
        return None
    if names.meaning(called) not in DECORATORS:
        return f"calls {shown(called)}"
    given = [*decorator.args, *(word.value for word in decorator.keywords)] if isinstance(decorator, ast.Call) else []
    return next((found for one in given if (found := effect(one, names))), None)


def evaluated(expression: ast.AST) -> Iterator[ast.AST]:
    """The parts of an expression that are evaluated with it; the body of a lambda is not."""
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(ast.iter_child_nodes(node.args if isinstance(node, ast.Lambda) else node))


def builds(call: ast.Call, names: Names) -> bool:
    """Whether a call builds a value and does nothing else; a `key=` would call somebody."""
    if any(word.arg == "key" for word in call.keywords):
        return False
    meaning = names.meaning(call.func)
    if meaning in BUILTIN_CALLS | LIBRARY_CALLS or meaning.rpartition(".")[0] in PURE_MODULES:
        return True
    return isinstance(call.func, ast.Attribute) and call.func.attr in METHODS and is_fresh(call.func.value, names)


def is_fresh(owner: ast.expr, names: Names) -> bool:
    """Whether a value is made right here, or is a type of Python's own, so that its methods are what they seem."""
    if isinstance(owner, ast.Name):
        return names.meaning(owner) in BUILTIN_CALLS
    return isinstance(owner, ast.Constant | ast.JoinedStr | ast.Call | ast.List | ast.Tuple | ast.Dict | ast.Set)


def shown(node: ast.AST, most: int = 40) -> str:
    try:
        text = ast.unparse(node)
    except (RecursionError, ValueError):  # an expression too deep, or a number too long, to be written again
        return "a long expression"
    return text if len(text) <= most else text[: most - 3] + "..."
