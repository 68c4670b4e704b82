"""The parts of one run, put together: where its files lie, what runs its target, who keeps its record."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from optagent import __version__
from optagent.cli.run.adapters import Adapter, adapter_for
from optagent.cli.run.machine import fingerprint
from optagent.cli.settings.config import read
from optagent.cli.settings.run_settings import RunSettings
from optagent.core.effort import EFFORTS, Effort
from optagent.core.patch import EMPTY
from optagent.core.seeds import derive
from optagent.core.target import Target, Tree
from optagent.errors import BadSetting
from optagent.languages.base import Project
from optagent.ledger.events import Resumed, RunStarted
from optagent.ledger.history import Record
from optagent.ledger.store import Ledger
from optagent.measure.cgroup import allowance
from optagent.measure.cores import own_core
from optagent.sandbox.base import Limits, Sandbox
from optagent.sandbox.watcher import fit_beside
from optagent.verify.survey import Survey
from optagent.workspace.checkout import checkout
from optagent.workspace.folders import remove
from optagent.workspace.place import make_place, repository_place, state_root
from optagent.workspace.presence import Presence
from optagent.workspace.snapshot import Copy, copy_and_tell, digest
from optagent.workspace.worktree import root_of

RUNS, BASE, TREES, WORKLOAD = "runs", "base", "trees", "workload.py"

MOST_AT_ONCE = 4
"""More would not be much faster, and each has a copy of the tree."""


@dataclass(frozen=True)
class Workshop:
    """`folder` is the run's own; `base` is the untouched code in it; `core` is the core that timing uses."""

    run: str
    settings: RunSettings
    ledger: Ledger
    folder: Path
    base: Tree
    adapter: Adapter
    project: Project
    core: int
    presence: Presence

    @property
    def sandbox(self) -> Sandbox:
        return self.adapter.sandbox

    @property
    def target(self) -> Target:
        return self.project.target

    @property
    def runtime(self) -> str:
        """What runs the target, in a few words."""
        return self.adapter.runtime

    @property
    def salt(self) -> int:
        """For what shall differ from run to run."""
        return derive(self.settings.seed, self.run)

    @property
    def effort(self) -> Effort:
        return EFFORTS[self.settings.effort]

    @property
    def at_once(self) -> int:
        """How many candidates run at the same time while nothing is timed: one on each core that we may use all of,
        where none can reach another and each may take as much memory as it could alone."""
        cores = min(len(os.sched_getaffinity(0)), int(allowance().cores or MOST_AT_ONCE), MOST_AT_ONCE)
        return 1 if self.sandbox.rung == "none" else max(1, min(cores, fit_beside(Limits().all_memory_bytes)))

    @property
    def trees(self) -> Path:
        return self.folder / TREES

    @property
    def workload(self) -> Path | None:
        file = self.folder / WORKLOAD
        return file if file.exists() else None

    def survey(self, targets: Sequence[Target]) -> Survey:
        """The tests of the untouched code, run for all these targets together."""
        return self.adapter.survey(self.project, self.base, targets, self.settings)

    def with_folders(self, folders: tuple[str, ...]) -> Workshop:
        """The same run; the target's import path also has these folders of the tree."""
        return replace(self, project=self.adapter.with_folders(self.project, folders))

    def abandon(self) -> None:
        """The run never had a baseline: nothing of it is left."""
        abandon(self.ledger, self.run, self.folder, self.presence)

    @contextmanager
    def or_nothing(self) -> Iterator[None]:
        """Whatever ends the body early, nothing of the run is left."""
        with ExitStack() as undo:
            undo.callback(self.abandon)
            yield
            undo.pop_all()

    def sweep(self) -> None:
        """Trees of candidates that a killed session left behind are gone."""
        if self.trees.exists():
            remove(self.trees)

    def clear(self) -> None:
        """The run's folder is gone: a finished run needs its record only."""
        remove(self.folder)


def place_of(repo: Path, state: Path | None) -> Path:
    """Where the record of a repository's runs is kept: `state`, else what its settings say, else the platform's."""
    return repository_place(state_root(state or read(repo, {}, os.environ).state, os.environ), repo)


@dataclass(frozen=True)
class Ground:
    """What the runs of one session share. Everything that can be wrong with it has been looked at, and nothing has been
    written: `tree` is the user's own, for reading only. The session is present in its `place` from its first run on."""

    tree: Tree
    targets: tuple[Target, ...]
    adapter: Adapter
    place: Path
    presence: Presence


