"""What keepers of the rungs `landlock` and `container` have on this machine. Standard library only: attacks are played by any Python."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path


def scratch_folders() -> set[str]:
    """The folders of keepers on this machine, those of tests that run at the same time among them."""
    return {
        one.name
        for one in Path(tempfile.gettempdir()).iterdir()
        if one.name.startswith(("optagent-scratch-", "optagent-box-"))
    }


def scratch_left() -> set[str]:
    """Those that are there now and stay: a keeper has left them behind."""
    left, until = scratch_folders(), time.monotonic() + 30
    while left and time.monotonic() < until:
        time.sleep(0.02)
        left &= scratch_folders()
    return left
