"""Why a target as typed is none, in one sentence."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from optagent.core.target import Tree
from optagent.errors import BadSource, TargetNested, TargetNotFound, UsageError
from optagent.languages.python.source.functions import definitions, functions, span
from optagent.languages.python.source.import_names import Layout
from optagent.languages.python.source.kinds import described
from optagent.languages.python.source.nesting import nested
from optagent.languages.python.source.sources import is_test_of, parse_source, read_source, source_files
from optagent.languages.python.targets.specs import Parsed, Spec, named_file, promising

FORMS = "Name it as `fn`, `module:fn`, `Class.method`, `path.py::Class.method` or `path.py:LINE`."
MOST_SUGGESTED = 3
TESTS = "Tests judge the code, so they are no targets. Name a function of the project's own code."


def refusal(tree: Tree, layout: Layout, spec: Spec, text: str) -> UsageError:
    """What to tell somebody whose target was not found."""
    if not (spec.name or spec.line):
        return TargetNotFound(f"{text!r} names no function", FORMS)
    for parsed in promising(tree, spec):
        if spec.is_module(layout.import_name(parsed.path)[1]):
            for reason in _reasons(spec, parsed):
                return reason
    return (
        _only_in_tests(tree, layout, spec, text) or _elsewhere(tree, layout, spec, text) or _nothing(tree, spec, text)
    )


def _reasons(spec: Spec, parsed: Parsed) -> Iterator[UsageError]:
    name = spec.name.replace("<locals>.", "")
    for outer, inner, _ in nested(parsed.module):
        if name and f".{outer}.{inner}".endswith(f".{name}"):
            yield TargetNested(
                f"`{inner}` is nested inside `{outer}`, so it cannot be exchanged on its own",
                f"Take `{outer}`: `--target {parsed.path}::{outer}`.",
            )
    meanings = definitions(parsed.module)
    for qualname, node in functions(parsed.module):
        first, last = span(node)
        if first <= spec.line <= last or spec.names(qualname):
            meant = meanings.get(qualname)
            yield _unreachable(parsed.path, qualname, node.lineno, meant.lineno if meant else 0)


def _unreachable(path: str, qualname: str, line: int, meant: int) -> UsageError:
    if meant:
        return TargetNotFound(
            f"{path}:{line} defines `{qualname}`, but the name leads to the definition in line {meant}",
            f"Take that one: `--target {path}::{qualname}`.",
        )
    return TargetNotFound(
        f"{path}:{line} only declares `{qualname}` (an overload, a setter, a registered case): the name leads to no "
        "function of this file",
        "Name the function that does the work.",
    )


def _only_in_tests(tree: Tree, layout: Layout, spec: Spec, text: str) -> UsageError | None:
    if spec.path:
        path = named_file(tree, spec.path)
        return (
            TargetNotFound(f"{path} is a test file, and tests are no targets", TESTS)
            if is_test_of(tree, path)
            else None
        )
    for parsed in promising(tree, spec, tests=True):
        known = spec.is_module(layout.import_name(parsed.path)[1])
        if known and any(spec.names(qualname) for qualname, _ in functions(parsed.module)):
            return TargetNotFound(f"{text!r} exists only in {parsed.path}, and tests are no targets", TESTS)
    return None


def _elsewhere(tree: Tree, layout: Layout, spec: Spec, text: str) -> UsageError | None:
    """A module may hand on what another one defines; a target is named by where it stands."""
    if not spec.name or not (spec.module or spec.path):
        return None
    name, source = _handed_on(tree, layout, spec)
    found = []
    for parsed in promising(tree, Spec(name)):
        module = layout.import_name(parsed.path)[1]
        names = [one.qualname for one in described(parsed.text, parsed.module) if Spec(name).names(one.qualname)]
        found += [(module.endswith(source), f"`--target {parsed.path}::{qualname}`") for qualname in names]
    meant = [place for is_source, place in found if is_source] or [place for _, place in found]
    if not meant:
        return None
    more = f" (and {len(meant) - MOST_SUGGESTED} more)" if len(meant) > MOST_SUGGESTED else ""
    return TargetNotFound(
        f"{text!r} is not where a function is defined",
        f"Name it by where it stands: {', or '.join(meant[:MOST_SUGGESTED])}{more}.",
    )


def _handed_on(tree: Tree, layout: Layout, spec: Spec) -> tuple[str, str]:
    """The name under which the module that is meant imports it, and the end of the name of the module that it comes
    from, as far as the import says."""
    first, dot, rest = spec.name.partition(".")
    every = [named_file(tree, spec.path)] if spec.path else [path for path, _ in source_files(tree)]
    meant = [path for path in every if spec.path or spec.is_module(layout.import_name(path)[1])]
    imports = [one for path in meant for one in ast.walk(_parsed(tree, path)) if isinstance(one, ast.ImportFrom)]
    for node in imports:
        for alias in node.names:
            if first == (alias.asname or alias.name):
                return f"{alias.name}{dot}{rest}", node.module or ""
    return spec.name, ""


def _parsed(tree: Tree, path: str) -> ast.AST:
    try:
        return parse_source(read_source(tree.root / path), path)
    except BadSource:
        return ast.Module([], [])


def _nothing(tree: Tree, spec: Spec, text: str) -> UsageError:
    if spec.line:
        return TargetNotFound(f"line {spec.line} of {spec.path} stands in no function", "Name a line inside of one.")
    return TargetNotFound(f"there is no function {text!r} in {tree.project_root.name}/", FORMS)
