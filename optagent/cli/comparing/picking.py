"""Which functions of two trees are judged: those that are named, else those that changed and that a test reaches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from optagent.cli.comparing.pairing import listed, named, nothing_common, untold
from optagent.cli.comparing.sides import Sides
from optagent.cli.run.adapters import Adapter, CommandTargets, adapter_for, has_command
from optagent.cli.run.hotspots import spec
from optagent.cli.run.workshop import Ground, place_of
from optagent.cli.settings.config import Config
from optagent.cli.settings.run_settings import RunSettings
from optagent.errors import BadSetting, BaselineBroken
from optagent.languages.python.source.changed import Changes, Pair, changes
from optagent.languages.tests import Captured
from optagent.verify.survey import Survey
from optagent.workspace.presence import Presence

Stage = Callable[[str], None]
NO_CHANGES = Changes()


@dataclass(frozen=True)
class Choice:
    """The functions that may be judged: `is_named` by a person, or `found` among what changed."""

    pairs: tuple[Pair, ...]
    is_named: bool = True
    found: Changes = NO_CHANGES


@dataclass(frozen=True)
class Picked:
    """`numbers` are the targets to be judged, as they stand in `targets` and in the survey of the base's tests;
    `untold` says for people what is not judged, and why."""

    asked: Config
    ground: Ground
    targets: tuple[Pair, ...]
    numbers: tuple[int, ...]
    survey: Survey
    is_named: bool
    untold: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the targets to be judged."""
        return tuple(str(self.targets[number].base) for number in self.numbers)

    def settings(self, number: int) -> RunSettings:
        target = self.targets[number].base
        is_command = isinstance(self.ground.adapter, CommandTargets)
        return self.asked.run_settings(target.qualname if is_command else spec(target))


def picked(asked: Config, sides: Sides, stage: Stage) -> Picked | None:
    """The functions to be judged, and what the tests of the base say of them; None when the code is the same on both
    sides. From here on the head too has the base's tests."""
    settings = asked.run_settings(asked.targets[0] if asked.targets else "")
    place = place_of(asked.repo, asked.state)
    adapter = adapter_for(settings, sides.base, place.parent) if has_command(sides.base.project_root) else None
    choice = _of_command(adapter, sides, asked) if isinstance(adapter, CommandTargets) else _choice(asked, sides)
    if not choice.pairs or not sides.paths:
        return None
    if sides.are_files and not settings.workload:
        raise BaselineBroken(
            f"two files have no tests that call {choice.pairs[0].base.qualname}, so its inputs have to come from you",
            "Write a workload file that defines make_inputs(size, rng): `--workload FILE`.",
        )
    if adapter is None:
        adapter = adapter_for(settings, sides.base, place.parent)
    adapter.check(sides.base, settings)
    ground = Ground(sides.base, tuple(pair.base for pair in choice.pairs), adapter, place, Presence(place))
    sides.judge_by_base()
    stage(f"environment: {adapter.described}")
    survey = _survey(sides, ground, settings, stage)
    reached = [number for number in range(len(choice.pairs)) if choice.is_named or survey.reaching[number]]
    numbers = range(1) if settings.workload and not choice.is_named else reached
    if not numbers:
        raise _unreached(choice, survey)
    unreached = [pair for number, pair in enumerate(choice.pairs) if number not in numbers]
    said = untold(choice.found, unreached)
    return Picked(asked, ground, choice.pairs, tuple(numbers), survey, choice.is_named, tuple(said))


def _of_command(adapter: Adapter, sides: Sides, asked: Config) -> Choice:
    target = adapter.target(sides.base, asked.targets[0] if asked.targets else "")
    return Choice((Pair(target, target),))


def _choice(asked: Config, sides: Sides) -> Choice:
    """Of Python code. No functions when nothing changed."""
    if asked["workload"] and len(asked.targets) > 1:
        raise BadSetting(
            f"a workload is for one function, and there are {len(asked.targets)}", "Compare one at a time."
        )
    if asked.targets:
        return Choice(named(sides, asked.targets))
    if sides.are_files:
        raise BadSetting("there is no target, so it is not clear what to compare", "Name a function: `--target FN`.")
    found = changes(sides.base, sides.head, sides.paths)
    if not found.pairs and not found.is_none:
        raise nothing_common(found)
    if asked["workload"] and len(found.pairs) > 1:
        names = listed([str(pair.base) for pair in found.pairs])
        raise BadSetting(f"a workload is for one function, and {len(found.pairs)} changed: {names}", "Name one.")
    return Choice(found.pairs, False, found)


def _survey(sides: Sides, ground: Ground, settings: RunSettings, stage: Stage) -> Survey:
    targets = ground.targets
    if sides.are_files:
        return Survey((), ((),) * len(targets), (), 0.0, 0.0, (Captured(),) * len(targets), ())
    stage("running the tests of the base twice")
    project = ground.adapter.project(settings, sides.folder, sides.base, targets[0])
    return ground.adapter.survey(project, sides.base, targets, settings)


def _unreached(choice: Choice, survey: Survey) -> BaselineBroken:
    names = listed([str(pair.base) for pair in choice.pairs])
    if not survey.passing and survey.set_aside:
        failing = f"{len(survey.set_aside)} fail; first: {survey.set_aside[0]}"
        return BaselineBroken(f"no test of the base passes ({failing}), so nothing can be judged", "Mend them first.")
    return BaselineBroken(
        f"no passing test of the base reaches a function that changed ({names}), so nothing can be judged",
        "Write a test that calls one, or name it with a workload file: `--target FN --workload FILE`.",
    )
