"""What the untouched code keeps from call to call: candidates have to leave it as it does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from optagent.core.canonical import names_of
from optagent.core.target import Tree
from optagent.core.workload import Input, State
from optagent.languages.contestant import REFERENCE, Misconduct, Seen, Uncomparable
from optagent.verify.differential import Run, outputs

TWICE_OTHERWISE = "not the same twice"
ALL_OF_IT = "all modules"
MOST_PASSES, PASSES_S = 5, 4.0
"""One of two things by chance is the same in six passes once in 32 times; no further pass begins after so long."""

MOST_AGAIN = 3
"""So often the untouched code is asked again before a candidate is wrong: each of those costs as much."""

APART_S = 1.1
"""Between two passes that change something: what tells the time may tell it in whole seconds."""


def survey_state(run: Run, tree: Tree, inputs: Sequence[Input]) -> State:
    """All state that can be told, less what passes over the inputs in fresh workers leave in different ways: two, and
    more where anything is left, as long as they are short. None where that does not go well: there is no verdict in it.
    """
    began = time.monotonic()
    try:
        first = _seen(run, tree, inputs)
        if first is None:
            return State()
        if names_of(first.changes):
            time.sleep(APART_S)
        others = [_seen(run, tree, inputs)]
        while names_of(first.changes) and len(others) < MOST_PASSES and time.monotonic() - began < PASSES_S:
            others.append(_seen(run, tree, inputs))
    except (Misconduct, Uncomparable) as failed:
        return State((), ((ALL_OF_IT, str(failed)),))
    return _steady(first, [one for one in others if one is not None])


def _steady(first: Seen, others: Sequence[Seen]) -> State:
    untold: dict[str, str] = {}
    for other in others:
        untold |= dict.fromkeys(differing(first.changes, other.changes), TWICE_OTHERWISE)
    for one in (first, *others):
        untold |= dict(one.unknown)
    known = set(first.known).intersection(*(one.known for one in others))
    compared = [name for name in first.known if name in known and name not in untold]
    return State(tuple(compared), tuple(sorted(untold.items())))


def differing(old: bytes, new: bytes) -> set[str]:
    """Names whose value is not the same in two encodings of state."""
    left, right = names_of(old), names_of(new)
    return {name for name in {*left, *right} if left.get(name) != right.get(name)}


def unsteady(run: Run, base: Tree, inputs: Sequence[Input], old: bytes, names: set[str]) -> set[str]:
    """Those of the names under which the untouched code, asked again, does not leave what it left when it was asked
    for `old`: what is one of few things by chance, or tells the time in hours, may be the same in every pass before."""
    found: set[str] = set()
    began = time.monotonic()
    for _ in range(MOST_AGAIN):
        if found >= names or time.monotonic() - began > PASSES_S:
            break
        try:
            again = outputs(replace(run, warm=False), base, inputs, REFERENCE)[-1]
        except (Misconduct, Uncomparable):
            break
        found |= names & differing(old, again)
    return found


def _seen(run: Run, tree: Tree, inputs: Sequence[Input]) -> Seen | None:
    """What a fresh worker says after all calls; None where nobody can look into what runs."""
    with run.project.contestant(tree, run.seed, run.patience_s, REFERENCE) as contestant:
        if not contestant.has_state:
            return None
        run.project.load(contestant, tree, padding=run.seed % 997)
        contestant.keep([one.data for one in inputs])
        return contestant.call_watched(range(len(inputs)), None)[1]
