"""Copies file by file: nothing followed, nothing shared, everything readable."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from optagent.errors import EnvironmentFault
from optagent.workspace.folders import remove
from optagent.workspace.listing import Entry

FOLDER_MODE = 0o755  # a sandbox may drop to another user, who has to read all of it
FILE_MODE = 0o644
PROGRAM_MODE = 0o755
OLD_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe put in its place cannot hold us up
NEW_FILE = os.O_WRONLY | os.O_CLOEXEC | os.O_CREAT | os.O_EXCL
PIECE = 128 << 10  # larger buffers are mapped anew for each file


def copy_files(source: Path, entries: Iterable[Entry], into: Path) -> None:
    """`into` is a new folder that holds the entries of `source`.

    EnvironmentFault when a tracked file cannot be read or the copy cannot be written; then `into` is gone.
    """
    if into.is_dir() and any(into.iterdir()):
        raise ValueError(f"{into} is not empty")
    finished = False
    try:
        add_files(source, entries, into)
        finished = True
    finally:
        if not finished:
            remove(into)


def add_files(source: Path, entries: Iterable[Entry], into: Path) -> None:
    """`into` holds the entries of `source` too, none of which it had; the faults of `copy_files`."""
    try:
        make_folder(into)
        copier = Copier(source, into)
        for entry in entries:
            copier.copy(entry)
    except OSError as error:
        raise EnvironmentFault(
            f"The files of {source} cannot be copied to {into}: {error.strerror or error}.",
            "Free some space, or keep the state elsewhere with `--state DIR`.",
        ) from error


def make_folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)
    os.chmod(path, FOLDER_MODE)  # whatever the umask


def copy_file(source: str, into: str, mode: int) -> None:
    """`into` is a new file with the bytes of the source. Few system calls: large projects have 50,000 files."""
    with ExitStack() as stack:
        old = os.open(source, OLD_FILE)
        stack.callback(os.close, old)
        new = os.open(into, NEW_FILE, mode)
        stack.callback(os.close, new)
        while data := os.read(old, PIECE):
            while data:
                data = data[os.write(new, data) :]
        os.fchmod(new, mode)  # whatever the umask


class Copier:
    """Copies entries of one folder into another, and makes the folders on the way once."""

    def __init__(self, source: Path, into: Path) -> None:
        self._source = str(source)
        self._into = str(into)
        self._folders = {"": True}

    def copy(self, entry: Entry) -> None:
        """The entry is in the copy, unless it is gone, no file, or lies behind a link.

        What git does not track and its owner cannot read is left out: his tests cannot read it either.
        """
        try:
            self._copy(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            return
        except PermissionError as error:
            if entry.tracked:
                path = f"{self._source}/{entry.path}"
                raise EnvironmentFault(f"{path} cannot be read.", f"Run `chmod u+r {path}`.") from error

    def _copy(self, path: str) -> None:
        source, into = f"{self._source}/{path}", f"{self._into}/{path}"
        if not self._folder(path.rpartition("/")[0]):
            return
        mode = os.lstat(source).st_mode
        if stat.S_ISLNK(mode):
            os.symlink(self._link(source), into)
        elif stat.S_ISREG(mode):
            copy_file(source, into, PROGRAM_MODE if mode & 0o111 else FILE_MODE)
        elif stat.S_ISDIR(mode):
            self._folder(path)

    def _folder(self, path: str) -> bool:
        """Whether the path is a folder of the source, with no link on the way; then the copy has it too."""
        if path not in self._folders:
            is_folder = self._folder(path.rpartition("/")[0]) and stat.S_ISDIR(
                os.lstat(f"{self._source}/{path}").st_mode
            )
            if is_folder:
                make_folder(Path(self._into, path))
            self._folders[path] = is_folder
        return self._folders[path]

    def _link(self, source: str) -> str:
        """Where the link points; absolute into the source becomes relative, or the copy would lead back there."""
        aim = os.readlink(source)
        if os.path.isabs(aim) and f"{os.path.normpath(aim)}/".startswith(f"{self._source}/"):
            return os.path.relpath(aim, os.path.dirname(source))
        return aim
