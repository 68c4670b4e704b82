"""The referee's handle on one worker: asks, clocks, stops, and keeps account of its whole life."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from random import Random
from types import TracebackType
from typing import Any, ClassVar, Literal, Self, TypeGuard

from optagent.core.accounting import ACCOUNTS, Life
from optagent.core.iterators import Place
from optagent.core.verdict import Evidence, Inconclusive, Incorrect, Rejected
from optagent.sandbox import clocks
from optagent.sandbox.base import REFUSED_ERRNO, Command, Limits, Profile, Sandbox
from optagent.sandbox.live import ChannelClosed, Overdue

GO, DONE = b"g", b"d"
NO_ANSWER = "an answer that the protocol does not know"
MOST_WORDS = 1_000
"""So many characters of what a contestant says of itself are told, and no more kept."""

MOST_TEXT, MOST_NUMBER = 1 << 16, 1 << 63
"""No name is longer, nothing that is counted or clocked is more."""

REFERENCE = "reference"
PHASES = {
    "build": "does not build",
    "start": "does not start",
    "import": "does not import",
    "call": "fails when called",
    "prepare": "fails on its arguments",
    "encode": "fails after the call",
    "glance": "fails after the call",
    "settle": "does not outlive its answer",
    "idle": "does not outlive its answer",
}
COLUMNS: dict[str, tuple[type, ...]] = {
    "functions": (str, int, str, int, float, float),
    "lines": (int, int, int),
    "allocations": (str, int, int, int),
    "instructions": (str, int),
    "samples": (str, int, str, int, float, float),
}
"""Kind of profile: what a row of it holds. Functions: file, line, name, calls, own and total seconds. Lines: line of
the target's file, hits, nanoseconds. Allocations: file, line, bytes, blocks; without a file the peak of one call.
Instructions: compiled function, count; without a name the whole pass. Samples: as functions, with samples for calls."""
REJECTIONS = {"leave": "left a process behind", "held up": "holds up the referee"}
"""Phases in which misconduct is no wrong answer but a way to play outside one's turn."""


@dataclass(frozen=True)
class Load:
    """What a worker is told to import: names, whether the function itself is meant below its decorators, folders for
    the import path, and the seed of its heap padding. `has_scratch` says that nobody else writes to its
    folder for temporary files."""

    module: str
    qualname: str
    inner: bool
    roots: tuple[str, ...]
    padding: int
    has_scratch: bool = False


