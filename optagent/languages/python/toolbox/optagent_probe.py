"""A pytest plugin that tells which tests reach the target, and keeps the arguments they call it with.

Runs in the target's interpreter inside the sandbox: standard library only. What to watch stands in a JSON file
named by OPTAGENT_PROBE; the report goes to the descriptor OPTAGENT_FD when the session ends, and only then: a
process that leaves early has reported nothing.

Arguments are encoded before the call (the target may change them), for outermost calls only, the first
SAMPLED ones always and later ones ever more rarely.
"""

from __future__ import annotations

import inspect
import json
import os
import pickle
import sys
import threading
import types
from typing import TYPE_CHECKING, Any

import optagent_encode
import optagent_frames

if TYPE_CHECKING:
    from types import CodeType, FrameType, FunctionType

    Pytest = Any  # its classes; nothing but the standard library is imported here, not even for types

SAMPLED = 60
MOST_INPUTS = 200
MOST_BYTES_EACH = 8 << 20
MOST_BYTES = 64 << 20


class Recorder:
    """Calls of one function: how many, which distinct arguments, and why some could not be kept."""

    def __init__(self, keep: bool) -> None:
        self.keep = keep
        self.calls = 0
        self.inputs: dict[bytes, bytes] = {}
        self.bytes = 0
        self.lost: dict[str, int] = {}
        self.chance = 1

    def record(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.calls += 1
        if not self.keep or not self.is_sampled() or len(self.inputs) >= MOST_INPUTS:
            return
        try:
            key = optagent_encode.encode((args, kwargs))
            if key not in self.inputs:
                self.store(key, pickle.dumps((args, kwargs), 5))
        except optagent_encode.CannotEncode as reason:
            self.lose(str(reason))

    def store(self, key: bytes, data: bytes) -> None:
        if len(data) > MOST_BYTES_EACH or self.bytes + len(data) > MOST_BYTES:
            self.lose(f"arguments of more than {MOST_BYTES_EACH >> 20} MiB")
            return
        self.bytes += len(data)
        self.inputs[key] = data

    def lose(self, reason: str) -> None:
        self.lost[reason] = self.lost.get(reason, 0) + 1

    def is_sampled(self) -> bool:
        """The first calls, then about SAMPLED of every doubling, spread by a linear congruence."""
        if self.calls <= SAMPLED:
            return True
        self.chance = (self.chance * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        return (self.chance >> 33) % self.calls < SAMPLED


class Watch:
    """Finds the target's code once its module is loaded and has every outermost call recorded."""

    def __init__(self, path: str, qualname: str, line: int, recorder: Recorder) -> None:
        self.path, self.qualname, self.line = os.path.realpath(path), qualname, line
        self.recorder = recorder
        self.shimmed: list[FunctionType] = []
        self.modules_seen = 0
        self.monitor()

    def is_target(self, code: CodeType) -> bool:
        return (
            code.co_qualname == self.qualname
            and os.path.realpath(code.co_filename) == self.path
            and abs(code.co_firstlineno - self.line) <= 50
        )

    def monitor(self) -> None:
        """3.12 and newer: an event per function start, switched off at once for every function but the target."""
        if sys.version_info < (3, 12):
            return
        monitoring = sys.monitoring
        tool = next(number for number in (4, 3, 5, 2, 1, 0) if monitoring.get_tool(number) is None)
        monitoring.use_tool_id(tool, "optagent")

        def started(code: CodeType, offset: int) -> Any:
            if code.co_name != self.qualname.rpartition(".")[2] or not self.is_target(code):
                return monitoring.DISABLE
            frame = sys._getframe(1)
            if not self.is_inner(frame, code):
                self.recorder.record(*arguments_of(frame, code))
            return None

        monitoring.register_callback(tool, monitoring.events.PY_START, started)
        monitoring.set_events(tool, monitoring.events.PY_START)

    def is_inner(self, frame: FrameType, code: CodeType) -> bool:
        caller = frame.f_back
        while caller is not None:
            if caller.f_code is code:
                return True
            caller = caller.f_back
        return False

    def shim(self) -> None:
        """3.11: the function's code exchanged for one that records and calls the original."""
        if sys.version_info >= (3, 12) or self.shimmed or len(sys.modules) == self.modules_seen:
            return
        self.modules_seen = len(sys.modules)
        for function in functions_of(self.path):
            if self.is_target(function.__code__):
                self.shim_one(function)

    def shim_one(self, function: FunctionType) -> None:
        original = types.FunctionType(
            function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
        )
        original.__kwdefaults__ = function.__kwdefaults__

        inside = threading.local()  # a call in another thread is not inside of ours

        def enter(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            depth = getattr(inside, "depth", 0)
            if not depth:
                self.recorder.record(args, kwargs)
            inside.depth = depth + 1
            try:
                return original(*args, **kwargs)
            finally:
                inside.depth = depth

        if not hasattr(function, "__wrapped__"):
            function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]  # for who looks at it
        code = function.__code__
        template = SHIM.__code__
        constants = tuple(enter if constant == MARK else constant for constant in template.co_consts)
        function.__code__ = template.replace(
            co_consts=constants,
            co_freevars=code.co_freevars,
            co_name=code.co_name,
            co_qualname=code.co_qualname,
            co_filename=code.co_filename,
            co_firstlineno=code.co_firstlineno,
        )
        self.shimmed.append(function)


MARK = "the recorder goes here"


def SHIM(*args: Any, **kwargs: Any) -> Any:  # noqa: N802
    return "the recorder goes here"(args, kwargs)  # type: ignore[operator]


def functions_of(path: str) -> list[FunctionType]:
    """Functions whose code stands in a file, through the modules loaded from it and their classes."""
    import gc

    files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
    if not any(os.path.realpath(file) == path for file in files):
        return []
    found = [one for one in gc.get_objects() if type(one) is types.FunctionType]
    return [one for one in found if os.path.realpath(one.__code__.co_filename) == path]


def arguments_of(frame: FrameType, code: CodeType) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a frame that has just started, as (args, kwargs)."""
    values = frame.f_locals
    names = code.co_varnames
    positional = names[: code.co_argcount]
    keywords = names[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    after = code.co_argcount + code.co_kwonlyargcount
    args = tuple(values[name] for name in positional)
    kwargs = {name: values[name] for name in keywords}
    if code.co_flags & 0x04:
        args += values[names[after]]
        after += 1
    if code.co_flags & 0x08:
        kwargs.update(values[names[after]])
    return args, kwargs


class Probe:
    """The plugin: one entry per test, then one report."""

    def __init__(self, request: dict[str, Any], descriptor: int) -> None:
        self.only = None if request["only"] is None else set(request["only"])
        self.recorder = Recorder(request["keep"])
        self.watch = Watch(request["path"], request["qualname"], request["line"], self.recorder)
        self.descriptor = descriptor
        self.tests: dict[str, dict[str, Any]] = {}

    def pytest_collection_modifyitems(self, config: Pytest, items: list[Pytest]) -> None:
        if self.only is not None:
            out = [item for item in items if item.nodeid not in self.only]
            items[:] = [item for item in items if item.nodeid in self.only]
            config.hook.pytest_deselected(items=out)

    def pytest_runtest_setup(self, item: Pytest) -> None:
        self.watch.shim()
        self.tests[item.nodeid] = {"outcome": "unfinished", "seconds": 0.0, "reached": self.recorder.calls}

    def pytest_runtest_logreport(self, report: Pytest) -> None:
        # a skip mark acts before our setup hook does: nothing of that test has run
        new = {"outcome": "unfinished", "seconds": 0.0, "reached": self.recorder.calls}
        entry = self.tests.setdefault(report.nodeid, new)
        entry["seconds"] += report.duration
        if report.outcome == "failed":
            entry["outcome"] = "failed"
        elif entry["outcome"] != "failed" and (report.when == "call" or report.outcome == "skipped"):
            entry["outcome"] = report.outcome
        if report.when == "teardown":
            entry["reached"] = self.recorder.calls > entry["reached"]

    def pytest_sessionfinish(self, session: Pytest, exitstatus: int) -> None:
        blobs = [part for pair in self.recorder.inputs.items() for part in pair]
        header = {
            "tests": self.tests,
            "calls": self.recorder.calls,
            "lost": self.recorder.lost,
            "exit": int(exitstatus),
        }
        report = memoryview(optagent_frames.pack(header, blobs))
        while report:
            report = report[os.write(self.descriptor, report) :]


def pytest_configure(config: Pytest) -> None:
    with open(os.environ["OPTAGENT_PROBE"], encoding="utf-8") as file:
        request = json.load(file)
    config.pluginmanager.register(Probe(request, int(os.environ["OPTAGENT_FD"])), "optagent-probe")
