"""The kinds of targets, as a session needs them: what runs them, how they are surveyed, where inputs come from."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from optagent.cli.settings.run_settings import RunSettings, words_of
from optagent.core.scope import Scope
from optagent.core.target import Target, Tree
from optagent.core.workload import Workload
from optagent.errors import BadSetting, BaselineBroken, SandboxUnavailable, TargetNotFound
from optagent.languages.base import Project
from optagent.languages.command import inputs as command_inputs
from optagent.languages.command import settings as command_settings
from optagent.languages.command.project import CommandProject, command_target, find_project
from optagent.languages.command.settings import CommandSettings
from optagent.languages.python import toolbox_folder
from optagent.languages.python.bytecode import compile_toolbox, with_bytecode
from optagent.languages.python.environment import environment, tools
from optagent.languages.python.environment.environment import Environment
from optagent.languages.python.environment.finding import Search
from optagent.languages.python.environment.home import PythonHome
from optagent.languages.python.environment.host import Host
from optagent.languages.python.environment.identity import identity
from optagent.languages.python.project import PythonProject
from optagent.languages.python.targets.locate import locate
from optagent.languages.python.testing.discover import has_tests
from optagent.languages.python.testing.pytest_run import TEST_SECONDS, Wish, run_tests
from optagent.languages.python.workload_file import check_file, workload_from_file
from optagent.languages.tests import TestReport
from optagent.sandbox.base import Sandbox
from optagent.sandbox.choose import choose
from optagent.verify.survey import Survey, take_survey
from optagent.workspace.worktree import root_of

TOOLBOX = "toolbox"
PATIENCE_S = 120.0
OwnInputs = Callable[[], Workload]


class Adapter(Protocol):
    """One kind of target, with the sandbox and whatever else was found and tried for it."""

    @property
    def sandbox(self) -> Sandbox: ...

    @property
    def described(self) -> str:
        """What runs the target, on one line."""

    @property
    def runtime(self) -> str:
        """The same for somebody who does not know this machine."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What of that the times of a target depend on, as plain JSON for the machine's fingerprint."""

    @property
    def installed(self) -> Mapping[str, str] | None:
        """Versions by package in the environment that runs the target; None where that is not Python's."""

    def target(self, tree: Tree, spec: str) -> Target:
        """The target that a person names. Raises UsageError."""

    def check(self, tree: Tree, settings: RunSettings) -> None:
        """Returns when something can judge a target of this tree. Raises BadWorkload or BaselineBroken."""

    def project(self, settings: RunSettings, folder: Path, base: Tree, target: Target) -> Project:
        """What runs the target of one run, whose files lie in `folder`."""

    def survey(self, project: Project, base: Tree, targets: Sequence[Target], settings: RunSettings) -> Survey:
        """The tests of the untouched code, run for all these targets together."""

    def with_folders(self, project: Project, folders: tuple[str, ...]) -> Project:
        """The project, with folders of the tree on its import path that the tests had there."""

    def own_inputs(self, project: Project, base: Tree, file: Path | None, seed: int) -> OwnInputs | None:
        """What makes the workload when it does not come from the tests; None when it does."""


@dataclass(frozen=True)
class PythonTargets:
    """Functions of Python code. `tools` is a folder of ours with what the environment lacks to run tests."""

    sandbox: Sandbox
    environment: Environment
    tools: Path | None

    @property
    def described(self) -> str:
        inside = ", ".join(str(one) for one in self.environment.editables if one.inside)
        return str(self.environment) + (f", {inside}" if inside else "")

    @property
    def runtime(self) -> str:
        return f"Python {'.'.join(map(str, self.environment.interpreter.version))}"

    @property
    def identity(self) -> Mapping[str, Any]:
        return identity(self.environment)

    @property
    def installed(self) -> Mapping[str, str]:
        return self.environment.installed

    def home(self, folder: Path, tests: str | None) -> PythonHome:
        """The home of runs whose files lie in `folder`."""
        toolbox = toolbox_folder.install(folder / TOOLBOX)
        found, (arguments, command) = self.environment, command_of(tests)
        roots = found.import_roots
        ground = folder.resolve()
        home = PythonHome(self.sandbox, found.interpreter, toolbox, arguments, roots, self.tools, command, ground)
        compile_toolbox(home)
        return home

    def target(self, tree: Tree, spec: str) -> Target:
        return locate(tree, spec)

    def check(self, tree: Tree, settings: RunSettings) -> None:
        if settings.workload:
            check_file(Path(settings.workload))
        elif not has_tests(tree):
            name = settings.repo_path.name or settings.repo
            raise BaselineBroken(
                f"{name}/ has no tests and no workload file was given, so nothing can be judged",
                "Write a test that calls the target, or a workload file: `--workload FILE`.",
            )

    def project(self, settings: RunSettings, folder: Path, base: Tree, target: Target) -> PythonProject:
        return PythonProject(self.home(folder, settings.tests), target, scope=Scope(settings.scope), base=base)

    def survey(self, project: Project, base: Tree, targets: Sequence[Target], settings: RunSettings) -> Survey:
        assert isinstance(project, PythonProject)
        home = project.home

        def run(only: tuple[str, ...] | None, keep: bool, seconds: float | None) -> TestReport:
            return run_tests(home, base, Wish(only, tuple(targets), keep, seconds or TEST_SECONDS))

        return take_survey(run, len(targets), settings.timeout_factor)

    def with_folders(self, project: Project, folders: tuple[str, ...]) -> Project:
        assert isinstance(project, PythonProject)
        return with_bytecode(replace(project, folders=folders), project.home.toolbox.parent)

    def own_inputs(self, project: Project, base: Tree, file: Path | None, seed: int) -> OwnInputs | None:
        if file is None:
            return None
        return lambda: workload_from_file(project, base, file, seed, PATIENCE_S)


