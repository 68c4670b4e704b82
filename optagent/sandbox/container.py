"""The container rung: podman makes the namespaces and the mounts, of this machine's own system instead of an image.

podman hands a container no descriptor that it would not keep itself, outlives a kill by its helpers, and keeps books
about its containers: so a keeper starts it (sandbox/container_keeper.py), and a first process inside starts the command
(sandbox/container_init.py).
"""

from __future__ import annotations

import itertools
import marshal
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from optagent.errors import SandboxUnavailable
from optagent.sandbox import process, seccomp
from optagent.sandbox.base import CHANNEL_VARIABLE, SCRATCH, Command, ExecResult, Exited, Limits, Mount, Profile
from optagent.sandbox.bwrap import PROBES, SYSTEM_FILES, SYSTEM_FOLDERS, USER_IDS, passwd_file
from optagent.sandbox.live import Live

HERE = Path(__file__).parent
INIT = "/optagent/init"
PREFIX, CODE = f"{INIT}/python", f"{INIT}/code/optagent/sandbox"
"""Where our own interpreter is seen, if it is not the system's, and what of ours it runs."""

PROGRAMS = ("container_init.py", "keeper.py")
LINK = 3
STARTED = b"started"
TOOLS = ("podman", "crun", "conmon", "setpriv")
SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SETTINGS = b'[engine]\nlock_type = "file"\n[containers]\ndefault_ulimits = []\n'
"""Instead of the machine's and the user's: they could mount, set or run more. Locks in memory would be shared with the
user's own containers, and stay behind."""

MORE_PROBES = """
grep -q '^Seccomp:.*2$' /proc/self/status || echo "there is no filter of system calls"
grep '^Cap' /proc/self/status | grep -qv 0000000000000000 && echo "there are capabilities"
"""
GAPS = (
    "podman, crun and conmon have to be trusted with all rights of whoever starts them",
    f"the folder of optagent's own Python is shown, read-only, in {INIT}",
)


@dataclass(frozen=True)
class Interpreter:
    """Who runs our first process: a program in a folder of the machine, and what both are called inside."""

    program: str
    folder: Path | None


class Container:
    """Needs podman, crun and conmon. As root, code runs as one of USER_IDS; otherwise as the user (unproven)."""

    rung = "container"
    gaps: tuple[str, ...] = GAPS

    def __init__(self) -> None:
        missing = [tool for tool in TOOLS if shutil.which(tool) is None]
        if missing:
            raise SandboxUnavailable(
                f"the sandbox `container` needs {' and '.join(missing)}, which this machine does not have (docker alone "
                "does not do: it hands no descriptor to a container)",
                "Run `sudo apt-get install podman crun` (or your system's like).",
            )
        self.passed_over = ""
        self.is_root = os.geteuid() == 0
        self.interpreter = own_interpreter()
        first = os.getpid() % len(USER_IDS)
        self._users = itertools.cycle([*USER_IDS[first:], *USER_IDS[:first]])
        """As root, each command is another user: the kernel counts processes by user."""

    def inside(self, mount: Mount) -> str:
        return mount.inside

    def faults(self, home: Path) -> str:
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
        command = Command(("/bin/sh", "-c", MORE_PROBES + PROBES, "probes", str(home)), SCRATCH, env=environment)
        result = self.run(command, Limits(seconds=20, memory_bytes=1 << 30))
        said = (result.stdout + result.stderr).decode("utf-8", "replace").strip()
        return said or ("" if result.ok else str(result.ending))

    def warm_start_fault(self) -> str:
        return "a container makes no namespaces of its own for forks"

    def run(self, command: Command, limits: Limits) -> ExecResult:
        report, status = os.pipe(), os.pipe()
        try:
            with self._launch(command, limits, Profile.TESTS, report[1], status[1]) as launch:
                result = process.run(launch, limits, report)
        finally:
            os.close(status[1])
            told = os.read(status[0], 4096)
            os.close(status[0])
        if isinstance(result.ending, Exited) and told != STARTED:
            raise process.broken(result.stderr, "podman")
        return result

    def open(self, command: Command, limits: Limits, profile: Profile = Profile.CONTESTANT) -> Live:
        ours, theirs = socket.socketpair()
        with self._launch(command, limits, profile, theirs.fileno()) as launch:
            return process.start(launch, (ours, theirs))

    @contextmanager
    def _launch(
        self, command: Command, limits: Limits, profile: Profile, channel: int, status: int = -1
    ) -> Iterator[process.Launch]:
        """`status` is told once the command has started, if it is asked for."""
        folder = f"{Path(tempfile.gettempdir()).resolve()}/optagent-box-{os.urandom(6).hex()}"
        user = next(self._users) if self.is_root else os.getuid()
        group = user if self.is_root else os.getgid()
        words = podman(folder, self.interpreter, command.mounts, limits, (user, group), self.is_root)
        inside = {
            "argv": command.argv,
            "cwd": command.cwd,
            "env": dict(command.env),
            "variable": CHANNEL_VARIABLE,
            "limits": asdict(limits),
            "filter": seccomp.compile_filter(profile),
        }
        order = {
            "podman": [str(shutil.which("podman")), *words],
            "env": environment(folder),
            "inside": inside,
            "channel": channel,
            "status": status,
            "parent": os.getpid(),
            "folder": folder,
            **tree(passwd_file(user, group)),
        }
        with process.in_memory(marshal.dumps(order)) as told:
            argv = (sys.executable, "-I", "-S", str(HERE / "container_keeper.py"), str(told))
            yield process.Launch(argv, {}, "/", (told, *([status] if status >= 0 else [])), is_kept=True)


