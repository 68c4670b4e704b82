"""What can be done to the untouched code, as functions for `search/baseline.py`; and the baseline's record."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from optagent.cli.run.adapters import PATIENCE_S
from optagent.cli.run.workshop import Workshop
from optagent.core.goal import Spent
from optagent.core.profile import HotFunction, HotLine, Profile
from optagent.core.seeds import derive
from optagent.core.strain import strain_of
from optagent.core.verdict import Difference
from optagent.core.workload import Input, State, Workload
from optagent.languages.contestant import REFERENCE, Uncomparable
from optagent.ledger.events import BaselineTaken
from optagent.ledger.inputs import keep_inputs, load_workload
from optagent.measure import speed
from optagent.measure.launch import Race
from optagent.profile import facts
from optagent.search.baseline import Bench, Problem
from optagent.verify import admit as admission
from optagent.verify import differential
from optagent.verify.reference import reference_at_work
from optagent.verify.state import survey_state
from optagent.verify.suite import Suite
from optagent.verify.survey import Survey
from optagent.verify.vary import BESIDES, vary

ENOUGH = 3
"""Inputs whose results say whether iterators belong to what a call costs."""

Types = tuple[tuple[str, tuple[str, ...]], ...]


def bench(shop: Workshop, survey: Survey, number: int, stage: Callable[[str], None]) -> Bench:
    """The bench of a run whose target is the survey's target of that number."""
    project, base, seed = shop.project, shop.base, shop.settings.seed

    def suite() -> tuple[Suite, Sequence[Input], Mapping[str, int]]:
        captured = survey.captured[number]
        return survey.suite(number, shop.settings.timeout_factor), captured.inputs, captured.lost

    def admit(inputs: Sequence[Input]) -> tuple[Sequence[Input], Mapping[str, int]]:
        admitted = admission.admit(reference_run(shop), base, inputs)
        return admitted.inputs, admitted.lost

    def near(workload: Workload) -> Sequence[Input]:
        return vary(reference_run(shop), base, workload.search, workload.held, derive(seed, "varied"))

    def besides(only: Input) -> Sequence[Input]:
        return vary(reference_run(shop), base, (only,), (), derive(seed, "besides"), BESIDES)

    def state(inputs: Sequence[Input]) -> State:
        return survey_state(reference_run(shop), base, inputs)

    def types(inputs: Sequence[Input]) -> Types:
        with project.contestant(base, 0, PATIENCE_S, REFERENCE) as reference:
            project.load(reference, base, 1)
            reference.keep([one.data for one in inputs])
            return tuple((name, tuple(kinds)) for name, kinds in sorted(reference.describe().items()))

    def own_difference(inputs: Sequence[Input]) -> Difference | str | None:
        try:
            return differential.own_difference(reference_run(shop), base, inputs)
        except Uncomparable as unknown:
            return str(unknown)

    def profile(timed: tuple[Input, ...]) -> Profile:
        return facts.take(project, base, timed, PATIENCE_S)

    made = shop.adapter.own_inputs(project, base, shop.workload, seed)
    return Bench(
        suite,
        reference_at_work()(admit),
        near,
        besides,
        state,
        made,
        reference_at_work()(types),
        reference_at_work()(own_difference),
        reference_at_work()(partial(_affordable, shop)),
        reference_at_work()(partial(_noise, shop)),
        profile,
        stage,
    )


def _affordable(shop: Workshop, inputs: Sequence[Input]) -> tuple[Input, ...]:
    race, seed = _race(shop, inputs), shop.settings.seed
    drains = speed.iterators_left(replace(race, inputs=race.inputs[:ENOUGH]), seed)
    return speed.affordable(replace(race, drains=drains), seed)


def _race(shop: Workshop, inputs: Sequence[Input]) -> Race:
    return Race(shop.project, shop.base, shop.base, tuple(inputs), shop.core, patience_s=PATIENCE_S, salt=shop.salt)


def _noise(shop: Workshop, timed: tuple[Input, ...]) -> speed.Noise:
    """In launches like those of a claim: of longer ones, more would be calls and less would be encoding."""
    race = replace(_race(shop, timed), seconds=shop.effort.claim_s)
    return speed.measure_noise(race, shop.settings.seed, shop.settings.asked_clock)


def reference_run(shop: Workshop) -> differential.Run:
    """The hash seed and patience under which search inputs are compared."""
    return differential.Run(shop.project, derive(shop.settings.seed, "hash"), PATIENCE_S)


def store(shop: Workshop, problem: Problem, survey: Survey, seconds: float) -> None:
    """The baseline in the ledger, so that a resumed run need not take it again."""
    suite, workload = problem.suite, problem.workload
    held = tuple(keep_inputs(shop.ledger, one) for one in workload.held_out)
    extra = {
        "passing": list(suite.passing),
        "suite_seconds": suite.seconds,
        "patience_s": suite.patience_s,
        "reaching_s": suite.reaching_s,
        "folders": list(survey.folders),
        "lost": dict(problem.lost),
        **_measured(shop, problem),
    }
    shop.ledger.record(
        shop.run,
        BaselineTaken(
            suite.reaching, suite.set_aside, keep_inputs(shop.ledger, workload.search), held, problem.noise.floor,
            workload.observed_types, asdict(problem.profile), Spent(seconds=seconds), extra,
            keep_inputs(shop.ledger, workload.varied), workload.state,
        ),
    )  # fmt: skip


def _measured(shop: Workshop, problem: Problem) -> dict[str, Any]:
    """What of the baseline holds for this machine only, beside the noise itself."""
    noise, search = problem.noise, problem.workload.search
    timed = [k for k, one in enumerate(search) if one in problem.timed]
    system = asdict(noise.strain) if noise.strain else {}
    return {
        "timed": timed, "clock": noise.clock, "old_seconds": noise.seconds, "cores": shop.core, "system": system,
        "encoding": noise.encoding, "drains": noise.drains,
    }  # fmt: skip


def measured_anew(shop: Workshop, taken: BaselineTaken) -> Problem:
    """The problem of a run that goes on elsewhere: its inputs and tests, timed against itself here, and on record."""
    began, problem = time.monotonic(), restored(shop, taken)
    timed = reference_at_work()(partial(_affordable, shop))(problem.workload.search)
    problem = replace(problem, timed=timed, noise=reference_at_work()(partial(_noise, shop))(timed))
    extra = {**taken.extra, **_measured(shop, problem)}
    spent = Spent(seconds=time.monotonic() - began)
    shop.ledger.record(shop.run, replace(taken, noise=problem.noise.floor, cost=spent, extra=extra))
    return problem


def restored(shop: Workshop, taken: BaselineTaken) -> Problem:
    """The problem as an earlier session of the run fixed it."""
    workload = load_workload(shop.ledger, taken)
    extra = taken.extra
    profile = taken.profile
    strain, drains = strain_of(extra.get("system", {})), tuple(map(tuple, extra.get("drains", ())))
    encoding = extra.get("encoding", 0.0)
    return Problem(
        Suite(
            tuple(extra["passing"]),
            taken.tests,
            taken.set_aside,
            extra["suite_seconds"],
            extra["patience_s"],
            extra.get("reaching_s", math.inf),
        ),
        workload,
        tuple(workload.search[k] for k in extra["timed"]),
        speed.Noise(taken.noise, extra["clock"], extra["old_seconds"], strain, encoding, drains),
        Profile(
            profile["source"],
            tuple(HotFunction(**one) for one in profile["functions"]),
            tuple(HotLine(**one) for one in profile["lines"]),
            profile["note"],
        ),
        tuple(sorted(extra["lost"].items())),
    )
