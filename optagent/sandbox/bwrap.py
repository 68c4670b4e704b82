"""The bubblewrap rung: namespaces, an empty network, read-only system, private scratch, seccomp, rlimits."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from optagent.errors import SandboxBroken, SandboxUnavailable
from optagent.sandbox import process, seccomp
from optagent.sandbox.base import CHANNEL_VARIABLE, SCRATCH, Command, ExecResult, Exited, Limits, Mount, Profile
from optagent.sandbox.live import Live, wait_for_end
from optagent.sandbox.nursery import AT_ONCE, Nurseries

USER_IDS = range(64000, 65000)
"""Who sandboxed code is when we are root: nobody's id, so that limits on processes hold (they do not for 0). The kernel
counts processes by user, so each of our own processes takes another of them, and so does each program that forks: they
do not use up each other's."""

SYSTEM_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
SYSTEM_FILES = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime", "mime.types", "protocols")
FIRST_PROCESS = ("/proc/1/mem", "/proc/1/task/1/mem")
"""Memory of bwrap's own process inside. For ordinary users it has the command's uid: code written there would run
unclocked, unhalted, and could outlive us."""
FIRST_PROCESS_FILES = ("/proc/1/fd", "/proc/1/task/1/fd")
"""Files it has open: ours, in which an ordinary user's command could leave the next one a note. (Root's may not look.)
"""

TOOLS = ("bwrap", "prlimit", "setpriv")
# Every line must print nothing: a home that is visible, a network, a writable system, a namespace of its own.
PROBES = """
test -e "$1" && echo "the home folder $1 is visible"
test "$(grep -c : /proc/net/dev)" -le 1 || echo "there is a network"
touch /usr/optagent-self-test 2>/dev/null && echo "the system is writable"
unshare -U true 2>/dev/null && echo "namespaces can be made"
exit 0
"""


