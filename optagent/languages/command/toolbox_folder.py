"""Puts together the folder of files that run inside the sandbox for a command."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

PARTS = (
    ("optagent.languages.command", "toolbox/optagent_launcher.py", "optagent_launcher.py"),
    ("optagent.languages.command", "toolbox/optagent_builder.py", "optagent_builder.py"),
    ("optagent.languages.command", "toolbox/optagent_outputs.py", "optagent_outputs.py"),
    ("optagent.languages.command", "toolbox/optagent_processes.py", "optagent_processes.py"),
    ("optagent.languages.command", "toolbox/optagent_scratch.py", "optagent_scratch.py"),
    ("optagent.core", "frames.py", "optagent_frames.py"),
)


def install(folder: Path) -> Path:
    """The folder, holding launcher, builder, what they share, and the frame format, readable by anyone."""
    folder.mkdir(parents=True, exist_ok=True)
    for package, source, name in PARTS:
        with resources.as_file(resources.files(package) / source) as file:
            shutil.copyfile(file, folder / name)
        (folder / name).chmod(0o644)
    folder.chmod(0o755)
    return folder
