"""Runs a function before and after an edit and says what each did."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from types import CodeType
from typing import Any

from optagent.rules.base import Proposal, Site
from optagent.rules.registry import ALL, proposals

Types = Mapping[str, frozenset[str]]


def site(text: str, qualname: str = "fn", types: Mapping[str, Iterable[str]] | None = None, line: int = 0) -> Site:
    return Site(textwrap.dedent(text).lstrip("\n"), qualname, {k: frozenset(v) for k, v in (types or {}).items()}, line)


def of_rule(slug: str, at: Site) -> list[Proposal]:
    rule = next(rule for rule in ALL if rule.slug == slug)
    return list(rule.propose(at))


def all_of(at: Site) -> list[Proposal]:
    return proposals(at)


@lru_cache(maxsize=8)
def compiled(source: str) -> CodeType:
    return compile(source, "<edited>", "exec")


def load(source: str, qualname: str) -> Callable[..., Any]:
    space: dict[str, Any] = {"__name__": "module_under_test"}
    exec(compiled(source), space)
    first, *rest = qualname.split(".")
    found = space[first]
    for part in rest:
        found = getattr(found, part)
    return found


def outcome(source: str, qualname: str, args: tuple[Any, ...]) -> tuple[str, Any, Any]:
    """How a call ends (value or type of exception), with the arguments as they are afterwards."""
    given = copy.deepcopy(args)
    function = load(source, qualname)
    try:
        value = function(*given)
        value = list(value) if isinstance(value, Iterator) else value
    except Exception as error:
        return "raised", type(error), given
    return "gave", (type(value), value), given


def differences(at: Site, proposal: Proposal, inputs: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The inputs for which the edited function does something else."""
    return [
        args
        for args in inputs
        if repr(outcome(at.source, at.qualname, args)) != repr(outcome(proposal.source, at.qualname, args))
    ]


def assert_same(at: Site, found: Iterable[Proposal], inputs: Iterable[tuple[Any, ...]]) -> None:
    inputs = list(inputs)
    for proposal in found:
        wrong = differences(at, proposal, inputs)
        assert not wrong, f"{proposal.rule} on {wrong[0]!r}:\n{proposal.source}"
