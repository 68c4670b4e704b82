"""One event per stage of a run, and its way to JSON and back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from optagent.core.end_to_end import EndToEnd
from optagent.core.fault import Strength, Unexecuted
from optagent.core.goal import Spent
from optagent.core.growth import Growth
from optagent.core.guards import Guards
from optagent.core.outcome import Outcome
from optagent.core.patch import Candidate
from optagent.core.target import Target
from optagent.core.verdict import Beyond, Evidence, Rejected, Speedup, Unmeasured, Verdict
from optagent.core.workload import NO_STATE, State
from optagent.errors import LedgerCorrupt

if TYPE_CHECKING:
    from pydantic import TypeAdapter

NOTHING = Spent()
Finish = Literal["stop", "length", "filtered", "empty", "other"]
Json = dict[str, Any]  # what `json` writes; a set, a path or any other object is a TypeError at the append


@dataclass(frozen=True)
class StoredInput:
    """An Input whose bytes are the artifact of that digest."""

    digest: str
    source: str
    codec: str


@dataclass(frozen=True)
class RunStarted:
    """`target` as typed is `spec`; `tree` is the digest of the baseline's files; `machine` is its fingerprint."""

    verb: str
    repo: str
    spec: str
    target: Target
    seed: int
    version: str
    tree: str
    settings: Json = field(default_factory=dict)
    machine: Json = field(default_factory=dict)
    kind: Literal["run_started"] = "run_started"


@dataclass(frozen=True)
class BaselineTaken:
    """`tests` pass and reach the target, `set_aside` fail or flake; `noise` is the baseline's deviation from itself."""

    tests: tuple[str, ...]
    set_aside: tuple[str, ...]
    search: tuple[StoredInput, ...]
    held_out: tuple[tuple[StoredInput, ...], ...]
    noise: float
    observed_types: tuple[tuple[str, tuple[str, ...]], ...] = ()
    profile: Json = field(default_factory=dict)
    cost: Spent = NOTHING
    extra: Json = field(default_factory=dict)
    varied: tuple[StoredInput, ...] = ()
    state: State = NO_STATE
    kind: Literal["baseline_taken"] = "baseline_taken"


@dataclass(frozen=True)
class Asked:
    """The trial is under way. `fault` says what is wrong with the proposal already, before anybody looked at it."""

    candidate: Candidate
    fault: Rejected | None = None
    kind: Literal["asked"] = "asked"


@dataclass(frozen=True)
class Called:
    """A request is about to leave, and `worst` is what it may cost: reserved until `Replied` or `CallFailed` of the
    same trial. `messages` are what is sent, as roles and texts, `prompt` is the hash of the template they came from."""

    role: str
    turn: int
    model: str
    messages: tuple[tuple[str, str], ...]
    prompt: str
    worst: Spent
    kind: Literal["called"] = "called"


@dataclass(frozen=True)
class CallFailed:
    """No reply came. `cost` is the worst case where the provider may have billed it all the same, else nothing."""

    reason: str
    cost: Spent = NOTHING
    kind: Literal["call_failed"] = "call_failed"


@dataclass(frozen=True)
class Replied:
    """The text of a reply, as it came, on record before anybody parsed it. Its cost is part of the cost that `Decided`
    will name. `is_priced` is False when nobody knows what it cost: then `cost` has its tokens and no money."""

    reply: str
    author: str
    cost: Spent = NOTHING
    role: str = "coder"
    turn: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cached: int = 0
    finish: Finish = "stop"
    is_priced: bool = True
    kind: Literal["replied"] = "replied"


@dataclass(frozen=True)
class Screened:
    """None: nothing to object."""

    fault: Rejected | None = None
    kind: Literal["screened"] = "screened"


@dataclass(frozen=True)
class Tested:
    """How many tests passed, and the names of those that did not."""

    passed: int
    failed: tuple[str, ...] = ()
    kind: Literal["tested"] = "tested"


@dataclass(frozen=True)
class Compared:
    evidence: Evidence
    kind: Literal["compared"] = "compared"


@dataclass(frozen=True)
class LaunchTimes:
    """One launch: nanoseconds of each side for one pass over the timed inputs, on both clocks."""

    old_cpu_ns: float
    new_cpu_ns: float
    old_wall_ns: float
    new_wall_ns: float


@dataclass(frozen=True)
class Measured:
    """`launches` are empty in files of versions that did not keep them."""

    speedup: Speedup
    launches: tuple[LaunchTimes, ...] = ()
    kind: Literal["measured"] = "measured"


