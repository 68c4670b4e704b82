"""Why a target as typed is none, in one sentence."""

from __future__ import annotations

from collections.abc import Iterator

from optagent.core.target import Tree
from optagent.errors import TargetNested, TargetNotFound, UsageError
from optagent.languages.python.source.functions import definitions, functions, span
from optagent.languages.python.source.import_names import Layout
from optagent.languages.python.source.nesting import nested
from optagent.languages.python.source.sources import is_test_of
from optagent.languages.python.targets.specs import Parsed, Spec, named_file, promising

FORMS = "Name it as `fn`, `module:fn`, `Class.method`, `path.py::Class.method` or `path.py:LINE`."
TESTS = "Tests judge the code, so they are no targets. Name a function of the project's own code."


def refusal(tree: Tree, layout: Layout, spec: Spec, text: str) -> UsageError:
    """What to tell somebody whose target was not found."""
    if not (spec.name or spec.line):
        return TargetNotFound(f"{text!r} names no function", FORMS)
    for parsed in promising(tree, spec):
        if spec.is_module(layout.import_name(parsed.path)[1]):
            for reason in _reasons(spec, parsed):
                return reason
    return _only_in_tests(tree, layout, spec, text) or _nothing(tree, spec, text)


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


def _nothing(tree: Tree, spec: Spec, text: str) -> UsageError:
    if spec.line:
        return TargetNotFound(f"line {spec.line} of {spec.path} stands in no function", "Name a line inside of one.")
    return TargetNotFound(f"there is no function {text!r} in {tree.project_root.name}/", FORMS)
