"""Runs one command without namespaces: behind Landlock and a system-call filter, with limits and a folder of its own.

A program for our own interpreter, started by sandbox/landlock.py with `python -I -S keeper.py N`: standard library
only. It stays as the parent of the command and adopts whatever outlives its own parent, so that nothing is left when
it ends: there is no namespace of processes here that would see to it. Reads its order from descriptor N.
"""

from __future__ import annotations

import _socket
import contextlib
import ctypes
import errno
import marshal
import os
import resource
import signal
import stat
import struct
import sys
import time
import warnings  # noqa: F401 - os.execvpe would, where it may be unreadable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import NoReturn

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 4, 22, 24  # linux/prctl.h
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 36, 38, 2
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on all architectures
PATH_BENEATH = 1  # linux/landlock.h
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_CHAR, MAKE_SOCK, MAKE_BLOCK, IOCTL_DEV = 1 << 6, 1 << 9, 1 << 11, 1 << 15
ALL_FILES = (1 << 16) - 1
ALL_TCP = 3
SIGNALS = 2
ALL_SCOPES = 1 | SIGNALS
"""No abstract socket and no process outside of the command can be reached."""

SCRATCH_RIGHTS = ALL_FILES & ~(MAKE_CHAR | MAKE_SOCK | MAKE_BLOCK | IOCTL_DEV)
CLONE_NEWUSER = 0x10000000  # linux/sched.h
LAST_CAPABILITY = 63
AWAITED = (signal.SIGCHLD, signal.SIGTERM)
OF_THREADS = (32, 33)  # signals that libc keeps to itself
IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)  # by Python, and a command would inherit that
SCRATCH = "/tmp"
"""What a command calls the folder of its own, in its environment and as its working folder."""

FAILED = 125
LOOK_S, LOOK_SHARE, LONGEST_LOOK_S = 0.1, 20, 0.5
"""It looks at the folder so often, and where looking takes long, less often."""

RESERVE_SHARE = 0.05
"""So much of the disk stays free, if that is less than what the folder may hold."""

OWN_FILES = (
    "auxv", "cgroup", "cmdline", "comm", "environ", "limits", "maps", "smaps", "smaps_rollup", "stat", "statm", "status"
)  # fmt: skip
"""What a command may read of its own entry in /proc. Not `net`, which is everybody's."""

MOST_NAMES = 50_000
libc = ctypes.CDLL(None, use_errno=True)


class Ended(Exception):
    """The command has to go: whoever started us wants that or is gone, or it took too much."""


def main(descriptor: int) -> int:
    with open(descriptor, "rb") as file:
        order = marshal.load(file)
    folder = f"{order['scratch']}/optagent-scratch-{os.urandom(8).hex()}"
    signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
    try:
        settle_in(order["parent"])
        os.mkdir(folder, 0o700)
        return kept(order, folder)
    except Ended:
        return -signal.SIGKILL
    finally:
        sweep()
        remove(folder)


