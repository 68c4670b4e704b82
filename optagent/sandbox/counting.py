"""Counters of the kernel and of the processor for a running sandbox, read from outside by `perf stat`.

Sandboxed code may not count by itself (`perf_event_open` is refused): perf is ours, and attaches to the process id that
the kernel told us.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

ANSWER_S = 10.0


class CountingFailed(Exception):
    """perf is not there or refuses; the message is its last word."""


def try_out(events: Sequence[str]) -> str:
    """What perf counts of a program that does nothing, as `perf stat -x,` writes it. Raises CountingFailed."""
    with _failing():
        done = subprocess.run(
            (*_perf(events), "--", "true"), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=ANSWER_S
        )
    if done.returncode != 0:
        raise CountingFailed(_last_line(done.stderr))
    return done.stderr


def count(pid: int, events: Sequence[str], work: Callable[[], None]) -> str:
    """What perf counts of all threads of that process, and of what they start, while `work` is under way, as
    `perf stat -x,` writes it. Raises CountingFailed, or what `work` raises."""
    orders, answers = os.pipe(), os.pipe()
    try:
        with _attached(pid, events, orders[0], answers[1]) as perf:
            _order(b"enable\n", orders[1], answers[0], perf)
            work()
            _order(b"disable\n", orders[1], answers[0], perf)
            perf.send_signal(signal.SIGINT)
            with _failing():
                _, said = perf.communicate(timeout=ANSWER_S)
            return said
    finally:
        for descriptor in (*orders, *answers):
            os.close(descriptor)


@contextmanager
def _attached(pid: int, events: Sequence[str], orders: int, answers: int) -> Iterator[subprocess.Popen[str]]:
    """perf looking at the process, counting nothing yet; gone afterwards."""
    with _failing():
        perf = subprocess.Popen(
            (*_perf(events), "--delay=-1", f"--control=fd:{orders},{answers}", f"--pid={pid}"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=(orders, answers),
        )
    try:
        yield perf
    finally:
        perf.kill()
        perf.wait()
        assert perf.stderr is not None
        perf.stderr.close()


@contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except subprocess.TimeoutExpired:
        raise CountingFailed(f"perf did not end within {ANSWER_S:.0f} s") from None
    except OSError as error:
        raise CountingFailed(f"perf cannot be started: {error.strerror}") from None


def _perf(events: Sequence[str]) -> tuple[str, ...]:
    found = shutil.which("perf")
    if found is None:
        raise CountingFailed("perf is not installed")
    return (found, "stat", "-x,", f"--event={','.join(events)}")


def _order(order: bytes, orders: int, answers: int, perf: subprocess.Popen[str]) -> None:
    """Given and confirmed: from here on perf counts, or no longer does."""
    os.write(orders, order)
    ready = select.poll()
    ready.register(answers, select.POLLIN)
    for _ in range(int(ANSWER_S * 10)):
        if ready.poll(100):
            os.read(answers, 64)
            return
        if perf.poll() is not None:
            break
    perf.kill()
    assert perf.stderr is not None
    raise CountingFailed(_last_line(perf.stderr.read()))


def _last_line(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "perf said nothing"