def own_interpreter() -> Interpreter:
    """Ours, wherever it lies. Raises SandboxUnavailable where it does not lie in the folder that it was made for."""
    program, prefix = Path(os.path.realpath(sys._base_executable)), Path(sys.base_prefix).resolve()
    if not program.is_relative_to(prefix):
        raise SandboxUnavailable(
            f"the sandbox `container` runs a part of optagent inside, and its Python, {program}, is not in {prefix}",
            "Run optagent with another Python.",
        )
    if prefix.is_relative_to("/usr"):
        return Interpreter(str(program), None)
    return Interpreter(f"{PREFIX}/{program.relative_to(prefix)}", prefix)


def environment(folder: str) -> dict[str, str]:
    """podman's own. Nothing of the user's, whose settings could mount, set and run more."""
    return {
        "PATH": os.environ.get("PATH", SEARCH),
        "HOME": f"{folder}/home",
        "XDG_RUNTIME_DIR": f"{folder}/runtime",
        "TMPDIR": f"{folder}/runtime",
        "CONTAINERS_CONF": f"{folder}/containers.conf",
    }


def tree(passwd: bytes) -> dict[str, Mapping[str, object] | Sequence[str]]:
    """What is in the folder of one container, by name: podman's settings, and its bare root with what is ours."""
    code = f"root{CODE}"
    system = {name: Path("/", name) for name in SYSTEM_FOLDERS}
    return {
        "folders": ["home", "runtime", "empty", "sys/fs/cgroup", "root/etc", "root/proc", "root/dev", "root/sys", "root/tmp", code],
        "files": {"containers.conf": SETTINGS, "root/etc/passwd": passwd},
        "links": {f"root/{name}": os.readlink(place) for name, place in system.items() if place.is_symlink()},
        "copies": {f"{code}/{name}": str(HERE / name) for name in PROGRAMS},
    }


