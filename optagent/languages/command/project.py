"""Commands as the referee needs them: a launcher for a built tree, and the project's own test command on a tree."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from optagent.core.fault import Fault
from optagent.core.patch import Patch
from optagent.core.target import Target, Tree
from optagent.core.verdict import Unmeasured
from optagent.core.workload import Input
from optagent.errors import BadSetting, BadWorkload
from optagent.languages.command import settings, toolbox_folder
from optagent.languages.command.building import BuildFailed, Workshop, telling_line
from optagent.languages.command.contestant import CommandContestant, CommandLoad, Holds
from optagent.languages.command.files import is_meant, source_files
from optagent.languages.command.machinery import WORK, Machinery, environment
from optagent.languages.command.settings import CommandSettings
from optagent.languages.contestant import REFERENCE, Contestant, Misconduct
from optagent.languages.python.environment import interpreter
from optagent.languages.tests import TestReport, TestResult
from optagent.sandbox.base import Exited, Limits, Mount, Sandbox, Stopped

LIMITS = Limits(processes=512, open_files=1024, scratch_bytes=1 << 30)
COMMAND_MODULE = "command"
"""Stands for the module of a target that is a command."""


@dataclass(frozen=True)
class CommandProject:
    """Everything that stays the same for one command: what it is, where it runs, where builds of it are kept.

    `builds` is a folder of ours that lives as long as the run; a tree of the same content is built once in it.
    """

    machinery: Machinery
    settings: CommandSettings
    target: Target
    builds: Path
    folder: str = "."

    def contestant(
        self,
        tree: Tree,
        hash_seed: int,
        seconds: float,
        name: str = "candidate",
        workload: Path | None = None,
        warm: bool = False,
    ) -> CommandContestant:
        """A launcher that sees this tree, built; it has started nothing yet. Misconduct when it does not build."""
        if workload is not None:
            raise _no_workload(workload)
        built = self._built(tree, name)
        seen = self.machinery.inside(built.root, WORK)
        command = self.machinery.command(
            "optagent_launcher", mounts=(Mount(built.root, WORK),), cwd=_join(seen, built.project)
        )
        limits = replace(LIMITS, seconds=seconds)
        return CommandContestant(self.machinery.sandbox, command, limits, name, Holds(tree, built, hash_seed))

    def under(self, words: tuple[str, ...]) -> CommandProject:
        raise Misconduct("start", f"a command is not run under {words[0]} yet", name=REFERENCE)

    def load(self, contestant: Contestant, tree: Tree, padding: int) -> None:
        """The command found in this very tree; anything else is misconduct, or ours to know. (Padding is of no use: a
        program has a new layout each time it starts.)"""
        assert isinstance(contestant, CommandContestant)
        holds = contestant.holds
        built = holds.built if tree == holds.tree else self._built(tree, contestant.name)
        seen = self.machinery.inside(built.root, WORK)
        sources = source_files(built, self.settings)
        said = contestant.begin(self._load(contestant, tuple(_join(seen, path) for path in sources)))
        program = str(said.get("program"))
        inside = program.startswith(f"{seen}/")
        files = [built.root / program.removeprefix(f"{seen}/") if inside else Path(program)]
        expected = _digest([*files, *(built.root / path for path in sources)])
        if said.get("digest") != expected:
            raise contestant.misconduct("start", f"{program} or its sources are not those of this tree")

    def workload_path(self, workload: Path) -> str:
        raise _no_workload(workload)

    def run_tests(self, tree: Tree, only: Sequence[str] | None, seconds: float = 0.0) -> TestReport:
        """The test command as one test, which reaches the target because the project says so; without one, none."""
        argv = self.settings.tests
        name = " ".join(argv)
        if not argv or (only is not None and name not in only):
            return TestReport((), (), "", 0.0)
        try:
            result = self._workshop.run_tests(tree, argv, seconds or self.settings.timeout)
        except BuildFailed as failed:
            return TestReport((), (), f"does not build: {failed}", 0.0)
        if isinstance(result.ending, Stopped):
            return TestReport((), (), f"the tests were stopped at their limit of {result.ending.limit}", result.seconds)
        outcome = "passed" if result.ending == Exited(0) and result.report else "failed"
        said = telling_line(result)
        test = TestResult(name, outcome, frozenset({0}), result.seconds, said)
        return TestReport((test,), (), "", result.seconds, said)

    def sample_tests(self, tree: Tree, only: Sequence[str], seconds: float) -> None:
        """Nobody sees from outside which function of a program is at work."""

    def faults(self, tree: Tree) -> tuple[Fault, ...]:
        return ()

    def touched(self, old: Tree, new: Tree) -> None:
        return None

    def reaching(self, old: Tree, new: Tree) -> None:
        """A program and what tests it are processes of their own."""

    def failing_test(self, old: Tree, new: Tree, given: Input) -> Unmeasured:
        return Unmeasured("there is no test to write for a command")

    def scope_fault(self, patch: Patch) -> str | None:
        """Patches may edit files in scope that are there already."""
        if not patch.changes or all(change.old == change.new for change in patch.changes):
            return "changes nothing"
        away = (*self.settings.inputs, *self.settings.hidden)
        for change in patch.changes:
            if not is_meant(change.path, self.folder, self.settings.scope) or is_meant(change.path, self.folder, away):
                return f"edits {change.path}, which is outside the scope ({', '.join(self.settings.scope)})"
            if change.old is None or change.new is None:
                return f"deletes or creates {change.path}"
        return f"edits {patch.paths[0]} twice" if len(set(patch.paths)) < len(patch.paths) else None

    def normal_form(self, patch: Patch) -> str:
        """Every text is a form of its own: nobody here knows the language."""
        return patch.digest

    @property
    def _workshop(self) -> Workshop:
        return Workshop(self.machinery, self.settings, self.builds)

    def _built(self, tree: Tree, name: str) -> Tree:
        try:
            return self._workshop.built(tree)
        except BuildFailed as failed:
            raise Misconduct("build", str(failed), name=name) from None

    def _load(self, contestant: CommandContestant, sources: tuple[str, ...]) -> CommandLoad:
        isolated = self.machinery.is_isolated
        scratch = "/tmp/scratch" if isolated else f"/tmp/optagent-{contestant.live.pid}"
        return CommandLoad(
            argv=self.settings.run,
            env=environment("/tmp" if isolated else scratch, contestant.holds.hash_seed),
            sources=sources,
            scratch=scratch,
            swept=("/tmp", "/dev/shm") if isolated else (),
            kept=(Path(WORK).name,),
            reads=self.settings.reads_file,
            writes=self.settings.writes_file,
            compare=self.settings.compare,
        )


def find_project(tree: Tree, sandbox: Sandbox, folder: Path) -> CommandProject | None:
    """The command that a tree's configuration describes, or None; toolbox and builds lie in `folder`, which is ours
    and which everybody can read. Raises BadSetting."""
    found = settings.read(tree.project_root)
    if found is None:
        return None
    own = interpreter.probe(Path(sys.executable), "optagent's own", sandbox)
    machinery = Machinery(sandbox, own, toolbox_folder.install(folder / "command-toolbox"))
    return CommandProject(machinery, found, command_target(tree, found), folder / "builds", tree.project)


def command_target(tree: Tree, found: CommandSettings) -> Target:
    """The command as a Target: named as the user calls it, at the first file that may be edited. Raises BadSetting."""
    sources = source_files(tree, found)
    if not sources:
        raise BadSetting(
            f"`scope` ({', '.join(found.scope)}) means no file of {tree.project_root.name or tree.root.name}/",
            "Name the source files that a patch may edit, and see that `inputs` and `hidden` do not mean them too.",
        )
    name = found.name or Path(found.run[0]).name
    return Target(path=sources[0], qualname=name, module=COMMAND_MODULE, import_root=tree.project, line=1)


def _digest(files: Sequence[Path]) -> str:
    """As the launcher computes it; a program of the system is the same file outside as inside."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _join(folder: str, path: str) -> str:
    return folder if path == "." else f"{folder}/{path}"


def _no_workload(file: Path) -> BadWorkload:
    return BadWorkload(f"{file.name} cannot be used: a command takes its inputs from files", "Name them as `inputs`.")
