"""Python targets as the referee needs them: a worker for a tree, and the project's tests on a tree."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optagent.core import frames
from optagent.core.patch import Patch
from optagent.core.scope import Scope
from optagent.core.target import Target, Tree
from optagent.errors import ToolMissing
from optagent.languages.contestant import Contestant, Load
from optagent.languages.python import scope
from optagent.languages.python.interpreter import Interpreter
from optagent.languages.tests import TestReport, TestResult
from optagent.sandbox.base import Command, ExecResult, Limits, Mount, Sandbox, Stopped

TREE, TOOLBOX, WORKLOAD, REQUEST = "/optagent/tree", "/optagent/toolbox", "/optagent/workload", "/optagent/request"
TEST_SECONDS = 600.0
PYTEST_NO_TESTS = 5


@dataclass(frozen=True)
class PythonProject:
    """Everything that stays the same for one target: where it runs and with what, and what may be changed of `base`."""

    sandbox: Sandbox
    interpreter: Interpreter
    toolbox: Path
    target: Target
    test_arguments: tuple[str, ...] = ()
    scope: Scope = Scope.FUNCTION
    base: Tree | None = None

    def contestant(
        self, tree: Tree, hash_seed: int, seconds: float, name: str = "candidate", workload: Path | None = None
    ) -> Contestant:
        """A worker that sees this tree only; it has imported nothing of it yet."""
        mounts = [*self._mounts(tree), *([Mount(workload, self.workload_path(workload))] if workload else [])]
        script = f"{self._inside(self.toolbox, TOOLBOX)}/optagent_worker.py"
        command = Command(
            (str(self.interpreter.executable), "-s", "-B", script),
            self._inside(tree.root, TREE),
            tuple(mounts),
            {**self._environment(), "PYTHONHASHSEED": str(hash_seed % (1 << 32))},
        )
        return Contestant(self.sandbox, command, Limits(seconds=seconds), name)

    def load(self, contestant: Contestant, tree: Tree, padding: int) -> None:
        """The target imported from this very tree; anything else is misconduct, or ours to know."""
        seen = self._inside(tree.root, TREE)
        roots = (_join(seen, self.target.import_root),)
        said = contestant.load(Load(self.target.module, self.target.qualname, roots, padding))
        expected = _join(seen, self.target.path)
        if said.get("file") != expected:
            came = said.get("file")
            raise contestant.misconduct("import", f"{self.target.module} came from {came}, not from {expected}")
        if not said.get("callable"):
            raise contestant.misconduct("import", f"{self.target.qualname} is not callable")

    def workload_path(self, workload: Path) -> str:
        return self._inside(workload, f"{WORKLOAD}/{workload.name}")

    def run_tests(
        self, tree: Tree, only: Sequence[str] | None, keep: bool, seconds: float = TEST_SECONDS
    ) -> TestReport:
        """The project's tests on this tree: all of them, or those named. `keep` captures the target's arguments."""
        with tempfile.TemporaryDirectory(prefix="request-", dir=self.toolbox.parent) as folder:
            Path(folder).chmod(0o755)
            request = Path(folder, "request.json")
            request.write_text(json.dumps(self._request(tree, only, keep)), "utf-8")
            request.chmod(0o644)
            result = self.sandbox.run(self._test_command(tree, only, request), Limits(seconds=seconds, processes=512))
        return _read_report(result)

    def scope_fault(self, patch: Patch) -> str | None:
        return scope.fault(self.target, patch, self.scope, self.base)

    def normal_form(self, patch: Patch) -> str:
        return scope.patch_form(patch)

    def _request(self, tree: Tree, only: Sequence[str] | None, keep: bool) -> dict[str, Any]:
        path = _join(self._inside(tree.root, TREE), self.target.path)
        names = None if only is None else list(only)
        return {
            "path": path, "qualname": self.target.qualname, "line": self.target.line, "only": names, "keep": keep,
        }  # fmt: skip

    def _test_command(self, tree: Tree, only: Sequence[str] | None, request: Path) -> Command:
        seen = self._inside(tree.root, TREE)
        files = sorted({name.partition("::")[0] for name in only or ()})
        options = ("-p", "optagent_probe", "-p", "no:cacheprovider", "-q", "--tb=short", "--color=no")
        roots = (_join(seen, self.target.import_root), self._inside(self.toolbox, TOOLBOX))
        return Command(
            (str(self.interpreter.executable), "-B", "-m", "pytest", *options, *self.test_arguments, *files),
            _join(seen, tree.project),
            (*self._mounts(tree), Mount(request, REQUEST)),
            {
                **self._environment(),
                "PYTHONHASHSEED": "0",
                "PYTHONPATH": ":".join(roots),
                "OPTAGENT_PROBE": self._inside(request, REQUEST),
            },
        )

    def _mounts(self, tree: Tree) -> tuple[Mount, ...]:
        return (*self.interpreter.mounts, Mount(tree.root, TREE), Mount(self.toolbox, TOOLBOX))

    def _inside(self, source: Path, inside: str) -> str:
        return self.sandbox.inside(Mount(source, inside))

    def _environment(self) -> dict[str, str]:
        """The whole environment of what runs in the sandbox: nothing of ours is in it."""
        path = f"{self.interpreter.executable.parent}:/usr/bin:/bin"
        return {"PATH": path, "HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


def _join(folder: str, path: str) -> str:
    return folder if path == "." else f"{folder}/{path}"


def _read_report(result: ExecResult) -> TestReport:
    """What the probe said. Without its report nothing passed: it left early, was stopped, or never began."""
    said = _telling_line((result.stdout + result.stderr).decode("utf-8", "replace"))
    if isinstance(result.ending, Stopped):
        return TestReport(
            (), (), 0, {}, f"the tests were stopped at their limit of {result.ending.limit}", result.seconds
        )
    if b"No module named pytest" in result.stderr:
        raise ToolMissing(
            "the target's interpreter has no pytest, so its tests cannot run",
            "Install pytest into it, or choose another interpreter with `--python PATH`.",
        )
    try:
        return _told(result, said)
    except (frames.Malformed, LookupError, TypeError, ValueError, AttributeError):  # whatever the tests wrote there
        return TestReport((), (), 0, {}, said or "the tests ended without a report", result.seconds)


def _told(result: ExecResult, said: str) -> TestReport:
    header, blobs = frames.read_bytes(result.report)
    tests = tuple(
        TestResult(name, str(entry["outcome"]), bool(entry["reached"]), float(entry["seconds"]))
        for name, entry in header["tests"].items()
    )
    inputs = tuple(zip(blobs[::2], blobs[1::2], strict=True))
    lost = {str(reason): int(count) for reason, count in header["lost"].items()}
    broken = "" if header["exit"] in (0, 1, PYTEST_NO_TESTS) else said or f"pytest ended with {header['exit']}"
    return TestReport(tests, inputs, int(header["calls"]), lost, broken, result.seconds, said)


def _telling_line(output: str) -> str:
    """The line of pytest's output that says what went wrong: its first "E" line, else its last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("E ").strip() for line in lines if line.startswith(("E ", "ERROR", "INTERNALERROR"))]
    return (errors or lines[-1:] or [""])[0]
