"""The referee's handle on the launcher of a command. Only the wall clock is ours; the command's CPU is hearsay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from optagent.core.target import Tree
from optagent.languages.contestant import NO_ANSWER, Contestant, Lap, is_row
from optagent.sandbox.base import Command, Limits, Profile, Sandbox


@dataclass(frozen=True)
class CommandLoad:
    """What a launcher is told; `sources` are files that it hashes to show which tree it sees."""

    argv: tuple[str, ...]
    env: dict[str, str]
    sources: tuple[str, ...]
    scratch: str
    swept: tuple[str, ...]
    kept: tuple[str, ...]
    reads: bool
    writes: bool
    compare: str


@dataclass(frozen=True)
class Holds:
    """What a contestant was given: a tree, the same as built, and the seed of programs that hash at random."""

    tree: Tree
    built: Tree
    hash_seed: int


@dataclass(frozen=True)
class Answer:
    """What a command did with one input: "exit 0" or the like, the last line of its standard error, the encoding."""

    ending: str
    words: str
    encoding: bytes


class CommandContestant(Contestant):
    """A launcher that starts one command per call. Its own CPU is the same on both sides, whatever the command does:
    between turns no process of the command's exists, so nothing but idleness is accounted.
    """

    runs_under: ClassVar[Profile] = Profile.COMMAND
    sees_cpu: ClassVar[bool] = False
    has_collector: ClassVar[bool] = False
    has_state: ClassVar[bool] = False
    accounted: ClassVar[frozenset[str]] = frozenset({"idle"})

    def __init__(self, sandbox: Sandbox, command: Command, limits: Limits, name: str, holds: Holds) -> None:
        self.holds = holds
        self._peak_bytes = 0
        super().__init__(sandbox, command, limits, name)

    def begin(self, load: CommandLoad) -> dict[str, Any]:
        """The launcher knows what to run; which program that is, and the digest of program and sources.

        A call leaves nothing for the next where everything it can write is swept and nothing else is its user's own.
        (For ordinary users the first process inside is, with some bits about it that can be set.)
        """
        said, _ = self._ask("start", {"do": "load", **asdict(load)})
        if "fault" in said:
            raise self.misconduct("start", self._words(said["fault"], "start"))
        self.forgets = bool(load.swept) and said.get("alone") is True
        return said

    def make(self, file: str, scale: int, seed: int) -> list[tuple[str, bytes]]:
        raise self.misconduct("make_inputs", "a command takes its inputs from files")

    def describe(self) -> dict[str, list[str]]:
        return {}

    def profile(self, kind: str) -> list[list[Any]]:
        raise self.misconduct("call", "there is no profiler for commands yet")

    def weigh(self) -> None:
        """Nothing is known of what goes on in processes that are not ours."""

    def call(self, numbers: Sequence[int]) -> list[bytes]:
        """Each input given to the command once: canonical encodings of its ending and of what it wrote."""
        return self._call(numbers)[1]

    def answers(self, numbers: Sequence[int]) -> list[Answer]:
        """The same, with how the command ended and its last words, for people."""
        said, blobs = self._call(numbers)
        rows = said.get("endings")
        if not isinstance(rows, list) or len(rows) != len(numbers) or not all(is_row(row, str, str) for row in rows):
            raise self.misconduct("call", NO_ANSWER)
        return [Answer(ending, words, blob) for (ending, words), blob in zip(rows, blobs, strict=True)]

    def _call(self, numbers: Sequence[int]) -> tuple[dict[str, Any], list[bytes]]:
        said, blobs = self._ask("call", {"do": "call", "inputs": list(numbers)})
        self._check_nothing_left(said)
        return said, self._encodings(said, blobs, len(numbers))

    def lap(self) -> Lap:
        """The prepared block run, wall clocked from here; CPU of all its processes as the kernel told the launcher."""
        wall_ns = super().lap().wall_ns
        said, _ = self._ask("settle", {"do": "spent"})
        self._check_nothing_left(said)
        row = [said.get("cpu_ns"), said.get("peak_bytes")]
        if not is_row(row, int):
            raise self.misconduct("call", NO_ANSWER)
        cpu_ns, self._peak_bytes = row
        return Lap(wall_ns, cpu_ns)

    def empty_lap(self, times: int) -> Lap:
        """A block of programs that do nothing: what it costs here to start and end one, `times` times."""
        self._block = 0
        self._ask("prepare", {"do": "prepare", "inputs": [], "times": 0, "empty": times})
        return self.lap()

    def peak_memory_bytes(self) -> int:
        """The largest resident size that a process of the command had; never below the launcher's own (the kernel
        counts what a process was before it became the command)."""
        return self._peak_bytes

    def _check_nothing_left(self, said: dict[str, Any]) -> None:
        if said.get("left"):
            raise self.misconduct("leave", self._words(said["left"], "leave"))
