"""The untouched code asked again for what it was admitted with: where it fails, that is a fault of the environment and
never a verdict on a candidate.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from optagent.core.target import Tree
from optagent.core.workload import Input
from optagent.errors import BaselineBroken
from optagent.languages.contestant import REFERENCE, Misconduct, Uncomparable
from optagent.verify.differential import Run, outputs

LEAST_PATIENCE_S = 30.0
SLOWER = 2
"""The machine may be so many times as busy as it was when the inputs were admitted."""


@contextmanager
def reference_at_work() -> Iterator[None]:
    """Only the untouched code is at work in it. Raises BaselineBroken when it fails."""
    try:
        yield
    except Misconduct as failed:
        raise _broken(f"the untouched target fails in the sandbox ({failed.phase}): {failed.reason}") from None
    except Uncomparable as unknown:
        raise _broken(f"the untouched target's results hold {unknown}, which cannot be compared") from None


def _broken(what: str) -> BaselineBroken:
    return BaselineBroken(
        f"{what}; nothing can be judged against it",
        "Run its tests by hand; see `optagent doctor` for what the sandbox allows.",
    )


@dataclass(frozen=True)
class Answers:
    """What the reference gave on inputs, and how long a candidate may take over all of them."""

    outputs: list[bytes]
    patience_s: float


def ask_reference(run: Run, base: Tree, inputs: Sequence[Input]) -> Answers:
    """In one pass over all of them: a candidate has ten such, and a start. `run` has the patience that they were
    admitted with. Raises BaselineBroken when the untouched code cannot do that any more."""
    began = time.monotonic()
    with reference_at_work():
        given = outputs(replace(run, patience_s=SLOWER * run.patience_s), base, inputs, REFERENCE)
    return Answers(given, max(LEAST_PATIENCE_S, 10.0 + 10.0 * (time.monotonic() - began)))
