"""The verb `verify`: a patch that somebody else wrote is judged like any candidate, and nothing is searched for."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from optagent.cli.endings import failed
from optagent.cli.run.judging import ONLY_TRIAL, factor_of, judged
from optagent.cli.run.progress import Progress
from optagent.cli.run.shop import Counter
from optagent.cli.run.workshop import Ground, Workshop, look_at, new_run
from optagent.cli.selftest import selftest
from optagent.cli.settings.config import Config, read
from optagent.cli.settings.run_settings import RunSettings
from optagent.core.outcome import referee_exit_code
from optagent.core.patch import Candidate
from optagent.core.scope import Scope
from optagent.core.verdict import Verdict
from optagent.errors import BadPatch, OptagentError
from optagent.report.run import document, text
from optagent.search.policy import Proposal
from optagent.verify.survey import Survey
from optagent.workspace.patching import diff_to, patch_from_diff


@dataclass(frozen=True)
class Change:
    """What is to be judged: a file with a diff, or a revision, or cheats of ours."""

    patch: Path | None
    revision: str | None
    cheats: bool = False


def verify(repo: Path, given: Mapping[str, Any], change: Change, max_slowdown: str, json: bool) -> int:
    """The patch judged and told; the exit code says whether it may be merged."""
    if change.cheats:
        return selftest(repo, given, json) if change == Change(None, None, True) else _both(json)
    asked, most = read(repo, given, os.environ), factor_of(max_slowdown)
    target = asked.only_target() if asked.command is None or asked.targets else ""
    settings = _settings(asked, target)
    try:
        with Progress(settings.minutes, quiet=json) as progress:
            ground = look_at([settings], asked.state)
            candidate = _candidate(ground, change.patch, change.revision)
            workshop = new_run(settings, ground, ground.targets[0], verb="verify")
            progress.stage("running the tests twice")
            survey = _survey(workshop)
            report = judged(workshop, survey, 0, progress.stage, lambda counter: _verdict(counter, candidate), most)
    except OptagentError as fault:
        return failed("verify", target, fault, json)
    sys.stdout.write(document(report).as_json() + "\n" if json else text(report, asked.state))
    return referee_exit_code(report.outcome)


def _both(json: bool) -> int:
    fault = BadPatch("--selftest plants patches of its own, and another one was given", "Leave --patch and --ref out.")
    return failed("verify", "", fault, json)


def _settings(asked: Config, target: str) -> RunSettings:
    """What somebody else wrote may touch the package, unless the user says otherwise."""
    settings = asked.run_settings(target)
    is_default = asked.found["scope"].origin == "default"
    return replace(settings, scope=Scope.PACKAGE.value) if is_default else settings


def _candidate(ground: Ground, file: Path | None, revision: str | None) -> Candidate:
    if (file is None) == (revision is None):
        raise BadPatch("there has to be one patch to judge", "Give `--patch FILE` or `--ref REVISION`.")
    if file is not None:
        try:
            diff, name = file.read_bytes(), str(file)
        except OSError as error:
            raise BadPatch(f"{file} cannot be read: {error.strerror}", "Name a file with a unified diff.") from None
    else:
        assert revision is not None
        diff, name = diff_to(ground.tree.root, revision), revision
    return Candidate(patch_from_diff(ground.tree, diff), "user", name)


def _survey(workshop: Workshop) -> Survey:
    with workshop.or_nothing():
        return workshop.survey((workshop.target,))


def _verdict(counter: Counter, candidate: Candidate) -> Verdict:
    counter.asked(ONLY_TRIAL, Proposal(candidate))
    if rejected := counter.screen(ONLY_TRIAL, candidate):
        return rejected
    with counter.checkout(candidate) as tree:
        return counter.verify(ONLY_TRIAL, tree)
