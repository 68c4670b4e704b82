"""Calls made from the type hints of the target's parameters, by Hypothesis; a parameter without one that says anything
takes what calls showed.

Runs in the target's interpreter, with a Hypothesis that the referee lends. Numbers are small and finite: that others
occur is for odder inputs to try (optagent_vary). What the target does with a call, or that it refuses it, is for the
untouched code to say.
"""

from __future__ import annotations

import contextlib
import decimal
import enum
import importlib
import inspect
import os
import sys
import tempfile
import typing
from typing import TYPE_CHECKING, Any

import optagent_vary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from optagent_target import Call

GREATEST = 1000
DIGITS = 3
SILENT = (Any, object, complex, inspect.Parameter.empty)
"""Hints that say nothing, or nothing of which only plain values could be made."""

PLAIN = ("builtins", "collections", "collections.abc", "datetime", "decimal", "fractions", "types", "typing", "uuid")
"""Modules whose types are made of nothing but what a hint names. What the project's own classes allow is not known."""

SPREAD = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
CALLABLE = typing.get_origin(typing.Callable[..., Any])
TRIES_PER_CALL = 2
"""Some examples are equal once they are written down, or cannot be."""


def varied(
    inputs: Sequence[bytes], of: int, seed: int, most: int, most_bytes: int, target: Callable[..., Any], folder: str
) -> list[tuple[str, bytes]]:
    """At most so many calls as codec and bytes, each different, none among the inputs; none at all where no hint says
    anything, or where Hypothesis cannot make something of them. The first `of` inputs lend what has no hint."""
    if not has_hints(target):
        return []  # before Hypothesis is imported, which takes half a second
    seen = [call for data in inputs[:of] if len(data) <= most_bytes and (call := optagent_vary.opened(data))]
    known = {optagent_vary.packed(data) for data in inputs}
    with lent(folder):
        try:
            calls = made(target, seen, seed, TRIES_PER_CALL * most)
        except ImportError:
            raise  # of ours
        except Exception:  # noqa: BLE001 - hints may be anything: without them there are other inputs
            return []
        pairs = (optagent_vary.written(call) for call in calls)
        fresh = dict.fromkeys(pair for pair in pairs if pair and pair not in known and len(pair[1]) <= most_bytes)
    return list(fresh)[:most]


def has_hints(target: Callable[..., Any]) -> bool:
    """Whether a hint of some parameter says anything."""
    try:
        hints = typing.get_type_hints(target)
    except Exception:  # noqa: BLE001 - a name that is not there, or anything else that a hint may do
        return False
    return not all(says_nothing(hint) for name, hint in hints.items() if name != "return")


@contextlib.contextmanager
def lent(folder: str) -> Iterator[None]:
    """With Hypothesis first on the import path, leaving no files and loading nothing of the environment's."""
    os.environ["HYPOTHESIS_NO_PLUGINS"] = "1"
    sys.path.insert(0, folder)
    try:
        with tempfile.TemporaryDirectory() as home:
            importlib.import_module("hypothesis.configuration").set_hypothesis_home_dir(home)
            yield
    finally:
        sys.path.remove(folder)
        del os.environ["HYPOTHESIS_NO_PLUGINS"]


def made(target: Callable[..., Any], seen: list[Call], seed: int, most: int) -> list[Call]:
    parameters = inspect.signature(target).parameters.values()
    hints = typing.get_type_hints(target)
    chosen: dict[str, Any] = {}
    hinted = False
    for place, one in enumerate(parameters):
        by_hint = None if one.kind in SPREAD or says_nothing(hints.get(one.name, Any)) else of_type(hints[one.name])
        strategy = by_hint if by_hint is not None else as_seen(one, place, seen)
        hinted = hinted or by_hint is not None
        if strategy is not None:
            chosen[one.name] = strategy
        elif one.default is inspect.Parameter.empty and one.kind not in SPREAD:
            return []
    return [bound(parameters, values) for values in examples(chosen, seed, most)] if hinted else []


def says_nothing(hint: Any) -> bool:
    if isinstance(hint, typing.TypeVar) or hint in SILENT or typing.get_origin(hint) is CALLABLE:
        return True
    if isinstance(hint, enum.EnumType) or typing.get_origin(hint) is typing.Literal:
        return False
    named = typing.get_origin(hint) or hint
    is_plain = getattr(named, "__module__", "builtins") in PLAIN
    return not is_plain or any(says_nothing(one) for one in typing.get_args(hint) if one is not ...)


def of_type(hint: Any) -> Any:
    """What makes values of a hint; None where Hypothesis knows nothing that does."""
    strategies = importlib.import_module("hypothesis.strategies")
    strategies.register_type_strategy(int, strategies.integers(-GREATEST, GREATEST))
    finite = strategies.floats(-GREATEST, GREATEST, allow_nan=False).map(lambda one: round(one, DIGITS) + 0.0)
    strategies.register_type_strategy(float, finite)
    whole = strategies.integers(-GREATEST * 10**DIGITS, GREATEST * 10**DIGITS)
    strategies.register_type_strategy(decimal.Decimal, whole.map(lambda one: decimal.Decimal(one).scaleb(-DIGITS)))
    strategy = strategies.from_type(hint)
    try:
        examples({"value": strategy}, 0, 1)
    except Exception:  # noqa: BLE001 - what its types do when they are made is theirs
        return None
    return strategy


def as_seen(one: inspect.Parameter, place: int, seen: list[Call]) -> Any:
    """What stood there in the calls; None where nothing did."""
    strategies = importlib.import_module("hypothesis.strategies")
    if one.kind in SPREAD:
        return None
    values = []
    for args, kwargs in seen:
        if one.kind is not inspect.Parameter.KEYWORD_ONLY and place < len(args):
            values.append(args[place])
        elif one.name in kwargs:
            values.append(kwargs[one.name])
    return strategies.integers(0, len(values) - 1).map(values.__getitem__) if values else None


def examples(chosen: dict[str, Any], seed: int, most: int) -> list[dict[str, Any]]:
    """So many times a value for each name at most, the same for the same seed."""
    hypothesis = importlib.import_module("hypothesis")
    strategies = importlib.import_module("hypothesis.strategies")
    found: list[dict[str, Any]] = []

    settings = hypothesis.settings(
        max_examples=most,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    given = hypothesis.given(strategies.fixed_dictionaries(chosen))

    def collect(values: dict[str, Any]) -> None:
        found.append(values)

    hypothesis.seed(seed)(settings(given(collect)))()
    return found


def bound(parameters: Any, values: dict[str, Any]) -> Call:
    """Positional as far as nothing before was left out, by name after that."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    positional = True
    for one in parameters:
        if one.name not in values:
            positional = False
        elif positional and one.kind is not inspect.Parameter.KEYWORD_ONLY:
            args.append(values[one.name])
        elif one.kind is not inspect.Parameter.POSITIONAL_ONLY:
            kwargs[one.name] = values[one.name]
    return tuple(args), kwargs
