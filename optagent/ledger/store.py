"""The ledger: one SQLite file of events that are only ever added, and a folder of artifacts."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from optagent.errors import LedgerCorrupt, LedgerUnknown, RunNotFound
from optagent.ledger import artifacts
from optagent.ledger.events import Event, Stage, to_text
from optagent.ledger.faults import ELSEWHERE, faults, set_aside

# What `PRAGMA user_version` says. History:
#   1  event(number, run, trial, kind, at, data); data is JSON by optagent/ledger/events.py
#   2  what is sent to a model and its replies are in their events; they were artifacts of their own
SCHEMA_VERSION = 2
FILE_NAME = "ledger.sqlite"
WAIT_S = 30.0  # for another process; its writes take milliseconds

SCHEMA = f"""
CREATE TABLE event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL,
    trial INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at REAL NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX event_of_run ON event (run, number);
CREATE TRIGGER events_stay AFTER UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER runs_stay BEFORE DELETE ON event
    WHEN EXISTS (SELECT 1 FROM event WHERE run = OLD.run AND kind = 'baseline_taken')
    BEGIN SELECT RAISE(ABORT, 'a run with a baseline is never forgotten'); END;
PRAGMA user_version = {SCHEMA_VERSION};
"""


class Ledger:
    """All runs of one repository; any number of threads may add events. Every method may raise a LedgerFault; close it,
    or use it in a `with`."""

    def __init__(self, file: Path, db: sqlite3.Connection) -> None:
        self._file = file
        self._db = db
        self._one_at_a_time = Lock()  # a connection has one transaction

    @classmethod
    def open(cls, folder: Path, create: bool = True) -> Ledger:
        """The ledger in the folder, which is made when it is not there and `create` says so; else RunNotFound.

        A ledger is there whole or not at all, also when two processes make it at once or one is killed.
        """
        file = folder.absolute() / FILE_NAME
        with faults(file):
            if not file.exists():
                if not create:
                    raise RunNotFound(f"No run has been recorded in {folder}.", "Start one with `optagent run`.")
                make(file)
            return cls(file, connect(file))

    def append(self, run: str, kind: str, data: Stage | Mapping[str, Any], trial: int = 0) -> int:
        """The event is on the disk and survives a crash; its number, which grows with every event."""
        row = (run, trial, kind, time.time(), to_text(data))
        with self._writing():
            sql = "INSERT INTO event (run, trial, kind, at, data) VALUES (?, ?, ?, ?, ?)"
            return int(self._db.execute(sql, row).lastrowid or 0)

    def record(self, run: str, stage: Stage, trial: int = 0) -> int:
        """`append` under the stage's own kind."""
        return self.append(run, stage.kind, stage, trial)

    def events(self, run: str, kind: str | None = None, trial: int | None = None) -> Iterator[Event]:
        """The run's events in the order they were appended; none for a run that is not there."""
        sql = "SELECT number, run, trial, kind, at, data FROM event WHERE run = ?"
        wanted = {"kind": kind, "trial": trial}
        asked = {name: value for name, value in wanted.items() if value is not None}
        sql += "".join(f" AND {name} = ?" for name in asked) + " ORDER BY number"
        with faults(self._file):
            rows = self._db.execute(sql, (run, *asked.values())).fetchall()
        return (self._event(row) for row in rows)

    def runs(self) -> list[str]:
        """The names of all runs, newest first."""
        with faults(self._file):
            rows = self._db.execute("SELECT run FROM event GROUP BY run ORDER BY MIN(number) DESC").fetchall()
        return [run for (run,) in rows]

    def forget(self, run: str) -> None:
        """There is no such run; only for one that never had a baseline (ValueError)."""
        try:
            with self._writing():
                self._db.execute("DELETE FROM event WHERE run = ?", (run,))
        except sqlite3.IntegrityError as error:
            raise ValueError(f"run {run}: {error}") from error

    def put(self, data: bytes) -> str:
        """The bytes are kept; the digest that gives them back."""
        with faults(self._file):
            return artifacts.put(self._file.parent / "artifacts", data)

    def get(self, digest: str) -> bytes:
        """The bytes of that digest, verified."""
        with faults(self._file):
            return artifacts.get(self._file.parent / "artifacts", digest)

    def close(self) -> None:
        with faults(self._file):
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction; it waits for another process before it reads anything, so that it cannot fail half-way."""
        with self._one_at_a_time, faults(self._file), ExitStack() as undo:
            self._db.execute("BEGIN IMMEDIATE")
            undo.callback(self._db.rollback)
            yield
            self._db.execute("COMMIT")
            undo.pop_all()

    def _event(self, row: tuple[int, str, int, str, float, str]) -> Event:
        number, run, trial, kind, at, data = row
        try:
            return Event(number, run, trial, kind, at, json.loads(data))
        except ValueError as error:
            raise LedgerCorrupt(
                f"Event {number} in {self._file} is not what we wrote: {error}.", set_aside(self._file)
            ) from error


def make(file: Path) -> None:
    """An empty ledger, built under another name and linked into place: the first of several wins, all use it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".new-") as folder:
        new = Path(folder, FILE_NAME)
        with closing(sqlite3.connect(new, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = WAL")  # readers never wait; kept in the file
            db.executescript(SCHEMA)
        with suppress(FileExistsError):
            os.link(new, file)


def connect(file: Path) -> sqlite3.Connection:
    """An open connection to a ledger of our version."""
    place = f"{file.as_uri()}?mode=rw"
    db = sqlite3.connect(place, uri=True, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
    with ExitStack() as undo:
        undo.callback(db.close)
        check_version(db, file)
        # FULL: in WAL mode anything less may lose the last events in a power cut. A run has a few dozen.
        db.execute("PRAGMA synchronous = FULL")
        undo.pop_all()
    return db


def check_version(db: sqlite3.Connection, file: Path) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version == 0:
        raise LedgerCorrupt(f"{file} is not a ledger of optagent.", set_aside(file))
    if version != SCHEMA_VERSION:
        raise LedgerUnknown(
            f"{file} was written by another version of optagent (schema {version}; this one knows {SCHEMA_VERSION}).",
            set_aside(file) if version < SCHEMA_VERSION else f"Upgrade optagent. {ELSEWHERE}",
        )
