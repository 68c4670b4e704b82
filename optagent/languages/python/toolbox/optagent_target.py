"""Finds the target in a loaded tree, and calls it to its end: coroutines awaited, iterators drained.

Runs in the target's interpreter: standard library only.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
import types
import zlib
from typing import TYPE_CHECKING, Any

from optagent_iterate import LAZY, MOST_ITEMS, Drained, drain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Call = tuple[tuple[Any, ...], dict[str, Any]]

DEEPEST = 5
GENERATORS = {"random": "getstate", "numpy.random": "get_state"}
AWAITED = (types.CoroutineType, types.AsyncGeneratorType)
UNFINISHED = frozenset(id(kind) for kind in (*LAZY, *AWAITED))
"""Types of results whose work is still to be done; by identity, since a metaclass may say anything about equality."""


class NotThere(Exception):
    """The target is not where the referee found it in the source; the message says what is."""


def find(module: str, qualname: str, inner: bool) -> tuple[Any, Callable[..., Any]]:
    """The module, and the function under that name; for methods the plain function, to be called with `self` first.

    `inner` asks for the function as it is written, below the decorators that stand on it.
    """
    loaded = importlib.import_module(module)
    owner: Any = loaded
    *outer, name = qualname.split(".")
    for part in outer:
        owner = getattr(owner, part)
    found = undescribed(attribute(owner, name))
    if inner:
        found = next((one for one in below(found, 0) if one.__code__.co_qualname == qualname), None)
        if found is None:
            raise NotThere(f"{qualname} cannot be found below its decorators")
    if not callable(found):
        raise NotThere(f"{qualname} is not callable")
    return loaded, found


def attribute(owner: Any, name: str) -> Any:
    """What stands under a name, not what a class makes of it when asked."""
    if isinstance(owner, type):
        if name.startswith("__") and not name.endswith("__"):
            name = f"_{owner.__name__.lstrip('_')}{name}"
        for one in owner.__mro__:
            if name in vars(one):
                return vars(one)[name]
    return getattr(owner, name)


def undescribed(found: Any) -> Any:
    """The function of a property, of a class or static method."""
    if isinstance(found, property):
        return found.fget
    if isinstance(found, classmethod | staticmethod):
        return undescribed(found.__func__)
    if isinstance(found, functools.cached_property):
        return found.func
    return found


def below(found: Any, depth: int) -> Iterator[types.FunctionType]:
    """Functions that an object wraps, nearest first: by name, by attribute, by closure."""
    if isinstance(found, types.FunctionType):
        yield found
    if depth < DEEPEST:
        for one in wrapped_in(found):
            yield from below(one, depth + 1)


def wrapped_in(found: Any) -> list[Any]:
    inside = [undescribed(found)] if isinstance(found, property | classmethod | staticmethod) else []
    inside += [getattr(found, name, None) for name in ("__wrapped__", "func", "__func__", "fget")]
    inside += list(getattr(found, "__dict__", {}).values())
    for cell in getattr(found, "__closure__", None) or ():
        try:
            inside.append(cell.cell_contents)
        except ValueError:  # an empty cell
            continue
    return [one for one in inside if callable(one) and not isinstance(one, type)]


def run_block(target: Callable[..., Any], block: list[Call]) -> list[tuple[str, Any]]:
    """Every call of the block, in order and to its end; what it returned or raised is kept, not looked at."""
    results: list[tuple[str, Any]] = []
    for args, kwargs in block:
        try:
            value = target(*args, **kwargs)
            if id(type(value)) in UNFINISHED:
                value = finish(value)
            results.append(("returned", value))
        except BaseException as error:  # noqa: BLE001 - what the target raises is data
            results.append(("raised", error))
    return results


def run_checked(target: Callable[..., Any], call: Call) -> tuple[str, Any]:
    """One call like those of a block; of an iterator's items it is also known what each was when it came."""
    args, kwargs = call
    try:
        value = target(*args, **kwargs)
        if id(type(value)) in UNFINISHED:
            value = finish(value, snapshots=True)
        return "returned", value
    except BaseException as error:  # noqa: BLE001 - what the target raises is data
        return "raised", error


def finish(value: Any, snapshots: bool = False) -> Any:
    if type(value) is types.CoroutineType:
        result = loop().run_until_complete(value)
        return finish(result, snapshots) if id(type(result)) in UNFINISHED else result
    if type(value) is types.AsyncGeneratorType:
        return loop().run_until_complete(drain_async(value))
    return drain(value, snapshots)


async def drain_async(values: Any) -> Drained:
    drained = Drained("async generator", [])
    try:
        async for one in values:
            drained.items.append(one)
            if len(drained.items) >= MOST_ITEMS:
                return drained
        drained.ending = "ended"
    except Exception as error:  # noqa: BLE001 - what the target raises is data
        drained.ending, drained.value = "raised", error
    return drained


@functools.cache
def loop() -> Any:
    """The event loop of this worker."""
    import asyncio

    made = asyncio.new_event_loop()
    asyncio.set_event_loop(made)
    return made


def is_async(target: Any) -> bool:
    code = getattr(target, "__code__", None)
    return bool(code and code.co_flags & 0x280)  # a coroutine or an asynchronous generator


def generators() -> dict[str, Any]:
    """Python's generator of numbers and numpy's by name, as far as they are loaded; a module of the project's may have
    the same name."""
    loaded = {name: sys.modules.get(name) for name in GENERATORS}
    return {name: loaded[name] for name, asked in GENERATORS.items() if hasattr(loaded[name], asked)}


def seed() -> None:
    """They are at the same start: what a call draws depends on nothing before it."""
    for draw in generators().values():
        with contextlib.suppress(Exception):  # somebody has put another one in its place
            draw.seed(1)


def drawn() -> dict[str, int]:
    """A checksum of where each of them is, by name."""
    return {name: zlib.crc32(repr(getattr(one, GENERATORS[name])()).encode()) for name, one in generators().items()}
