"""Bytes under their own digest, one file each."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import ExitStack
from pathlib import Path

from optagent.errors import LedgerCorrupt

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def put(folder: Path, data: bytes) -> str:
    """The bytes are on the disk; their SHA-256 in hex. Putting them again does nothing."""
    digest = hashlib.sha256(data).hexdigest()
    file = file_of(folder, digest)
    if not file.exists():
        write_whole(file, data)
    return digest


def get(folder: Path, digest: str) -> bytes:
    """The bytes of that digest; LedgerCorrupt when they are missing or others."""
    file = file_of(folder, digest)
    try:
        data = file.read_bytes()
    except FileNotFoundError as error:
        raise LedgerCorrupt(f"The artifact {file} is missing.", "Start a new run.") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise LedgerCorrupt(f"The artifact {file} is damaged.", f"Remove it (`rm {file}`) and start a new run.")
    return data


def file_of(folder: Path, digest: str) -> Path:
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError(f"{digest!r} is no digest")
    return folder / digest[:2] / digest[2:]


def write_whole(file: Path, data: bytes) -> None:
    """The file is there with all of the data, or, after a crash, not at all. Its folder is made when it is missing."""
    new = f"{file.parent}/.new-{os.urandom(8).hex()}"
    try:
        handle = os.open(new, NEW, 0o600)
    except FileNotFoundError:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(new, NEW, 0o600)
    with ExitStack() as undo:
        undo.callback(os.unlink, new)
        with open(handle, "wb", buffering=0) as whole:
            left = memoryview(data)
            while left:
                left = left[whole.write(left) :]
            os.fsync(handle)
        os.replace(new, file)
        undo.pop_all()