@dataclass(frozen=True)
class CommandTargets:
    """The one command that a project describes in its configuration."""

    sandbox: Sandbox
    settings: CommandSettings

    @property
    def described(self) -> str:
        return f"the command `{' '.join(self.settings.run)}`"

    @property
    def runtime(self) -> str:
        return self.described

    @property
    def identity(self) -> Mapping[str, Any]:
        """Nobody knows what a command runs on besides the machine."""
        return {}

    @property
    def installed(self) -> None:
        return None

    def target(self, tree: Tree, spec: str) -> Target:
        found = command_target(tree, self.settings)
        if spec not in ("", found.qualname, str(found)):
            raise TargetNotFound(
                f"there is no command {spec!r} in {tree.project_root.name}/, only {found.qualname!r}",
                f"Name it, or nothing: `--target {found.qualname}`.",
            )
        return found

    def check(self, tree: Tree, settings: RunSettings) -> None:
        if settings.workload:
            raise BadSetting("a command takes its inputs from files", "Name them as `inputs` beside the command.")

    def project(self, settings: RunSettings, folder: Path, base: Tree, target: Target) -> CommandProject:
        found = find_project(base, self.sandbox, folder)
        assert found is not None, "the configuration was there when the user's tree was looked at"
        return found

    def survey(self, project: Project, base: Tree, targets: Sequence[Target], settings: RunSettings) -> Survey:
        assert isinstance(project, CommandProject)

        def run(only: tuple[str, ...] | None, keep: bool, seconds: float | None) -> TestReport:
            return project.run_tests(base, only, seconds or TEST_SECONDS)

        return take_survey(run, 1, settings.timeout_factor)

    def with_folders(self, project: Project, folders: tuple[str, ...]) -> Project:
        return project

    def own_inputs(self, project: Project, base: Tree, file: Path | None, seed: int) -> OwnInputs | None:
        assert isinstance(project, CommandProject)
        return lambda: command_inputs.workload(project, base, PATIENCE_S)


def adapter_for(settings: RunSettings, tree: Tree, state: Path) -> Adapter:
    """The kind of target that is meant: the project's command when that is named, or when nothing else is; else
    Python. `state` is the folder for all state. Raises EnvironmentFault when it cannot run here."""
    described = command_settings.read(tree.project_root)
    if described is not None and settings.target in ("", *_names(tree, described)):
        return CommandTargets(_for_commands(choose(settings.sandbox, Path.home())), described)
    return python_targets(settings, state)


def _for_commands(sandbox: Sandbox) -> Sandbox:
    """The sandbox, if it is one for whole commands, which start processes and write files: what one leaves must not be
    there for the next. Raises SandboxUnavailable."""
    if sandbox.rung == "landlock":
        raise SandboxUnavailable(
            "the sandbox `landlock` runs no commands: what one leaves in its folder the next would find",
            sandbox.passed_over or "Install bubblewrap and leave --sandbox out.",
        )
    return sandbox


def has_command(repo: Path) -> bool:
    return command_settings.read(repo) is not None


def _names(tree: Tree, described: CommandSettings) -> tuple[str, str]:
    target = command_target(tree, described)
    return target.qualname, str(target)


def python_targets(settings: RunSettings, state: Path) -> PythonTargets:
    """The project's environment found, and tried in the sandbox."""
    sandbox = choose(settings.sandbox, Path.home())
    repo = settings.repo_path
    search = Search(repo, root_of(repo), Host(os.environ, Path.home()), Path(sys.executable), settings.python)
    found = environment.look(search, sandbox)
    return PythonTargets(sandbox, found, tools.complete(found, state, sandbox))


RUNNERS = ("uv run", "poetry run", "pipenv run", "hatch run", "pdm run")
"""Prefixes that choose an environment, which has been chosen already."""

PYTEST = ("python -m pytest", "python3 -m pytest", "py.test", "pytest")


def command_of(tests: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """`--tests` as arguments for pytest, and as a command that is not pytest's; one of the two is empty."""
    words = words_of("--tests", tests or "pytest")
    for prefix in (one.split() for one in RUNNERS):
        if words[: len(prefix)] == prefix:
            words = words[len(prefix) :]
    for prefix in (one.split() for one in PYTEST):
        if words[: len(prefix)] == prefix:
            return tuple(words[len(prefix) :]), ()
    if not words:
        raise BadSetting(f"--tests {tests!r} is no command", "Give one, like `pytest -m 'not slow'`.")
    return (), tuple(words)
