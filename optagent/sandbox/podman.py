"""What podman is told to make one container: its command line, its environment, and the folder it works in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from optagent.errors import SandboxUnavailable
from optagent.sandbox.base import SCRATCH, Limits, Mount
from optagent.sandbox.bwrap import SYSTEM_FILES, SYSTEM_FOLDERS

HERE = Path(__file__).parent
INIT = "/optagent/init"
PREFIX, CODE = f"{INIT}/python", f"{INIT}/code/optagent/sandbox"
"""Where our own interpreter is seen, if it is not the system's, and what of ours it runs."""

PROGRAMS = ("container_init.py", "keeper.py")
LINK = 3
"""The one descriptor that a container is handed."""

SETTINGS = b'[engine]\nlock_type = "file"\n[containers]\ndefault_ulimits = []\n'
"""Instead of the machine's and the user's: they could mount, set or run more. Locks in memory would be shared with the
user's own containers, and stay behind."""


@dataclass(frozen=True)
class Interpreter:
    """Who runs our first process, by the name it has inside, and the folder of the machine that holds it, if the system
    does not."""

    program: str
    folder: Path | None = None


@dataclass(frozen=True)
class Box:
    """One container: the folder for all of podman's state, and who code is inside."""

    folder: str
    interpreter: Interpreter
    user: int
    group: int
    is_root: bool


def own_interpreter() -> Interpreter:
    """Ours, wherever it lies. Raises SandboxUnavailable where it does not look like the others."""
    prefix = Path(sys.base_prefix).resolve()
    program = prefix / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not program.exists():
        raise SandboxUnavailable(
            f"the sandbox `container` runs a part of optagent inside, and our own Python has no {program}",
            "Run optagent with another Python.",
        )
    if prefix.is_relative_to("/usr"):
        return Interpreter(str(program))
    return Interpreter(f"{PREFIX}/bin/{program.name}", prefix)


def words(box: Box, binds: Sequence[tuple[str, str]], limits: Limits) -> list[str]:
    """podman's words for one container in which these places are seen, read-only. No limits on resources and no filter
    yet: our first process puts them on the command."""
    library = f"{PREFIX}/lib" if box.interpreter.folder else ""
    return [
        *_state(box.folder),
        "run", "--rootfs", "--read-only", "--read-only-tmpfs=false", "--cgroups=disabled", "--log-driver=passthrough",
        "--network=none", "--no-hosts", "--ipc=none", "--pid=private", "--uts=private", "--hostname=sandbox",
        f"--user={box.user}:{box.group}", "--passwd=false", *([] if box.is_root else _only(box.user, box.group)),
        "--cap-drop=all", "--security-opt=no-new-privileges", "--security-opt=seccomp=unconfined",
        "--security-opt=label=disable", "--sig-proxy=false", "--systemd=false", "--http-proxy=false", "--unsetenv-all",
        f"--env=LD_LIBRARY_PATH={library}", "--workdir=/", "--ulimit=host",
        *(f"--tmpfs={place}:rw,nosuid,nodev,mode=1777,size={limits.scratch_bytes}" for place in (SCRATCH, "/dev/shm")),
        *(_bind(source, inside) for source, inside in binds), f"--preserve-fds={LINK - 2}",
        f"{box.folder}/root", box.interpreter.program, "-I", "-S", f"{CODE}/container_init.py", str(LINK),
    ]  # fmt: skip


def _state(folder: str) -> list[str]:
    """podman takes no longer name than 50 characters for its second folder. Only crun does without cgroups."""
    return [
        f"--root={folder}/storage", f"--runroot={folder}/run", f"--tmpdir={folder}/runtime/tmp",
        f"--hooks-dir={folder}/empty", "--runtime=crun", f"--runtime-flag=root={folder}/oci",
        "--storage-driver=vfs", "--cgroup-manager=cgroupfs", "--events-backend=none", "--log-level=fatal",
    ]  # fmt: skip


def _only(user: int, group: int) -> list[str]:
    """In the container's space of users there is nobody but the user, under the same number; to podman that is its
    number 0. So no ranges of further numbers are needed."""
    return [f"--uidmap={user}:0:1", f"--gidmap={group}:0:1"]


def _bind(source: str, inside: str) -> str:
    fields = ("type=bind", f"source={source}", f"destination={inside}", "ro=true", "bind-nonrecursive=true")
    return "--mount=" + ",".join(map(_quoted, fields))


def _quoted(text: str) -> str:
    """As a field of comma-separated values."""
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text


def environment(folder: str, path: str) -> dict[str, str]:
    """podman's own. Nothing of the user's, whose settings could mount, set and run more."""
    return {
        "PATH": path,
        "HOME": f"{folder}/home",
        "XDG_RUNTIME_DIR": f"{folder}/runtime",
        "TMPDIR": f"{folder}/runtime",
        "CONTAINERS_CONF": f"{folder}/containers.conf",
    }


def layout(passwd: bytes) -> dict[str, Mapping[str, object] | Sequence[str]]:
    """What is in the folder of one container, by name: podman's settings, and its bare root with what is ours."""
    code = f"root{CODE}"
    system = {name: Path("/", name) for name in SYSTEM_FOLDERS}
    inside = [f"root/{name}" for name in ("etc", "proc", "dev", "sys", "tmp")]
    return {
        "folders": ["home", "runtime", "empty", "sys/fs/cgroup", *inside, code],
        "files": {"containers.conf": SETTINGS, "root/etc/passwd": passwd},
        "links": {f"root/{name}": os.readlink(place) for name, place in system.items() if place.is_symlink()},
        "copies": {f"{code}/{name}": str(HERE / name) for name in PROGRAMS},
    }


def shown(box: Box, mounts: Sequence[Mount]) -> list[tuple[str, str]]:
    """All that is shown, each with its name inside, what lies above before what lies below. /sys is empty: it tells of
    the machine what nobody needs."""
    found = {"/sys": f"{box.folder}/sys", "/sys/fs/cgroup": f"{box.folder}/empty", "/usr": "/usr"}
    folders = [Path("/", name) for name in SYSTEM_FOLDERS]
    found |= {str(place): str(place) for place in folders if place.is_dir() and not place.is_symlink()}
    files = [Path("/etc", name) for name in SYSTEM_FILES]
    found |= {str(place): str(place.resolve()) for place in files if place.exists()}
    if box.interpreter.folder:
        found[PREFIX] = str(box.interpreter.folder)
    found |= {mount.inside: str(mount.source.resolve()) for mount in mounts}
    points = _mount_points()
    return [one for inside in sorted(found) for one in parts(found[inside], inside, points)]


def parts(source: str, inside: str, points: Sequence[str]) -> Iterator[tuple[str, str]]:
    """A folder and what is mounted below it: that a mount is read-only does not hold for those in it.

    >>> [*parts("/usr", "/seen", ["/", "/usr/local", "/usrs"])]
    [('/usr', '/seen'), ('/usr/local', '/seen/local')]
    """
    yield source, inside
    for point in points:
        if point.startswith(f"{source}/"):
            yield point, inside + point.removeprefix(source)


def _mount_points() -> list[str]:
    """Where something is mounted on this machine (proc(5), mountinfo)."""
    lines = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    return sorted({unescaped(line.split(" ")[4]) for line in lines})


def unescaped(text: str) -> str:
    r"""The kernel writes spaces and their like as octal numbers.

    >>> unescaped(r"/a\040b\134c")
    '/a b\\c'
    """
    head, *rest = text.split("\\")
    return head + "".join(chr(int(one[:3], 8)) + one[3:] for one in rest)
