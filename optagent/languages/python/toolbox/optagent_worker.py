"""The contestant: holds one tree, opens inputs, calls the target, encodes what came out. Decides nothing.

Runs in the target's interpreter inside the sandbox: standard library only. It owns no clock that counts and
knows no expected value. The referee asks one thing at a time:

    load      import the target from the tree              -> where it came from
    sources   imported files that had to be compiled        -> their paths
    keep      opaque inputs to hold                        -> their number
    make      call make_inputs of a workload file          -> new inputs
    vary      calls near the first inputs held, or by hints   -> new inputs
    describe  argument types by parameter name             -> types
    admit     one input, opened and called                 -> its key and its outcome, or why there is none
    call      each input once, on fresh arguments          -> one encoding each, and one of what else has changed
    prepare   fresh arguments for the next timed block     -> ready, then a byte "g" runs it, a byte "d" answers
    collect   what some calls of the last block returned and left, or drawn items of that
                                                            -> one encoding each, then of the block's text and of state
    profile   each input under a profiler of that kind     -> rows, or why there are none
    weigh     each input once                               -> memory held, text written, threads started
    write     one input                                     -> the call and what it does, as Python

What the target raises is data. What is wrong with us ends the process with a traceback on stderr.
"""

from __future__ import annotations

import _socket  # `socket` around it would be a seventh of the time that a worker takes to start
import gc
import importlib
import io
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

import optagent_bytecode
import optagent_codec
import optagent_encode
import optagent_frames
import optagent_target
from optagent_target import run_block
from optagent_within import to_its_end

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optagent_target import Call

    Header = dict[str, Any]

REFUSED_ERRNO = 132  # sandboxes/seccomp.toml: a contestant asked for a new process
GO, DONE = b"g", b"d"
SHOWS_WARNINGS = warnings.showwarning
MOST_WARNINGS = 1_000
FILTERED = "filters of warnings are others from here on"
HERE = os.path.dirname(os.path.abspath(__file__))


