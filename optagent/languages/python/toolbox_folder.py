"""Puts together the folder of files that run in the target's interpreter."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

MODULES = (
    "allocations", "benches", "bytecode", "codec", "command", "encode", "events", "functions", "handed", "hints", "hot",
    "instructions", "iterate", "lines", "loading", "nursery", "objects", "plain", "probe", "record", "rename",
    "samples", "settings", "share", "shims", "source", "state", "target", "vary", "watch", "weigh", "within", "worker",
)  # fmt: skip
PARTS = (
    *[("optagent.languages.python", f"toolbox/optagent_{name}.py", f"optagent_{name}.py") for name in MODULES],
    ("optagent.languages.python", "toolbox/site/sitecustomize.py", "site/sitecustomize.py"),
    ("optagent.core", "frames.py", "optagent_frames.py"),
)


def install(folder: Path) -> Path:
    """The folder, holding the worker, its encoder, the pytest plugin and the frame format, readable by anyone."""
    folder.mkdir(parents=True, exist_ok=True)
    for package, source, name in PARTS:
        with resources.as_file(resources.files(package) / source) as file:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).parent.chmod(0o755)
            shutil.copyfile(file, folder / name)
        (folder / name).chmod(0o644)
    folder.chmod(0o755)
    return folder
