"""The rungs of the sandbox as the tests use them, and folders that everybody may look into."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from warm_sandbox import Forks

from optagent.sandbox.base import Sandbox
from optagent.sandbox.bwrap import Bwrap
from optagent.sandbox.landlock import OLDEST, Landlock, abi
from optagent.sandbox.unprotected import Unprotected

NO_BWRAP = "bubblewrap (bwrap) is not installed: nothing to test the default sandbox with"


def open_to_all(*folders: Path) -> None:
    """Folders that a dropped user can look into; those that are not ours to change stay as they are."""
    for folder in folders:
        if os.stat(folder).st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o755)


def make_sandbox(rung: str) -> Sandbox:
    if rung == "none":
        return Unprotected()
    if rung == "landlock":
        if abi() < OLDEST:
            pytest.skip("this kernel has no Landlock that would do")
        return Landlock()
    if shutil.which("bwrap") is None:
        pytest.skip(NO_BWRAP)
    return Forks() if rung == "fork" else Bwrap()