def look_at(wanted: Sequence[RunSettings], state: Path | None) -> Ground:
    """The ground of a session that makes one run for each of the settings, which differ in their target only."""
    settings = wanted[0].checked()
    tree = _users_tree(settings.repo_path)
    place = place_of(settings.repo_path, state)
    adapter = adapter_for(settings, tree, place.parent)
    targets = tuple(adapter.target(tree, one.target) for one in wanted)
    adapter.check(tree, settings)
    return Ground(tree, targets, adapter, place, Presence(place))


def new_run(
    settings: RunSettings,
    ground: Ground,
    target: Target,
    origin: Tree | None = None,
    verb: str = "run",
    session: str = "",
) -> Workshop:
    """A run that has begun, on a copy of the user's files as they are now, or as they were in `origin`. Runs of one
    session share its name, which is that of its first run, and its money."""
    place, presence = ground.place, ground.presence
    while not (make_place(place) and presence.enter()):
        pass  # another session was the last one here, and removed it
    ledger = Ledger.open(place)
    run = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    folder = place / RUNS / run
    with ExitStack() as undo:
        undo.callback(abandon, ledger, run, folder, presence)
        base, note = _set_up(folder, settings, origin)
        project = ground.adapter.project(settings, folder, base, target)
        version, core = __version__, own_core()
        machine = fingerprint(ground.adapter.identity, core)
        told = {
            **settings.as_json(), "project": base.project, "rung": ground.adapter.sandbox.rung, "note": note,
            "passed_over": ground.adapter.sandbox.passed_over,
            "session": session or run,
        }  # fmt: skip
        spec, seed = settings.target, settings.seed
        ledger.record(run, RunStarted(verb, settings.repo, spec, target, seed, version, digest(base), told, machine))
        undo.pop_all()
    return Workshop(run, settings, ledger, folder, base, ground.adapter, project, core, presence)


def resumed_run(run: str, record: Record, ledger: Ledger, presence: Presence) -> Workshop:
    """The same run again, from its own copy of the code; the user's tree may have changed since."""
    settings = RunSettings.from_json(record.started.settings)
    if settings.has_model:
        settings = replace(settings, key_command=read(settings.repo_path, {}, os.environ)["key_command"])
    place = presence.place
    folder = place / RUNS / run
    if not (folder / BASE).is_dir():
        raise BadSetting(f"run {run} has ended; its files are gone", f"See what it found with `optagent show {run}`.")
    base = Tree(folder / BASE, str(record.started.settings.get("project", ".")))
    rung = str(record.started.settings.get("rung", settings.sandbox))  # behind what it began with, and nothing weaker
    adapter = adapter_for(replace(settings, sandbox=rung), base, place.parent)
    project = adapter.project(settings, folder, base, record.started.target)
    core = own_core()
    ledger.record(run, Resumed(__version__, fingerprint(adapter.identity, core), settings.as_json()))
    workshop = Workshop(run, settings, ledger, folder, base, adapter, project, core, presence)
    if record.baseline is not None:
        workshop = workshop.with_folders(tuple(record.baseline.extra["folders"]))
    workshop.sweep()
    return workshop


def abandon(ledger: Ledger, run: str, folder: Path, presence: Presence) -> None:
    """A run that never had a baseline leaves nothing, not even the place if nobody else has runs there."""
    ledger.forget(run)
    if folder.exists():
        remove(folder)
    with presence.alone() as is_alone:
        is_over = is_alone and not ledger.runs()
        ledger.close()
        if is_over:
            remove(presence.place)
            with suppress(OSError):  # others may keep their runs beside ours
                presence.place.parent.rmdir()


def _users_tree(repo: Path) -> Tree:
    """The user's own files, for reading only."""
    root = root_of(repo)
    return Tree(root, repo.resolve().relative_to(root.resolve()).as_posix())


def _set_up(folder: Path, settings: RunSettings, origin: Tree | None) -> tuple[Tree, str]:
    """The run's folder: the baseline's copy and the user's workload file, readable by whoever the sandbox is; and what
    there is to say of files that were left out."""
    folder.mkdir(parents=True)
    for part in (folder, folder.parent, folder.parent.parent):
        part.chmod(0o755)
    into = folder / BASE
    copy = copy_and_tell(settings.repo_path, into) if origin is None else Copy(checkout(origin, EMPTY, into))
    if settings.workload:
        shutil.copyfile(settings.workload, folder / WORKLOAD)
        (folder / WORKLOAD).chmod(0o644)
    return copy.tree, copy.note