def settle_in(parent: int) -> None:
    """Gets SIGTERM when the parent ends; heir of all that the command starts; nobody of the same user looks into it;
    reaches no process but those that come of it."""
    checked(libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0))
    if os.getppid() != parent:
        raise Ended
    checked(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
    checked(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
    checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    scope = new_ruleset(0, 0, SIGNALS)
    checked(libc.syscall(RESTRICT_SELF, scope, 0))  # so that a signal for all is one for what comes of us
    os.close(scope)
    try:
        os.kill(parent, 0)
    except PermissionError:
        return
    raise OSError(errno.EPERM, "signals are not kept in, so nothing could be ended safely")


def kept(order: dict[str, Any], folder: str) -> int:
    """How the command ended: its exit code, or the signal below zero."""
    if order["user"]:
        os.chown(folder, order["user"], order["user"])
    child, fault = begun(lambda failed: become(order, folder, failed))
    if fault:
        os.write(2, fault + b"\n")
        return FAILED
    tell(order["status"], b"started")
    close_others([one for one in (order["status"],) if one >= 0], 0)  # its pipes and its channel are its own now
    hold(own_entries(child))  # what the kernel has forgotten comes back without its rule
    look = time.monotonic() + LOOK_S
    while True:
        told = signal.sigtimedwait(AWAITED, max(0.0, look - time.monotonic()))
        if told is not None and told.si_signo == signal.SIGTERM:
            raise Ended
        for pid, status in ended():
            if pid == child:
                return os.waitstatus_to_exitcode(status)
        began = time.monotonic()
        if began < look:
            continue
        if is_too_large(folder, order["limits"]["scratch_bytes"]):
            tell(order["status"], b" scratch")
            raise Ended
        now = time.monotonic()
        look = now + min(max(LOOK_S, LOOK_SHARE * (now - began)), LONGEST_LOOK_S)


def begun(become: Callable[[int], NoReturn]) -> tuple[int, bytes]:
    """The number of a forked child that turns into the command, and why it could not; nothing where it did. `become`
    gets the descriptor on which to tell that."""
    started, failed = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(started)
        try:
            become(failed)
        finally:  # whatever has come up must not go on as the parent, nor clean up what is the parent's
            os.write(failed, b"it cannot be set up")
            os._exit(FAILED)
    os.close(failed)
    with open(started, "rb") as file:
        return child, file.read()


def hold(paths: Iterable[str]) -> None:
    """These stay open until we end."""
    for path in paths:
        try:
            os.open(path, os.O_PATH)
        except FileNotFoundError:  # the command has ended already
            return


def tell(status: int, what: bytes) -> None:
    """Whoever started us asked to be told, or did not."""
    if status >= 0:
        os.write(status, what)


def ended() -> Iterator[tuple[int, int]]:
    """Those that have ended since, each with its status: the command, and what we adopted."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, status


def is_too_large(folder: str, most: int) -> bool:
    """Whether more lies there than may, bytes or names, or so little is left on the disk that what we do not see there
    (files without a name, closed folders) may be why."""
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < min(most, RESERVE_SHARE * disk.f_blocks * disk.f_frsize):
        return True
    names = size = 0
    folders = [folder]
    while folders:
        for entry in entries_of(folders.pop()):
            names += 1
            try:
                size += entry.stat(follow_symlinks=False).st_blocks * 512
            except OSError:  # gone meanwhile
                continue
            if names > MOST_NAMES or size > most:
                return True
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
    return False


def entries_of(folder: str) -> list[os.DirEntry[str]]:
    """What lies in a folder; nothing where it is gone, closed to us, or too deep for a path."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def become(order: dict[str, Any], folder: str, failed: int) -> NoReturn:
    """The forked child turns into the command, or tells why not and ends."""
    try:
        for number in IGNORED:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.setsid()
        own = {name: folder if value == SCRATCH else value for name, value in order["env"].items()}
        limit(order["limits"], 0 if order["user"] else tasks_of(os.getuid()))
        rules = ruleset(order, folder)
        if order["user"]:
            drop(order["user"])
        checked(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
        os.chdir(folder if order["cwd"] == SCRATCH else order["cwd"])
        close_others((order["channel"], failed, rules))
        enclose(rules, order["filter"])
    except (OSError, ValueError) as error:
        give_in(failed, error)
    os.set_inheritable(order["channel"], True)
    if not order["argv"]:
        probe(own["OPTAGENT_PROBE"], order["parent"])
    execute(order["argv"], own, failed)


def execute(argv: tuple[str, ...], env: dict[str, str], failed: int) -> NoReturn:
    """This process is the command from here on, or ends as a shell would where there is none."""
    try:
        os.execvpe(argv[0], argv, env)
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) or error.errno == errno.E2BIG:
            give_in(failed, error)
        # a result like any other: the command is not there, or is none
        sys.stderr.write(f"{argv[0]}: {error}\n")
        sys.stderr.flush()
        os._exit(127)


def give_in(failed: int, error: Exception) -> NoReturn:
    """What it was asked for cannot even be tried."""
    os.write(failed, str(error).encode())
    os._exit(FAILED)


def probe(home: str, parent: int) -> NoReturn:
    """Tells what goes that must not go: every one of these has to fail."""
    here = os.getcwd()
    attempts: dict[str, Callable[[], object]] = {
        f"the home folder {home} can be read": lambda: os.listdir(home),
        "files outside of its folder can be written": lambda: os.rmdir(made(f"{here}-probe")),
        "what others keep beside its folder can be read": lambda: os.listdir(os.path.dirname(here)),
        "there is a network": lambda: _socket.socket(_socket.AF_INET),
        "sockets of other programs can be reached": lambda: _socket.socket(_socket.AF_UNIX),
        "other processes can be seen": lambda: os.listdir("/proc"),
        "whoever started it can be signalled": lambda: os.kill(parent, 0),
        "whoever started it can be looked into": lambda: os.listdir(f"/proc/{parent}/fd"),
        "namespaces can be made": lambda: checked(libc.unshare(CLONE_NEWUSER)),
        "memory can be shared with others": lambda: os.memfd_create("optagent"),
    }
    for what, attempt in attempts.items():
        try:
            attempt()
        except OSError:
            continue
        print(what, flush=True)
    os._exit(0)


def made(folder: str) -> str:
    os.mkdir(folder)
    return folder


def limit(limits: dict[str, int], others: int) -> None:
    """`others` run already for the user whom the kernel counts."""
    for name, most in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_NPROC, limits["processes"] + others),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_FSIZE, limits["scratch_bytes"]),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(name, (most, most))


