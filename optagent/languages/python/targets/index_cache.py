"""The index on disk: what was known of which content, and which file had which content.

A wrong hit would take two different contents of one file for the same. By content that takes a collision of BLAKE2b.
By the look of a file (size, times of change, inode) it takes a second write that leaves all of them as they were: the
kernel sets the time of the last change of the inode itself, so only a write within the same tick of its clock does.
So a look is kept only if both times lie `SETTLED_NS` before the scan began; younger files are read again and known by
their content (git does the same with the entries it calls racy). On a file system whose clock is slow by more than
that, the two writes would still have to fall into one tick, the scan's read between them, and have the same size.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from optagent.languages.python.source.kinds import Function
from optagent.languages.python.targets.index_facts import Facts

FILE = "functions.index"
CODE = (
    *("source/functions.py", "source/import_names.py", "source/kinds.py", "source/sources.py"),
    *("targets/index_cache.py", "targets/index_facts.py"),
)
SETTLED_NS = 2_000_000_000
Look = tuple[int, ...]
UNSETTLED: Look = ()


@dataclass(frozen=True)
class Known:
    """`files`: by path below the tree, the look of a file and the digest of its content; `facts` by digest."""

    files: Mapping[str, tuple[Look, str]] = field(default_factory=dict)
    facts: Mapping[str, Facts] = field(default_factory=dict)


def look_of(stat: os.stat_result, is_test: bool, began_ns: int) -> Look:
    """What tells that a file has not been written since, or UNSETTLED when it was written just now.

    Whether it is a test is part of it: that depends on where the project begins, and other facts are kept then.
    """
    if max(stat.st_mtime_ns, stat.st_ctime_ns) > began_ns - SETTLED_NS:
        return UNSETTLED
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, int(is_test)


@cache
def edition() -> str:
    """Changes with whatever the facts depend on: the code that finds them, and the Python whose parser it uses."""
    code = [(Path(__file__).parents[1] / name).read_bytes() for name in CODE]
    return hashlib.blake2b(b"\0".join([sys.version.encode(), *code]), digest_size=16).hexdigest()


def read(folder: Path) -> Known:
    """What was written there by this very edition of optagent; nothing when it is missing, damaged or another's."""
    try:
        header, _, payload = (folder / FILE).read_bytes().partition(b"\n")
    except OSError:
        return Known()
    return _known(json.loads(payload)) if header == _header(payload) else Known()


def write(folder: Path, known: Known) -> None:
    """The file is replaced whole, or left as it was when the folder refuses: the index is right without it."""
    payload = json.dumps({"files": known.files, "facts": known.facts}, separators=(",", ":")).encode()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / FILE, _header(payload) + b"\n" + payload)


def _replace(file: Path, data: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f"{FILE}-", dir=file.parent)
    try:
        with open(descriptor, "wb") as new:
            new.write(data)
        os.replace(name, file)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def _header(payload: bytes) -> bytes:
    return f"optagent index {edition()} {hashlib.blake2b(payload, digest_size=16).hexdigest()}".encode()


def _known(data: dict[str, dict[str, Any]]) -> Known:
    """JSON has lists where we have tuples."""
    files = {path: (tuple(look), digest) for path, (look, digest) in data["files"].items()}
    facts = {
        digest: Facts(tuple([Function(*each) for each in found]), imports)
        for digest, (found, imports) in data["facts"].items()
    }
    return Known(files, facts)
