"""Picks the strongest rung that works here, or the one asked for; never a weaker one in silence."""

from __future__ import annotations

from pathlib import Path

from optagent.errors import BadSetting, SandboxBroken, SandboxUnavailable
from optagent.sandbox.base import Sandbox
from optagent.sandbox.bwrap import Bwrap
from optagent.sandbox.container import Container
from optagent.sandbox.landlock import Landlock
from optagent.sandbox.unprotected import Unprotected

LADDER: dict[str, type[Bwrap] | type[Landlock] | type[Container]] = {
    "bwrap": Bwrap,
    "landlock": Landlock,
    "container": Container,
}
"""The strongest first."""

NAMES = ("auto", *LADDER, "none")


def choose(name: str, home: Path) -> Sandbox:
    """The rung called `name`, tested. Raises SandboxUnavailable with the reason and the remedy."""
    if name not in NAMES:
        raise BadSetting(f"there is no sandbox called {name!r}", f"Choose one of {', '.join(NAMES)}.")
    if name == "none":
        return Unprotected()
    if name in LADDER:
        return tested(name, home)
    passed_over: list[SandboxUnavailable] = []
    for rung in LADDER:
        try:
            sandbox = tested(rung, home)
        except SandboxUnavailable as fault:
            passed_over.append(fault)
        else:
            sandbox.passed_over = _told(sandbox, passed_over)
            return sandbox
    reasons = "; ".join(fault.message for fault in passed_over)
    raise SandboxUnavailable(reasons, passed_over[0].hint)


def tested(rung: str, home: Path) -> Sandbox:
    """The rung, which has held against a few simple probes just now. Raises SandboxUnavailable."""
    try:
        sandbox = LADDER[rung]()
        said = sandbox.faults(home)
    except SandboxBroken as fault:
        raise SandboxUnavailable(fault.message, fault.hint) from None
    if said:
        raise SandboxUnavailable(
            f"the sandbox `{rung}` does not hold here: {said}", "Run optagent on a machine where it does."
        )
    return sandbox


def _told(sandbox: Sandbox, passed_over: list[SandboxUnavailable]) -> str:
    if not passed_over:
        return ""
    return f"the sandbox is `{sandbox.rung}`, which keeps less apart: {passed_over[0].message}. {passed_over[0].hint}"