class Bwrap:
    """Needs `bwrap` (bubblewrap) and `prlimit`, `setpriv` (util-linux). As root, drops to one of USER_IDS inside."""

    rung = "bwrap"
    gaps: tuple[str, ...] = ()
    passed_over = ""

    def __init__(self) -> None:
        missing = [tool for tool in TOOLS if shutil.which(tool) is None]
        if missing:
            raise SandboxUnavailable(
                f"the sandbox needs {' and '.join(missing)}, which this machine does not have",
                "Run `sudo apt-get install bubblewrap util-linux` (or your system's like).",
            )
        self.program = str(shutil.which("bwrap"))
        self.is_root = os.geteuid() == 0
        self.user_id = USER_IDS[os.getpid() % len(USER_IDS)] if self.is_root else os.getuid()
        self.group_id = self.user_id if self.is_root else os.getgid()
        self.nurseries = Nurseries(self._nursery)

    def inside(self, mount: Mount) -> str:
        return mount.inside

    def warm_start_fault(self) -> str:
        if self.nurseries.refusal:
            return self.nurseries.refusal
        command = Command(("unshare", "--user", "--mount", "--ipc", "true"), "/tmp", env={"PATH": "/usr/bin:/bin"})
        try:
            with self._open(command, Limits(seconds=10), seccomp.compile_filter(Profile.NURSERY)) as live:
                code = live.process.wait(10) if live.process else 0
                return live.last_words() if code else ""
        except (SandboxBroken, subprocess.TimeoutExpired) as fault:
            return str(fault)

    def faults(self, home: Path) -> str:
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
        command = Command(("/bin/sh", "-c", PROBES, "probes", str(home)), SCRATCH, env=environment)
        result = self.run(command, Limits(seconds=20, memory_bytes=1 << 30))
        said = (result.stdout + result.stderr).decode("utf-8", "replace").strip()
        return said or ("" if result.ok else str(result.ending))

    def run(self, command: Command, limits: Limits) -> ExecResult:
        _check_words(command)

        def launching(report: int, status: int) -> AbstractContextManager[process.Launch]:
            rules, more = seccomp.compile_filter(Profile.TESTS), ("--json-status-fd", str(status))
            return self._launch(command, limits, rules, report, more)

        result, told = process.run_told(launching, limits)
        _await_end(told)
        if isinstance(result.ending, Exited) and b"exit-code" not in told:
            raise process.broken(result.stderr, "bwrap")
        return result

    def open(self, command: Command, limits: Limits, profile: Profile = Profile.CONTESTANT) -> Live:
        forked = self.nurseries.fork(command, limits) if command.forks and profile is Profile.CONTESTANT else None
        return forked or self._open(command, limits, seccomp.compile_filter(profile))

    def _nursery(self, command: Command, limits: Limits, folders: Sequence[str]) -> Live:
        """It runs nothing but our own code, and filters its forks further."""
        many = replace(limits, processes=AT_ONCE * limits.processes)
        made = _parents(f"{folder}/below" for folder in folders)
        told = repr((command.argv, sorted(command.env.items()), command.mounts))
        user = USER_IDS[zlib.crc32(told.encode()) % len(USER_IDS)]  # the same for the next one of its kind
        return self._open(command, many, seccomp.compile_filter(Profile.NURSERY), made, user)

    def _open(
        self, command: Command, limits: Limits, rules: bytes, more: Sequence[str] = (), user: int | None = None
    ) -> Live:
        _check_words(command)
        ours, theirs = socket.socketpair()
        with self._launch(command, limits, rules, theirs.fileno(), more, user) as launch:
            return process.start(launch, (ours, theirs))

    @contextmanager
    def _launch(
        self,
        command: Command,
        limits: Limits,
        rules: bytes,
        channel: int,
        more: Sequence[str],
        user: int | None = None,
    ) -> Iterator[process.Launch]:
        """`user` is who it becomes when we are root, if not the one of all others."""
        ids = (user, user) if self.is_root and user else (self.user_id, self.group_id)
        with ExitStack() as stack:
            passwd = stack.enter_context(process.in_memory(passwd_file(*ids)))
            words = [*self._namespaces(), *_system(passwd), *self._closed(), *_scratch(limits)]
            words += _parents(mount.inside for mount in command.mounts)
            for mount in sorted(command.mounts, key=lambda mount: mount.inside):
                words += ["--ro-bind", str(mount.source), mount.inside]
            for name, value in {**command.env, CHANNEL_VARIABLE: str(channel)}.items():
                words += ["--setenv", name, value]
            compiled = stack.enter_context(process.in_memory(rules))
            words += [*more, "--chdir", command.cwd, "--remount-ro", "/dev", "--remount-ro", "/"]
            words += ["--seccomp", str(compiled)]
            told = stack.enter_context(process.in_memory(b"".join(os.fsencode(word) + b"\0" for word in words)))
            argv = [self.program, "--args", str(told), "--", *_limited(limits), *self._dropped(*ids), *command.argv]
            # the first process inside shows its words and its environment: none that name the host's folders
            yield process.Launch(tuple(argv), {}, None, (passwd, compiled, told))

    def _namespaces(self) -> list[str]:
        """A user namespace for ordinary users; root needs none, but keeps only what dropping privileges takes."""
        argv = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
        argv += ["--hostname", "sandbox", "--die-with-parent", "--new-session", "--clearenv"]
        if not self.is_root:
            return [*argv, "--unshare-user"]
        keep = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")
        return [*argv, "--cap-drop", "ALL", *(word for name in keep for word in ("--cap-add", name))]

    def _dropped(self, user: int, group: int) -> list[str]:
        if not self.is_root:
            return []
        ids = [f"--reuid={user}", f"--regid={group}", "--clear-groups"]
        return ["setpriv", *ids, "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]

    def _closed(self) -> list[str]:
        return [
            word
            for folder in ([] if self.is_root else FIRST_PROCESS_FILES)
            for word in ("--perms", "0555", "--size", "4096", "--tmpfs", folder, "--remount-ro", folder)
        ]


def _check_words(command: Command) -> None:
    """Raises SandboxBroken where one cannot be read by bwrap from a file: a zero byte ends a word."""
    places = [place for mount in command.mounts for place in (str(mount.source), mount.inside)]
    try:
        if b"\0" in b"".join(map(os.fsencode, (command.cwd, *command.env, *command.env.values(), *places))):
            raise ValueError("embedded null byte")
    except ValueError as fault:
        raise process.could_not_start(fault) from None


def passwd_file(user: int, group: int) -> bytes:
    return f"root:x:0:0:root:/root:/bin/sh\nsandbox:x:{user}:{group}:sandbox:/tmp:/bin/sh\n".encode()


def _system(passwd: int) -> list[str]:
    argv = ["--ro-bind", "/usr", "/usr"]
    for name in SYSTEM_FOLDERS:
        folder = Path("/", name)
        if folder.is_symlink():
            argv += ["--symlink", os.readlink(folder), str(folder)]
        elif folder.is_dir():
            argv += ["--ro-bind", str(folder), str(folder)]
    argv += _parents(["/etc/passwd"])
    for name in SYSTEM_FILES:
        argv += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    argv += ["--perms", "0444", "--file", str(passwd), "/etc/passwd", "--proc", "/proc", "--dev", "/dev"]
    for memory in FIRST_PROCESS:
        argv += ["--ro-bind", "/dev/null", memory]
    return argv


def _parents(paths: Iterable[str]) -> list[str]:
    """The folders above mount points, made readable: bwrap would make them 0700, closed to a dropped user."""
    folders = {str(parent) for path in paths for parent in Path(path).parents} - {"/", "/tmp", "/usr"}
    return [word for folder in sorted(folders) for word in ("--perms", "0755", "--dir", folder)]


def _scratch(limits: Limits) -> list[str]:
    """Private, small, and gone with the sandbox; writable by whatever user the command becomes."""
    size = str(limits.scratch_bytes)
    return [word for path in ("/tmp", "/dev/shm") for word in ("--perms", "1777", "--size", size, "--tmpfs", path)]


def _limited(limits: Limits) -> list[str]:
    return [
        "prlimit",
        f"--as={limits.memory_bytes}",
        f"--nproc={limits.processes}",
        f"--nofile={limits.open_files}",
        f"--fsize={limits.scratch_bytes}",
        "--core=0",
        "--",
    ]


def _await_end(told: bytes) -> None:
    """Nothing of a run is left: its first process, with whose end all others have ended, may outlive bwrap a moment."""
    first = re.search(rb'"child-pid": *(\d+)', told)
    if first:
        with suppress(ProcessLookupError):  # gone already
            wait_for_end(os.pidfd_open(int(first[1])))
