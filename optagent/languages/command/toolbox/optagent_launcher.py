"""The contestant of a command: starts it, holds what it wrote, encodes that. Decides nothing, owns no clock.

Runs in optagent's interpreter inside the sandbox: standard library only. Of the referee's questions
(languages/python/toolbox/optagent_worker.py) it answers these:

    load      what to run, where, and what counts          -> which program that is
    keep      opaque inputs to hold: a name, a zero byte, the content
    call      the command once per input                   -> one encoding each
    prepare   inputs laid out for the next timed block     -> ready, then a byte "g" runs it, a byte "d" answers
    spent     what the last block used                     -> CPU and memory, as the kernel told us
    collect   what the commands of the last block wrote    -> one encoding each, then one of nothing

Every command finds the same fresh scratch and leaves none behind: what one learns, no later one can know. The
processes below us have all ended before we answer.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import resource
import shutil
import socket
import stat
import sys
import tempfile
from typing import IO, TYPE_CHECKING, Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import optagent_frames
import optagent_processes

if TYPE_CHECKING:
    from collections.abc import Sequence

    Header = dict[str, Any]

GO, DONE = b"g", b"d"
MOST_OUTPUT = 64 << 20
MOST_OUTPUTS = 224 << 20  # a frame holds 256 MiB
EMPTY = ("/bin/true",)
NOTHING = b'["l","returned",null,["t"],["d"],["l",""]]'
in_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class Unfit(Exception):
    """What a command wrote cannot be compared; the message says why."""


class Ran:
    """One command that has ended: how, the files it wrote (open, without a name), and its last words."""

    def __init__(self, ending: str, stdout: IO[bytes], stderr: IO[bytes], output: int | str | None) -> None:
        self.ending, self.stdout, self.stderr, self.output = ending, stdout, stderr, output

    def last_words(self) -> str:
        size = self.stderr.seek(0, os.SEEK_END)
        self.stderr.seek(max(0, size - 2000))
        lines = self.stderr.read(2000).decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else ""

    def close(self) -> None:
        self.stdout.close()
        self.stderr.close()
        if isinstance(self.output, int):
            os.close(self.output)


class Launcher:
    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.load: Header = {}
        self.program = ""
        self.inputs: list[tuple[str, bytes]] = []
        self.block: list[tuple[str, IO[bytes]] | None] = []
        self.ran: list[Ran] = []
        self.left = ""
        self.cpu_ns = 0
        self.limits = optagent_processes.limits()

    def take(self, size: int) -> bytes:
        chunks = bytearray()
        while len(chunks) < size:
            chunk = self.channel.recv(min(size - len(chunks), 1 << 20))
            if not chunk:
                os._exit(0)  # the referee is gone; so are we
            chunks += chunk
        return bytes(chunks)

    def answer(self, header: Header, blobs: Sequence[bytes] = ()) -> None:
        self.channel.sendall(optagent_frames.pack(header, blobs))

    def serve(self) -> None:
        self.answer({"version": optagent_frames.VERSION, "prefix": sys.prefix, "os": os.__file__})
        while True:
            header, blobs = optagent_frames.read(self.take)
            getattr(self, "do_" + header["do"])(header, blobs)

    def do_load(self, header: Header, blobs: list[bytes]) -> None:
        """What to run: `argv`, `env`, `scratch` (a folder of each command's own), `swept` (folders emptied after each,
        but for the names in `kept`), `reads` and `writes` (whether it takes a file's name), `compare`."""
        self.load = header
        program = optagent_processes.program_path(header["argv"][0], header["env"]["PATH"])
        if program is None:
            self.answer({"fault": f"there is no program {header['argv'][0]}"})
            return
        self.program = os.path.abspath(program)
        digest = hashlib.sha256()
        for name in (self.program, *header["sources"]):
            with open(name, "rb") as file:
                digest.update(hashlib.sha256(file.read()).digest())
        gc.collect()
        gc.freeze()
        gc.disable()
        self.answer({"program": self.program, "digest": digest.hexdigest()})

    def do_keep(self, header: Header, blobs: list[bytes]) -> None:
        parted = (blob.partition(b"\0") for blob in blobs)
        self.inputs = [(os.fsdecode(name), content) for name, _, content in parted]
        self.answer({"kept": len(blobs)})

    def do_call(self, header: Header, blobs: list[bytes]) -> None:
        self.begin([self.laid(number) for number in header["inputs"]])
        self.run_block()
        endings = [[ran.ending, ran.last_words()] for ran in self.ran]
        self.encode({"endings": endings, "left": self.left}, [])

    def do_prepare(self, header: Header, blobs: list[bytes]) -> None:
        """Inputs for one timed block, on disk but without a name, so that no earlier command of it finds them."""
        empty: list[None] = [None] * int(header.get("empty", 0))
        self.begin([*empty, *(self.laid(k) for _ in range(header["times"]) for k in header["inputs"])])
        self.answer({})
        if self.take(1) == GO:
            self.run_block()
            self.channel.sendall(DONE)

    def do_spent(self, header: Header, blobs: list[bytes]) -> None:
        most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        self.answer({"cpu_ns": self.cpu_ns, "peak_bytes": most, "left": self.left})

    def do_collect(self, header: Header, blobs: list[bytes]) -> None:
        self.encode({}, [NOTHING])

    def encode(self, header: Header, extra: list[bytes]) -> None:
        encoded: list[bytes] = []
        faults: list[str] = []
        for ran in self.ran:
            try:
                encoded.append(encoding(ran, self.load["compare"]))
            except Unfit as reason:
                faults.append(str(reason))
        if sum(len(one) for one in encoded) > MOST_OUTPUTS:
            encoded, faults = [], [f"more than {MOST_OUTPUTS >> 20} MiB of output in all"]
        self.answer({**header, "faults": faults}, [*encoded, *extra])

    def laid(self, number: int) -> tuple[str, IO[bytes]]:
        """An input as a file without a name."""
        name, content = self.inputs[number]
        file = nameless()
        file.write(content)
        file.flush()
        return name, file

    def begin(self, block: Sequence[tuple[str, IO[bytes]] | None]) -> None:
        for ran in self.ran:
            ran.close()
        for laid in self.block:
            if laid is not None:
                laid[1].close()
        self.block, self.ran, self.left = list(block), [], ""

    def run_block(self) -> None:
        """Every command of the block, one after the other, each gone with all it started before the next begins."""
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        before = used.ru_utime + used.ru_stime
        for laid in self.block:
            self.ran.append(self.run_one(*laid) if laid is not None else self.run_empty())
            if self.left:
                break
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu_ns = int((used.ru_utime + used.ru_stime - before) * 1e9)

    def run_one(self, name: str, content: IO[bytes]) -> Ran:
        scratch = self.load["scratch"]
        argv = [word.replace("{output}", f"{scratch}/out") for word in self.load["argv"]]
        os.makedirs(f"{scratch}/in", exist_ok=True)
        stdin = None
        if self.load["reads"]:
            give_name(content, f"{scratch}/in/{name}")
            argv = [word.replace("{input}", f"{scratch}/in/{name}") for word in argv]
        else:
            content.seek(0)
            stdin = content
        ran = self.start(self.program, argv, stdin)
        if self.load["writes"]:
            ran.output = opened(f"{scratch}/out")
        self.sweep()
        return ran

    def run_empty(self) -> Ran:
        """The same with a program that does nothing: what starting and ending one costs here."""
        os.makedirs(f"{self.load['scratch']}/in", exist_ok=True)
        ran = self.start(EMPTY[0], EMPTY, None)
        self.sweep()
        return ran

    def start(self, program: str, argv: Sequence[str], stdin: IO[bytes] | None) -> Ran:
        out, err = nameless(), nameless()
        with open(os.devnull, "rb") as null:
            streams = [(stdin or null).fileno(), out.fileno(), err.fileno()]
            try:
                child = optagent_processes.start(program, argv, self.load["env"], streams)
                ending = optagent_processes.told(os.waitpid(child, 0)[1])
            except OSError as fault:
                ending = f"no start: {fault.strerror}"
        if not optagent_processes.nothing_left():
            self.left = "what it started was still running after it had ended"
        elif optagent_processes.limits() != self.limits:
            self.left = "it changed the limits of the process that started it"
        return Ran(ending, out, err, None)

    def sweep(self) -> None:
        """Nothing that the command wrote has a name any more."""
        try:
            if os.path.lexists(self.load["scratch"]):
                remove(self.load["scratch"])
            for folder in self.load["swept"]:
                for name in os.listdir(folder):
                    if name not in self.load["kept"]:
                        remove(f"{folder}/{name}")
        except (OSError, RecursionError) as fault:
            self.left = self.left or f"what it wrote cannot be removed: {fault}"


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
        for folder, _, _ in os.walk(path):
            os.chmod(folder, 0o700)
            for one in os.scandir(folder):
                if one.is_dir(follow_symlinks=False):
                    os.chmod(one.path, 0o700)
        shutil.rmtree(path)


def encoding(ran: Ran, compare: str) -> bytes:
    """The canonical form of what a command left: how it ended, and by line what it printed and wrote."""
    left = ["d", ["ending", ran.ending], ["standard output", lines(content(ran.stdout.fileno()), compare)]]
    if isinstance(ran.output, int):
        left.append(["output file", lines(content(ran.output), compare)])
    elif ran.output is not None:
        left.append(["output file", ran.output])
    tree = ["l", "ran", left, ["t"], ["d"], ["l"]]
    return in_json(tree).encode("utf-8", "surrogatepass")


def content(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    if size > MOST_OUTPUT:
        raise Unfit(f"an output of more than {MOST_OUTPUT >> 20} MiB")
    chunks = bytearray()
    while len(chunks) < size:
        chunk = os.pread(descriptor, size - len(chunks), len(chunks))
        if not chunk:
            break
        chunks += chunk
    return bytes(chunks)


def lines(data: bytes, compare: str) -> list[str]:
    """As bytes that are no UTF-8 stand for themselves, different bytes are different text."""
    if compare == "whitespace":
        data = b"\n".join(b" ".join(line.split()) for line in data.split(b"\n") if line.strip())
    return ["l", *data.decode("utf-8", "surrogateescape").split("\n")]


if __name__ == "__main__":
    channel = socket.socket(fileno=int(os.environ.pop("OPTAGENT_FD")))
    channel.set_inheritable(False)
    optagent_processes.settle_in()
    Launcher(channel).serve()
