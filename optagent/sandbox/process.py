"""Starts the process of a rung and sees it to its end. Shared by all rungs; knows no isolation itself."""

from __future__ import annotations

import os
import selectors
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache

from optagent.errors import SandboxBroken
from optagent.sandbox.base import ExecResult, Exited, Limits, Stopped
from optagent.sandbox.live import Live, kill
from optagent.sandbox.watcher import LOOK_S, LOOK_SHARE, Watch, most_bytes

CHUNK = 1 << 16


@dataclass(frozen=True)
class Launch:
    """What really gets executed: the whole command line, its environment, and descriptors it inherits. `is_kept` says
    that the process ends what it has started when it is told to end."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str | None = None
    descriptors: tuple[int, ...] = ()
    is_kept: bool = False


@dataclass
class _Stream:
    """One pipe read to its end or to its cap."""

    descriptor: int
    most: int
    data: bytearray = field(default_factory=bytearray)

    def fill(self) -> bool:
        """Takes what is there; False at the end."""
        chunk = os.read(self.descriptor, CHUNK)
        self.data += chunk
        return bool(chunk)

    @property
    def full(self) -> bool:
        return len(self.data) > self.most


def run(launch: Launch, limits: Limits, report: tuple[int, int]) -> ExecResult:
    """The launched command run to its end or to its limit. `report` is a pipe (read end, write end) that it writes to.

    Waits for the process, not for the ends of its pipes: a left-over child may hold those open.
    """
    began = time.monotonic()
    with ExitStack() as undo:  # all of it, whatever fails
        undo.callback(os.close, report[0])
        try:
            process = _spawn(launch, (report[1],), subprocess.PIPE, subprocess.PIPE)
        finally:
            os.close(report[1])
        assert process.stdout is not None
        assert process.stderr is not None
        streams = [
            _Stream(process.stdout.fileno(), limits.output_bytes),
            _Stream(process.stderr.fileno(), limits.output_bytes),
            _Stream(report[0], limits.report_bytes),
        ]
        undo.callback(process.stderr.close)
        undo.callback(process.stdout.close)
        undo.callback(kill, process, launch.is_kept)
        limit = _pump(process, streams, began + limits.seconds, most_bytes(limits.all_memory_bytes))
    ending = Stopped(limit) if limit else Exited(process.returncode)
    out, err, told = (bytes(stream.data[: stream.most]) for stream in streams)
    return ExecResult(ending, out, err, told, time.monotonic() - began)


def run_told(
    launching: Callable[[int, int], AbstractContextManager[Launch]], limits: Limits
) -> tuple[ExecResult, bytes]:
    """As `run`, of what is launched with a descriptor for the command's report and one for whoever starts it; and what
    that one had to tell."""
    report, status = os.pipe(), os.pipe()
    try:
        with launching(report[1], status[1]) as launch:
            result = run(replace(launch, descriptors=(*launch.descriptors, status[1])), limits, report)
    finally:
        os.close(status[1])
        told = os.read(status[0], 4096)
        os.close(status[0])
    return result, told


def start(launch: Launch, channel: tuple[socket.socket, socket.socket]) -> Live:
    """The launched command running, with our end of the channel; the other end is closed here."""
    stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed by Live
    channel[0].setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)  # before anybody can send
    with ExitStack() as undo, channel[1]:
        undo.callback(stderr.close)
        undo.callback(channel[0].close)
        process = _spawn(launch, (channel[1].fileno(),), subprocess.DEVNULL, stderr.fileno())
        undo.pop_all()
    return Live(process, channel[0], stderr, launch.is_kept)


def forked(channel: socket.socket) -> Live:
    """A process that will come of a fork elsewhere, with our end of the channel to it."""
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)  # before anybody can send
    return Live(None, channel, tempfile.TemporaryFile())


@contextmanager
def in_memory(data: bytes) -> Iterator[int]:
    """A descriptor from which `data` can be read, backed by no file."""
    descriptor = os.memfd_create("optagent")
    try:
        os.write(descriptor, data)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def broken(stderr: bytes, who: str) -> SandboxBroken:
    """What to raise when `who`, which was to start the command, ended without having done so."""
    said = stderr.decode("utf-8", "replace").strip().splitlines()
    return could_not_start(said[-1] if said else f"{who} said nothing")


def could_not_start(why: object) -> SandboxBroken:
    return SandboxBroken(
        f"the sandbox could not start the command: {why}", "Run `optagent doctor` to see which sandbox works here."
    )


GUARD = ("--pdeathsig=KILL", "sh", "-c", '[ "$PPID" = "$0" ] || exit 1; unset PWD OLDPWD; exec "$@"')
"""What setpriv is told: to end with us, also when we were killed before the sandbox could ask for that itself. First
the wish, then a look whether the parent it is about is still there."""


def _spawn(launch: Launch, descriptors: tuple[int, ...], stdout: int, stderr: int) -> subprocess.Popen[bytes]:
    def spawn() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            (shutil.which("setpriv") or "setpriv", *GUARD, str(os.getpid()), *launch.argv),  # `env` has no PATH
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=dict(launch.env),
            cwd=launch.cwd,
            pass_fds=(*launch.descriptors, *descriptors),
            start_new_session=True,
        )

    try:
        # "ends with its parent" means the thread that started it: one that ends would take the process with it
        is_main = threading.current_thread() is threading.main_thread()
        if is_main:
            return spawn()
        with ONE_AT_A_TIME:  # two that make the lasting thread at once would make two, and one of them would end
            lasting = _lasting_thread(os.getpid())
        return _given(lasting.submit(spawn))
    except (OSError, ValueError) as fault:  # no such folder, too many arguments, a zero byte among them
        raise could_not_start(fault) from None


ONE_AT_A_TIME = threading.Lock()
LASTING, LASTING_LOOK_S = "optagent-spawn", 1.0


@cache
def _lasting_thread(pid: int) -> ThreadPoolExecutor:
    """One thread that lives as long as this process (a fork has none of its parent's threads)."""
    return ThreadPoolExecutor(1, LASTING)


def _given(spawned: Future[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    """What the lasting thread gives. One that ended without a word, as for want of memory, is not waited for."""
    while not wait([spawned], LASTING_LOOK_S).done:
        if not any(one.name.startswith(LASTING) for one in threading.enumerate()):
            raise MemoryError("the thread that starts sandboxes has ended")
    return spawned.result()


def _pump(process: subprocess.Popen[bytes], streams: list[_Stream], deadline: float, most: int) -> str:
    """Reads until the process ends; returns the limit it hit, or an empty string."""
    watch = Watch(most)
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            os.set_blocking(stream.descriptor, False)
            selector.register(stream.descriptor, selectors.EVENT_READ, stream)
        exit_notice = os.pidfd_open(process.pid)
        selector.register(exit_notice, selectors.EVENT_READ, None)
        try:
            return _pump_until_exit(selector, streams, deadline, lambda: watch.passed(process.pid))
        finally:
            os.close(exit_notice)


def _pump_until_exit(
    selector: selectors.BaseSelector, streams: list[_Stream], deadline: float, has_passed: Callable[[], str]
) -> str:
    look = time.monotonic() + LOOK_S
    while True:
        now = time.monotonic()
        if now >= deadline:
            return "seconds"
        if now >= look:
            spent = time.thread_time()  # a look that waits for a core took none of the time
            if limit := has_passed():
                return limit
            look = time.monotonic() + max(LOOK_S, LOOK_SHARE * (time.thread_time() - spent))
        ready = [key for key, _ in selector.select(max(0.0, min(deadline, look) - now))]
        for key in ready:
            if key.data is not None and not key.data.fill():
                selector.unregister(key.fileobj)
        if any(stream.full for stream in streams):
            return "output"
        if any(key.data is None for key in ready):
            _drain(streams)
            return "output" if any(stream.full for stream in streams) else ""


def _drain(streams: list[_Stream]) -> None:
    """Takes what is still in the pipes after the exit."""
    for stream in streams:
        try:
            while not stream.full and stream.fill():
                pass
        except BlockingIOError:
            continue
