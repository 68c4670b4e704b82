"""A model asked for inputs, where planted faults show that the checks notice too little."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from optagent.agents.edits import Complaint
from optagent.cli.run.workshop import Workshop
from optagent.core.fault import Strength, Survivor
from optagent.core.goal import BudgetSpent
from optagent.core.seeds import derive
from optagent.core.verdict import Unmeasured
from optagent.core.workload import Input
from optagent.errors import OptagentError
from optagent.report.text import one_line, safe
from optagent.verify.differential import Run
from optagent.verify.written import NothingMade, written

Tester = Callable[[int, Sequence[Survivor]], str | Complaint]
"""Code that makes inputs which might show these faults, for the claim of a trial; or why there is none. Raises
BudgetSpent and ProviderFault."""


@dataclass(frozen=True)
class Asked:
    """The inputs that came of it, and what there is to say; nothing where nobody was asked."""

    inputs: tuple[Input, ...] = ()
    note: str = ""


def ask_for_inputs(
    shop: Workshop, run: Run, number: int, oracle: Strength | Unmeasured, tester: Tester | None
) -> Asked:
    """A gain has been confirmed by then, so that nothing that goes wrong here is more than a note. A workload file says
    which inputs there are: then nobody is asked."""
    if tester is None or shop.workload is not None or not isinstance(oracle, Strength) or not oracle.is_weak:
        return Asked()
    try:
        code = tester(number, oracle.survivors)
        if isinstance(code, Complaint):
            return Asked(note=f"the model wrote no inputs: {one_line(safe(code.reason))}")
        file = shop.folder / f"inputs-of-trial-{number}.py"
        file.write_text(code, "utf-8", "surrogatepass")
        file.chmod(0o644)
        made, inputs = written(run, shop.base, file, derive(shop.settings.seed, "written", number))
    except (BudgetSpent, NothingMade, OptagentError, OSError) as fault:
        return Asked(note=f"the model's inputs are not there: {one_line(safe(str(fault)))}")
    return Asked(tuple(inputs), f"{len(inputs)} of {made} inputs that the model wrote are among what was compared")
