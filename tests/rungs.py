"""The rungs of the sandbox as the tests use them, and folders that everybody may look into."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from warm_sandbox import Forks

from optagent.errors import SandboxBroken, SandboxUnavailable
from optagent.sandbox.base import Sandbox
from optagent.sandbox.bwrap import Bwrap
from optagent.sandbox.container import Container
from optagent.sandbox.landlock import OLDEST, Landlock, abi
from optagent.sandbox.unprotected import Unprotected

ROOT = Path(__file__).parents[1]
NO_BWRAP = "bubblewrap (bwrap) is not installed, or makes no sandbox here"


def holds() -> bool:
    """Whether bubblewrap is here and can make a sandbox."""
    if shutil.which("bwrap") is None:
        return False
    probe = ("bwrap", "--unshare-all", "--ro-bind", "/", "/", "true")
    return subprocess.run(probe, cwd="/", capture_output=True).returncode == 0


DEFAULT = "bwrap" if holds() else "landlock"
OLD_PYTHON = Path("/root/.pyenv/versions/3.10.13/bin/python")
"""What `auto` takes on this machine."""


def open_to_all(*folders: Path) -> None:
    """Folders that a dropped user can look into; those that are not ours to change stay as they are."""
    for folder in folders:
        if os.stat(folder).st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o755)


def shut_out(*ends: str | Path) -> bool:
    """Whether root's code, which runs behind Landlock as somebody else, cannot get to one of these."""
    ways = [one for end in ends for one in (Path(end), *Path(end).resolve().parents)]
    return os.geteuid() == 0 and not all(one.stat().st_mode & 0o001 for one in ways if one.is_dir())


def has_old_python() -> bool:
    """Whether there is a Python 3.10 that can be looked at."""
    return os.access(OLD_PYTHON, os.X_OK) and not (DEFAULT == "landlock" and shut_out(OLD_PYTHON))


def unreachable() -> str:
    """Why nothing of ours can run behind the default rung here; empty where it can."""
    if DEFAULT == "bwrap":
        return ""
    if abi() < OLDEST:
        return f"{NO_BWRAP}, and this kernel has no Landlock that would do"
    if shut_out(sys.executable, sys.base_prefix, ROOT):
        return f"{NO_BWRAP}, and without it root's code runs as somebody else, who cannot reach our own Python here"
    return ""


@cache
def no_container() -> str:
    """Why there is no container to be had here; empty where there is one."""
    try:
        return Container().faults(Path.home())
    except (SandboxBroken, SandboxUnavailable) as fault:
        return fault.message


def make_sandbox(rung: str) -> Sandbox:
    """The rung of that name, `default` for this machine's; the test is skipped where it is not to be had."""
    if rung == "default":
        if why := unreachable():
            pytest.skip(why)
        rung = DEFAULT
    if rung == "none":
        return Unprotected()
    if rung == "landlock":
        if abi() < OLDEST:
            pytest.skip("this kernel has no Landlock that would do")
        return Landlock()
    if rung == "container":
        if why := no_container():
            pytest.skip(why)
        return Container()
    if DEFAULT != "bwrap":
        pytest.skip(NO_BWRAP)
    return Forks() if rung == "fork" else Bwrap()
