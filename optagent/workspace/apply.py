"""The one way back into the user's tree, and out of it again."""

from __future__ import annotations

import os
import secrets
from contextlib import ExitStack, suppress
from pathlib import Path

from optagent.core.patch import Change, Patch
from optagent.errors import EnvironmentFault, TreeChanged
from optagent.workspace.inside import inside
from optagent.workspace.text import encode
from optagent.workspace.worktree import root_of


def apply(repo: Path, patch: Patch) -> list[Path]:
    """The user's files are as the patch wants them; the paths written, absolute.

    All or nothing: TreeChanged (or UsageError for a path outside of the project) before anything is
    written unless every file is byte for byte the patch's old one; EnvironmentFault when a file cannot
    be written, and then those already written are put back.
    """
    root = root_of(repo)
    return write_all(root, patch, [unchanged(root, change) for change in patch.changes])


def undo(repo: Path, patch: Patch) -> list[Path]:
    """The user's files are as they were before `apply` wrote the patch; the paths written, absolute.

    All or nothing, as `apply`: TreeChanged unless every file is byte for byte as the patch left it. Folders
    that were made for new files stay.
    """
    root = root_of(repo)
    if all(content(inside(root, change.path)) == old(change) for change in patch.changes):
        raise TreeChanged(
            f"The files in {root} are as the run found them, so there is nothing to undo.", "Name another run."
        )
    return write_all(root, patch.reverse, [as_left(root, change) for change in patch.changes])


def write_all(root: Path, patch: Patch, files: list[Path]) -> list[Path]:
    """Every file is as the patch wants it, or none is and EnvironmentFault says which could not be put back."""
    try:
        with ExitStack() as undo:
            for file, change in zip(files, patch.changes, strict=True):
                write_change(file, change, undo)
            undo.pop_all()
    except OSError as error:
        changed = [str(file) for file, change in zip(files, patch.changes, strict=True) if content(file) != old(change)]
        raise EnvironmentFault(
            f"The patch cannot be written to {root}: {error}.",
            f"These could not be put back: {', '.join(changed)}." if changed else "All files are as they were.",
        ) from error
    return files


def unchanged(root: Path, change: Change) -> Path:
    """The file of the change, which is what the patch was made from."""
    file = inside(root, change.path)
    if content(file) != old(change):
        raise TreeChanged(
            f"{change.path} is not the file the run started from, so the patch does not fit; nothing was written.",
            "Put the file back, or run optagent again.",
        )
    return file


def as_left(root: Path, change: Change) -> Path:
    """The file of the change, which is what `apply` made of it."""
    file = inside(root, change.path)
    if content(file) != new(change):
        raise TreeChanged(
            f"{change.path} is not as the patch left it, so the patch cannot be taken out; nothing was written.",
            "Take it out by hand: `optagent show` prints it.",
        )
    return file


def old(change: Change) -> bytes | None:
    return None if change.old is None else encode(change.old)


def new(change: Change) -> bytes | None:
    return None if change.new is None else encode(change.new)


def content(file: Path) -> bytes | None:
    """The bytes of a file, None where there is nothing; TreeChanged for a link, a folder, a device."""
    if not os.path.lexists(file):
        return None
    if file.is_symlink() or not file.is_file():
        raise TreeChanged(f"{file} is not a regular file, so the patch does not fit; nothing was written.")
    try:
        return file.read_bytes()
    except OSError as error:
        raise EnvironmentFault(f"{file} cannot be read: {error.strerror}.") from error


def write_change(file: Path, change: Change, undo: ExitStack) -> None:
    """The file is as the patch wants it; `undo` knows how to take that back."""
    facts = file.stat() if file.exists() else None
    for folder in reversed([folder for folder in file.parents if not folder.exists()]):
        folder.mkdir()
        undo.callback(folder.rmdir)
    undo.callback(put_back, file, old(change), facts)
    write(file, new(change), facts)


def put_back(file: Path, data: bytes | None, facts: os.stat_result | None) -> None:
    if content(file) != data:
        write(file, data, facts)


def write(file: Path, data: bytes | None, facts: os.stat_result | None) -> None:
    """The file holds the data with the mode and owner in `facts`, or is gone for None; nobody ever sees half of it."""
    if data is None:
        file.unlink()
        return
    beside = file.with_name(f".optagent-{secrets.token_hex(8)}")
    with ExitStack() as undo:
        with beside.open("xb") as copy:
            undo.callback(beside.unlink)
            copy.write(data)
            copy.flush()
            os.fsync(copy.fileno())
        if facts:
            dress(beside, facts)
        beside.replace(file)
        undo.pop_all()


def dress(file: Path, facts: os.stat_result) -> None:
    """The file has the mode and owner of another; a change of owner clears setuid bits, so the mode comes last."""
    with suppress(PermissionError):  # only root may give files away, and only root has to
        os.chown(file, facts.st_uid, facts.st_gid)
    file.chmod(facts.st_mode & 0o7777)