@dataclass(frozen=True)
class Seen:
    """What all calls together left behind besides their results: an encoding of what changed, the names that were
    looked at, and those that could not be read any more, with the reason."""

    changes: bytes
    known: tuple[str, ...]
    unknown: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class View:
    """What a check looks at of what a block left: these of its calls, in order (None: all), and of what each left what
    `items` says (any number, and a step: about one part in so many; None: all). `phase` is the account that its CPU is
    on."""

    calls: tuple[int, ...] | None = None
    items: tuple[int, int] | None = None
    phase: Literal["encode", "glance"] = "encode"

    @classmethod
    def glance(cls, calls: int, step: int, rng: Random) -> Self:
        """About one part in `step` of what so many calls left, drawn: so many fewer calls, one at least, and fewer of
        their items by what is left of the step.

        >>> from random import Random
        >>> View.glance(8, 4, Random(1)).calls, View.glance(2, 7, Random(1)).items[1]
        ((2, 4), 3)
        """
        apart = min(step, calls)
        chosen = tuple(sorted(rng.sample(range(calls), -(-calls // apart))))
        return cls(chosen, (rng.getrandbits(32), step // apart) if step > apart else None, "glance")


WHOLE = View()
BY_HASHES = View(items=(0, 1))
"""All there is; large sets of text, numbers, tuples and frozensets by what they hash: these can put nothing off."""

AGAIN = View(phase="glance")
"""All there is, after drawn parts have shown a difference; on the account of such looks, where it is found again if it
was work put off until somebody asks twice."""


class Misconduct(Exception):
    """A contestant failed on its own account. `phase` says when; `reason` is for people; `refused` says that it
    asked for a new process and did not do without."""

    def __init__(self, phase: str, reason: str, refused: bool = False, name: str = "candidate") -> None:
        super().__init__(f"{reason[:MOST_WORDS]} ({phase})")
        self.phase = phase
        self.reason = reason[:MOST_WORDS]
        self.refused = refused
        self.name = name

    def verdict(self, evidence: Evidence) -> Rejected | Incorrect | Inconclusive:
        """What it means for the candidate: nothing against it when it was the reference that failed."""
        if self.name == REFERENCE:
            return Inconclusive(f"the reference itself failed: {self.reason}", evidence)
        if self.refused:
            return Rejected("started a process", self.reason)
        if self.phase in REJECTIONS:
            return Rejected(REJECTIONS[self.phase], self.reason)
        return Incorrect(evidence, f"{PHASES.get(self.phase, self.phase)}: {self.reason}")


class Uncomparable(Exception):
    """What a call left behind has no canonical form; the message names the type."""


@dataclass(frozen=True)
class Lap:
    """One timed block on both clocks. `delay_ns` is the part of the wall time in which it waited for a core."""

    wall_ns: int
    cpu_ns: int
    delay_ns: int = 0

    @property
    def busy(self) -> float:
        """Its share of CPU in the wall time for which it had a core.

        >>> Lap(100, 60, 40).busy, Lap(100, 60).busy, Lap(100, 200, 10).busy
        (1.0, 0.6, 2.0)
        """
        return self.cpu_ns / max(1, self.wall_ns - self.delay_ns, min(self.wall_ns, self.cpu_ns))


class Contestant:
    """One worker holding one tree. CPU is booked to the phase under way at every message.

    Made, it is starting; `greet`, which `with` does, waits for that, so that two can start at the same time.

    `name` is REFERENCE for the side whose failures are not the candidate's. What differs between kinds of worker
    is said by the class: the profile it runs under, whether the kernel's CPU clock of the worker sees all that the
    target burns (where not, only wall may decide), and the phases whose CPU is the target's to account for.
    """

    runs_under: ClassVar[Profile] = Profile.CONTESTANT
    sees_cpu: ClassVar[bool] = True
    accounted: ClassVar[frozenset[str]] = frozenset(ACCOUNTS)
    has_collector: ClassVar[bool] = True
    has_state: ClassVar[bool] = True
    """Whether it can be looked at what its calls leave in its memory."""

    def __init__(self, sandbox: Sandbox, command: Command, limits: Limits, name: str = "candidate") -> None:
        self.name = name
        self.live = sandbox.open(command, limits, self.runs_under)
        self.patience_s = limits.seconds
        self.life = Life()
        self.collecting = False
        """Whether the garbage collector, if the target has one, is on in timed blocks."""
        self.drains: tuple[Place, ...] = ()
        """Where a result holds iterators that are drained in the timed call that made it."""
        self.forgets = False
        """Whether nothing that one call leaves can be found by the next, so that no first call is special."""
        self._cpu_seen = 0
        self._halted = False
        self._block = 0

    @property
    def is_fork(self) -> bool:
        """Whether it is a fork of a worker that had started before."""
        return self.live.is_fork

    def greet(self) -> None:
        """It has started, and is known by the number that the kernel gave it. Raises SandboxBroken when it has not."""
        self.live.greet()
        self._book("start")

    def close(self) -> None:
        self.live.close()

    def __enter__(self) -> Self:
        self.greet()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def misconduct(self, phase: str, reason: str, refused: bool = False) -> Misconduct:
        return Misconduct(phase, reason, refused, self.name)

    def _words(self, said: Any, phase: str) -> str:
        """What it says of itself, for people."""
        if not isinstance(said, str):
            raise self.misconduct(phase, NO_ANSWER)
        return said[:MOST_WORDS]

    def load(self, load: Load) -> str | None:
        """The target imported; the file from which it came, as the worker says."""
        said, _ = self._ask("import", {"do": "load", **asdict(load)})
        if "fault" in said:
            raise self.misconduct("import", self._words(said["fault"], "import"), bool(said.get("refused", False)))
        file = said.get("file")
        if file is not None and not is_row([file], str):
            raise self.misconduct("import", NO_ANSWER)
        return file

    def sources(self) -> list[str]:
        """Files that it has imported and had to compile, as it sees them."""
        said, _ = self._ask("import", {"do": "sources"})
        sources = said.get("sources")
        if not is_row(sources, str):
            raise self.misconduct("import", NO_ANSWER)
        return list(sources)

    def keep(self, inputs: Sequence[bytes]) -> None:
        self._ask("prepare", {"do": "keep"}, list(inputs))

    def make(self, file: str, scale: int, seed: int) -> list[tuple[str, bytes]]:
        """Inputs made by a workload file for so many times its size, as codec and bytes."""
        return self._make(file, scale, 1, seed)[1]

    def make_call(self, file: str, scale: int, parts: int, seed: int) -> tuple[float, bytes]:
        """The size asked for (`scale / parts` times the file's own) and the first input made for it."""
        size, made = self._make(file, scale, parts, seed)
        if not made:
            raise self.misconduct("make_inputs", f"no calls for size {size}")
        return size, made[0][1]

    def _make(self, file: str, scale: int, parts: int, seed: int) -> tuple[float, list[tuple[str, bytes]]]:
        request = {"do": "make", "file": file, "scale": scale, "parts": parts, "seed": seed}
        said, blobs = self._ask("prepare", request)
        if "fault" in said:
            raise self.misconduct("make_inputs", self._words(said["fault"], "make_inputs"))
        size: Any = said.get("size")
        if not (is_row([size], int) or is_row([size], float)) or size <= 0:
            raise self.misconduct("make_inputs", NO_ANSWER)
        return size, self._made(said, blobs, "make_inputs")

    def vary(self, of: int, seed: int, most: int, reach: str, most_bytes: int) -> list[tuple[str, bytes]]:
        """At most so many calls near the first `of` inputs held, as codec and bytes, as far from them as
        `reach` says (optagent_vary). Those of more bytes are left alone."""
        said, blobs = self._ask(
            "prepare", {"do": "vary", "of": of, "seed": seed, "most": most, "reach": reach, "bytes": most_bytes}
        )
        return self._made(said, blobs, "prepare")

    def _made(self, said: dict[str, Any], blobs: list[bytes], phase: str) -> list[tuple[str, bytes]]:
        codecs = said.get("codecs")
        if not is_row(codecs, str) or len(codecs) != len(blobs):
            raise self.misconduct(phase, NO_ANSWER)
        return list(zip(codecs, blobs, strict=True))

    def admit(self, number: int) -> tuple[bytes, bytes]:
        """A kept input opened and called: a key that equal arguments share, and the canonical encoding of what the
        call left. Raises Uncomparable when it cannot be opened or what it left has no canonical form."""
        said, blobs = self._ask("call", {"do": "admit", "input": number})
        if said.get("refused"):
            raise Uncomparable("a call that asks for a new process")
        if said.get("fault"):
            raise Uncomparable(self._words(said["fault"], "call"))
        if len(blobs) != 2:
            raise self.misconduct("call", NO_ANSWER)
        return blobs[0], blobs[1]

    def describe(self) -> dict[str, list[str]]:
        said, _ = self._ask("prepare", {"do": "describe"})
        types = said.get("types")
        if not isinstance(types, dict) or not all(is_row(kinds, str) for kinds in [[*types], *types.values()]):
            raise self.misconduct("prepare", NO_ANSWER)
        return types

    def profile(self, kind: str) -> list[list[Any]]:
        """One pass over all inputs under the profiler of that kind, which slows it down: rows as COLUMNS says."""
        said, _ = self._ask("call", {"do": "profile", "kind": kind})
        if "fault" in said:
            raise self.misconduct("call", self._words(said["fault"], "call"))
        rows = said.get("rows")
        if not isinstance(rows, list) or not all(is_row(row, *COLUMNS[kind]) for row in rows):
            raise self.misconduct("call", NO_ANSWER)
        return rows

    def weigh(self) -> tuple[int, int, int] | None:
        """All inputs called once: bytes that one call held at once, characters written, threads started; None where
        there is no way to see them. The target could forge them."""
        said, _ = self._ask("call", {"do": "weigh"})
        row = [said.get(name) for name in ("held", "printed", "threads")]
        if not is_row(row, int):
            raise self.misconduct("call", NO_ANSWER)
        return row[0], row[1], row[2]

    def write(self, number: int) -> dict[str, Any]:
        """What the worker writes of one call, to be shown to a person; it may be anything."""
        said, _ = self._ask("call", {"do": "write", "input": number})
        return said

    def call(self, numbers: Sequence[int]) -> list[bytes]:
        """Each input called once: canonical encodings of result, arguments afterwards and printed text."""
        return self._called({"inputs": list(numbers)}, len(numbers))[1]

    def call_watched(self, numbers: Sequence[int], watched: Sequence[str] | None) -> tuple[list[bytes], Seen]:
        """The same, and what became of the state of those names (None: of all that there is)."""
        request = {"inputs": list(numbers), "watched": None if watched is None else list(watched)}
        said, blobs = self._called(request, len(numbers) + 1)
        known, unknown = said.get("known"), said.get("unknown")
        if not is_row(known, str) or not isinstance(unknown, dict) or not is_row([*unknown, *unknown.values()], str):
            raise self.misconduct("call", NO_ANSWER)
        return blobs[:-1], Seen(blobs[-1], tuple(known), tuple(unknown.items()))

    def _called(self, request: dict[str, Any], expected: int) -> tuple[dict[str, Any], list[bytes]]:
        said, blobs = self._ask("call", {"do": "call", **request})
        if said.get("refused"):
            raise self.misconduct("call", f"a call ended in the refusal of a new process (errno {REFUSED_ERRNO})", True)
        return said, self._encodings(said, blobs, expected)

    def prepare(self, numbers: Sequence[int], times: int) -> None:
        """Fresh arguments for a block of `times` passes over the inputs; the next message must be `lap`."""
        self._block = times * len(numbers)
        how = {"collecting": self.collecting, "drains": self.drains}
        self._ask("prepare", {"do": "prepare", "inputs": list(numbers), "times": times, **how})

    def lap(self) -> Lap:
        """The prepared block run, clocked from here."""
        with self._watched("call"):
            waits = self.live.waits()
            cpu, wall = self.live.cpu_ns(), clocks.wall_ns()
            self.live.send_raw(GO)
            answer = self.live.receive_byte(self.patience_s)
            lap = Lap(clocks.wall_ns() - wall, self.live.cpu_ns() - cpu)
            delay = sum(one.waited_ns for one in clocks.since([waits], [self.live.waits()]))
            lap = replace(lap, delay_ns=delay)
        if answer != DONE:
            raise self.misconduct("call", NO_ANSWER)
        self._book("timed")
        return lap

    def collect(self, state: Sequence[str] = (), view: View = WHOLE) -> list[bytes]:
        """Canonical encodings of what every call of the last block left, then one of what the block printed, and one
        of what these names of state hold now, if any are given. With another `view`, of a part of the calls, and of
        the items of what they left where the worker knows how to."""
        calls = None if view.calls is None else list(view.calls)
        said, blobs = self._ask(
            view.phase, {"do": "collect", "state": list(state), "calls": calls, "items": view.items}
        )
        return self._encodings(said, blobs, (self._block if calls is None else len(calls)) + 1 + bool(state))

    def halt(self) -> None:
        """Every thread stopped; what is burnt from here until `proceed` is booked as idle."""
        with self._watched("settle"):
            self.live.halt()
        self._book("settle")
        self._halted = True

    def proceed(self) -> None:
        if self._halted:
            self._book("idle")
            with self._watched("idle"):
                self.live.proceed()
            self._halted = False

    def pin(self, core: int) -> None:
        """Kept on one core from here on."""
        with self._watched("start"):
            self.live.pin(core)

    def peak_memory_bytes(self) -> int:
        with self._watched("settle"):
            return self.live.peak_memory_bytes()

    @contextmanager
    def _watched(self, phase: str) -> Iterator[None]:
        """A contestant that is late or gone has misbehaved: that is a verdict, no fault of ours."""
        try:
            yield
        except Overdue:
            raise self.misconduct(phase, f"no answer after {self.patience_s:.0f} s") from None
        except ChannelClosed:
            raise self.misconduct(phase, f"the process ended: {self.live.last_words() or 'without a word'}") from None

    def _ask(
        self, phase: str, request: dict[str, Any], blobs: list[bytes] | None = None
    ) -> tuple[dict[str, Any], list[bytes]]:
        try:
            with self._watched(phase):
                self.live.send(request, blobs)
                return self.live.receive(self.patience_s)
        finally:
            self._book(phase)

    def _book(self, phase: str) -> None:
        """CPU since the last message, on the account of `phase`; a process that is gone has no more to book."""
        try:
            now = self.live.cpu_ns()
        except ChannelClosed:
            return
        if phase in self.accounted:
            self.life = self.life.plus(phase, now - self._cpu_seen)
        self._cpu_seen = now

    def _encodings(self, said: dict[str, Any], blobs: list[bytes], expected: int) -> list[bytes]:
        faults = said.get("faults", [])
        if not isinstance(faults, list):
            raise self.misconduct("call", NO_ANSWER)
        if faults:
            raise Uncomparable(self._words(faults[0], "call"))
        if len(blobs) != expected:
            raise self.misconduct("call", f"{len(blobs)} answers to {expected} calls")
        return blobs


def is_row(row: Any, *kinds: type) -> TypeGuard[list[Any]]:
    """Whether it is a list of such values; one kind stands for any number of them. Numbers are finite, what is counted
    is not less than nothing, and no name is endless: whoever asks can count with them and show them."""
    if not isinstance(row, list):
        return False
    wanted = kinds * len(row) if len(kinds) == 1 else kinds
    return len(row) == len(wanted) and all(map(_is_of, row, wanted))


def _is_of(value: Any, kind: type) -> bool:
    if isinstance(value, str):
        return kind is str and len(value) <= MOST_TEXT
    is_one = type(value) is kind  # True is no number
    least = 0 if kind is int else -MOST_NUMBER
    return is_one and bool(least <= value <= MOST_NUMBER)
