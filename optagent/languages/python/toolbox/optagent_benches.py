"""Existing benchmarks called once, for their arguments: asv's suites and scripts for pyperf.

Runs in the target's interpreter inside the sandbox, after the project's own tests: standard library only, neither asv
nor pyperf has to be there. A file of asv's gives a call for each `time_*` (`track_*` and the like measure something
else), with its `setup`, `setup_cache` and the first combinations of its `params`; a script for pyperf is run as a
program with a runner that calls each function once. What goes wrong is nobody's fault: it is no test.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import inspect
import io
import itertools
import os
import runpy
import sys
import time
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Act = Callable[[], object]

MOST_PARAMETERS = 4
MOST_SECONDS = 10.0
TIMED = "time_"


def run_all(suites: dict[str, str], scripts: list[str], before_each: Act) -> None:
    """Every benchmark once, as far as there is time. `suites` are files of asv's with the folder that they are imported
    from."""
    until = time.monotonic() + MOST_SECONDS
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for act in acts(suites, scripts):
            if time.monotonic() > until:
                return
            before_each()
            with contextlib.suppress(BaseException):
                act()


def acts(suites: dict[str, str], scripts: list[str]) -> Iterator[Act]:
    for file, folder in suites.items():
        try:
            found = list(acts_of(loaded(file, folder)))
        except BaseException:  # noqa: BLE001 - whatever it lacks here, or a skip
            continue
        yield from found
    for file in scripts:
        yield functools.partial(run_script, file)


def loaded(file: str, folder: str) -> types.ModuleType:
    """Imported as asv does it, as a part of the package that the folder of benchmarks is."""
    name = os.path.relpath(file, folder)[: -len(".py")].replace(os.sep, ".")
    with on_path(folder):
        return importlib.import_module(name)


@contextlib.contextmanager
def on_path(folder: str) -> Iterator[None]:
    kept = list(sys.path)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path[:] = kept


def acts_of(module: types.ModuleType) -> Iterator[Act]:
    """What asv would time."""
    for name, value in list(vars(module).items()):
        if name.startswith(TIMED) and inspect.isfunction(value):
            for parameters in combinations(value):
                yield functools.partial(call, value, value, parameters)
        elif inspect.isclass(value) and value.__module__ == module.__name__:
            for part in dir(value):
                if part.startswith(TIMED) and callable(getattr(value, part)):
                    for parameters in combinations(value):
                        yield functools.partial(call_method, value, part, parameters)


def combinations(owner: Any) -> list[tuple[Any, ...]]:
    """The first combinations of its parameters; one empty one where it has none."""
    given = list(getattr(owner, "params", []))
    rows = given if given and isinstance(given[0], list | tuple) else [given] if given else []
    return list(itertools.islice(itertools.product(*rows), MOST_PARAMETERS))


def call_method(owner: Any, part: str, parameters: tuple[Any, ...]) -> None:
    instance = owner()
    call(instance, getattr(instance, part), parameters)


def call(holder: Any, timed: Callable[..., object], parameters: tuple[Any, ...]) -> None:
    """The benchmark as asv would run it once."""
    cache = getattr(holder, "setup_cache", None)
    given = (cached(cache), *parameters) if cache is not None else parameters
    setup, teardown = getattr(holder, "setup", None), getattr(holder, "teardown", None)
    if setup is not None:
        setup(*given)
    try:
        timed(*given)
    finally:
        if teardown is not None:
            teardown(*given)


CACHES: dict[str, Any] = {}


def cached(make: Any) -> Any:
    """Made once, as asv does it, whatever is timed with it."""
    name = f"{make.__module__}.{make.__qualname__}"
    if name not in CACHES:
        CACHES[name] = make()
    return CACHES[name]


class Runner:
    """Stands in for pyperf's, and calls everything once."""

    def __init__(self, *words: Any, **named: Any) -> None:
        self.metadata: dict[str, Any] = {}
        self.args: Any = argparse.Namespace()
        self.argparser = argparse.ArgumentParser()

    def parse_args(self, words: Any = None) -> Any:
        self.args, _ = self.argparser.parse_known_args([])
        return self.args

    def bench_func(self, name: str, function: Callable[..., Any], *given: Any, **named: Any) -> None:
        function(*given)

    def bench_async_func(self, name: str, function: Callable[..., Any], *given: Any, **named: Any) -> None:
        import asyncio

        asyncio.run(function(*given))

    def bench_time_func(self, name: str, function: Callable[..., Any], *given: Any, **named: Any) -> None:
        function(1, *given)

    def timeit(self, name: str, stmt: Any = None, setup: Any = "pass", **named: Any) -> None:
        scope = dict(named.get("globals") or {})
        for one in (setup, stmt if stmt is not None else name):
            lines = one if isinstance(one, str) else "\n".join(one)
            exec(compile(lines, "<timeit>", "exec"), scope)

    def bench_command(self, name: str, command: Any) -> None:
        """Another program: none of its calls are seen here."""


def run_script(file: str) -> None:
    stand_in = types.ModuleType("pyperf")
    vars(stand_in).update({"Runner": Runner, "perf_counter": time.perf_counter})
    kept, words = sys.modules.get("pyperf"), sys.argv
    sys.modules["pyperf"], sys.argv = stand_in, [file]
    try:
        with on_path(os.path.dirname(file)):
            runpy.run_path(file, run_name="__main__")
    finally:
        sys.argv = words
        del sys.modules["pyperf"]
        if kept is not None:
            sys.modules["pyperf"] = kept