@dataclass(frozen=True)
class Decided:
    """The trial is over. `cost` is all of it, replies included."""

    verdict: Verdict
    cost: Spent
    kind: Literal["decided"] = "decided"


@dataclass(frozen=True)
class Claimed:
    """What the confirmation said of the trial on the held-out set of that index, which is burnt now. `system` is the
    Strain (core/strain.py) of the time in which it was measured, `metadata` pyperf's of its end; like `launches` they
    are empty where nothing was measured."""

    verdict: Verdict
    held_out: int
    cost: Spent = NOTHING
    system: Json = field(default_factory=dict)
    launches: tuple[LaunchTimes, ...] = ()
    metadata: Json = field(default_factory=dict)
    kind: Literal["claimed"] = "claimed"


UNPLANTED = Unmeasured("the version that judged it planted no faults")
UNTRIED = Unmeasured("the version that judged it tried no inputs beyond those seen")
UNTRACED = Unmeasured("the version that judged it traced no lines")


@dataclass(frozen=True)
class Weighed:
    """What a judged trial means beside its number; what could not be told says why. `asked` says what came of asking a
    model for inputs, where that was done."""

    guards: Guards | Unmeasured
    growth: Growth | Unmeasured
    end_to_end: EndToEnd | Unmeasured
    oracle: Strength | Unmeasured = UNPLANTED
    beyond: Beyond | Unmeasured = UNTRIED
    unexecuted: Unexecuted | Unmeasured = UNTRACED
    asked: str = ""
    kind: Literal["weighed"] = "weighed"


@dataclass(frozen=True)
class Reproduced:
    """The first input on which a judged patch is wrong, as a test to paste that the untouched code passes."""

    test: str | Unmeasured
    kind: Literal["reproduced"] = "reproduced"


@dataclass(frozen=True)
class RunEnded:
    """`winner` is the number of the trial that is kept; 0, which no trial has, for none."""

    outcome: Outcome
    winner: int = 0
    extra: Json = field(default_factory=dict)
    kind: Literal["run_ended"] = "run_ended"


@dataclass(frozen=True)
class Resumed:
    """The run goes on, perhaps on another machine or under other settings."""

    version: str
    machine: Json = field(default_factory=dict)
    settings: Json = field(default_factory=dict)
    kind: Literal["resumed"] = "resumed"


@dataclass(frozen=True)
class Applied:
    """The winner's patch is in the user's files, or, with a `branch`, in a commit on it."""

    files: tuple[str, ...]
    branch: str = ""
    commit: str = ""
    kind: Literal["applied"] = "applied"


@dataclass(frozen=True)
class Undone:
    """The winner's patch is out of the user's files again."""

    files: tuple[str, ...]
    kind: Literal["undone"] = "undone"


Stage = (
    RunStarted
    | BaselineTaken
    | Asked
    | Called
    | CallFailed
    | Replied
    | Screened
    | Tested
    | Compared
    | Measured
    | Decided
    | Claimed
    | Weighed
    | Reproduced
    | RunEnded
    | Resumed
    | Applied
    | Undone
)


@dataclass(frozen=True)
class Event:
    """One row of the ledger: `at` is in seconds since 1970, `trial` is 0 for what concerns the whole run."""

    number: int
    run: str
    trial: int
    kind: str
    at: float
    data: Json


@cache
def adapter() -> TypeAdapter[Stage]:
    from pydantic import Field, TypeAdapter  # 0.2 s that `--help` does not pay

    return TypeAdapter(Annotated[Stage, Field(discriminator="kind")])


def to_text(data: Stage | Mapping[str, Any]) -> str:
    """JSON in ASCII. Halves of surrogate pairs are escaped; NaN and infinities keep their names, as in JSON5.

    TypeError for what JSON cannot hold.
    """
    plain = adapter().dump_python(data) if dataclasses.is_dataclass(data) else dict(data)
    return json.dumps(plain, ensure_ascii=True, allow_nan=True)


def stage_of(event: Event) -> Stage:
    """The event as the value that was appended; LedgerCorrupt when it is none of ours."""
    from pydantic import ValidationError

    try:
        return adapter().validate_python({**event.data, "kind": event.kind})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise LedgerCorrupt(
            f"Event {event.number} of run {event.run} ({event.kind}) is not what we wrote: {where}: {first['msg']}.",
            "Set the ledger aside (move its folder), or start a new one with `--state DIR`.",
        ) from error