def tasks_of(user: int) -> int:
    """How many threads that user's processes have, as far as they can be seen."""
    return sum(int(words[17]) for number, words in processes() if owner(number) == user)


def owner(process: int) -> int:
    try:
        return os.stat(f"/proc/{process}").st_uid
    except OSError:  # it has ended
        return -1


def drop(user: int) -> None:
    """Nobody's user, without privileges, for good."""
    for capability in range(LAST_CAPABILITY + 1):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails for those that this kernel does not know
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def close_others(kept: Sequence[int], first: int = 3) -> None:
    """No descriptor from the first on but these, none of which stays open after exec."""
    last = first - 1
    for one in sorted(kept):
        os.closerange(last + 1, one)
        os.set_inheritable(one, False)
        last = one
    os.closerange(last + 1, 1 << 16)


def ruleset(order: dict[str, Any], folder: str) -> int:
    """A descriptor of what may be read, and of the folder that may be written."""
    rules = new_ruleset(ALL_FILES, ALL_TCP, ALL_SCOPES)
    for path in order["readable"]:
        allow(rules, path, EXECUTE | READ_FILE | READ_DIR)
    for path in own_entries(os.getpid()):
        allow(rules, path, READ_DIR if path.endswith(f"/{os.getpid()}") else READ_FILE)
    for path in order["devices"]:
        allow(rules, path, READ_FILE | WRITE_FILE)
    allow(rules, folder, SCRATCH_RIGHTS)
    return rules


def new_ruleset(files: int, ports: int, scopes: int) -> int:
    """A descriptor of rules that handle these, and allow nothing yet."""
    wanted = struct.pack("QQQ", files, ports, scopes)
    rules = int(libc.syscall(CREATE_RULESET, wanted, len(wanted), 0))
    if rules < 0:
        raise OSError(ctypes.get_errno(), f"Landlock makes no rules: {os.strerror(ctypes.get_errno())}")
    return rules


def own_entries(process: int) -> list[str]:
    """What a command sees of /proc: its own entry, and these files there."""
    entry = f"/proc/{process}"
    return [entry, *(path for path in (f"{entry}/{name}" for name in OWN_FILES) if os.path.exists(path))]


def allow(rules: int, path: str, rights: int) -> None:
    """Raises OSError where the path is not there."""
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= EXECUTE | READ_FILE | WRITE_FILE  # others are for folders only
        checked(libc.syscall(ADD_RULE, rules, PATH_BENEATH, struct.pack("=Qi", rights, place), 0))
    finally:
        os.close(place)


def enclose(rules: int, program: bytes) -> None:
    """From here on the rules and the filter hold, for this process and all that come of it."""
    checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    checked(libc.syscall(RESTRICT_SELF, rules, 0))
    os.close(rules)
    filtered(program)


def filtered(program: bytes) -> None:
    """From here on the filter holds. Privileges must have been given up for good."""
    text = ctypes.create_string_buffer(program, len(program))
    table = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(text))
    checked(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, table, 0, 0))


def sweep() -> None:
    """Nothing of the command runs any more. One signal goes to all that we can reach: none is forked past it."""
    while True:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # there is nobody, or nobody whom we may end
            os.kill(-1, signal.SIGKILL)
        try:
            os.wait()
        except ChildProcessError:
            return


def processes() -> Iterator[tuple[int, list[bytes]]]:
    """The number of each process in sight, and what the kernel tells of it: state, parent and more (proc(5), stat)."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    yield int(name), file.read().rpartition(b")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue


def remove(folder: str) -> None:
    """The folder gone, whatever was done to it: what was closed to us is opened again. No link is followed."""
    for words in ((), ("rm", "-rf", "--", folder), ("chmod", "-R", "u+rwx", "--", folder), ("rm", "-rf", "--", folder)):
        if words:
            os.spawnvp(os.P_WAIT, words[0], words)
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            return
        except OSError:
            continue


def checked(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def finish(code: int) -> NoReturn:
    """Ends as the command did."""
    if code < 0 and -code not in OF_THREADS:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [-code])
        os.kill(os.getpid(), -code)
    os._exit(code & 0xFF if code >= 0 else 128 - code)


if __name__ == "__main__":
    finish(main(int(sys.argv[1])))
