"""The files of one command inside the sandbox: without a name as long as it must not find them, and gone afterwards.

Runs in optagent's interpreter inside the sandbox: standard library only.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from typing import IO


def nameless() -> IO[bytes]:
    return tempfile.TemporaryFile(buffering=0)


def give_name(file: IO[bytes], path: str) -> None:
    """The file has this name; a copy where the file system gives names to no nameless file."""
    here = os.open(".", os.O_RDONLY)
    try:
        os.link(f"/proc/self/fd/{file.fileno()}", path, src_dir_fd=here)  # the descriptor is what makes it follow
    except OSError:
        file.seek(0)
        with open(path, "wb") as copy:
            shutil.copyfileobj(file, copy)
    finally:
        os.close(here)


def opened(path: str) -> int | str | None:
    """The output file, open; words when it is none; None when nothing was written."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as fault:
        return f"no file: {fault.strerror}"
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return "no regular file"


def remove(path: str) -> None:
    if os.path.islink(path) or not os.path.isdir(path):
        os.unlink(path)
        return
    try:
        shutil.rmtree(path)
    except PermissionError:  # folders that even their owner may not look into
        open_up(path)
        shutil.rmtree(path)


def unmark(folder: str) -> None:
    """Attributes, mode and times say nothing, where the folder is ours and a command could make them say something."""
    if os.stat(folder).st_uid != os.getuid():
        return
    for name in os.listxattr(folder):
        if name.startswith("user."):
            os.removexattr(folder, name)
    os.chmod(folder, 0o1777)
    os.utime(folder, (0, 0))


def open_up(path: str) -> None:
    waiting = [path]
    while waiting:
        folder = waiting.pop()
        os.chmod(folder, 0o700)
        waiting.extend(one.path for one in os.scandir(folder) if one.is_dir(follow_symlinks=False))
