"""Builds or tests a private copy of a tree, and tells what a build made.

Runs in optagent's interpreter inside the sandbox: standard library only. The request is JSON, in the file that is the
one argument: `source` (the tree, read-only), `extra` (a built tree whose additional files are wanted too, or null),
`work` (where the copy shall lie, or null for a folder that is gone afterwards), `folder` (where the command runs,
relative), `argv`, `env`, `newer` (files to be newer than all others), `tells` (whether the files made go into the
report).
The report (descriptor OPTAGENT_FD) is one frame: how the command ended, and the files with their contents.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import optagent_frames
import optagent_processes

OLD_S, NEWER_S = 1_000_000_000, 1_000_086_400
"""One age for all files and a day less for sources: a build that goes by age makes everything from them anew,
whatever stale results came with the tree, and nothing else."""

MOST_BYTES = 240 << 20  # a frame holds 256 MiB
MOST_FILES = 20_000
Facts = tuple[int, int, int, int]


def work_on(request: dict[str, Any], report: int) -> int:
    """The request done; the exit code of the command."""
    root = request["work"] or tempfile.mkdtemp(prefix="optagent-")
    try:
        copy(request["source"], root)
        age(root, request["newer"])
        if request["extra"]:
            add(request["extra"], root)
        before = facts_of(root)
        ending, code = run(request, os.path.join(root, request["folder"]))
        made = changed(root, before) if request["tells"] and code == 0 else []
        tell(report, root, ending, made)
        return code
    finally:
        if not request["work"]:
            shutil.rmtree(root, ignore_errors=True)


def copy(source: str, root: str) -> None:
    shutil.copytree(source, root, symlinks=True, dirs_exist_ok=True)
    for folder, _, names in os.walk(root):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            if not os.path.islink(path):
                os.chmod(path, os.stat(path).st_mode | 0o600)


def age(root: str, newer: list[str]) -> None:
    for folder, _, names in os.walk(root):
        for name in names:
            os.utime(os.path.join(folder, name), (OLD_S, OLD_S), follow_symlinks=False)
    for name in newer:
        os.utime(os.path.join(root, name), (NEWER_S, NEWER_S), follow_symlinks=False)


def add(extra: str, root: str) -> None:
    """What the build added; a file of the tree stays as it is, so that no build rewrites the tests of it."""
    for folder, _, names in os.walk(extra):
        for name in names:
            path = os.path.join(folder, name)
            target = os.path.join(root, os.path.relpath(path, extra))
            if not os.path.lexists(target) and not os.path.islink(path):
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy2(path, target)


def run(request: dict[str, Any], folder: str) -> tuple[str, int]:
    os.chdir(folder)
    argv, env = request["argv"], request["env"]
    program = optagent_processes.program_path(argv[0], env["PATH"])
    if program is None:
        print(f"there is no program {argv[0]}", file=sys.stderr, flush=True)
        return "no start", 127
    try:
        child = optagent_processes.start(program, argv, env, (0, 1, 2))
    except OSError as fault:
        print(f"{argv[0]} does not start: {fault.strerror}", file=sys.stderr, flush=True)
        return "no start", 126
    _, status = os.waitpid(child, 0)
    optagent_processes.kill_all()
    code = os.waitstatus_to_exitcode(status)
    return optagent_processes.told(status), code if code >= 0 else 128 - code


def facts_of(root: str) -> dict[str, Facts]:
    """Every regular file below, also through a link that stays below (libraries have several names)."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and is_below(os.path.realpath(path), root):
                told = os.stat(path)
                found[os.path.relpath(path, root)] = (told.st_size, told.st_mtime_ns, told.st_mode, told.st_ino)
    return found


def is_below(path: str, root: str) -> bool:
    return path.startswith(os.path.realpath(root) + "/")


def changed(root: str, before: dict[str, Facts]) -> list[str]:
    after = facts_of(root)
    names = sorted(name for name in after if after[name] != before.get(name))
    size = sum(after[name][0] for name in names)
    if len(names) > MOST_FILES or size > MOST_BYTES:
        raise SystemExit(f"the build makes {len(names)} files of {size >> 20} MiB, more than can be carried")
    return names


def tell(report: int, root: str, ending: str, names: list[str]) -> None:
    blobs = []
    for name in names:
        with open(os.path.join(root, name), "rb") as file:
            blobs.append(file.read())
    modes = [bool(os.stat(os.path.join(root, name)).st_mode & 0o111) for name in names]
    frame = memoryview(optagent_frames.pack({"ending": ending, "files": names, "programs": modes}, blobs))
    while frame:
        frame = frame[os.write(report, frame) :]


if __name__ == "__main__":
    descriptor = int(os.environ.pop("OPTAGENT_FD"))
    os.set_inheritable(descriptor, False)
    optagent_processes.settle_in()
    with open(sys.argv[1], encoding="utf-8") as file:
        wanted = json.load(file)
    sys.exit(work_on(wanted, descriptor))
