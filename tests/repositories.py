"""Real repositories, and all that a run must leave as it is in them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from optagent.errors import OptagentError

NOBODY = 65534
AUTHOR = [
    "-c",
    "user.name=t",
    "-c",
    "user.email=t@t",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "gc.auto=0",
    "-c",
    "protocol.file.allow=always",
]


def git(folder: Path, *words: str) -> bytes:
    """The test's own git, under no configuration but the repository's."""
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    return subprocess.run(["git", *AUTHOR, "-C", folder, *words], check=True, capture_output=True, env=env).stdout


def write(root: Path, files: dict[str, bytes | str]) -> None:
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)


def commit(repo: Path, files: dict[str, bytes | str]) -> Path:
    """A repository whose first commit holds the files."""
    repo.mkdir(parents=True, exist_ok=True)
    write(repo, files)
    git(repo, "init", "-q", "-b", "main")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "first")
    return repo


def files_of(root: Path) -> set[str]:
    """The paths of everything below `root` that is no folder."""
    return {
        os.path.relpath(os.path.join(folder, name), root)
        for folder, folders, names in os.walk(root)
        for name in [*names, *(each for each in folders if os.path.islink(os.path.join(folder, each)))]
    }


def everything(repo: Path) -> dict[str, tuple[object, ...]]:
    """Every path below the folder and the folder itself, `.git` included: mode, time, inode, content or aim."""
    inside = [os.path.join(top, name) for top, folders, names in os.walk(repo) for name in (*folders, *names)]
    return {os.path.relpath(path, repo): facts_of(Path(path)) for path in (str(repo), *inside)}


def facts_of(path: Path) -> tuple[object, ...]:
    facts = os.lstat(path)
    content: object = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
    is_timed = not path.name.startswith("sharedindex.")  # git renews the time of a shared index whenever it reads it
    return facts.st_mode, facts.st_mtime_ns if is_timed else 0, facts.st_ino, content


def as_nobody(folder: Path, function: Callable[[], object]) -> str:
    """What the function returned or raised, as text, run without root's rights; `folder` is made reachable."""
    if os.geteuid() != 0:
        return told(function)
    for each in (folder, *folder.parents[:2]):  # pytest keeps its folders to itself
        each.chmod(each.stat().st_mode | 0o055)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(writer, told(function).encode())
        finally:
            os._exit(0)  # never back into pytest
    os.close(writer)
    with open(reader) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return text


def told(function: Callable[[], object]) -> str:
    try:
        return str(function())
    except (OptagentError, OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
