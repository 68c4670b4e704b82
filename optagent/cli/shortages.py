"""What the machine refuses to us, in our words: it is no bug of ours, and no verdict on anybody."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from optagent.errors import EnvironmentFault, OutOfMemory, SystemRefused

FREE_SOME = "Free some. A run that had begun goes on with `optagent resume REPO`; see `optagent runs REPO`."
ELSEWHERE = "name other folders: `--state DIR` for the record of runs, TMPDIR for what is temporary."
REFUSED = {
    errno.ENOSPC: ("the disk is full", f"Free some of it, or {ELSEWHERE}"),
    errno.EDQUOT: ("this user's share of the disk is full", f"Free some of it, or {ELSEWHERE}"),
    errno.EROFS: ("a read-only file system cannot be written", f"Make it writable, or {ELSEWHERE}"),
    errno.EACCES: ("this user may not use a file or a folder", "Give this user the right to, or name another one."),
    errno.EMFILE: ("too many files are open in optagent", "Raise the limit: `ulimit -n 4096`."),
    errno.ENFILE: ("too many files are open on this machine", "Close some programs, then try again."),
}
WITHOUT_A_WORD = "without exception set"
"""What CPython says of a failure that it could not keep: that takes memory, too."""
NO_TEMPORARY = "No usable temporary directory"


@contextmanager
def shortages() -> Iterator[None]:
    """What optagent itself could not have inside is an EnvironmentFault; a bug stays what it is."""
    try:
        yield
    except (MemoryError, OSError, RuntimeError, SystemError) as short:
        fault = _fault_of(short)
        if fault is None:
            raise
    else:
        return
    raise fault  # out here: what came before it may hold the memory that there is not enough of


def _fault_of(short: Exception) -> EnvironmentFault | None:
    """A stack for another thread, and a folder for temporary files, are told of in words only."""
    code = short.errno if isinstance(short, OSError) else None
    if isinstance(short, MemoryError) or code == errno.ENOMEM or str(short) == "can't start new thread":
        return OutOfMemory(
            "this machine, or a limit on this process, has not enough memory for optagent itself", FREE_SOME
        )
    if isinstance(short, SystemError) and WITHOUT_A_WORD in str(short):
        return OutOfMemory(f"Python failed inside ({short}), most likely for want of memory", FREE_SOME)
    if not isinstance(short, OSError):
        return None
    if code == errno.ENOENT and str(short.strerror).startswith(NO_TEMPORARY):
        where = str(short.strerror).partition(" in ")[2]
        return SystemRefused(f"no folder for temporary files can be written: {where}", "Name one in TMPDIR.")
    if code not in REFUSED:
        return None
    (what, hint), file = REFUSED[code], short.filename2 or short.filename  # of a copy, the copy
    return SystemRefused(f"{what}: {file}" if isinstance(file, str) else what, hint)
