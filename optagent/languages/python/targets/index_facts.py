"""What the index knows of one file, found on as many cores as pay."""

from __future__ import annotations

import gc
import hashlib
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import NamedTuple

from optagent.errors import BadSource
from optagent.languages.python.source.import_names import names_imported_by
from optagent.languages.python.source.kinds import Function, described
from optagent.languages.python.source.sources import decoded, parse_source

PAYS_FROM_BYTES = 2_000_000
"""Starting processes costs 0.05 s, a megabyte of source 0.11 s: with an idle core a second process pays from 1 MB, with
a busy one not even at 4 MB (benchmarks/results/index.md). Either way little is lost around here."""

UNREADABLE = ""  # in place of a digest
CHUNK = 8  # files a process takes at a time: few enough that both end together, enough to save questions


class Facts(NamedTuple):
    """Of one content, wherever it lies: its functions, and the dotted names it imports, separated by spaces."""

    functions: tuple[Function, ...] = ()
    imports: str = ""


class Job(NamedTuple):
    file: str
    size: int
    is_test: bool


Looked = tuple[str, Facts]  # with the digest of the very bytes that were looked at


def digest_of(raw: bytes, is_test: bool) -> str:
    """The key under which facts are kept; of a test file other facts are wanted, so it has another key."""
    return hashlib.blake2b(raw, digest_size=16, person=b"test" if is_test else b"code").hexdigest()


def facts_of(raw: bytes, name: str, is_test: bool) -> Facts:
    """A file that is no valid Python has no functions: it cannot be imported either."""
    imports = " ".join(sorted(names_imported_by(raw)))
    if is_test or b"def" not in raw:
        return Facts((), imports)
    try:
        text = decoded(raw, name)
        return Facts(tuple(described(text, parse_source(text, name))), imports)
    except BadSource:
        return Facts((), imports)


def look(job: Job) -> Looked:
    """The facts of a file as it is now; of one that cannot be read there are none."""
    try:
        with open(job.file, "rb") as file:
            raw = file.read()
    except OSError:
        return UNREADABLE, Facts()
    return digest_of(raw, job.is_test), facts_of(raw, job.file, job.is_test)


def look_at_all(jobs: Sequence[Job], cores: int | None = None) -> list[Looked]:
    """The same for many files, in their order, on all cores when there is enough to do."""
    cores = cores or len(os.sched_getaffinity(0))
    pays = sum(job.size for job in jobs if not job.is_test) >= PAYS_FROM_BYTES
    if cores > 1 and pays and _is_alone():
        try:
            return _on_cores(jobs, cores)
        except (BrokenExecutor, OSError):  # no more processes or no shared memory to be had: this one can do it too
            pass
    with _no_collector():
        return [look(job) for job in jobs]


def _on_cores(jobs: Sequence[Job], cores: int) -> list[Looked]:
    """Large files first, so that no core is left alone with one at the end."""
    order = sorted(range(len(jobs)), key=lambda k: -jobs[k].size)
    with ProcessPoolExecutor(cores, get_context("fork"), _start_worker) as pool:
        found = list(pool.map(look, [jobs[k] for k in order], chunksize=CHUNK))
    by_place = dict(zip(order, found, strict=True))
    return [by_place[k] for k in range(len(jobs))]


def _start_worker() -> None:
    gc.disable()  # syntax trees hold no circles; looking for some doubles the time
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits for us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _is_alone() -> bool:
    """Whether this process has one thread, so that a fork cannot inherit a lock that nobody will release."""
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


@contextmanager
def _no_collector() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
