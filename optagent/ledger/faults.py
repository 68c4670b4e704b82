"""SQLite's and the disk's complaints, in our words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from optagent.errors import LedgerCorrupt, LedgerFault, LedgerUnwritable

ELSEWHERE = "Name another folder with `--state DIR`."
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)  # ERROR: our table is not there
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
REFUSED = (
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
)


@contextmanager
def faults(file: Path) -> Iterator[None]:
    """What goes wrong inside is a LedgerFault that names the file; a mistake of the caller stays what it is."""
    try:
        yield
    except sqlite3.Error as error:
        fault = fault_of(error, file)
        if fault is None:
            raise
        raise fault from error
    except OSError as error:
        raise LedgerUnwritable(f"The ledger {file} cannot be written: {error.strerror or error}.", ELSEWHERE) from error


def fault_of(error: sqlite3.Error, file: Path) -> LedgerFault | None:
    extended = getattr(error, "sqlite_errorcode", 0)  # absent when the module itself complains
    code = extended & 0xFF
    if code in DAMAGED or extended == sqlite3.SQLITE_IOERR_SHORT_READ:
        return LedgerCorrupt(f"The ledger {file} is damaged or is none: {error}.", set_aside(file))
    if code in BUSY:
        return LedgerUnwritable(f"The ledger {file} is kept busy by another process.", "Try again when that has ended.")
    if code in REFUSED:
        return LedgerUnwritable(f"The ledger {file} cannot be written: {error}.", ELSEWHERE)
    return None


def set_aside(file: Path) -> str:
    """The hint for a ledger that cannot be read; the folder goes, since SQLite keeps files beside the file."""
    return f"Set it aside and start anew: `mv {file.parent} {file.parent}.bad`."
