"""A Python target as the referee needs it: a worker for a tree, and the project's tests on a tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from optagent.core.end_to_end import Sampled
from optagent.core.fault import Fault
from optagent.core.patch import Patch
from optagent.core.scope import Scope
from optagent.core.target import Target, Tree
from optagent.core.verdict import Unmeasured
from optagent.core.workload import Input
from optagent.languages.contestant import REFERENCE, Contestant, Load
from optagent.languages.python.environment import generators
from optagent.languages.python.environment.home import PythonHome, join
from optagent.languages.python.faults import faults
from optagent.languages.python.scope import check
from optagent.languages.python.source.statements import touched
from optagent.languages.python.testing.failing_test import failing_test
from optagent.languages.python.testing.pytest_run import TEST_SECONDS, Wish, run_tests
from optagent.languages.python.testing.reaching import reaching
from optagent.languages.python.testing.share import sample_tests
from optagent.languages.tests import TestReport
from optagent.sandbox.base import Command, Limits, Mount
from optagent.workspace.text import read_source

WRITING_S = 60.0
WORKLOAD, BYTECODE = "/optagent/workload", "/optagent/bytecode"


@dataclass(frozen=True)
class PythonProject:
    """Everything that stays the same for one target, and what may be changed of `base`. `folders` of the tree are on
    its import path after its own. `bytecode` is a folder for sources that have none beside them. `moved` are trees in
    which the target stands elsewhere, each with it there. `starter` is what the worker's command line follows."""

    home: PythonHome
    target: Target
    folders: tuple[str, ...] = ()
    scope: Scope = Scope.FUNCTION
    base: Tree | None = None
    bytecode: Path | None = None
    moved: tuple[tuple[Path, Target], ...] = ()
    starter: tuple[str, ...] = ()

    def under(self, words: tuple[str, ...]) -> PythonProject:
        return replace(self, starter=words)

    def target_in(self, tree: Tree) -> Target:
        """The target as it stands in this tree."""
        return next((target for root, target in self.moved if root == tree.root), self.target)

    def contestant(
        self,
        tree: Tree,
        hash_seed: int,
        seconds: float,
        name: str = "candidate",
        workload: Path | None = None,
        warm: bool = False,
    ) -> Contestant:
        """A worker that sees this tree only; it has imported nothing of it yet."""
        lent = [Mount(self.bytecode, BYTECODE)] if self.bytecode else []
        given = [Mount(workload, self.workload_path(workload))] if workload else []
        mounts = (*self.home.mounts(tree), *lent, *given, *generators.mounts())
        folders = {"bytecode": self.home.inside(self.bytecode, BYTECODE)} if self.bytecode else {}
        folders["generators"] = generators.import_folder(self.home.sandbox)
        options = ("-s", "-B", self.home.tool("optagent_worker.py"), *(f"{key}={one}" for key, one in folders.items()))
        command = Command(
            (*self.starter, str(self.home.interpreter.executable), *options),
            self.home.tree(tree),
            mounts,
            {**self.home.environment(), "PYTHONHASHSEED": str(hash_seed % (1 << 32))},
            forks=warm and not self.starter,
        )
        return Contestant(self.home.sandbox, command, Limits(seconds=seconds), name)

    def load(self, contestant: Contestant, tree: Tree, padding: int) -> None:
        """The target imported from this very tree; anything else is misconduct, or ours to know."""
        seen = self.home.tree(tree)
        target, shared = self.target_in(tree), (*self.home.import_roots, *self.folders)
        roots = tuple(dict.fromkeys(join(seen, one) for one in (target.import_root, *shared)))
        has_scratch = self.home.sandbox.rung != "none"
        file = contestant.load(Load(target.module, target.qualname, target.is_decorated, roots, padding, has_scratch))
        expected = join(seen, target.path)
        if file != expected:
            raise contestant.misconduct("import", f"{target.module} came from {file}, not from {expected}")

    def workload_path(self, workload: Path) -> str:
        return self.home.inside(workload, f"{WORKLOAD}/{workload.name}")

    def run_tests(self, tree: Tree, only: Sequence[str], seconds: float = TEST_SECONDS) -> TestReport:
        """The named tests on this tree."""
        roots = (self.target_in(tree).import_root,)
        return run_tests(self.home, tree, Wish(tuple(only), seconds=seconds, roots=roots))

    def sample_tests(self, tree: Tree, only: Sequence[str], seconds: float) -> Sampled | None:
        return sample_tests(self.home, tree, self.target_in(tree), tuple(only), seconds)

    def faults(self, tree: Tree) -> Sequence[Fault]:
        target = self.target_in(tree)
        return faults(read_source(tree.root / target.path), target)

    def touched(self, old: Tree, new: Tree) -> Sequence[tuple[int, int]]:
        before, after = (read_source(tree.root / self.target_in(tree).path) for tree in (old, new))
        return touched(before, after, self.target_in(new))

    def reaching(self, old: Tree, new: Tree) -> str | None:
        found = reaching(old, new)
        return str(found) if found else None

    def failing_test(self, old: Tree, new: Tree, given: Input) -> str | Unmeasured:
        written = []
        for tree, name in ((old, REFERENCE), (new, "candidate")):
            with self.contestant(tree, 0, WRITING_S, name) as contestant:
                self.load(contestant, tree, 1)
                contestant.keep([given.data])
                written.append(contestant.write(0))
        return failing_test(self.target_in(old), *written)

    def scope_fault(self, patch: Patch) -> str | None:
        return check.fault(self.target, patch, self.scope, self.base)

    def normal_form(self, patch: Patch) -> str:
        return check.patch_form(patch)
