"""Our files in the target's interpreter as bytecode, so that not every worker compiles them anew."""

from __future__ import annotations

from optagent.core import frames
from optagent.languages.python.home import PythonHome
from optagent.sandbox.base import Command, Limits

CACHE = "__pycache__"
COMPILE = """
import importlib.util, os, py_compile, sys, tempfile
toolbox = sys.argv[1]
sys.path.insert(0, toolbox)
import optagent_frames
names, blobs = [], []
with tempfile.TemporaryDirectory() as folder:
    for name in sorted(one for one in os.listdir(toolbox) if one.endswith(".py")):
        source, made = os.path.join(toolbox, name), os.path.join(folder, name + "c")
        py_compile.compile(source, made, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
        names.append(os.path.basename(importlib.util.cache_from_source(source)))
        with open(made, "rb") as file:
            blobs.append(file.read())
with open(int(os.environ["OPTAGENT_FD"]), "wb") as report:
    report.write(optagent_frames.pack({"names": names}, blobs))
"""


def compile_toolbox(home: PythonHome) -> None:
    """The toolbox holds its own bytecode for this interpreter; without it when that cannot be had, which only costs
    time.

    The interpreter starts without its environment, and nothing of a tree is in its sandbox. Bytecode is bound to the
    text of its source, not to a date: what is installed over it later is never taken for what it was.
    """
    folder = home.toolbox / CACHE
    if folder.exists():
        return
    executable, toolbox = str(home.interpreter.executable), home.sandbox.inside(home.toolbox_mount)
    mounts = (*home.interpreter.mounts, home.toolbox_mount)
    command = Command((executable, "-I", "-S", "-B", "-c", COMPILE, toolbox), "/tmp", mounts, home.environment())
    result = home.sandbox.run(command, Limits(seconds=30))
    if not result.ok:
        return
    try:
        said, blobs = frames.read_bytes(result.report)
    except frames.Malformed:
        return
    names = said.get("names")
    known = {one.stem for one in home.toolbox.glob("*.py")}
    if not isinstance(names, list) or len(names) != len(blobs) or {str(one).split(".")[0] for one in names} != known:
        return
    folder.mkdir()
    folder.chmod(0o755)
    for name, data in zip(names, blobs, strict=True):
        file = folder / str(name).rpartition("/")[2]
        file.write_bytes(data)
        file.chmod(0o644)
