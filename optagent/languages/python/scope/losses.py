"""What an edit no longer does that no comparison of one call after the other shows: it takes a lock, writes to a log,
gives way to others, listens to what a generator is sent, cleans up behind a generator that nobody drains.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

from optagent.core.patch import Patch
from optagent.errors import BadSource
from optagent.languages.python.source.sources import parse_source

SIGNS = ("with ", ".acquire(", "log", "sleep", "yield")
"""One of these is in every text that has something to lose."""

LEVELS = ("debug", "info", "warning", "error", "exception", "critical", "log")
LOGGER = re.compile(r"(?:^|[._])(?:get)?log(?:ger|ging)?(?:$|\()")
"""The name of what writes to a log, or what gives one."""

WITHIN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def loss(patch: Patch) -> str | None:
    """The first of these that stands in fewer places than before, as a sentence, or None."""
    try:
        before = Counter(one for change in patch.changes for one in found(change.old, change.path))
        after = Counter(one for change in patch.changes for one in found(change.new, change.path)) if before else before
    except BadSource:
        return None  # which is told elsewhere
    gone = before - after
    return f"no longer {min(gone)}, which no comparison would show" if gone else None


def found(text: str | None, path: str) -> Iterator[str]:
    """What the file does of these, in words, once for each place."""
    if text and path.endswith(".py") and any(sign in text.lower() for sign in SIGNS):
        for node in ast.walk(parse_source(text, path)):
            yield from told(node)
            if not isinstance(node, ast.Expr):
                sent = [one for one in ast.iter_child_nodes(node) if isinstance(one, ast.Yield)]
                yield from ["listens to what it is sent"] * len(sent)


def told(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.With | ast.AsyncWith):  # what it makes for itself, as by `open(...)`, is no lock of others
        entered = [item.context_expr for item in node.items]
        yield from (f"takes {ast.unparse(one)}" for one in entered if isinstance(one, ast.Name | ast.Attribute))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        owner, name = ast.unparse(node.func.value), node.func.attr
        if name == "acquire":
            yield f"takes {owner}"
        elif name in LEVELS and LOGGER.search(owner.lower()):
            yield f"calls {owner}.{name}"
    elif isinstance(node, ast.Await) and ast.unparse(node.value).partition("(")[0].endswith("sleep"):
        yield f"awaits {ast.unparse(node.value)}"
    elif isinstance(node, ast.Try) and node.finalbody and any(map(yields, node.body)):
        yield "cleans up when it is closed"


def yields(node: ast.AST) -> bool:
    """Whether it stands in a generator and gives something there, not in a function inside."""
    if isinstance(node, WITHIN):
        return False
    return isinstance(node, ast.Yield | ast.YieldFrom) or any(map(yields, ast.iter_child_nodes(node)))
