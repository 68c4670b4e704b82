"""The JSON document of a verb. The schema's version history stands above its number.

1: first.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import TypeAdapter

from optagent.core.fault import Strength, Unexecuted
from optagent.core.goal import Spent
from optagent.core.trial import Trial
from optagent.core.verdict import Beyond, Difference, Evidence, Measured, Number, Speedup, Unmeasured, Verdict
from optagent.ledger.events import UNTRIED
from optagent.ledger.history import Bought
from optagent.report.beside import EndToEndPart, GrowthPart, GuardsPart, MemoryPart
from optagent.report.part import Part
from optagent.report.text import safe, verdict_line

SCHEMA = 1
OutcomeName = Literal[
    "faster", "equivalent", "slower", "incorrect", "rejected", "inconclusive", "cannot_compare", "nothing_found",
    "baseline_broken", "budget_exhausted", "interrupted", "failed",
]  # fmt: skip


class SpeedupPart(Part):
    """`ratio` is old over new time; `low` and `high` bound it at `confidence`; times are seconds for one pass."""

    kind: Literal["measured"] = "measured"
    ratio: float
    low: float
    high: float
    confidence: float
    pairs: int
    processes: int
    noise: float
    clock: Literal["cpu", "wall"]
    old_seconds: float
    new_seconds: float
    other_clock_ratio: float
    first_call: bool


class SurvivorPart(Part):
    """A fault that was planted in the original code and that nothing noticed."""

    line: int
    kind: str
    words: str


class BeyondPart(Part):
    """`test` passes with the old code and not with the new; `odd` where it takes a value like NaN to tell them."""

    kind: Literal["compared"] = "compared"
    inputs: int
    difference: Difference | None
    test: str | Unmeasured
    odd: bool


class EvidencePart(Part):
    """`varied` inputs are near those compared, which `inputs` counts. `oracle_strength` is the share of planted faults
    that the checks noticed; `unexecuted_lines` are those of changed statements that no compared input executed.
    `beyond` says what happens on inputs outside of all that the tests show: what differs there is not faster, unless it
    takes `odd` values."""

    tests: int
    inputs: int
    held_out: int
    varied: int
    sources: dict[str, int]
    oracle_strength: Number
    survivors: list[SurvivorPart]
    unexecuted_lines: list[int] | Unmeasured
    beyond: BeyondPart | Unmeasured
    first_difference: Difference | None


class CostPart(Part):
    """`usd` counts the worst case of calls whose end nobody heard; it is unmeasured when nobody knows a price. Tokens
    are those of replies."""

    usd: float | Unmeasured
    tokens_in: int
    tokens_out: int
    cached: int
    calls: int
    seconds: float


class TrialPart(Part):
    number: int
    author: str
    idea: str
    verdict: str
    reason: str
    speedup: SpeedupPart | Unmeasured
    seconds: float
    usd: float
    tokens: int


class WrittenPart(Part):
    """What `apply` did. `files` are absolute paths, in a commit those of the repository; no commit has no branch."""

    action: Literal["applied", "committed", "undone"]
    files: list[str]
    branch: str = ""
    commit: str = ""


class ErrorPart(Part):
    slug: str
    message: str
    hint: str


class Document(Part):
    """What `--json` prints. `speedup` and the numbers beside it are named `unmeasured` when nobody took them.
    `failing_test` is one that the untouched code passes and what was judged does not."""

    schema_: int = SCHEMA
    verb: str
    run: str
    target: str
    outcome: OutcomeName
    speedup: SpeedupPart | Unmeasured
    end_to_end: EndToEndPart | Unmeasured
    memory: MemoryPart | Unmeasured
    guards: GuardsPart | Unmeasured
    growth: GrowthPart | Unmeasured
    evidence: EvidencePart | Unmeasured
    failing_test: str | Unmeasured
    patch: str
    cost: CostPart
    sandbox: str
    machine: dict[str, Any]
    trials: list[TrialPart]
    warnings: list[str]
    written: WrittenPart | None = None
    error: ErrorPart | None = None

    def as_json(self, indent: int | None = 2) -> str:
        return as_text(self, indent)


class Documents(Part):
    """What `--json` prints for several targets: one document each; `outcome` is the best of them (`run`) or the worst
    (`verify`, `compare`, `bot`); `warnings` are about all of them."""

    schema_: int = SCHEMA
    verb: str
    outcome: OutcomeName
    results: list[Document]
    warnings: list[str] = []  # noqa: RUF012 - pydantic copies it

    def as_json(self, indent: int | None = 2) -> str:
        return as_text(self, indent)


def schema_text() -> str:
    """The JSON schema of both: what holds for every document of the verbs that judge, show or apply."""
    made = TypeAdapter(Document | Documents).json_schema()
    return json.dumps({"title": "optagent", **made}, indent=2).replace('"schema_"', '"schema"') + "\n"


def as_text(shown: Part, indent: int | None) -> str:
    r"""A document as text that any encoding can write, for it is ASCII; what is no number becomes null.

    Nothing in it moves a terminal. A patch of a file that is not UTF-8 has halves of surrogate pairs for its bytes:
    escapes like `\udce9`, which a reader gets back as they were (pydantic's own writer refuses them).
    """
    plain = json.loads(json.dumps(shown.model_dump(mode="json")), parse_constant=lambda name: None)
    text = json.dumps(plain, indent=indent).replace("\x7f", "\\u007f")  # the one control character that JSON leaves
    return text.replace('"schema_"', '"schema"')


NO_DIFFERENCE = Unmeasured("no input was seen on which what was judged differs")
UNPLANTED = Unmeasured("no speedup was measured, so nobody looked at what the evidence is worth")
NOTHING = Unmeasured("no speedup was confirmed")


def speedup_part(shown: Speedup | None) -> SpeedupPart | Unmeasured:
    if shown is None:
        return NOTHING
    return SpeedupPart(
        ratio=shown.ratio, low=shown.low, high=shown.high, confidence=shown.confidence, pairs=shown.pairs,
        processes=shown.launches, noise=shown.noise, clock=shown.clock, old_seconds=shown.old_s,
        new_seconds=shown.new_s, other_clock_ratio=shown.other_ratio, first_call=shown.first_call,
    )  # fmt: skip


def evidence_part(
    evidence: Evidence,
    sources: dict[str, int],
    oracle: Strength | Unmeasured = UNPLANTED,
    unexecuted: Unexecuted | Unmeasured = UNPLANTED,
    beyond: Beyond | Unmeasured = UNTRIED,
) -> EvidencePart:
    survivors = oracle.survivors if isinstance(oracle, Strength) else ()
    return EvidencePart(
        tests=evidence.tests, inputs=evidence.inputs, held_out=evidence.held_out, varied=evidence.varied,
        sources=sources,
        oracle_strength=Measured(oracle.share, "share") if isinstance(oracle, Strength) else oracle,
        survivors=[SurvivorPart(line=one.line, kind=one.kind, words=one.words) for one in survivors],
        unexecuted_lines=list(unexecuted.lines) if isinstance(unexecuted, Unexecuted) else unexecuted,
        beyond=_beyond(beyond),
        first_difference=evidence.first_difference,
    )  # fmt: skip


def _beyond(found: Beyond | Unmeasured) -> BeyondPart | Unmeasured:
    if isinstance(found, Unmeasured):
        return found
    return BeyondPart(inputs=found.inputs, difference=found.difference, test=found.test, odd=found.odd)


def trial_part(trial: Trial) -> TrialPart:
    verdict: Verdict = trial.verdict
    shown: Speedup | None = getattr(verdict, "speedup", None)
    return TrialPart(
        number=trial.number, author=trial.candidate.author, idea=safe(trial.candidate.idea), verdict=verdict.kind,
        reason=verdict_line(verdict), speedup=speedup_part(shown), seconds=trial.cost.seconds, usd=trial.cost.usd,
        tokens=trial.cost.tokens,
    )  # fmt: skip


UNPRICED = Unmeasured("nobody knows what the model costs")


def cost_part(spent: Spent, bought: Bought) -> CostPart:
    """Without a model nothing was bought: these zeros are counts, not gaps."""
    return CostPart(
        usd=spent.usd if bought.is_priced else UNPRICED, tokens_in=bought.tokens_in, tokens_out=bought.tokens_out,
        cached=bought.cached, calls=bought.calls, seconds=spent.seconds,
    )  # fmt: skip


SAME = Unmeasured("the code is the same on both sides, so nothing was run")


def same(verb: str, target: str, warnings: list[str]) -> Document:
    """The document of a comparison whose sides need no judge."""
    return failure(verb, target, "equivalent").model_copy(
        update={
            "speedup": SAME,
            "evidence": SAME,
            "end_to_end": SAME,
            "memory": SAME,
            "guards": SAME,
            "growth": SAME,
            "warnings": warnings,
        }
    )


def failure(verb: str, target: str, outcome: OutcomeName, error: ErrorPart | None = None) -> Document:
    """The document of a verb that ended before it found anything."""
    return Document(
        verb=verb, run="", target=target, outcome=outcome, speedup=NOTHING, end_to_end=NOTHING, memory=NOTHING,
        guards=NOTHING, growth=NOTHING,
        failing_test=NO_DIFFERENCE,
        evidence=Unmeasured("the run ended before anything was verified"), patch="", cost=cost_part(Spent(), Bought()),
        sandbox="", machine={}, trials=[], warnings=[], error=error,
    )  # fmt: skip
