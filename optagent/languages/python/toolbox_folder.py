"""Puts together the folder of files that run in the target's interpreter."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

PARTS = (
    ("optagent.languages.python", "toolbox/optagent_worker.py", "optagent_worker.py"),
    ("optagent.languages.python", "toolbox/optagent_encode.py", "optagent_encode.py"),
    ("optagent.languages.python", "toolbox/optagent_probe.py", "optagent_probe.py"),
    ("optagent.languages.python", "toolbox/optagent_profile.py", "optagent_profile.py"),
    ("optagent.core", "frames.py", "optagent_frames.py"),
)


def install(folder: Path) -> Path:
    """The folder, holding the worker, its encoder, the pytest plugin and the frame format, readable by anyone."""
    folder.mkdir(parents=True, exist_ok=True)
    for package, source, name in PARTS:
        with resources.as_file(resources.files(package) / source) as file:
            shutil.copyfile(file, folder / name)
        (folder / name).chmod(0o644)
    folder.chmod(0o755)
    return folder
