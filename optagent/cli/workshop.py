"""The parts of one run, put together: where its files lie, what runs its target, who keeps its record."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from optagent import __version__
from optagent.cli.config import read
from optagent.cli.machine import fingerprint
from optagent.cli.settings import RunSettings
from optagent.core.patch import EMPTY
from optagent.core.scope import Scope
from optagent.core.target import Target, Tree
from optagent.errors import BadSetting, BaselineBroken
from optagent.languages.python import environment, toolbox_folder, tools
from optagent.languages.python.discover import has_tests
from optagent.languages.python.environment import Environment
from optagent.languages.python.finding import Search
from optagent.languages.python.home import PythonHome
from optagent.languages.python.host import Host
from optagent.languages.python.locate import locate
from optagent.languages.python.project import PythonProject
from optagent.languages.python.workload_file import check_file
from optagent.ledger.events import Resumed, RunStarted
from optagent.ledger.history import Record
from optagent.ledger.store import Ledger
from optagent.sandbox.base import Sandbox
from optagent.sandbox.choose import choose
from optagent.workspace.checkout import checkout
from optagent.workspace.folders import remove
from optagent.workspace.place import make_place, repository_place, state_root
from optagent.workspace.snapshot import copy_project, digest
from optagent.workspace.worktree import root_of

RUNS, BASE, TREES, TOOLBOX, WORKLOAD = "runs", "base", "trees", "toolbox", "workload.py"


@dataclass(frozen=True)
class Workshop:
    """`folder` is the run's own; `base` is the untouched code in it; `core` is the core that timing uses."""

    run: str
    settings: RunSettings
    ledger: Ledger
    folder: Path
    base: Tree
    project: PythonProject
    core: int

    @property
    def sandbox(self) -> Sandbox:
        return self.project.home.sandbox

    @property
    def target(self) -> Target:
        return self.project.target

    @property
    def trees(self) -> Path:
        return self.folder / TREES

    @property
    def workload(self) -> Path | None:
        file = self.folder / WORKLOAD
        return file if file.exists() else None

    def with_folders(self, folders: tuple[str, ...]) -> Workshop:
        """The same run; the target's import path also has these folders of the tree."""
        return replace(self, project=replace(self.project, folders=folders))

    def abandon(self) -> None:
        """The run never had a baseline: nothing of it is left."""
        abandon(self.ledger, self.run, self.folder, self.folder.parent.parent)

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
class Machinery:
    """What runs the target: sandbox, the project's environment, and a folder of ours for tools that it lacks."""

    sandbox: Sandbox
    environment: Environment
    tools: Path | None

    def home(self, folder: Path, tests: str | None) -> PythonHome:
        """The home of runs whose files lie in `folder`."""
        toolbox = toolbox_folder.install(folder / TOOLBOX)
        found = self.environment
        return PythonHome(
            self.sandbox, found.interpreter, toolbox, test_arguments(tests), found.import_roots, self.tools
        )


@dataclass(frozen=True)
class Ground:
    """What the runs of one session share. Everything that can be wrong with it has been looked at, and nothing has been
    written: `tree` is the user's own, for reading only."""

    tree: Tree
    targets: tuple[Target, ...]
    machinery: Machinery
    place: Path


def look_at(wanted: Sequence[RunSettings], state: Path | None) -> Ground:
    """The ground of a session that makes one run for each of the settings, which differ in their target only."""
    settings = wanted[0].checked()
    repo = settings.repo_path
    tree = _users_tree(repo)
    targets = tuple(locate(tree, one.target) for one in wanted)
    if settings.workload:
        check_file(Path(settings.workload))
    elif not has_tests(tree):
        raise BaselineBroken(
            f"{repo.name or repo}/ has no tests and no workload file was given, so nothing can be judged",
            "Write a test that calls the target, or a workload file: `--workload FILE`.",
        )
    place = place_of(repo, state)
    return Ground(tree, targets, machinery(settings, place.parent), place)


