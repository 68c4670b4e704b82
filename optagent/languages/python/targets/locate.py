"""Finds a function by the name a person gave it, from source text alone: nothing is imported."""

from __future__ import annotations

from collections.abc import Iterator

from optagent.core.target import Target, Tree
from optagent.errors import TargetAmbiguous
from optagent.languages.python.source.functions import definitions, meant_at
from optagent.languages.python.source.import_names import Layout
from optagent.languages.python.source.kinds import Function, described
from optagent.languages.python.source.sources import parse_source
from optagent.languages.python.targets.refusals import refusal
from optagent.languages.python.targets.specs import Parsed, Spec, parse, promising

MOST_LISTED = 10


def locate(tree: Tree, text: str) -> Target:
    """The one function that `text` names.

    A line is a place, not a name: inside a nested function it means the outermost function around it. The name of a
    nested function is refused. Raises TargetNotFound, TargetNested, TargetAmbiguous or BadSource.
    """
    spec = parse(text)
    layout = Layout(tree)
    found = list(_search(tree, layout, spec)) if spec.name or spec.line else []
    exact = [target for target in found if target.qualname == spec.name]
    found = exact or found
    if not found:
        raise refusal(tree, layout, spec, text)
    if len(found) > 1:
        listed = ", ".join(f"{target.path}::{target.qualname}" for target in found[:MOST_LISTED])
        more = f" and {len(found) - MOST_LISTED} more" if len(found) > MOST_LISTED else ""
        raise TargetAmbiguous(f"{text!r} could be any of {len(found)} functions: {listed}{more}", "Name one of them.")
    return found[0]


def line_of(source: str, target: Target) -> int:
    """The line of the target's `def` in a text of its file; 0 where it has none."""
    found = definitions(parse_source(source, target.path)).get(target.qualname)
    return found.lineno if found else 0


def _search(tree: Tree, layout: Layout, spec: Spec) -> Iterator[Target]:
    for parsed in promising(tree, spec):
        for target in layout.targets(parsed.path, _meant(spec, parsed)):
            if spec.is_module(target.module):
                yield target


def _meant(spec: Spec, parsed: Parsed) -> list[Function]:
    found = described(parsed.text, parsed.module)
    if spec.line:
        qualname = meant_at(parsed.module, spec.line)
        return [function for function in found if function.qualname == qualname]
    return [function for function in found if spec.names(function.qualname)]
