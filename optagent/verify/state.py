"""What the untouched code keeps from call to call: candidates have to leave it as it does."""

from __future__ import annotations

import time
from collections.abc import Sequence

from optagent.core.canonical import names_of
from optagent.core.target import Tree
from optagent.core.workload import Input, State
from optagent.languages.contestant import REFERENCE, Misconduct, Seen, Uncomparable
from optagent.verify.differential import Run

TWICE_OTHERWISE = "not the same twice"
ALL_OF_IT = "all modules"
APART_S = 1.1
"""Between two passes that change something: what tells the time may tell it in whole seconds."""


def survey_state(run: Run, tree: Tree, inputs: Sequence[Input]) -> State:
    """All state that can be told, less what two passes over the inputs in fresh workers leave in different ways. None
    where that does not go well: there is no verdict in it."""
    try:
        first = _seen(run, tree, inputs)
        if first is None:
            return State()
        if names_of(first.changes):
            time.sleep(APART_S)
        second = _seen(run, tree, inputs)
    except (Misconduct, Uncomparable) as failed:
        return State((), ((ALL_OF_IT, str(failed)),))
    assert second is not None
    return _steady(first, second)


def _steady(first: Seen, second: Seen) -> State:
    left, right = names_of(first.changes), names_of(second.changes)
    untold = {name: TWICE_OTHERWISE for name in {*left, *right} if left.get(name) != right.get(name)}
    untold |= dict((*first.unknown, *second.unknown))
    compared = [name for name in first.known if name in second.known and name not in untold]
    return State(tuple(compared), tuple(sorted(untold.items())))


def _seen(run: Run, tree: Tree, inputs: Sequence[Input]) -> Seen | None:
    """What a fresh worker says after all calls; None where nobody can look into what runs."""
    with run.project.contestant(tree, run.seed, run.patience_s, REFERENCE) as contestant:
        if not contestant.has_state:
            return None
        run.project.load(contestant, tree, padding=run.seed % 997)
        contestant.keep([one.data for one in inputs])
        return contestant.call_watched(range(len(inputs)), None)[1]
