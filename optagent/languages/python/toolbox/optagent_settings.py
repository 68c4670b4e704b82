"""Settings of the interpreter and the process that calls may change for everybody else.

Runs in the target's interpreter: standard library only. What is not loaded has none.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import signal
import stat
import sys
from typing import Any

STREAMS = {"standard output": 1, "standard error": 2}
DECIMALS = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")


def settings() -> dict[str, Any]:
    """Each by its name."""
    found = {
        "recursion limit": sys.getrecursionlimit(),
        "digits of an int": getattr(sys, "get_int_max_str_digits", int)(),
        "umask": umask(),
        "functions to call at exit": atexit._ncallbacks(),
        "open files": open_files(),
        **{f"bytes written to {name}": written_to(stream) for name, stream in STREAMS.items()},
        **{f"signal {number}": name for number, name in handlers().items()},
    }
    if "decimal" in sys.modules:
        context = sys.modules["decimal"].getcontext()
        found |= {f"decimal {name}": getattr(context, name) for name in DECIMALS}
    if "logging" in sys.modules:
        found["logging is off up to"] = sys.modules["logging"].root.manager.disable
    if "socket" in sys.modules:
        found["timeout of sockets"] = sys.modules["socket"].getdefaulttimeout()
    if "locale" in sys.modules:
        found["locale"] = sys.modules["locale"].setlocale(sys.modules["locale"].LC_ALL)
    return found


def written_to(descriptor: int) -> int:
    """How many bytes a file that stands there holds; of what is no file nobody knows. What is printed in a call goes
    elsewhere: here are bytes from below, and from streams that were kept."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.__stdout__.flush()  # type: ignore[union-attr]
    try:
        told = os.fstat(descriptor)
    except OSError:
        return 0
    return told.st_size if stat.S_ISREG(told.st_mode) else 0


def open_files() -> int:
    """How many descriptors the process has that something refers to, besides the one to count them by."""
    gc.collect()
    try:
        return len(os.listdir("/proc/self/fd")) - 1
    except OSError:  # nothing is shown there
        return 0


def umask() -> int:
    """As it is: it can only be asked for by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def handlers() -> dict[int, str]:
    """Of signals that something else than the default happens to: the name of what does."""
    found = {int(number): signal.getsignal(number) for number in signal.valid_signals()}
    told = {number: named(one) for number, one in found.items()}
    return {number: name for number, name in told.items() if name != "SIG_DFL"}


def named(handler: Any) -> str:
    return str(getattr(handler, "name", None) or getattr(handler, "__qualname__", type(handler).__name__))
