"""Picks the strongest rung that works here, or the one asked for; never a weaker one in silence."""

from __future__ import annotations

from pathlib import Path

from optagent.errors import BadSetting, SandboxUnavailable
from optagent.sandbox.base import Command, Limits, Sandbox
from optagent.sandbox.bwrap import Bwrap
from optagent.sandbox.unprotected import Unprotected

NAMES = ("auto", "bwrap", "none")
# Every line must print nothing: a home that is visible, a network, a writable system, a namespace of its own.
SELF_TEST = """
test -e "$1" && echo "the home folder $1 is visible"
test "$(grep -c : /proc/net/dev)" -le 1 || echo "there is a network"
touch /usr/optagent-self-test 2>/dev/null && echo "the system is writable"
unshare -U true 2>/dev/null && echo "namespaces can be made"
exit 0
"""


def choose(name: str, home: Path) -> Sandbox:
    """The rung called `name`, tested. Raises SandboxUnavailable with the reason and the remedy."""
    if name not in NAMES:
        raise BadSetting(f"there is no sandbox called {name!r}", f"Choose one of {', '.join(NAMES)}.")
    if name == "none":
        return Unprotected()
    sandbox = Bwrap()
    self_test(sandbox, home)
    return sandbox


def self_test(sandbox: Sandbox, home: Path) -> None:
    """Returns when the sandbox runs commands and holds against a few simple probes."""
    command = Command(
        ("/bin/sh", "-c", SELF_TEST, "self-test", str(home)), "/tmp", env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
    )
    result = sandbox.run(command, Limits(seconds=20, memory_bytes=1 << 30))
    said = (result.stdout + result.stderr).decode("utf-8", "replace").strip()
    if not result.ok or said:
        raise SandboxUnavailable(
            f"the sandbox `{sandbox.rung}` does not hold here: {said or result.ending}",
            "Run optagent on a machine where it does.",
        )