class Worker:
    def __init__(self, channel: _socket.socket, generators: str = "") -> None:
        self.channel = channel
        self.generators = generators
        self.target: Any = None
        self.inputs: list[bytes] = []
        self.block: list[Call] = []
        self.results: list[tuple[str, Any]] = []
        self.known = optagent_encode.Known()
        self.printed = [io.StringIO(), io.StringIO()]
        self.warned: dict[str, None] = {}
        self.seeded: list[str] = []
        self.ballast: list[Any] = []
        self.scratch = ""
        self.folder = os.getcwd()

    def take(self, size: int) -> bytes:
        chunks = bytearray()
        while len(chunks) < size:
            chunk = self.channel.recv(min(size - len(chunks), 1 << 20))
            if not chunk:
                os._exit(0)  # the referee is gone; so are we, whatever threads the target has left
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
        """The target imported and found. Padding first, so that every launch has a layout of its own."""
        self.ballast = padding(header["padding"])
        self.scratch = os.environ["TMPDIR"] if header["has_scratch"] else ""
        if self.scratch:
            to_a_file(1, self.scratch)
        sys.path[:0] = header["roots"]
        try:
            module, self.target = optagent_target.find(header["module"], header["qualname"], header["inner"])
        except BaseException as error:  # noqa: BLE001 - what the target raises is data
            self.answer({"fault": describe(error), "refused": was_refused(error)})
            return
        if "numpy" in sys.modules and "random" in names_used(self.target):
            importlib.import_module("numpy.random")  # comes by itself at first use, too late to be set to a start
        if optagent_target.is_async(self.target):
            optagent_target.loop()
        gc.collect()
        gc.freeze()
        self.answer({"file": getattr(module, "__file__", None)})

    def do_sources(self, header: Header, blobs: list[bytes]) -> None:
        self.answer({"sources": optagent_bytecode.lacking()})

    def do_keep(self, header: Header, blobs: list[bytes]) -> None:
        self.inputs = blobs
        self.answer({"kept": len(blobs)})

    def do_make(self, header: Header, blobs: list[bytes]) -> None:
        """Inputs from the user's workload file, which may import the target's package from this tree."""
        import random

        try:
            scope: dict[str, Any] = {"__name__": "workload", "__file__": header["file"]}
            with open(header["file"], "rb") as source:
                exec(compile(source.read(), header["file"], "exec"), scope)
            start = scope.get("SIZE", 1)
            size = max(1, start * header["scale"] // header.get("parts", 1))
            calls = [arguments(call) for call in scope["make_inputs"](size, random.Random(header["seed"]))]
            made = [packed(call) for call in calls]
        except optagent_codec.CannotCarry as error:
            self.answer({"fault": f"its calls hold something that cannot be carried: {error}"})
            return
        except BaseException as error:  # noqa: BLE001 - what the workload file raises is data
            self.answer({"fault": describe(error)})
            return
        self.answer({"size": size, "codecs": [codec for codec, _ in made]}, [data for _, data in made])

    def do_vary(self, header: Header, blobs: list[bytes]) -> None:
        asked = self.inputs, header["of"], header["seed"], header["most"]
        if header["reach"] == "hinted":
            made = beside("optagent_hints").varied(*asked, header["bytes"], self.target, self.generators)
        else:
            made = beside("optagent_vary").varied(*asked, header["reach"], header["bytes"])
        self.answer({"codecs": [codec for codec, _ in made]}, [data for _, data in made])

    def do_describe(self, header: Header, blobs: list[bytes]) -> None:
        names = parameter_names(self.target)
        types: dict[str, set[str]] = {}
        for data in self.inputs:
            args, kwargs = optagent_codec.unpack(data)
            for name, value in [*zip(names, args, strict=False), *kwargs.items()]:
                types.setdefault(name, set()).add(type(value).__name__)
        self.answer({"types": {name: sorted(kinds) for name, kinds in types.items()}})

    def do_admit(self, header: Header, blobs: list[bytes]) -> None:
        """Whether an input can be opened here, and what its call leaves; the key is the same for equal arguments."""
        data = self.inputs[header["input"]]
        try:
            key = optagent_encode.encode(list(optagent_codec.unpack(data)))
        except optagent_encode.CannotEncode:
            key = data
        except BaseException as error:  # noqa: BLE001 - the target's classes are at work here
            self.answer({"fault": f"cannot be opened again: {describe(error)[:120]}"})
            return
        encoded: list[bytes] = []
        faults: list[str] = []
        refused = self.call_one(data, encoded, faults)
        self.answer({"fault": faults[0] if faults else "", "refused": refused}, [key, *encoded])

    def do_call(self, header: Header, blobs: list[bytes]) -> None:
        """Each input called once with its output captured; the reply is in the order asked. `watched` are names of
        state to be looked at besides, None for all."""
        encoded: list[bytes] = []
        faults: list[str] = []
        refused, watch = 0, None
        if "watched" in header:
            watch = beside("optagent_state").Watch(self.folder, self.scratch, header["watched"])
        for number in header["inputs"]:
            known = optagent_encode.Known()
            refused += self.call_one(self.inputs[number], encoded, faults, known)
            if watch:
                watch.called(known)
        said: Header = {"faults": faults, "refused": refused}
        if watch:
            said["known"], said["unknown"], changes = watch.changes()
            encoded.append(changes)
        self.answer(said, encoded)

    def call_one(
        self, data: bytes, encoded: list[bytes], faults: list[str], known: optagent_encode.Known | None = None
    ) -> bool:
        """One call with everything it leaves behind; whether it ended in the refusal of a new process."""
        gc.enable()
        optagent_target.seed()
        call = optagent_codec.unpack(data)
        out, err = io.StringIO(), io.StringIO()
        kept = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = out, err
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            filters = [*warnings.filters]
            result = optagent_target.run_checked(self.target, call)
            silenced = [FILTERED] if filters != warnings.filters else []
        sys.stdout, sys.stderr = kept
        printed = [out.getvalue(), err.getvalue(), distinct_warnings(caught) + silenced]
        encode_into(encoded, faults, [*result, *call, printed], known=known)
        return result[0] == "raised" and was_refused(result[1])

    def do_prepare(self, header: Header, blobs: list[bytes]) -> None:
        """Fresh arguments, then one timed block on a byte's notice."""
        self.results, self.known = [], optagent_encode.Known()
        self.block = [optagent_codec.unpack(self.inputs[k]) for _ in range(header["times"]) for k in header["inputs"]]
        gc.collect()
        (gc.enable if header.get("collecting") else gc.disable)()
        kept = sys.stdout, sys.stderr, warnings.showwarning
        self.printed = [io.StringIO(), io.StringIO()]
        sys.stdout, sys.stderr = self.printed
        warnings.showwarning = self.warn  # others write them with their lines, which may change
        self.seeded = list(optagent_target.generators())
        target, places = self.target, header.get("drains")
        if places:
            target = to_its_end(target, places, self.known)
        optagent_target.seed()
        self.answer({})
        if self.take(1) == GO:
            self.results = run_block(target, self.block)
            self.channel.sendall(DONE)
        sys.stdout, sys.stderr, warnings.showwarning = kept

    def do_collect(self, header: Header, blobs: list[bytes]) -> None:
        encoded: list[bytes] = []
        faults: list[str] = []
        known = self.known
        made = list(zip(self.results, self.block, strict=False))
        for known.call in range(len(made)) if header["calls"] is None else header["calls"]:
            result, call = made[known.call]
            encode_into(encoded, faults, [*result, *call, []], header["items"], known)
        out, err = [one.getvalue() for one in self.printed]
        encode_into(encoded, faults, ["returned", None, (), {}, [out]])
        if header["state"]:
            errors = [err, *sorted(self.warned)]
            encoded.append(
                beside("optagent_state").standing(self.folder, self.scratch, header["state"], self.seeded, errors)
            )
        self.answer({"faults": faults}, encoded)

    def warn(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: Any = None,
        line: Any = None,
    ) -> None:
        """Shows a warning as Python does, where nobody reads it, and remembers that there was one."""
        SHOWS_WARNINGS(message, category, filename, lineno, io.StringIO(), line)
        if len(self.warned) < MOST_WARNINGS:
            self.warned.setdefault(f"{category.__name__}: {message}")

    def do_profile(self, header: Header, blobs: list[bytes]) -> None:
        """One pass on fresh arguments; a call that raises is part of the profile."""
        gc.enable()
        try:
            profiler = beside(f"optagent_{header['kind']}")
        except ImportError as error:
            self.answer({"fault": describe(error)})
            return
        block = [optagent_codec.unpack(data) for data in self.inputs]
        kept = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
        rows = profiler.rows(self.target, block)
        sys.stdout, sys.stderr = kept
        self.answer({"rows": rows})

    def do_write(self, header: Header, blobs: list[bytes]) -> None:
        kept = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
        said = beside("optagent_source").written(self.target, self.inputs[header["input"]])
        sys.stdout, sys.stderr = kept
        self.answer(said)

    def do_weigh(self, header: Header, blobs: list[bytes]) -> None:
        self.answer(beside("optagent_weigh").weigh(self.target, self.inputs))


def beside(name: str) -> Any:
    """A file of ours that only some workers need. Our folder is not on the path, where the target would find it."""
    sys.path.insert(0, HERE)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(HERE)


def encode_into(
    encoded: list[bytes],
    faults: list[str],
    left: list[Any],
    drawn: tuple[int, int] | None = None,
    known: optagent_encode.Known | None = None,
) -> None:
    """One more encoding of what a call left (result, arguments, printed text), or one more fault."""
    try:
        encoded.append(optagent_encode.encode(left, drawn, known))
    except optagent_encode.CannotEncode as error:
        encoded.append(b"")
        faults.append(str(error))


def distinct_warnings(caught: list[warnings.WarningMessage]) -> list[str]:
    """Categories and messages, each once as users see them by default; their line numbers may change."""
    return list(dict.fromkeys(f"{one.category.__name__}: {one.message}" for one in caught))


def arguments(call: Any) -> Call:
    """A call of a workload file as (args, kwargs)."""
    if isinstance(call, dict):
        return tuple(call.get("args", ())), dict(call.get("kwargs", {}))
    return tuple(call), {}


def packed(call: Call) -> tuple[str, bytes]:
    """A call of a workload file as codec and bytes."""
    args, kwargs, _, _ = optagent_codec.drained(*call)
    codec, data = optagent_codec.pack(args, kwargs, lambda module: module == "workload")
    return codec, data


def parameter_names(target: Any) -> tuple[str, ...]:
    code = code_of(target)
    return code.co_varnames[: code.co_argcount] if code else ()


def names_used(target: Any) -> tuple[str, ...]:
    code = code_of(target)
    return code.co_names if code else ()


def code_of(target: Any) -> Any:
    return getattr(getattr(target, "__wrapped__", target), "__code__", None)


def describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def was_refused(error: BaseException | None) -> bool:
    """Whether an exception, or one it came from, is the refusal of a new process."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, OSError) and error.errno == REFUSED_ERRNO:
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def to_a_file(descriptor: int, folder: str) -> None:
    """What is written there from here on is kept, in a file without a name, where the folder allows one."""
    try:
        file = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
    except OSError:
        return
    os.dup2(file, descriptor)
    os.close(file)


def padding(seed: int) -> list[Any]:
    """Blocks of memory that shift whatever is allocated after them; a linear congruence, to import nothing."""
    state = seed or 1
    held: list[Any] = []
    for _ in range(200):
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        held.append(bytearray(16 + (state >> 33) % 496))
    held.append([object() for _ in range(1 + (state >> 20) % 5000)])
    held.append(bytes(1 + (state >> 40) % 200000))
    return held


if __name__ == "__main__":
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder or ".") != HERE]
    given = dict(word.split("=", 1) for word in sys.argv[1:])
    del sys.argv[1:]
    if "bytecode" in given:
        optagent_bytecode.read_from(given["bytecode"])
    channel = _socket.socket(fileno=int(os.environ.pop("OPTAGENT_FD")))
    if os.environ.pop("OPTAGENT_FORKS", ""):
        beside("optagent_state")  # nearly every worker needs it, and it imports nothing else
        known = {*sys.modules}
        channel = beside("optagent_nursery").serve(channel, known)
    Worker(channel, given.get("generators", "")).serve()
