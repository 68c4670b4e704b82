"""The verb `profile`: a target with inputs as for a run, looked at with the profilers that are asked for."""

from __future__ import annotations

import json as jsonlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optagent.cli.run.adapters import PATIENCE_S
from optagent.cli.run.bench import bench
from optagent.cli.run.progress import Progress
from optagent.cli.run.workshop import Workshop, look_at, new_run
from optagent.cli.settings.config import Config, read
from optagent.core import outcome as codes
from optagent.core.target import Target
from optagent.profile.base import Here, Profiler
from optagent.profile.facts import source_hash
from optagent.profile.registry import Look, chosen, look
from optagent.profile.scene import Scene
from optagent.report.document import SCHEMA
from optagent.report.facts import facts_document, facts_text
from optagent.report.text import safe
from optagent.search.baseline import exercise


@dataclass(frozen=True)
class Looked:
    """All that was seen of one target: of which source (SHA-256 of its file), on how many inputs, in which sandbox."""

    target: Target
    source: str
    inputs: int
    rung: str
    looks: tuple[Look, ...]


def profile(repo: Path, given: Mapping[str, Any], names: Sequence[str], json: bool) -> int:
    """Prints facts with units. A profiler that is missing here is a note: the exit code does not know it."""
    wanted = chosen(names)
    asked = read(repo, given, os.environ)
    with Progress(asked["max_minutes"], quiet=json) as progress:
        looked = _looked(asked, wanted, progress)
    sys.stdout.write(_as_json(looked) if json else _as_text(looked))
    return codes.OK


def _looked(asked: Config, wanted: Sequence[Profiler], progress: Progress) -> Looked:
    """The target's inputs come from its tests or its workload file, as in a run; nothing is kept."""
    target = asked.only_target() if asked.command is None or asked.targets else ""
    settings = asked.run_settings(target).checked()
    progress.stage("looking at the project")
    ground = look_at([settings], asked.state)
    workshop = new_run(settings, ground, ground.targets[0], verb="profile")
    try:
        return _seen(workshop, wanted, progress)
    finally:
        workshop.abandon()


def _seen(workshop: Workshop, wanted: Sequence[Profiler], progress: Progress) -> Looked:
    progress.stage("running the tests twice")
    survey = workshop.survey((workshop.target,))
    workshop = workshop.with_folders(survey.folders)
    timed = exercise(bench(workshop, survey, 0, progress.stage)).timed
    here = Here(workshop.adapter.installed)
    with Scene(workshop.project, workshop.base, timed, PATIENCE_S) as scene:
        looks = tuple(look(wanted, scene, here, progress.stage))
    source = source_hash(workshop.project, workshop.base)
    return Looked(workshop.target, source, len(timed), workshop.sandbox.rung, looks)


def _as_text(looked: Looked) -> str:
    inputs = f"{looked.inputs} input{'s' if looked.inputs != 1 else ''}"
    parts = [f"{looked.target}: one pass over {inputs}, in the sandbox {looked.rung}\n"]
    for one in looked.looks:
        head = f"{one.profiler.name}: {one.profiler.says}"
        doubt = f" (unproven: {one.profiler.unproven})" if one.profiler.unproven else ""
        parts.append(f"\n{head}{doubt}\n{facts_text(one.seen.facts)}")
        parts += [f"  note: {safe(note)}\n" for note in one.seen.notes]
    return "".join(parts)


def _as_json(looked: Looked) -> str:
    """Facts keep every digit; `unproven` says what of a profiler nobody has tried."""
    document = {
        "schema": SCHEMA, "verb": "profile", "target": str(looked.target), "source": looked.source,
        "inputs": looked.inputs, "sandbox": looked.rung,
        "profilers": [
            {
                "name": one.profiler.name, "says": one.profiler.says, "unproven": one.profiler.unproven,
                "facts": facts_document(one.seen.facts), "notes": list(one.seen.notes),
            }
            for one in looked.looks
        ],
    }  # fmt: skip
    return jsonlib.dumps(document, indent=2) + "\n"
