"""A workload as artifacts, and back."""

from __future__ import annotations

from collections.abc import Iterable

from optagent.core.workload import Input, Workload
from optagent.ledger.events import BaselineTaken, StoredInput
from optagent.ledger.store import Ledger


def keep_inputs(ledger: Ledger, inputs: Iterable[Input]) -> tuple[StoredInput, ...]:
    """The inputs' bytes are in the ledger; what an event needs to name them."""
    return tuple(StoredInput(ledger.put(one.data), one.source, one.codec) for one in inputs)


def load_inputs(ledger: Ledger, stored: Iterable[StoredInput]) -> tuple[Input, ...]:
    return tuple(Input(ledger.get(one.digest), one.source, one.codec) for one in stored)


def load_workload(ledger: Ledger, baseline: BaselineTaken) -> Workload:
    """The very workload of the baseline, split as it was."""
    return Workload(
        search=load_inputs(ledger, baseline.search),
        held_out=tuple(load_inputs(ledger, held) for held in baseline.held_out),
        observed_types=baseline.observed_types,
        varied=load_inputs(ledger, baseline.varied),
        state=baseline.state,
    )
