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
import os
import resource
import socket
import sys
from typing import TYPE_CHECKING, Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import optagent_frames
import optagent_processes
import optagent_scratch
from optagent_outputs import NOTHING, Call, Unfit, encoding

if TYPE_CHECKING:
    from collections.abc import Sequence

    Header = dict[str, Any]

GO, DONE = b"g", b"d"
MOST_OUTPUTS = 224 << 20  # a frame holds 256 MiB
EMPTY = ("/bin/true",)


class Launcher:
    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.load: Header = {}
        self.program = ""
        self.inputs: list[tuple[str, bytes]] = []
        self.block: list[Call] = []
        self.null = open(os.devnull, "rb")  # noqa: SIM115 - as long as we live
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
        alone = all(os.stat(folder).st_uid != os.getuid() for folder in header["swept"])
        self.answer({"program": self.program, "digest": digest.hexdigest(), "alone": alone})

    def do_keep(self, header: Header, blobs: list[bytes]) -> None:
        parted = (blob.partition(b"\0") for blob in blobs)
        self.inputs = [(os.fsdecode(name), content) for name, _, content in parted]
        self.answer({"kept": len(blobs)})

    def do_call(self, header: Header, blobs: list[bytes]) -> None:
        self.begin([Call(*self.inputs[number]) for number in header["inputs"]])
        self.run_block()
        endings = [[call.ending, call.last_words()] for call in self.block]
        self.encode(self.block, {"endings": endings, "left": self.left}, [])

    def do_prepare(self, header: Header, blobs: list[bytes]) -> None:
        """Inputs for one timed block, on disk but without a name, so that no earlier command of it finds them."""
        empty = [Call("", None) for _ in range(header.get("empty", 0))]
        self.begin([*empty, *(Call(*self.inputs[k]) for _ in range(header["times"]) for k in header["inputs"])])
        self.answer({})
        if self.take(1) == GO:
            self.run_block()
            self.channel.sendall(DONE)

    def do_spent(self, header: Header, blobs: list[bytes]) -> None:
        most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        self.answer({"cpu_ns": self.cpu_ns, "peak_bytes": most, "left": self.left})

    def do_collect(self, header: Header, blobs: list[bytes]) -> None:
        calls = self.block if header["calls"] is None else [self.block[k] for k in header["calls"]]
        self.encode(calls, {}, [NOTHING])

    def encode(self, calls: list[Call], header: Header, extra: list[bytes]) -> None:
        encoded: list[bytes] = []
        faults: list[str] = []
        for call in calls:
            try:
                encoded.append(encoding(call, self.load["compare"]))
            except Unfit as reason:
                faults.append(str(reason))
        if sum(len(one) for one in encoded) > MOST_OUTPUTS:
            encoded, faults = [], [f"more than {MOST_OUTPUTS >> 20} MiB of output in all"]
        self.answer({**header, "faults": faults}, [*encoded, *extra])

    def begin(self, block: list[Call]) -> None:
        for call in self.block:
            call.close()
        self.block, self.left = block, ""

    def run_block(self) -> None:
        """Every command of the block, one after the other, each gone with all it started before the next begins."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for call in self.block:
            if call.is_empty:
                self.start(call, EMPTY[0], EMPTY)
            else:
                self.start(call, self.program, self.arguments(call))
            if self.load["writes"]:
                call.output = optagent_scratch.opened(f"{self.load['scratch']}/out")
            self.sweep()
            if self.left:
                break
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu_ns = int((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e9)

    def arguments(self, call: Call) -> list[str]:
        """The command line, with the input's name where it is wanted."""
        if not self.load["reads"] and not self.load["writes"]:
            return list(self.load["argv"])
        scratch = self.load["scratch"]
        path = f"{scratch}/in/{call.name}"
        os.makedirs(f"{scratch}/in")
        if self.load["reads"]:
            optagent_scratch.give_name(call.input, path)
        return [word.replace("{input}", path).replace("{output}", f"{scratch}/out") for word in self.load["argv"]]

    def start(self, call: Call, program: str, argv: Sequence[str]) -> None:
        """The program started and waited for, with all that it started."""
        stdin = self.null if self.load["reads"] else call.input
        streams = [stdin.fileno(), call.stdout.fileno(), call.stderr.fileno()]
        try:
            child = optagent_processes.start(program, argv, self.load["env"], streams)
            call.ending = optagent_processes.told(os.waitpid(child, 0)[1])
        except OSError as fault:
            call.ending = f"no start: {fault.strerror}"
        if not optagent_processes.nothing_left():
            self.left = "what it started was still running after it had ended"
        elif optagent_processes.limits() != self.limits:
            self.left = "it changed the limits of the process that started it"

    def sweep(self) -> None:
        """Nothing that the command wrote has a name any more."""
        try:
            if os.path.lexists(self.load["scratch"]):
                optagent_scratch.remove(self.load["scratch"])
            for folder in self.load["swept"]:
                for name in os.listdir(folder):
                    if name not in self.load["kept"]:
                        optagent_scratch.remove(f"{folder}/{name}")
                optagent_scratch.unmark(folder)
        except (OSError, RecursionError) as fault:
            self.left = self.left or f"what it wrote cannot be removed: {fault}"


if __name__ == "__main__":
    channel = socket.socket(fileno=int(os.environ.pop("OPTAGENT_FD")))
    channel.set_inheritable(False)
    optagent_processes.settle_in()
    Launcher(channel).serve()