def new_run(settings: RunSettings, ground: Ground, target: Target, origin: Tree | None = None) -> Workshop:
    """A run that has begun, on a copy of the user's files as they are now, or as they were in `origin`."""
    place = ground.place
    is_new = not place.exists()
    ledger = Ledger.open(make_place(place))
    run = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    folder = place / RUNS / run
    with ExitStack() as undo:
        undo.callback(abandon, ledger, run, folder, place if is_new else None)
        base = _set_up(folder, settings, origin)
        undo.pop_all()
    project = _project(settings, ground.machinery, folder, base, target)
    version, machine = __version__, fingerprint()
    ledger.record(
        run,
        RunStarted(
            "run", settings.repo, settings.target, target, settings.seed, version, digest(base),
            {**settings.as_json(), "project": base.project, "rung": ground.machinery.sandbox.rung}, machine,
        ),
    )  # fmt: skip
    return Workshop(run, settings, ledger, folder, base, project, _core())


def resumed_run(run: str, record: Record, ledger: Ledger, place: Path) -> Workshop:
    """The same run again, from its own copy of the code; the user's tree may have changed since."""
    settings = RunSettings.from_json(record.started.settings)
    folder = place / RUNS / run
    if not (folder / BASE).is_dir():
        raise BadSetting(f"run {run} has ended; its files are gone", f"See what it found with `optagent show {run}`.")
    base = Tree(folder / BASE, str(record.started.settings.get("project", ".")))
    project = _project(settings, machinery(settings, place.parent), folder, base, record.started.target)
    ledger.record(run, Resumed(__version__, fingerprint(), settings.as_json()))
    workshop = Workshop(run, settings, ledger, folder, base, project, _core())
    if record.baseline is not None:
        workshop = workshop.with_folders(tuple(record.baseline.extra["folders"]))
    workshop.sweep()
    return workshop


def abandon(ledger: Ledger, run: str, folder: Path, new_place: Path | None) -> None:
    """A run that never had a baseline leaves nothing, not even the place that was made for it."""
    ledger.forget(run)
    if folder.exists():
        remove(folder)
    is_empty = not ledger.runs()
    ledger.close()
    if new_place is not None and is_empty:
        remove(new_place)
        with suppress(OSError):  # others may keep their runs beside ours
            new_place.parent.rmdir()


def _users_tree(repo: Path) -> Tree:
    """The user's own files, for reading only."""
    root = root_of(repo)
    return Tree(root, repo.resolve().relative_to(root.resolve()).as_posix())


def machinery(settings: RunSettings, state: Path) -> Machinery:
    """The machinery found, and tried. `state` is the folder for all state."""
    sandbox = choose(settings.sandbox, Path.home())
    repo = settings.repo_path
    search = Search(repo, root_of(repo), Host(os.environ, Path.home()), Path(sys.executable), settings.python)
    found = environment.look(search, sandbox)
    return Machinery(sandbox, found, tools.complete(found, state, sandbox))


def _set_up(folder: Path, settings: RunSettings, origin: Tree | None) -> Tree:
    """The run's folder: the baseline's copy and the user's workload file, readable by whoever the sandbox is."""
    folder.mkdir(parents=True)
    for part in (folder, folder.parent, folder.parent.parent):
        part.chmod(0o755)
    into = folder / BASE
    base = copy_project(settings.repo_path, into) if origin is None else checkout(origin, EMPTY, into)
    if settings.workload:
        shutil.copyfile(settings.workload, folder / WORKLOAD)
        (folder / WORKLOAD).chmod(0o644)
    return base


def _project(settings: RunSettings, used: Machinery, folder: Path, base: Tree, target: Target) -> PythonProject:
    home = used.home(folder, settings.tests)
    return PythonProject(home, target, scope=Scope(settings.scope), base=base)


def test_arguments(tests: str | None) -> tuple[str, ...]:
    """`--tests` as arguments for pytest; other commands come with step 2."""
    words = shlex.split(tests or "")
    if words[:3] == ["python", "-m", "pytest"]:
        words = words[3:]
    elif words[:1] == ["pytest"]:
        words = words[1:]
    elif words:
        raise BadSetting(f"--tests {tests!r} is no pytest command", "Give `pytest` with its arguments.")
    return tuple(words)


def _core() -> int:
    """The last core we may use: the first ones serve the machine's own interrupts more often."""
    return max(os.sched_getaffinity(0))
