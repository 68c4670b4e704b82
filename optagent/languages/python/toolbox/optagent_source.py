"""Plain values written as Python that makes them again, for a test that a person can paste.

Runs in the target's interpreter: standard library only. Facts for a person, never for a verdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import optagent_codec
import optagent_target

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 4000
"""A longer text is nothing to paste."""

DEEPEST = 20
PLAIN = (type(None), bool, int, str, bytes, type(...))
BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    tuple: ("(", ")"),
}


class NotPlain(Exception):
    """A value that is not made of plain data; the message names its type, or what is wrong with it."""


def written(target: Callable[..., Any], data: bytes) -> dict[str, Any]:
    """The call and what it does, as Python: arguments, how it ends, and the arguments afterwards."""
    args, kwargs = optagent_codec.unpack(data)
    starts = optagent_target.drawn()
    try:
        before = sources(args, kwargs)
        kind, value = optagent_target.run_checked(target, (args, kwargs))
        if optagent_target.drawn() != starts:
            raise NotPlain("a call that draws random numbers")
        if kind == "raised":
            said = [f"{type(value).__module__}.{type(value).__qualname__}", str(value)[:MOST]]
        else:
            said = [source(value)]
        after = sources(args, kwargs)
    except NotPlain as fault:
        return {"fault": str(fault)}
    return {
        "args": before[0],
        "kwargs": before[1],
        "kind": kind,
        "said": said,
        "after": after[0],
        "named": after[1],
    }


def sources(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    """All arguments of a call. Raises NotPlain, also when two of them share something."""
    seen: set[int] = set()
    return [source(one, seen) for one in args], {name: source(one, seen) for name, one in kwargs.items()}


def source(value: Any, seen: set[int] | None = None) -> str:
    """An expression whose value is equal, type by type. Raises NotPlain."""
    text = spelled(value, set() if seen is None else seen, 0)
    if len(text) > MOST:
        raise NotPlain(f"a value of {len(text):,} characters")
    return text


def spelled(value: Any, seen: set[int], depth: int) -> str:
    kind = type(value)
    if kind in PLAIN:
        return repr(value)
    if kind is float:
        text = repr(value)
        return text if text[-1].isdigit() else f"float({text!r})"
    if kind is dict:
        return "{" + ", ".join(f"{key}: {one}" for key, one in pairs(value, entered(value, seen, depth), depth)) + "}"
    if kind not in BRACKETS:
        raise NotPlain(f"{kind.__module__}.{kind.__qualname__}")
    inner = entered(value, seen, depth)
    first, last = BRACKETS[kind]
    parts = [spelled(one, inner, depth + 1) for one in value]
    if not parts and kind in (set, frozenset):
        return f"{kind.__name__}()"
    comma = "," if kind is tuple and len(parts) == 1 else ""
    return first + ", ".join(sorted(parts) if kind in (set, frozenset) else parts) + comma + last


def pairs(value: dict[Any, Any], seen: set[int], depth: int) -> list[tuple[str, str]]:
    return [(spelled(key, seen, depth + 1), spelled(one, seen, depth + 1)) for key, one in value.items()]


def entered(value: Any, seen: set[int], depth: int) -> set[int]:
    """The containers met so far, this one among them: what stands in two places cannot be written as text."""
    if depth > DEEPEST:
        raise NotPlain("a value nested too deeply")
    if type(value) in (list, set, dict):
        if id(value) in seen:
            raise NotPlain("a container that stands in two places")
        seen.add(id(value))
    return seen
