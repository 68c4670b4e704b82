"""What attacks may try to get at: planted things outside of the sandbox, and what has become of them."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from keeper_folders import scratch_left

KEY = "sk-PLANTED"
SHARED_KEY = 4711
REPO = {
    ".git/hooks/pre-commit": "#",
    ".git/config": "#",
    "tests/conftest.py": "#",
    "tests/test_a.py": "#",
    "pkg/a.py": "#",
}
HOME = {".ssh/id_ed25519": "SECRET", ".config/key": KEY}


class World:
    """Planted things. `facts` is what a program is told of them."""

    def __init__(self, folder: Path, mark: str, victim: int, listeners: dict[str, socket.socket]) -> None:
        self.home, self.repo = folder / "home", folder / "repo"
        self.mark, self.victim, self.listeners = mark, victim, listeners
        self.stays = f"stays-{uuid.uuid4().hex}"
        self.clock = time.time() - time.monotonic()
        self.before: Any = None

    def facts(self, repo: str) -> dict[str, Any]:
        names = {name: one.getsockname() for name, one in self.listeners.items()}
        return {
            "home": str(self.home), "repo": repo, "victim": self.victim, "parent": os.getpid(), "mark": self.mark,
            "stays": self.stays, "key": KEY, "other": "optagent-scratch-", "tcp": names["tcp"][1],
            "udp": names["udp"][1], "abstract": "\0" + names["abstract"][1:].decode(), "path": names["path"],
            "log": names["log"],
        }  # fmt: skip

    def harm(self) -> list[str]:
        """What is not as it was, by name."""
        found = {
            "files": self.files(), "victim": self.of_victim(), "arrived": self.arrived(), "left": self.left(),
            "clock": round((time.time() - time.monotonic() - self.clock) / 100),
        }  # fmt: skip
        before, self.before = self.before or found, found  # what one attack has done is not the next one's
        return [f"{name}: {_difference(found[name], before[name])}" for name in found if found[name] != before[name]]

    def files(self) -> list[tuple[Any, ...]]:
        rows = []
        for path in sorted(p for root in (self.home, self.repo) for p in (root, *root.rglob("*"))):
            seen = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            rows.append(
                (str(path), seen.st_mode, seen.st_uid, seen.st_mtime_ns, seen.st_nlink, content, os.listxattr(path))
            )
        return rows

    def of_victim(self) -> Any:
        try:
            limits = [resource.prlimit(self.victim, one) for one in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC)]
            state = Path(f"/proc/{self.victim}/stat").read_text().rpartition(")")[2].split()[0]
            nice = os.getpriority(os.PRIO_PROCESS, self.victim), os.getpriority(os.PRIO_PROCESS, 0)
            return limits, state in "SRD", nice, sorted(os.sched_getaffinity(self.victim))
        except ProcessLookupError:
            return "gone"

    def arrived(self) -> list[str]:
        names = []
        for name, one in self.listeners.items():
            with suppress(BlockingIOError):
                one.recv(10) if name in ("udp", "log") else one.accept()[0].close()
                names.append(name)
        return names

    def left(self) -> list[str]:
        found = [
            str(p) for folder in ("/tmp", "/dev/shm", "/var/tmp") for p in Path(folder).iterdir() if self.mark in p.name
        ]
        found += scratch_left()
        libc = ctypes.CDLL(None, use_errno=True)
        found += [name for name, get in (("shm", libc.shmget), ("sem", libc.semget)) if get(SHARED_KEY, 0, 0) != -1]
        found += ["queue"] if libc.msgget(SHARED_KEY, 0) != -1 else []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if self.stays.encode() in (folder / "cmdline").read_bytes():
                    found.append("process")
        return found


def _difference(now: Any, before: Any) -> str:
    if isinstance(now, list) and isinstance(before, list):
        now, before = [one for one in now if one not in before], [one for one in before if one not in now]
    return f"{now!r:.500} instead of {before!r:.500}"


@contextmanager
def world() -> Iterator[World]:
    """The things planted, in the hands of whoever runs this; gone afterwards."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="optagent-world-"))
        stack.callback(shutil.rmtree, folder)
        for name, files in (("home", HOME), ("repo", REPO)):
            for path, text in files.items():
                (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / name / path).write_text(text)
        with suppress(OSError):  # not every file system has them
            os.setxattr(folder / "home" / ".ssh" / "id_ed25519", "user.origin", KEY.encode())
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o777)  # what keeps an attack away is not their modes
        env = {"PATH": os.environ["PATH"], "OPENAI_API_KEY": KEY}
        mark = f"mark-{uuid.uuid4().hex}"
        sleeper = [sys.executable, "-c", "import time; time.sleep(3600)", mark]
        victim = stack.enter_context(subprocess.Popen(sleeper, env=env, stdin=subprocess.DEVNULL))
        stack.callback(victim.kill)
        yield World(folder, mark, victim.pid, _listeners(folder, stack))


def _listeners(folder: Path, stack: ExitStack) -> dict[str, socket.socket]:
    made = {
        "tcp": socket.socket(), "udp": socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "abstract": socket.socket(socket.AF_UNIX), "path": socket.socket(socket.AF_UNIX),
        "log": socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
    }  # fmt: skip
    for name, one in made.items():
        stack.enter_context(one)
        place = {
            "abstract": f"\0optagent-{uuid.uuid4().hex}",
            "path": str(folder / "socket"),
            "log": str(folder / "log"),
        }
        one.bind(place.get(name, ("127.0.0.1", 0)))
        one.setblocking(False)
        if name not in ("udp", "log"):
            one.listen()
    for name in ("socket", "log"):
        (folder / name).chmod(0o777)
    return made
