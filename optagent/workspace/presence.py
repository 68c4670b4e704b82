"""Who is at work in a repository's place: nobody goes on with a run that another process is busy with, and nobody
removes a place that another one has begun to use.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from optagent.errors import RunBusy

FILE = ".lock"
EVERYBODY = 0
"""The byte that all have in common; a session's byte is further on."""

TAKEN = (errno.EAGAIN, errno.EACCES)
NO_LOCKS = (errno.EINVAL, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)
"""What file systems and kernels say that have no such locks: there everybody goes on without."""


class Presence:
    """One session in a place. It takes part once it has entered, until it leaves or the process ends, however it
    ends."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._close: weakref.finalize[[int], Presence] | None = None
        self._descriptor = -1

    def enter(self) -> bool:
        """Whether the place is there, and nobody removes it any more."""
        if self._descriptor >= 0:
            return True
        try:
            descriptor = os.open(self.place / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except FileNotFoundError:
            return False
        self._descriptor = descriptor
        self._close = weakref.finalize(self, os.close, descriptor)
        if _lock(descriptor, fcntl.F_RDLCK, EVERYBODY) and self._is_there():
            return True
        self.leave()  # somebody was removing the place a moment ago
        return False

    def take(self, session: str) -> None:
        """Nobody else goes on with that session. Raises RunBusy when somebody does."""
        if not _lock(self._descriptor, fcntl.F_WRLCK, 1 + zlib.crc32(session.encode())):
            raise RunBusy(
                f"the run {session} (or another one of its session) is going on in another process",
                "Wait until it has ended, or end it.",
            )

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether we are in the place and nobody else is; then nobody can enter meanwhile."""
        if self._descriptor < 0:
            yield False
            return
        is_alone = _lock(self._descriptor, fcntl.F_WRLCK, EVERYBODY)
        try:
            yield is_alone
        finally:
            _lock(self._descriptor, fcntl.F_RDLCK, EVERYBODY)

    def leave(self) -> None:
        """Others may go on with what was taken, and remove the place."""
        if self._close is not None:
            self._close()
        self._descriptor = -1

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self.place / FILE))
        except FileNotFoundError:
            return False


def _lock(descriptor: int, kind: int, byte: int) -> bool:
    """Whether the byte is locked now: for this open file, which a fork or another thread does not end."""
    wanted = struct.pack("hhqqi4x", kind, os.SEEK_SET, byte, 1, 0)  # struct flock, 64 bits
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, wanted)
    except OSError as error:
        if error.errno in NO_LOCKS:
            return True
        if error.errno not in TAKEN:
            raise
        return False
    return True