def podman(
    folder: str,
    interpreter: Interpreter,
    mounts: Sequence[Mount],
    limits: Limits,
    ids: tuple[int, int],
    is_root: bool,
) -> list[str]:
    """podman's words for one container, all of whose state lies in that folder."""
    library = f"{PREFIX}/lib" if interpreter.folder else ""
    return [
        *_state(folder),
        "run", "--rootfs", "--read-only", "--read-only-tmpfs=false", "--cgroups=disabled", "--log-driver=passthrough",
        "--network=none", "--no-hosts", "--ipc=none", "--pid=private", "--uts=private", "--hostname=sandbox",
        f"--user={ids[0]}:{ids[1]}", "--passwd=false", *([] if is_root else ["--userns=keep-id"]),
        "--cap-drop=all", "--security-opt=no-new-privileges", "--security-opt=seccomp=unconfined",
        "--security-opt=label=disable", "--sig-proxy=false", "--systemd=false", "--http-proxy=false", "--unsetenv-all",
        f"--env=LD_LIBRARY_PATH={library}", "--workdir=/",
        f"--ulimit=nofile={limits.open_files}:{limits.open_files}",
        f"--ulimit=nproc={limits.processes}:{limits.processes}", "--ulimit=core=0:0",
        *(f"--tmpfs={place}:rw,nosuid,nodev,mode=1777,size={limits.scratch_bytes}" for place in (SCRATCH, "/dev/shm")),
        *_mounts(folder, interpreter, mounts), f"--preserve-fds={LINK - 2}",
        f"{folder}/root", interpreter.program, "-I", "-S", f"{CODE}/container_init.py", str(LINK),
    ]  # fmt: skip


def _state(folder: str) -> list[str]:
    """podman wants no longer a name than 50 characters for its second folder."""
    return [
        f"--root={folder}/storage", f"--runroot={folder}/run", f"--tmpdir={folder}/runtime/tmp",
        f"--hooks-dir={folder}/empty", "--runtime=crun", f"--runtime-flag=root={folder}/oci",
        "--storage-driver=vfs", "--cgroup-manager=cgroupfs", "--events-backend=none",
    ]  # fmt: skip


def _mounts(folder: str, interpreter: Interpreter, mounts: Sequence[Mount]) -> list[str]:
    """Everything that is shown, read-only. /sys is empty: it tells of the machine what nobody needs."""
    shown = {"/sys": f"{folder}/sys", "/sys/fs/cgroup": f"{folder}/empty", "/usr": "/usr"}
    places = [Path("/", name) for name in SYSTEM_FOLDERS]
    shown |= {str(place): str(place) for place in places if place.is_dir() and not place.is_symlink()}
    files = [Path("/etc", name) for name in SYSTEM_FILES]
    shown |= {str(place): str(place.resolve()) for place in files if place.exists()}
    if interpreter.folder:
        shown[PREFIX] = str(interpreter.folder)
    shown |= {mount.inside: str(mount.source) for mount in mounts}
    points = _mount_points()
    return [_bind(one, inside) for place in sorted(shown) for one, inside in _parts(shown[place], place, points)]


def _parts(source: str, inside: str, points: Sequence[str]) -> Iterator[tuple[str, str]]:
    """A folder and what is mounted below it: read-only holds for one mount, not for those in it."""
    yield source, inside
    for point in points:
        if point.startswith(f"{source}/"):
            yield point, inside + point.removeprefix(source)


def _bind(source: str, inside: str) -> str:
    fields = ("type=bind", f"source={source}", f"destination={inside}", "ro=true", "bind-nonrecursive=true")
    return "--mount=" + ",".join(map(_quoted, fields))


def _quoted(text: str) -> str:
    """As a field of comma-separated values."""
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text


def _mount_points() -> list[str]:
    """Where something is mounted on this machine (proc(5), mountinfo; the kernel escapes as octal numbers)."""
    lines = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    return sorted({_unescaped(line.split(" ")[4]) for line in lines})


def _unescaped(text: str) -> str:
    r"""
    >>> _unescaped(r"/a\040b")
    '/a b'
    """
    head, *rest = text.split("\\")
    return head + "".join(chr(int(one[:3], 8)) + one[3:] for one in rest)
