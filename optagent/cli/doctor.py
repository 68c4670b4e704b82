"""Tells which parts work on this machine, what is unproven, and what to type to get more."""

from __future__ import annotations

import json as jsonlib
import os
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from optagent.cli.run.machine import UNSEEN, fingerprint
from optagent.cli.run.models import price_line, prices
from optagent.cli.settings.config import read
from optagent.core import outcome as codes
from optagent.errors import OptagentError
from optagent.languages.python.environment import environment as environments
from optagent.languages.python.environment import finding, interpreter, tools
from optagent.languages.python.environment.environment import Environment
from optagent.languages.python.environment.finding import Search
from optagent.languages.python.environment.host import Host
from optagent.llm.installed import dangers, litellm_version
from optagent.measure.pyperf_system import system_advice
from optagent.measure.system_state import sample
from optagent.profile.base import Here, Missing, Profiler
from optagent.profile.registry import PROFILERS
from optagent.report.text import safe
from optagent.sandbox.base import Sandbox
from optagent.sandbox.choose import choose
from optagent.workspace.worktree import root_of


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it works, what was seen, what to do when it does not, and what is worth knowing.
    Without what is not needed a run finds and proves the same."""

    what: str
    works: bool
    seen: str
    remedy: str = ""
    details: tuple[str, ...] = ()
    needed: bool = True

    @property
    def mark(self) -> str:
        return "ok  " if self.works else "NO  " if self.needed else "--  "


def doctor(python: str | None, json: bool) -> int:
    """Prints the findings; 0 when a run can start here, 3 otherwise."""
    sandbox, rung = _sandbox()
    environment, target = _target_python(python, sandbox)
    findings = [_our_python(), _git(), rung, target, _machine(), _model(), *_profilers(environment)]
    if json:
        sys.stdout.write(jsonlib.dumps([asdict(one) for one in findings], indent=2) + "\n")
    else:
        for one in findings:
            print(safe(f"{one.mark} {one.what}: {one.seen}"))
            for line in (one.remedy, *one.details):
                if line:
                    print(safe(f"     {line}"))
        print("     unproven: podman for ordinary users (tried by hand once); docker is not used")
        print("     unproven: processors other than x86-64 (nobody has run them)")
        print("     unproven: frequencies, turbo and CPU quotas are read as the kernel documents them")
    return codes.OK if all(one.works for one in findings if one.needed) else codes.ENVIRONMENT


def _our_python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("optagent's Python", sys.version_info >= interpreter.OLDEST, f"{version} at {sys.executable}")


def _git() -> Finding:
    found = shutil.which("git")
    if found:
        return Finding("git", True, found)
    return Finding("git", True, "not installed: folders are copied whole, without git's ignore rules", "Install git.")


def _sandbox() -> tuple[Sandbox | None, Finding]:
    try:
        sandbox = choose("auto", Path.home())
    except OptagentError as fault:
        return None, Finding("sandbox", False, fault.message, fault.hint)
    seen = f"{sandbox.rung}: no network, no home, nothing outside can be written, seccomp"
    cold = sandbox.warm_start_fault()
    starts = f"no warm starts, launches take longer: {cold}" if cold else "warm starts: workers are forks of one"
    told = [f"`{sandbox.rung}`: {one}" for one in sandbox.gaps]
    return sandbox, Finding("sandbox", True, seen, sandbox.passed_over, (starts, *told))


def _target_python(python: str | None, sandbox: Sandbox | None) -> tuple[Environment | None, Finding]:
    """The environment of the project in the current folder, if it works."""
    host = Host(os.environ, Path.home())
    search = Search(Path.cwd(), root_of(Path.cwd()), host, Path(sys.executable), python)
    try:
        if sandbox is None:  # an environment may hold anything: none of it is started unprotected without being asked
            only = finding.find(search)
            seen = f"{only.executable} ({only.origin}), not started: there is no sandbox to start it in"
            return None, Finding("the target's Python", True, seen)
        found = environments.look(search, sandbox)
        tests = tools.describe(found)
    except OptagentError as fault:
        return None, Finding("the target's Python", False, fault.message, fault.hint)
    passed = tuple(f"passed over: {one}" for one in found.passed_over)
    details = (*passed, tests, *map(str, found.editables), *found.notes)
    return found, Finding("the target's Python", True, str(found), "", details)


def _profilers(environment: Environment | None) -> list[Finding]:
    """Each profiler as it would work on a Python target of this project."""
    here = Here(environment.installed if environment else None)
    return [_profiler(one, one.missing(here)) for one in PROFILERS]


def _profiler(one: Profiler, missing: Missing | None) -> Finding:
    """One that is not there makes a profile smaller, and nothing else."""
    what = f"profiler {one.name}"
    doubt = (f"unproven: {one.unproven}",) if one.unproven else ()
    if missing is None:
        request = f" (on request: --profiler {one.name})" if one.on_request else ""
        return Finding(what, True, f"{one.says}{request}", "", doubt, needed=False)
    return Finding(what, False, f"missing: {missing.why}", missing.remedy, doubt, needed=False)


def _machine() -> Finding:
    """How quiet the machine is, and pyperf's advice on it. Nobody has measured what following that gives optagent,
    whose pairs cancel much of what the advice is about: it is said to be unproven."""
    core = max(os.sched_getaffinity(0))
    found, load = fingerprint({}, core), sample(core).load
    seen = f"{found['processor']}, load {UNSEEN if load is None else load} on {os.cpu_count()} cores, governor "
    seen += f"{found['governor']}, CPU limit {found['cpu_limit']}, container {found['container']}"
    return Finding("the machine", True, seen, "", tuple(f"unproven advice of pyperf: {one}" for one in system_advice()))


def _model() -> Finding:
    """The model that a run here would ask, found out without asking it; importing nothing of its library."""
    if found := dangers():
        return Finding("models", False, "; ".join(found), "Remove litellm, then replace every key on this machine.")
    library = f"litellm {litellm_version() or 'is not installed'}"
    try:
        asked = read(Path.cwd(), {}, os.environ)
        settings = asked.run_settings("")
        if not settings.has_model:
            return Finding("models", True, f"none is named, the built-in rules propose ({library})")
        (coder, coder_price), (judge, judge_price) = prices(settings)
    except OptagentError as fault:
        return Finding("models", False, fault.message, fault.hint)
    names = {coder: coder_price, judge: judge_price}
    seen = ", ".join(f"{name} ({price_line(price)})" for name, price in names.items())
    return Finding("models", True, f"{seen}, not asked ({library})")
